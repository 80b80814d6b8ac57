"""What a run says: data on standard output, talk on standard error, the marking first and last where a person reads.

With `--json` standard output gets one document, or JSON lines for a stream, and standard error stays silent. Colour
needs a terminal and nobody who declined it (NO_COLOR, `--plain`, TERM=dumb); a mark is always text as well.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from casemate.cli.failure import Failed, no_region
from casemate.cli.tongue import language, t

if TYPE_CHECKING:
    from casemate.cli.client import Answer, Client
    from casemate.labels import Policies

__all__ = ["SCHEMA", "Talk", "harmless"]

SCHEMA = 1
_RESET = "\x1b[0m"
_STEERS = re.compile(
    r"\x1b(?!\[(?:[0-2]|1;33|[34]8;2;\d{1,3};\d{1,3};\d{1,3})m)|\r(?!\n)"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
)


class Talk:
    """One run of one command. `folder` is the region's, whether it exists or not."""

    def __init__(self, folder: Path | None, json: bool = False, plain: bool = False) -> None:
        self.folder = folder
        self.json = json
        self.plain = plain
        self._marking = ""
        self._policies: Policies | None = None

    # ---- where it goes -----------------------------------------------------------------------------------------

    def colours(self, stream: TextIO | None = None) -> bool:
        """Whether colour and movement are welcome there."""
        declined = self.plain or self.json or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        return not declined and (stream or sys.stdout).isatty()

    def out(self, text: str = "") -> None:
        """Data, for people; with `--json` only `data` writes there."""
        if not self.json:
            print(harmless(text), flush=True)

    def piece(self, text: str) -> None:
        """Data without a line's end, while it streams."""
        if not self.json:
            print(harmless(text), end="", flush=True)

    def say(self, slug: str, **facts: object) -> None:
        """Talk, by its slug."""
        if not self.json:
            print(harmless(t(slug, **facts)), file=sys.stderr, flush=True)

    def data(self, data: Any, label: str = "", marking: str = "", entry: str = "") -> None:
        """The document of `--json`."""
        if self.json:
            told = {"schema": SCHEMA, "data": data, "label": label, "marking": marking, "entry": entry}
            print(msgspec.json.encode(told).decode(), flush=True)

    def answer(self, answer: Answer) -> None:
        """The document of `--json` for what the region answered, as it answered."""
        self.data(answer.data, answer.label, answer.marking, answer.entry)

    # ---- marking -----------------------------------------------------------------------------------------------

    def marked(self, marking: str) -> None:
        """What is shown from now on bears this marking: said once at the beginning, and again by `end`."""
        if not marking or self.json or not sys.stderr.isatty():
            return
        if marking != self._marking:
            print(marking, file=sys.stderr, flush=True)
        self._marking = marking

    def end(self) -> None:
        """The last line."""
        if self._marking:
            print(self._marking, file=sys.stderr, flush=True)

    def fail(self, failed: Failed) -> None:
        """The Problem: what happened, what to do, and under which number it is recorded."""
        problem = failed.problem
        if self.json:
            told = {"schema": SCHEMA, "problem": problem, "label": problem.label, "marking": failed.marking}
            print(msgspec.json.encode(told).decode(), flush=True)
            return
        self.marked(failed.marking)
        lines = [self.bold(problem.title, sys.stderr), problem.detail, f"→ {problem.remedy}"]
        if problem.entry:
            lines.append(t("ledger_entry", entry=problem.entry))
        print(harmless("\n".join(line for line in lines if line.strip())), file=sys.stderr, flush=True)
        self.end()

    # ---- colour ------------------------------------------------------------------------------------------------

    def bold(self, text: str, stream: TextIO | None = None) -> str:
        return f"\x1b[1m{text}{_RESET}" if self.colours(stream) else text

    def dim(self, text: str) -> str:
        return f"\x1b[2m{text}{_RESET}" if self.colours() else text

    def lit(self, text: str) -> str:
        """What is to catch the eye."""
        return f"\x1b[1;33m{text}{_RESET}" if self.colours() else text

    def mark(self, mark: str, label: str) -> str:
        """A mark in the colours of its label, where there are colours and the policies are known."""
        if not mark or not self.colours():
            return mark
        from casemate.errors import CasemateError

        try:
            policies = self.policies()
            back, front = policies.colour(policies.parse(label))
        except (CasemateError, Failed):
            return mark
        return f"\x1b[48;2;{_rgb(back)}m\x1b[38;2;{_rgb(front)}m{mark}{_RESET}"

    def marking(self, label: str) -> str:
        """A label's text as its marking and who needs to know, where the policies are known; else as it is."""
        from casemate.errors import CasemateError

        try:
            policies, found = self.policies(), self.policies().parse(label)
            return " · ".join((policies.banner(found, language()), *sorted(found.needs)))
        except (CasemateError, Failed):
            return label

    def policies(self) -> Policies:
        """The policies that the region's settings list."""
        if self._policies is None:
            from casemate.labels import Policies

            home = self.region()
            listed = home.settings().region.policies
            self._policies = Policies.load(listed, tuple(sorted(home.path.glob("policies/*.toml"))))
        return self._policies

    # ---- the region --------------------------------------------------------------------------------------------

    def region(self) -> Any:
        """The region's folder. Fails where there is none: it would have to be made first."""
        from casemate.wiring import Folder

        home = Folder(self.folder or Path("casemate"))
        if not home.exists:
            raise no_region(str(home.path))
        return home

    def client(self) -> Client:
        """The region, over its local socket."""
        from casemate.cli.client import local

        home = self.region()
        return local(home.control_socket, str(home.path), self.marked)


def harmless(text: str) -> str:
    """Without what steers a terminal or turns text round, but for colours: names and contents are anybody's."""
    return _STEERS.sub("\ufffd", text)


def _rgb(colour: str) -> str:
    return ";".join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))
