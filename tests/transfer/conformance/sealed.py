"""Cases of what is sealed: frames, the tar file, and JSON in every place where it stands."""

from __future__ import annotations

import hashlib
import json
import tarfile
from typing import Any

from tests.transfer.conformance.case import bad, case, cut, flip, replaced
from tests.transfer.conformance.forge import FRAME, NOW


def swap(one: int, other: int) -> Any:
    def bend(items: list[Any]) -> None:
        items[one], items[other] = items[other], items[one]

    return bend


def member(path: str, data: bytes | None) -> Any:
    """Another content of a member; None takes it away."""

    def bend(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        assert any(path == name for name, _ in members)
        return [(name, raw if name != path else data) for name, raw in members if name != path or data is not None]

    return bend


def more(path: str, data: bytes, place: int) -> Any:
    return lambda members: members.insert(place, (path, data))


def info(**fields: Any) -> Any:
    def bend(header: tarfile.TarInfo) -> None:
        for name, value in fields.items():
            setattr(header, name, value)

    return bend


def spread(text: bytes) -> bytes:
    return json.dumps(json.loads(text)).encode()


def _spoil(face: dict[str, Any]) -> None:
    face["recipients"] = [flip(900)(face["recipients"][0])]


FRAMES = [
    case("a wrapped key that does not unwrap", "refuse inside", {"face": _spoil}),
    case(
        "two frames swapped, and signed",
        "refuse frames",
        {"frames": swap(0, 1)},
        objects={"large": {"data": b"\x07" * (3 << 20)}},
    ),
    case(
        "a frame twice, and signed",
        "refuse frames",
        {"frames": lambda frames: frames.__setitem__(1, frames[0])},
        objects={"large": {"data": b"\x07" * (3 << 20)}},
    ),
    case(
        "a bit of a frame, and signed",
        "refuse frames",
        {"sealed": lambda raw: raw, "frames": lambda frames: [flip(77)(frames[0]), *frames[1:]]},
    ),
    case(
        "a bit of a tag, and signed", "refuse frames", {"frames": lambda frames: [*frames[:-1], flip(-1)(frames[-1])]}
    ),
    case("padded to twice its size", "refuse inside", {"size": lambda size: size * 2}),
    case("padded to a larger size", "refuse inside", {"size": lambda size: FRAME + (1 << 15)}),
    case("something in the padding", "refuse inside", {"content": flip(-1)}),
    case(
        "something just behind the end",
        "refuse inside",
        {"content": lambda raw: flip(len(raw.rstrip(b"\0")) + 2000)(raw)},
    ),
    case("nothing inside", "refuse inside", {"tar": lambda tar: b""}),
    case(
        "one block of zeros behind members, and the end",
        "refuse inside",
        {"tar": lambda tar: tar[:-1024], "size": lambda size: size, "content": lambda raw: raw[:-1] + b"x"},
    ),
    case(
        "content of random bytes", "refuse inside", {"tar": lambda tar: hashlib.shake_256(b"random").digest(len(tar))}
    ),
]

TAR = [
    *bad(
        "tar",
        cut_in_a_header=cut(700),
        cut_in_a_member=cut(512 * 3 + 100),
        a_bit_of_a_header=flip(0),
        a_bit_of_a_mode=flip(105),
        a_bit_of_a_checksum=flip(150),
        a_bit_of_padding=flip(512 + 500),
        format_of_gnu=replaced(b"ustar\x0000", b"ustar  \x00"),
        a_link=flip(156, 2),
        a_bit_of_the_prefix=flip(400),
        a_device=flip(335),
        text_behind_the_name=flip(90),
    ),
    *bad(
        "info",
        mode=info(mode=0o755),
        uid=info(uid=1),
        gid=info(gid=1),
        mtime=info(mtime=1),
        owner=info(uname="root"),
        group=info(gname="root"),
        a_folder=info(type=tarfile.DIRTYPE),
        a_link=info(type=tarfile.SYMTYPE, linkname="x"),
        old_type=info(type=tarfile.AREGTYPE),
        a_comment=info(pax_headers={"comment": "x"}),
        a_time_of_pax=info(pax_headers={"mtime": "1.5"}),
        sparse=info(type=b"S"),
        a_path_of_pax_though_short=lambda header: info(pax_headers={"path": header.name})(header),
    ),
    *bad(
        "members",
        swapped=swap(0, 1),
        blobs_swapped=swap(-1, -2),
        metadata_swapped=swap(3, 4),
        one_twice=lambda m: m.insert(1, m[0]),
        a_blob_twice=lambda m: m.append(m[-1]),
        another_name=more("README", b"", 0),
        above=more("../x", b"", 3),
        absolute=more("/etc/passwd", b"", 3),
        a_blob_of_another_digest=more("blobs/sha256/" + "0" * 64, b"", 7),
        capitals=more("blobs/sha512/" + "F" * 128, b"", 7),
        root_07=more("metadata/07.root.json", b"", 3),
        root_0=more("metadata/0.root.json", b"", 3),
        mirrors=more("metadata/mirrors.json", b"{}", 4),
        dot=more("./oci-layout", b"", 0),
        no_layout=member("oci-layout", None),
        no_index=member("index.json", None),
        no_release=member("release.dsse.json", None),
        another_layout=member("oci-layout", b'{"imageLayoutVersion":"1.0.1"}'),
        a_layout_with_a_line=member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}\n'),
        a_large_layout=member("oci-layout", b" " * 4097),
        a_large_timestamp=member("metadata/timestamp.json", b" " * ((512 << 10) + 1)),
        a_large_index=member("index.json", b" " * ((8 << 20) + 1)),
        none=lambda m: [],
    ),
    *(
        case(f"no {role}", "refuse metadata", {"members": member(f"metadata/{role}.json", None)})
        for role in ("timestamp", "snapshot", "targets")
    ),
    case(
        "too many roots",
        "refuse inside",
        {"metadata": lambda files: files.update({f"{n}.root.json": files["1.root.json"] for n in range(300, 556)})},
    ),
    case(
        "256 roots",
        "accept accepted",
        {"metadata": lambda files: files.update({f"{n}.root.json": files["1.root.json"] for n in range(300, 555)})},
    ),
]

DEEP = b"[" * 17 + b"]" * 17
JSON = [
    *(
        case(f"{step}: {name}", f"refuse {'metadata' if step.startswith('t') else 'inside'}", {step: bend})
        for step in ("index_bytes", "manifest_bytes", "payload", "envelope_bytes", "timestamp_bytes", "targets_bytes")
        for name, bend in (
            ("nothing", lambda raw: b""),
            ("spread out", spread),
            ("a line behind it", lambda raw: raw + b"\n"),
            ("cut", cut(-1)),
            ("a byte order mark", lambda raw: b"\xef\xbb\xbf" + raw),
            ("twice", lambda raw: raw + raw),
            ("null", lambda raw: b"null"),
            ("a name twice", lambda raw: raw[:-1] + b"," + raw[1:]),
            ("no UTF-8", lambda raw: raw[:-2] + b"\xff" + raw[-2:]),
            ("a member more", lambda raw: raw[:-1] + b',"zzz":0}'),
            ("too deep", lambda raw: raw[:-1] + b',"zzz":' + DEEP + b"}"),
            ("too much structure", lambda raw: raw[:-1] + b',"zzz":[' + b"0," * 400_001 + b"0]}"),
        )
        if step in ("payload", "timestamp_bytes") or name in ("cut", "spread out", "a member more")
        if not (name == "too much structure" and step.startswith("t"))
    ),
    *bad(
        "payload",
        a_fraction=replaced(b'"sequence":1', b'"sequence":1.0'),
        an_exponent=replaced(b'"sequence":1', b'"sequence":1e0'),
        minus_nothing=replaced(b'"issued":' + str(NOW - 86_400_000_000).encode(), b'"issued":-0'),
        a_large_number=replaced(b'"sequence":1', b'"sequence":9007199254740992'),
        a_huge_number=replaced(b'"sequence":1', b'"sequence":' + b"9" * 5000),
        a_lone_surrogate=replaced(b"ticket 7", b"\\ud800"),
        an_escape_that_is_not_needed=replaced(b"ticket 7", b"\\u0074icket 7"),
        an_escaped_slash=replaced(b"ticket 7", b"ticket\\/7"),
        a_bare_control=replaced(b"ticket 7", b"ticket\n7"),
        capitals_in_an_escape=replaced(b"ticket 7", b"ticket\\u001F7"),
        a_word=replaced(b'"sequence":1', b'"sequence":NaN'),
        true=replaced(b'"sequence":1', b'"sequence":true'),
        text=replaced(b'"sequence":1', b'"sequence":"1"'),
    ),
    case(
        "payload: escapes that are needed",
        "accept accepted",
        {"payload": replaced(b"ticket 7", b'\\"\\\\\\b\\f\\n\\r\\t\\u001f/')},
    ),
    case(
        "payload: other scripts",
        "accept accepted",
        {"payload": replaced(b"ticket 7", "é 機 \U0001f512 \u2028".encode())},
    ),
]

SEALED = [*FRAMES, *TAR, *JSON]
