"""Cases of what a carrier sees: the face, signatures, frames, order in the channel, time. Attacks and recoveries."""

from __future__ import annotations

import hashlib
from functools import cache

from tests.transfer.bundling import signer
from tests.transfer.conformance.case import Case, case, cut, flip, put
from tests.transfer.conformance.forge import AREA, DAY, NOW, Bundle, name_of, root_of

MOST = 2**53 - 1

BOUNDS = [
    *(
        case(f"face: {name}", "refuse bounds", {"face": put(value, step)})
        for name, step, value in (
            ("another magic", "magic", b"CMBNDX\x00\x01"),
            ("a later format", "magic", b"CMBNDL\x00\x03"),
            ("sequence 0", "sequence", 0),
            ("sequence 2^53", "sequence", MOST + 1),
            ("sequence 2^63", "sequence", 1 << 63),
            ("expiry 0", "expires", 0),
            ("expiry 2^53", "expires", MOST + 1),
            ("size below a frame", "size", (1 << 20) - 1),
            ("size not padded", "size", (1 << 20) + 1),
            ("size above 2^44", "size", 1 << 45),
            ("size of another file", "size", 1 << 21),
            ("frames 0", "frames", 0),
            ("frames 2", "frames", 2),
            ("profile 0", "profile", 0),
            ("profile 3", "profile", 3),
            ("no recipient", "count", 0),
            ("17 recipients", "count", 17),
            ("a recipient that is not there", "count", 2),
            ("no banner", "banner", b""),
            ("a banner of 1001 bytes", "banner", b"S" * 1001),
            ("a banner longer than told", "length", 5),
            ("a banner that is no UTF-8", "banner", b"SECRET\xff"),
            ("a banner with a surrogate", "banner", b"\xed\xa0\x80"),
            ("a banner with a line", "banner", b"SECRET\n"),
            ("a banner with NUL", "banner", b"SECRET\x00"),
            ("a banner that turns about", "banner", "SECRET\u202e".encode()),
            ("a banner with a hard space", "banner", "TOP\u00a0SECRET".encode()),
            ("a banner with a line separator", "banner", "TOP\u2028SECRET".encode()),
            ("a banner with what is not assigned", "banner", "\u0378".encode()),
            ("a banner with a private character", "banner", "\ue000".encode()),
            ("the profile of another size of keys", "profile", 2),
        )
    ),
    case("recipients twice", "refuse bounds", {"face": lambda face: face["recipients"].append(face["recipients"][0])}),
    case("recipients out of order", "refuse bounds", {"face": lambda face: face["recipients"].insert(0, _other(face))}),
    case("a wrapped key of suite 3", "refuse bounds", {"face": lambda face: _suite(face, 3)}),
    case("a wrapped key of suite 0", "refuse bounds", {"face": lambda face: _suite(face, 0)}),
    case("no signature", "refuse bounds", {"signatures": lambda signed: []}),
    case("13 signatures", "refuse bounds", signs=tuple(("signer", f"s{n}") for n in range(13))),
    case("a signature that is not there", "refuse bounds", {"count": lambda count: count + 1}),
    case("a signature more than told", "refuse bounds", {"count": lambda count: count - 1}),
    case("role 0", "refuse bounds", {"signatures": put(0, 0, 0)}),
    case("role 3", "refuse bounds", {"signatures": put(3, 1, 0)}),
    case("signatures out of order", "refuse bounds", {"signatures": lambda signed: signed[::-1]}),
    case("one signature twice", "refuse bounds", {"signatures": lambda signed: [signed[0], signed[0]]}),
    case("signer and approver are one key", "refuse bounds", signs=(("signer", "ann"), ("approver", "ann"))),
    case("something behind the signatures", "refuse bounds", {"area": flip(-1)}),
    case(
        "something just behind the signatures",
        "refuse bounds",
        {"area": lambda area: (area.rstrip(b"\0") + b"\1").ljust(AREA, b"\0")},
    ),
    case("a byte more", "refuse bounds", {"file": lambda raw: raw + b"\x00"}),
    case("a frame more", "refuse bounds", {"file": lambda raw: raw + raw[AREA:]}),
    *(
        case(f"cut to {size}", "refuse bounds", {"file": cut(size)})
        for size in (0, 1, 7, 8, 135, 136, 200, 2000, 9000, AREA - 1, AREA, AREA + 1, AREA + (1 << 20), -1)
    ),
    *(
        case(f"banner {name}", "hold sealed", {"face": put(text.encode(), "banner")}, keys=())
        for name, text in (("of 1000 bytes", "S" * 1000), ("in French", "DIFFUSION RESTREINTE É"), ("in CJK", "機密"))
    ),
]


def _other(face: dict) -> bytes:
    entry = bytearray(face["recipients"][0])
    entry[:10] = b"\xff" * 10
    return bytes(entry)


def _suite(face: dict, suite: int) -> None:
    entry = bytearray(face["recipients"][0])
    entry[10] = suite
    face["recipients"] = [bytes(entry)]


# Offsets of the face by field, and what a bit that is turned there is called: nothing of it goes unseen.
FIELDS = [
    ("format", 7, "bounds"),
    ("bundle", 8, "signature"),
    ("channel", 24, "channel"),
    ("sequence", 47, "signature"),
    ("expiry", 55, "signature"),
    ("size", 63, "bounds"),
    ("frames", 67, "bounds"),
    ("digest", 68, "signature"),
    ("inner digest", 132, "signature"),
    ("profile", 196, "bounds"),
    ("recipients", 197, "bounds"),
    ("length of the banner", 199, "bounds"),
    ("banner", 200, "signature"),
    ("recipient", 206, "signature"),
    ("suite", 216, "bounds"),
    ("wrapped key", 217, "signature"),
    ("end of the wrapped key", 1929, "signature"),
    ("count", 1930, "bounds"),
    ("role", 1931, "bounds"),
    ("public key", 1932, "signature"),
    ("lattice half of a key", 2032, "signature"),
    ("signature", 4556, "signature"),
    ("lattice half of a signature", 4664, "signature"),
]
ALTERED = [
    case(
        f"a bit of {name}",
        f"refuse {rule}",
        {"area": flip(place, 4 if name == "suite" else 1)},
        sequence=2,
        state={"sequence": 1},
    )
    for name, place, rule in FIELDS
]


def _swap(signed: list) -> None:
    signed[0][2], signed[1][2] = signed[1][2], signed[0][2]


def _foreign(signed: list) -> None:
    for entry, (role, name) in zip(signed, (("signer", "ann"), ("approver", "bob")), strict=True):
        entry[2] = signer(name).sign(f"casemate bundle {role} v1\nanother face".encode())


def _half(signed: list, spoilt: slice) -> None:
    raw = bytearray(signed[0][2])
    raw[spoilt] = bytes(len(raw[spoilt]))
    signed[0][2] = bytes(raw)


def _spoil(signed: list, name: str) -> None:
    for entry in signed:
        if entry[1] == signer(name).public:
            entry[2] = bytes(len(entry[2]))


SIGNATURES = [
    case("another channel", "refuse channel", {"face": put(b"x" * 16, "channel")}),
    case(
        "signed in another role's words",
        "refuse signature",
        {"signed": lambda text: text.replace(b"signer", b"approver", 1)},
    ),
    case("signatures swapped", "refuse signature", {"signatures": _swap}),
    case("signatures of another bundle", "refuse signature", {"signatures": _foreign}),
    case("the classic half alone", "refuse signature", {"signatures": lambda signed: _half(signed, slice(64, None))}),
    case("the lattice half alone", "refuse signature", {"signatures": lambda signed: _half(signed, slice(0, 64))}),
    case(
        "a stranger's bad signature beside good ones",
        "refuse signature",
        {"signatures": lambda signed: _spoil(signed, "mallory")},
        signs=(("signer", "ann"), ("approver", "bob"), ("signer", "mallory")),
    ),
    case(
        "a stranger's good signature beside good ones",
        "accept accepted",
        signs=(("signer", "ann"), ("approver", "bob"), ("signer", "mallory")),
    ),
    case("a stranger signs", "refuse threshold", signs=(("signer", "mallory"), ("approver", "bob"))),
    case("a stranger approves", "refuse threshold", signs=(("signer", "ann"), ("approver", "mallory"))),
    case("nobody approves", "refuse threshold", signs=(("signer", "ann"),)),
    case("nobody signs", "refuse threshold", signs=(("approver", "bob"),)),
    case("roles exchanged", "refuse threshold", signs=(("signer", "bob"), ("approver", "ann"))),
    case("a draft, and then approved", "accept accepted"),
    case(
        "two of two signers",
        "accept accepted",
        state={"root": root_of(signers=("ann", "dan"), signers_needed=2).decode()},
        signs=(("signer", "ann"), ("signer", "dan"), ("approver", "bob")),
        roots={"1": root_of(signers=("ann", "dan"), signers_needed=2)},
    ),
    case(
        "one of two signers",
        "refuse threshold",
        state={"root": root_of(signers=("ann", "dan"), signers_needed=2).decode()},
    ),
    case(
        "no approver is asked for",
        "accept accepted",
        signs=(("signer", "ann"),),
        roots={},
        state={"root": root_of(approvers_needed=0).decode()},
    ),
    case("more are asked for than there are", "refuse threshold", state={"root": root_of(signers_needed=2).decode()}),
    case("the signer is revoked", "refuse key-revoked", state={"revoked": [name_of("ann")]}),
    case("the approver is revoked", "refuse key-revoked", state={"revoked": [name_of("bob")]}),
    case(
        "revoked, and without it too few anyway",
        "refuse threshold",
        state={"revoked": [name_of("ann")]},
        signs=(("signer", "ann"),),
    ),
    case("a stranger is revoked", "accept accepted", state={"revoked": [name_of("mallory")]}),
    case(
        "one of two is revoked, one is asked for",
        "accept accepted",
        state={"revoked": [name_of("ann")], "root": root_of(signers=("ann", "dan")).decode()},
        roots={},
        signs=(("signer", "ann"), ("signer", "dan"), ("approver", "bob")),
        agrees=("ann", "dan"),
    ),
    case(
        "one of two is revoked, two are asked for",
        "refuse key-revoked",
        state={"revoked": [name_of("ann")], "root": root_of(signers=("ann", "dan"), signers_needed=2).decode()},
        signs=(("signer", "ann"), ("signer", "dan"), ("approver", "bob")),
    ),
    case("cnsa2", "accept accepted", profile="cnsa2"),
    case("cnsa2: a bit of a signature", "refuse signature", {"area": flip(4400)}, profile="cnsa2"),
    case("cnsa2 for a root of hybrid keys", "refuse threshold", profile="cnsa2", state={"root": root_of().decode()}),
    case("cnsa2 with a hybrid wrapped key", "refuse bounds", {"face": lambda face: _suite(face, 1)}, profile="cnsa2"),
]

FRAMES = [
    *(
        case(f"a bit of frame at {place}", "refuse frames", {"sealed": flip(place)})
        for place in (0, 1, 1000, 1 << 19, (1 << 20) + 15, -1, -16, -17)
    ),
    case("frames of another bundle", "refuse frames", {"sealed": lambda raw: Bundle(sequence=9).make()[AREA:]}),
    case(
        "two frames swapped",
        "refuse frames",
        {"sealed": lambda raw: raw[FULL : 2 * FULL] + raw[:FULL] + raw[2 * FULL :]},
        objects={"large": {"data": b"\x07" * (5 << 20)}},
    ),
    case("six frames", "accept accepted", objects={"large": {"data": b"\x07" * (5 << 20)}}),
]
FULL = (1 << 20) + 16
ID = Bundle(sequence=3).id.hex()

ORDER = [
    case("the last again", "refuse seen", sequence=3, state={"sequence": 3, "bundle": ID}),
    case("its id under a later sequence", "refuse seen", sequence=3, state={"sequence": 1, "bundle": ID}),
    case(
        "the sequence of the last under another id",
        "refuse rollback",
        sequence=3,
        state={"sequence": 3, "bundle": "0" * 32},
    ),
    case("an older one", "refuse rollback", sequence=2, state={"sequence": 3}),
    case("rollback comes before expiry", "refuse rollback", sequence=2, expires=NOW - 1, state={"sequence": 3}),
    case("expired", "refuse expired", expires=NOW - 1),
    case("expires now", "refuse expired", expires=NOW),
    case("expires in a microsecond", "accept accepted", expires=NOW + 1),
    case("one is missing", "hold gap", sequence=2, gap=(1, 1)),
    case("many are missing", "hold gap", sequence=9, state={"sequence": 3}, gap=(4, 8)),
    case("missing at the end of numbers", "hold gap", sequence=MOST, gap=(1, MOST - 1)),
    case(
        "what is missing is given up",
        "accept accepted",
        sequence=9,
        state={"sequence": 3, "skip": 8},
        alarms=("gap-skipped",),
    ),
    case("not all of it is given up", "hold gap", sequence=9, state={"sequence": 3, "skip": 6}, gap=(7, 8)),
    case("given up, and there after all", "accept accepted", sequence=4, state={"sequence": 3, "skip": 8}),
    case("the next", "accept accepted", sequence=4, state={"sequence": 3}),
    case("no key", "hold sealed", keys=()),
    case("another's key", "hold sealed", keys=(("hybrid", "lowland"),)),
    case("a key of the other profile", "hold sealed", keys=(("cnsa2", "highland"),)),
    case("no key, and a gap", "hold gap", sequence=2, keys=(), gap=(1, 1)),
]

YEARS = 730 * DAY
CLOCKS = [
    case(
        "of another channel, and the clock is wrong",
        "refuse channel",
        {"face": put(b"x" * 16, "channel")},
        state={"attested": NOW - 9, "window": 0},
    ),
    case(
        "seen, and the clock is wrong",
        "refuse seen",
        state={"attested": NOW - 9, "window": 0, "bundle": Bundle().id.hex()},
        alarms=("clock-ahead",),
    ),
    case(
        "given up, no key, and the clock is wrong",
        "hold sealed",
        sequence=4,
        expires=NOW - 1,
        keys=(),
        state={"attested": NOW - 9, "window": 0, "skip": 3},
        alarms=("clock-ahead", "clock-expired", "gap-skipped"),
    ),
    case(
        "issued in the future, and badly vouched for",
        "refuse metadata",
        {"timestamp_keys": lambda keys: []},
        issued=NOW + 1,
    ),
    case(
        "issued in the future, by nobody known",
        "refuse release-signature",
        issued=NOW + 1,
        agrees=("mallory",),
        alarms=("clock-behind",),
    ),
    case("two years behind, nothing accepted yet", "accept accepted", now=NOW - YEARS, alarms=("clock-behind",)),
    case(
        "two years behind",
        "accept accepted",
        now=NOW - YEARS,
        state={"attested": NOW - 2 * DAY},
        alarms=("clock-behind",),
    ),
    case(
        "two years ahead",
        "accept accepted",
        now=NOW + YEARS,
        state={"attested": NOW - 2 * DAY},
        alarms=("clock-ahead", "clock-expired"),
    ),
    case("ahead by the window", "refuse expired", now=NOW + 398 * DAY, state={"attested": NOW - 2 * DAY}),
    case(
        "ahead by a microsecond more",
        "accept accepted",
        now=NOW + 398 * DAY + 1,
        state={"attested": NOW - 2 * DAY},
        alarms=("clock-ahead", "clock-expired"),
    ),
    case(
        "behind, and expired before the last",
        "refuse expired",
        now=NOW - YEARS,
        expires=NOW - 2 * DAY,
        issued=NOW - 9 * DAY,
        state={"attested": NOW - 2 * DAY},
        alarms=("clock-behind",),
    ),
    case(
        "behind by a microsecond",
        "accept accepted",
        now=NOW - 2 * DAY - 1,
        state={"attested": NOW - 2 * DAY},
        alarms=("clock-behind",),
    ),
    case("a window of nothing", "accept accepted", state={"attested": NOW, "window": 0}),
    case("issued now", "accept accepted", issued=NOW),
    case("issued in the future", "accept accepted", issued=NOW + 1, alarms=("clock-behind",)),
    case("time of the epoch", "accept accepted", now=0, alarms=("clock-behind",)),
]


@cache
def another() -> bytes:
    """The next bundle of the same channel."""
    return Bundle(sequence=2).make()


@cache
def others(root: str = "") -> tuple[bytes, bytes]:
    """The content of another bundle and its inner digest: the next one, or this one with a root that is not read."""
    made = Bundle(roots={"1": root_of(), root: root_of()}) if root else Bundle(sequence=2)
    members = made._members()
    small = [(path, data) for path, data in members if not path.startswith("blobs/")]
    return made._content(members), hashlib.sha512(made._tar(small)[:-1024]).digest()


def mixed() -> bytes:
    """The area of one bundle before the frames of another."""
    return Bundle(sequence=1).make()[:AREA] + another()[AREA:]


def told(raw: bytes) -> bytes:
    """A face that tells the digest of the other's frames."""
    return raw[:68] + hashlib.sha512(another()[AREA:]).digest() + raw[132:]


MIXED = [
    Case("the area of one, the frames of another", "refuse frames", mixed),
    case(
        "a face that tells the other's digest, with the old signatures",
        "refuse signature",
        {"area": told, "sealed": lambda raw: another()[AREA:]},
    ),
    case("the other's frames, and signed", "refuse frames", {"raw": told, "sealed": lambda raw: another()[AREA:]}),
    case("the other's inside, and signed", "refuse inside", {"content": lambda content: others()[0]}),
    case(
        "the other's inside and its digest, and signed",
        "refuse release",
        {"content": lambda content: others()[0], "face": lambda face: face.update(inner=others()[1])},
    ),
    case(
        "a root more than was signed, sealed with the true key",
        "refuse inside",
        {"content": lambda content: others("9")[0]},
    ),
    case(
        "the same root, and signed",
        "accept accepted",
        {"content": lambda content: others("9")[0], "face": lambda face: face.update(inner=others("9")[1])},
    ),
    case(
        "frames that nobody signed, and a key: what opens is bound by what is in it",
        "accept accepted",
        {"face": lambda face: face.update(digest=bytes(64))},
    ),
    case(
        "frames that nobody signed, and no key",
        "refuse frames",
        {"face": lambda face: face.update(digest=bytes(64))},
        keys=(),
    ),
]

OUTSIDE = [*BOUNDS, *ALTERED, *SIGNATURES, *FRAMES, *ORDER, *CLOCKS, *MIXED]
