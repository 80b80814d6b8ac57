"""Which format a file has, by what it says of itself; and by which rule it is refused where it has none that crosses.

A name never makes a file acceptable: it says which parser is asked, and that parser takes the bytes or not. What its
first bytes show to be of a refused family is refused by that family's rule, whatever its name.
"""

from __future__ import annotations

from typing import Final

from casemate.transfer.guard.profile import Format, Profile
from casemate.transfer.guard.verdict import held

__all__ = ["claimed", "format_of", "may_cross", "refused_by"]

_ENDS: Final[dict[str, Format]] = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".png": "png",
    ".safetensors": "safetensors",
    ".pdf": "pdf",
}
_FAMILIES: Final = {
    "guard-pickle": ".pkl .pickle .pt .pth .ckpt .bin .joblib .npy .npz .dill .model .h5 .keras .pb .msgpack",
    "guard-archive": ".zip .tar .gz .tgz .bz2 .xz .zst .7z .rar .whl .jar .deb .rpm .iso .cab .lz4 .br .egg .apk",
    "guard-office": ".doc .docx .xls .xlsx .ppt .pptx .odt .ods .odp .rtf .docm .xlsm .pptm .one .msg .eml",
    "guard-code": ".py .sh .js .mjs .html .htm .svg .xml .ps1 .bat .cmd .vbs .php .rb .pl .lua .c .rs .go .java .css "
    ".ipynb .sql .lnk .url .desktop .yaml .yml .toml",
    "guard-executable": ".exe .dll .so .dylib .elf .msi .com .scr .sys .wasm .class .pyc .o .a .ko",
}
_BY_END: Final = {end: rule for rule, ends in _FAMILIES.items() for end in ends.split()}
_BY_HEAD: Final = (
    (b"PK\x03\x04", "guard-archive"),
    (b"PK\x05\x06", "guard-archive"),
    (b"PK\x07\x08", "guard-archive"),
    (b"\x1f\x8b", "guard-archive"),
    (b"BZh", "guard-archive"),
    (b"\xfd7zXZ\x00", "guard-archive"),
    (b"\x28\xb5\x2f\xfd", "guard-archive"),
    (b"7z\xbc\xaf\x27\x1c", "guard-archive"),
    (b"Rar!\x1a\x07", "guard-archive"),
    (b"\x04\x22\x4d\x18", "guard-archive"),
    (b"MSCF", "guard-archive"),
    (b"!<arch>\n", "guard-archive"),
    (b"\xed\xab\xee\xdb", "guard-archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "guard-office"),
    (b"{\\rtf", "guard-office"),
    (b"\x7fELF", "guard-executable"),
    (b"MZ", "guard-executable"),
    (b"\xfe\xed\xfa\xce", "guard-executable"),
    (b"\xfe\xed\xfa\xcf", "guard-executable"),
    (b"\xce\xfa\xed\xfe", "guard-executable"),
    (b"\xcf\xfa\xed\xfe", "guard-executable"),
    (b"\xca\xfe\xba\xbe", "guard-executable"),
    (b"\x00asm", "guard-executable"),
    (b"\x93NUMPY", "guard-pickle"),
    (b"\x89HDF\r\n\x1a\n", "guard-pickle"),
    (b"#!", "guard-code"),
)
_HEAD: Final[dict[Format, bytes]] = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}
_WORDS: Final = frozenset(("text", "csv", "json", "jsonl", "tokenizer"))


def refused_by(name: str, head: bytes) -> str:
    """The rule by which a file is refused for what it is; "" where it may be of a format that crosses.

    `name` may be "" and is looked at for its end alone; `head`: its first bytes, 512 suffice.
    """
    for magic, rule in _BY_HEAD:
        if head.startswith(magic) and not (magic == b"MZ" and _readable(head)):
            return rule
    if len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5:  # PROTO of pickle, protocols 2 to 5
        return "guard-pickle"
    if head[:512][257:262] == b"ustar":
        return "guard-archive"
    return _BY_END.get(_end(name), "")


def format_of(name: str, head: bytes) -> Format:
    """The format that a file's name claims. Raises Refused by the rule of what it is, or `guard-format`."""
    rule = refused_by(name, head)
    if rule:
        raise held(rule)
    found = claimed(name)
    if found is None:
        raise held("guard-format", "no format that can be written anew")
    return found


def claimed(name: str) -> Format | None:
    """The format that the end of a name claims; None where it claims none that the guard knows."""
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    return "tokenizer" if last == "tokenizer.json" else _ENDS.get(_end(name))


def may_cross(format: str, head: bytes, profile: Profile) -> None:
    """Raises Refused where the format does not cross in that direction, or the bytes begin as another one's."""
    if format not in profile.formats:
        raise held("guard-outward" if profile.strict else "guard-format", format[:20])
    rule = refused_by("", head) if format != "safetensors" else ""
    if rule:
        raise held(rule)
    for other, magic in _HEAD.items():
        if head.startswith(magic) != (format == other) and (format == other or format in _WORDS):
            raise held("guard-structure", f"it begins as {other}" if format != other else f"it is no {format}")


def _end(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    return "." + last.rpartition(".")[2] if "." in last else ""


def _readable(head: bytes) -> bool:
    """Whether it is words: MZ also begins a name."""
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head[:512])
