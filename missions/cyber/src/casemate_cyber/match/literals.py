"""What must occur in an event before a rule can match: the set of texts for the prefilter.

An event's values are joined as "\\n" + value + "\\n" + value + ... + "\\n", in lower case. A value that starts, ends or
is equal keeps the line breaks beside it, so that `*\\cmd.exe` is looked for as `\\cmd.exe` at the end of a value.
"""

from __future__ import annotations

from casemate_cyber.match import regular
from casemate_cyber.match.leaf import shape, text_of
from casemate_cyber.rules.pack import Node

# Texts of every machine's log: a literal in here keeps nothing out. Only speed depends on it.
COMMON = (
    "\n-\n\nmicrosoft-windows-sysmon\nmicrosoft® windows® operating system\nmicrosoft corporation\n"
    "c:\\windows\\system32\\svchost.exe\nc:\\windows\\system32\\cmd.exe\nc:\\windows\\explorer.exe\n"
    "c:\\program files (x86)\\common files\\c:\\windows\\syswow64\\rundll32.exe\n"
    "c:\\users\\administrator\\appdata\\local\\temp\\\npowershell.exe\n"
    "c:\\windows\\system32\\windowspowershell\\v1.0\\powershell.exe\ncmd.exe\nmedium\nhigh\nsystem\n"
    "nt authority\\system\nc:\\programdata\\microsoft\\\nhklm\\system\\currentcontrolset\\services\\\n"
    "hklm\\software\\microsoft\\windows\\currentversion\\\nsetvalue\ncreatekey\ndword (0x00000001)\n"
    "c:\\users\\public\\downloads\\desktop\\ http https .com .dll .exe .ps1 .txt .tmp .dat .sys .lnk -c /c -e -s -p -u"
    " -o -d -i /k get set new add net reg 00000000 true false tcp udp"
)
SHORTEST = 2


def needed(node: Node) -> frozenset[str] | None:
    """Texts of which one must occur; None where nothing can be said."""
    match node[0]:
        case "and":
            sets = [found for found in map(needed, node[1]) if found]
            return min(sets, key=_often) if sets else None
        case "or":
            every = [needed(child) for child in node[1]]
            if any(found is None for found in every):
                return None
            return frozenset().union(*(found for found in every if found))
        case "str":
            return _of_value(node[2])
        case "re":
            return regular.needed(node[2], node[3])
        case "num":
            return frozenset({f"\n{text_of(node[2])}\n"})
        case "word":
            return _longest([piece for piece in node[1] if isinstance(piece, str)])
    return None


def _of_value(pieces: tuple[str | int, ...]) -> frozenset[str] | None:
    form, text = shape(pieces)
    if form == "any":
        return None
    if form == "glob":
        return _longest([piece for piece in pieces if isinstance(piece, str)])
    before, after = form in ("equal", "starts"), form in ("equal", "ends")
    literal = ("\n" if before else "") + text.lower() + ("\n" if after else "")
    return _unless_short(literal)


def _longest(texts: list[str]) -> frozenset[str] | None:
    return _unless_short(max(texts, key=len, default="").lower())


def _unless_short(literal: str) -> frozenset[str] | None:
    """One letter keeps nothing out, unless it is one that logs seldom hold."""
    return frozenset({literal}) if len(literal) >= SHORTEST or (literal and not literal.isascii()) else None


def _often(literals: frozenset[str]) -> float:
    """How often one of them is to be expected: only the order matters."""
    return sum(
        (1.0 if literal in COMMON else 0.0) + (1e-7 if not literal.isascii() else 3.0 ** -min(len(literal), 12))
        for literal in literals
    )
