"""Mutants of what shuts jobs in: the filter, the walls that the shim builds, the folder, the process engine.

The shim is another process, so its lines are broken in a copy of it, which is then what engines start.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

from casemate.engines import job_order
from casemate.engines.sandbox import places
from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

FILTER, ORDER = "casemate.engines.sandbox.jobs", "casemate.engines.job_order"
FOLDER, ENGINE = "casemate.engines.job_folder", "casemate.engines.executor_process:ProcessExecutor"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


def _shim(file: str, old: str, new: str) -> Callable[[], AbstractContextManager[None]]:
    """The shim with something else in the place of one text, which stands there once."""

    @contextmanager
    def broken() -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="casemate-mutant-") as folder:
            Path(folder).chmod(0o755)
            package = Path(folder) / "casemate"
            shutil.copytree(
                places.PACKAGE / "cells/shim", package / "cells/shim", ignore=shutil.ignore_patterns("__pycache__")
            )
            for name in ("__init__.py", "cells/__init__.py"):
                shutil.copy(places.PACKAGE / name, package / name)
            path = package / "cells/shim" / file
            text = path.read_text()
            if text.count(old) != 1:
                raise LookupError(f"{file} holds {old!r} {text.count(old)} times")
            path.write_text(text.replace(old, new))
            with patch.object(places, "PACKAGE", package), patch.object(job_order, "PACKAGE", package):
                yield

    return broken


HELD = "attacks/test_escape_held"
OUT = "test_no_way_leads_out[{}]"
SEAT, SIF = "cells/shim/test_seat", "cells/test_unpack_sif"
SHIM, SCRATCH, PROCESS = "cells/shim/test_shim", "engines/test_job_scratch", "engines/test_executor_process"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "job-tree-followed",
        "an image whose unpacking was taken over leads the jobs that run in it into another label's folders",
        _shim("run.py", "        walls.plain(place)\n", ""),
        _test(SHIM, "test_what_another_attempt_left_as_a_link_is_not_entered[mount-L2]"),
    ),
    (
        "job-vsock-open",
        "a job in a virtual machine talks to its host",
        Edit(f"{FILTER}:_families", "return (_UNIX, _INET, _INET6) if", "return (_UNIX, _INET, _INET6, 40) if"),
        _test(HELD, OUT.format("L2-user")),
    ),
    (
        "job-sockets-at-l1",
        "a job without namespaces has the machine's network",
        Edit(f"{FILTER}:_families", 'level != "L1"', "level"),
        _test(HELD, OUT.format("L1-user")),
    ),
    (
        "job-namespaces-open",
        "a job makes namespaces, in which it is root",
        Edit(f"{FILTER}:_rules", "bpf.masked(0, _NAMESPACES, 0)", "bpf.verdict(bpf.ALLOW)"),
        _test(HELD, OUT.format("L2-user")),
    ),
    (
        "job-rings-open",
        "calls pass through rings that the filter does not see",
        Edit(f"{FILTER}:_rules", "for name in _UNKNOWN", "for name in _UNKNOWN[:1]"),
        _test(HELD, OUT.format("L2-user")),
    ),
    (
        "job-shared-memory-open",
        "at L1 jobs meet in System V's shared memory",
        Edit(f"{FILTER}:_rules", 'if level == "L1"', 'if level == "L0"'),
        _test(HELD, OUT.format("L1-user")),
    ),
    (
        "job-keeps-terminal",
        "a job types into a terminal",
        Edit(f"{FILTER}:_rules", "none_of(1, _TERMINAL)", "none_of(1, _TERMINAL[1:])"),
        _test(HELD, OUT.format("L2-user")),
    ),
    (
        "job-inputs-writable",
        "a job changes what it reads",
        _shim("walls.py", '"--ro-bind", f"{path}/in", "/in"', '"--bind", f"{path}/in", "/in"'),
        _test(HELD, OUT.format("L2-user")),
    ),
    (
        "job-root-writable",
        "a job fills the machine's memory through its own root folder",
        _shim("walls.py", 'else ("--remount-ro", "/")', "else ()"),
        _test(HELD, OUT.format("L2-user")),
    ),
    (
        "job-files-open",
        "Landlock lets a job read every file",
        _shim("walls.py", "reads = [*_SYSTEM, ", 'reads = ["/", *_SYSTEM, '),
        _test(HELD, OUT.format("L1-user")),
    ),
    (
        "job-unlimited",
        "a job without control groups takes what it wants",
        _shim("walls.py", "resource.setrlimit(kind, (size, size))", "pass"),
        _test(HELD, OUT.format("L2-user")),
    ),
    (
        "job-as-root",
        "what a job of root's region writes belongs to root",
        _shim("walls.py", "    if not uid:\n        raise OSError", "    if uid is None:\n        raise OSError"),
        _test(HELD, "test_root_runs_nothing_as_root[0]"),
    ),
    (
        "job-wall-missing-runs",
        "a job runs although a wall could not be built",
        _shim("walls.py", "    kernel.landlock(calls, reads, writes, _DEVICES)\n", ""),
        _test(HELD, "test_a_wall_that_cannot_be_built_runs_nothing[no landlock-user]"),
    ),
    (
        "job-seat-twice",
        "a node that came back sits down beside the one that took its place",
        _shim("seat.py", "os.O_CREAT | os.O_EXCL | os.O_CLOEXEC", "os.O_CREAT | os.O_CLOEXEC"),
        _test(SEAT, "test_a_seat_is_taken_once"),
    ),
    (
        "job-seat-without-network",
        "a job without a network begins something on another node",
        _shim("ranks.py", ' and order["network"] == "host"', ""),
        _test(SEAT, "test_where_no_network_was_ordered_nobody_sits_down"),
    ),
    (
        "job-seat-outlives",
        "ranks of an attempt that was lost go on",
        _shim("seat.py", "elif boottime() > self._since + self._lease:", "elif False:"),
        _test(SEAT, "test_what_has_lost_its_first_node_ends[killed]"),
    ),
    (
        "sif-rights-kept",
        "an image brings programs that run with another's rights",
        Edit("casemate.cells.unpack.sif:_settle", "stat.S_IMODE(mode) & 0o755", "stat.S_IMODE(mode) & 0o7777"),
        _test(SIF, "test_the_primary_partition_becomes_a_tree_without_rights[gzip]"),
    ),
    (
        "sif-device-kept",
        "an image brings a pipe or a device",
        Edit("casemate.cells.unpack.sif:_settle", "os.unlink(entry.path)", "pass"),
        _test(SIF, "test_the_primary_partition_becomes_a_tree_without_rights[gzip]"),
    ),
    (
        "sif-outside",
        "a partition is said to lie where the image has ended",
        Edit("casemate.cells.unpack.sif:primary", "or begins + length > size", ""),
        _test(SIF, "test_an_image_that_is_not_what_it_says_is_refused"),
    ),
    (
        "job-claimed-twice",
        "two shims run one attempt",
        _shim("run.py", "if claimed is None:", "if False:"),
        _test(SHIM, "test_two_shims_of_one_folder_have_one_effect[L1]"),
    ),
    (
        "job-fenced-goes-on",
        "a shim whose claim was taken away writes its record",
        _shim("run.py", "if not files.mine(folder, claimed):", "if False:"),
        _test(SHIM, "test_a_shim_whose_claim_was_taken_writes_nothing[L1]"),
    ),
    (
        "job-outlives-its-shim",
        "a job goes on without anybody who watches it",
        _shim("walls.py", '"--die-with-parent", ', ""),
        _test(SHIM, "test_a_killed_shim_takes_its_job_along[L2]"),
    ),
    (
        "job-leaves-daemons",
        "what a job left behind goes on after its record",
        _shim("kernel.py", '    _prctl("subreaper", _CHILD_SUBREAPER, 1)', "    pass"),
        _test(SHIM, "test_who_stays_behind_is_ended[alone-L1]"),
    ),
    (
        "job-logs-endless",
        "a job fills the disk with its log",
        _shim("watch.py", "kept = part[: self._left[end]]", "kept = part"),
        _test(SHIM, "test_logs_have_a_bound[L1]"),
    ),
    (
        "job-unrecorded-well",
        "a record that could not be written counts as written",
        _shim("run.py", "except OSError:\n        return UNRECORDED", "except OSError:\n        return RECORDED"),
        _test(SHIM, "test_a_disk_that_is_full_at_the_record_is_told_by_the_exit_code"),
    ),
    (
        "job-fenced-believed",
        "the record of an attempt that was fenced counts",
        Edit(f"{FOLDER}:collected", "if claim.fenced:", "if False:"),
        _test(SCRATCH, "test_whoever_is_fenced_commits_nothing"),
    ),
    (
        "job-record-of-another",
        "the record of another attempt counts",
        Edit(f"{FOLDER}:_record", "record.token == token and", ""),
        _test(SCRATCH, "test_the_record_counts_for_its_own_token_alone"),
    ),
    (
        "job-output-followed",
        "a link that a job left leads to a file of the region",
        Edit(f"{FOLDER}:_files", "entry.is_file(follow_symlinks=False)", "entry.is_file()"),
        _test(SCRATCH, "test_what_came_out_is_told_by_name"),
    ),
    (
        "job-outputs-endless",
        "a job leaves more files than anybody can list",
        Edit(f"{FOLDER}:_Left.take", "self.files < 0", "False"),
        _test(SCRATCH, "test_too_many_files_are_refused"),
    ),
    (
        "job-pid-alone",
        "a process that was given the number again counts as the shim",
        Edit(f"{FOLDER}:lives", "started(claim.pid) == claim.start != 0", "started(claim.pid) != 0"),
        _test(SCRATCH, "test_a_process_of_the_same_number_is_not_the_shim"),
    ),
    (
        "job-pid-killed",
        "a cancel kills a process of the same number",
        Edit(f"{FOLDER}:lives", "== claim.start != 0", "!= 0"),
        _test(PROCESS, "test_another_process_of_that_number_is_left_alone[cold]"),
    ),
    (
        "job-pool-inherits",
        "a domain's warm server is told the region's environment",
        Edit(
            "casemate.engines.executor_process_pool:_Pool._started",
            'env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}',
            "env=None",
        ),
        _test(PROCESS, "test_each_domain_has_a_server_that_knows_nothing"),
    ),
    (
        "job-pool-shared",
        "two domains share a warm server",
        Edit(
            "casemate.engines.executor_process_pool:Pools.fork",
            "pool = self._pools.get(domain)",
            "pool = next(iter(self._pools.values()), None)",
        ),
        _test(PROCESS, "test_each_domain_has_a_server_that_knows_nothing"),
    ),
    (
        "job-turns-shared",
        "what a higher label's attempts wait for keeps a lower one's waiting",
        Edit(
            "casemate.engines.together:Together.run",
            "line = self._waiting.get(domain)",
            "line = self._waiting.get(next(iter(self._waiting), domain))",
        ),
        _test("engines/test_together", "test_a_domain_waits_for_none_but_itself"),
    ),
    (
        "job-users-shared",
        "jobs of all domains run as one user",
        Edit(f"{ORDER}:user", "+ domain.encode()", ""),
        _test(PROCESS, "test_each_domain_has_a_user_of_its_own"),
    ),
    (
        "job-level-unasked",
        "an engine runs what it cannot isolate as asked",
        Edit(f"{ENGINE}.submit", 'order.level not in ("L1", "L2")', "False"),
        _test(PROCESS, "test_what_it_does_not_reach_it_does_not_run[cold]"),
    ),
)
