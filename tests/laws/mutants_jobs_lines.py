"""Mutants of jobs that somebody works in: one line broken, named after what is then reached, told or kept."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested
from tests.laws.mutants_jobs_sandbox import _shim

DOOR = "tests/doors/native/test_job_lines.py"
ENGINE = "tests/engines/test_job_line.py"
SHIM = "tests/cells/shim/test_terminal.py"
SCREEN = "tests/cli/test_screen.py"
BROWSER = "tests/cli/test_notebook_door.py"
HELD = "tests/attacks/test_escape_held.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "job-lines-shared",
        "whoever opens many lines above keeps those below out of their jobs",
        Edit("casemate.doors.native.job_lines:_Lines._seat", "self._seats[call.flow.access.id]", 'self._seats[""]'),
        Tested(f"{DOOR}::test_so_many_lines_are_open_at_once_at_a_label_and_of_one_person[LINES]"),
    ),
    (
        "job-line-of-another",
        "whoever sees a job types into it",
        Edit("casemate.jobs.submit:Jobs.line", "await self._own(flow, id)", "await self.named(flow, id)"),
        Tested(f"{DOOR}::test_it_is_the_owners_at_its_own_label"),
    ),
    (
        "job-line-from-above",
        "what is known above is typed into a job below",
        Edit("casemate.jobs.interactive:line_to", "found.ref.class_id != flow.access.id", "False"),
        Tested(f"{DOOR}::test_nobody_writes_into_it_from_above"),
    ),
    (
        "job-line-outlives-clearance",
        "whoever may no longer act goes on working in a job that he has open",
        Edit("casemate.doors.native.job_lines:_carried", "if not stays():", "if False:"),
        Tested(f"{DOOR}::test_whoever_may_no_longer_is_put_out"),
    ),
    (
        "job-line-follows-links",
        "a job's folder leads the region to a socket of its own, at which it is the region itself that speaks",
        Edit("casemate.engines.job_line:connected", "os.O_PATH | os.O_NOFOLLOW", "os.O_PATH"),
        Tested(f"{ENGINE}::test_a_link_to_a_socket_of_the_region_is_not_followed"),
    ),
    (
        "job-line-any-owner",
        "a hard link to a socket of the region's is taken for the job's",
        Edit("casemate.engines.job_line:connected", "or told.st_uid != owner", ""),
        Tested(f"{ENGINE}::test_a_socket_of_another_under_a_hard_link_is_none"),
    ),
    (
        "job-line-any-server",
        "another's process answers in the place of a job's shim",
        Edit("casemate.engines.job_line:connected", "_PEER.size))[1] != owner", "_PEER.size))[1] != -1 and False"),
        Tested(f"{ENGINE}::test_a_socket_that_is_not_the_folders_owners_is_none"),
    ),
    (
        "job-terminal-drivers",
        "a job brings in the kernel's drivers of lines",
        Edit("casemate.engines.sandbox.jobs:_rules", "none_of(1, _TERMINAL)", "none_of(1, _TERMINAL[:-1])"),
        Tested(f"{HELD}::test_no_way_leads_out_of_a_job_with_a_terminal[L2-user]"),
    ),
    (
        "job-terminal-typed-at-l1",
        "a program types into the terminal that somebody works at",
        Edit("casemate.engines.sandbox.jobs:_rules", "none_of(1, _TERMINAL)", "none_of(1, _TERMINAL[1:])"),
        Tested(f"{HELD}::test_no_way_leads_out_of_a_job_with_a_terminal[L1-user]"),
    ),
    (
        "job-terminal-never-idle",
        "a terminal that everybody has forgotten stays open",
        _shim("terminal.py", "return bool(self._idle_s) and", "return False and"),
        Tested(f"{SHIM}::test_nobody_working_in_it_ends_it[L1]"),
    ),
    (
        "job-terminal-two-visitors",
        "what is typed is shown to somebody who was there before",
        _shim(
            "terminal.py",
            '        if self._visitor is not None:\n            self._tell(b"t", b"")',
            '        if False:\n            self._tell(b"t", b"")',
        ),
        Tested(f"{SHIM}::test_who_comes_back_sees_what_he_missed_and_the_former_leaves"),
    ),
    (
        "job-answers-typed",
        "a job asks a terminal what stands elsewhere on the machine, and the answer is typed into the job",
        Edit("casemate.cli.screen:_allowed", 'in b"tcxi"', 'in b"-"'),
        Tested(f"{SCREEN}::test_what_speaks_past_the_screen_does_not"),
    ),
    (
        "job-screen-summed",
        "a job asks for the checksum of what stood on the screen before, letter by letter",
        Edit("casemate.cli.screen:_allowed", "if between is not None:", "if False:"),
        Tested(f"{SCREEN}::test_what_speaks_past_the_screen_does_not"),
    ),
    (
        "job-notebook-anybody",
        "whoever is on the machine works in somebody's notebook",
        Edit("casemate.cli.notebook_door:Door._come", "elif not self._known(heading):", "elif False:"),
        Tested(f"{BROWSER}::test_nobody_comes_in_without_the_cookie"),
    ),
    (
        "job-notebook-token-again",
        "an address that somebody has seen lets him in",
        Edit("casemate.cli.notebook_door:Door._changed", 'self._token = ""', "pass"),
        Tested(f"{BROWSER}::test_the_token_counts_once"),
    ),
    (
        "job-notebook-any-page",
        "any page in the browser works in the notebook",
        Edit(
            "casemate.cli.notebook_door:Door._come",
            'any(one not in [f"http://{o}" for o in own] for one in origins)',
            "False",
        ),
        Tested(f"{BROWSER}::test_another_page_or_name_is_refused"),
    ),
    (
        "job-notebook-any-name",
        "a name that somebody points at this machine makes his page one of ours",
        Edit("casemate.cli.notebook_door:Door._come", "len(hosts) != 1 or hosts[0] not in own or", ""),
        Tested(f"{BROWSER}::test_another_page_or_name_is_refused"),
    ),
    (
        "job-notebook-cookie-onward",
        "the program in a job learns the cookie that lets its visitor in",
        Edit("casemate.cli.notebook_door:Heading.onward", "[0] != cookie", "[0] != None"),
        Tested(f"{BROWSER}::test_the_cookie_goes_no_further"),
    ),
    (
        "job-notebook-second-request",
        "behind one request that was looked at go others that were not",
        Edit("casemate.cli.notebook_door:Heading.onward", '"upgrade" if upgrade else "close"', '"keep-alive"'),
        Tested(f"{BROWSER}::test_a_connection_has_one_request"),
    ),
    (
        "job-notebook-from-another-port",
        "a page of another user of the machine asks a notebook, with its visitor's cookie",
        Edit("casemate.cli.notebook_door:Door._known", "one not in _PAGES for", "False for"),
        Tested(f"{BROWSER}::test_another_page_or_name_is_refused"),
    ),
)
