"""Cases of what lies inside: the index, manifests and paths, the release, blobs and their digests."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from tests.transfer.conformance.case import bad, case, drop, put
from tests.transfer.conformance.forge import EMPTY, NOW, js, name_of

MOST = 2**53 - 1
TWO = {"two": {"b": b"1"}, "one": {"a": b"2", "c/d": b"3"}}


def _worse(said: dict[str, Any], good: str, this: bool) -> None:
    """Spoils the signatures of all but the good one, or of that one."""
    for entry in said["signatures"]:
        if (entry["keyid"] == name_of(good)) is this:
            entry["sig"] = "A" * 8 + entry["sig"][8:]


def _resaid(said: dict[str, Any]) -> None:
    payload = json.loads(base64.b64decode(said["payload"]))
    payload["predicate"]["approvals"] = []
    said["payload"] = base64.b64encode(js(payload)).decode()


LAYER = ("layers", 0)
TITLE = (*LAYER, "annotations", "org.opencontainers.image.title")
REF = ("manifests", 0, "annotations", "org.opencontainers.image.ref.name")
INDEX = [
    *bad(
        "index",
        version=put(1, "schemaVersion"),
        media=put("x", "mediaType"),
        nothing=put([], "manifests"),
        no_size=drop("manifests", 0, "size"),
        a_member_more=put({}, "annotations"),
        sha256=put("sha256:" + "0" * 64, "manifests", 0, "digest"),
        a_size_below_0=put(-1, "manifests", 0, "size"),
        a_size_above_a_manifest=put((8 << 20) + 1, "manifests", 0, "size"),
        another_media=put("x", "manifests", 0, "mediaType"),
        twice=lambda index: index["manifests"].append(index["manifests"][0]),
        capitals=put("sha512:" + "F" * 128, "manifests", 0, "digest"),
        another_note=put({"x": "y"}, "manifests", 0, "annotations"),
        version_true=put(True, "schemaVersion"),
    ),
    *(
        case(f"a name of an object: {name!r:.40}", "refuse inside", {"index": put(name, *REF)})
        for name in ("", ".x", "-x", "x.", "a/b", "a b", "x" * 129, "é", "x\n", 7, None)
    ),
    case("the empty object", "refuse inside", {"index": put(EMPTY, "manifests", 0, "digest")}),
    case("two objects", "accept accepted", objects=TWO),
    case("two objects swapped", "refuse inside", {"index": lambda index: index["manifests"].reverse()}, objects=TWO),
    case("names that differ in case", "refuse inside", objects={"One": {"a": b"1"}, "one": {"a": b"2"}}),
    case("an object of a long name", "accept accepted", objects={"x" * 128: {"a": b"1"}}),
]

MANIFEST = [
    *bad(
        "manifest",
        version=put(3, "schemaVersion"),
        media=put("x", "mediaType"),
        no_layers=put([], "layers"),
        type_of_capitals=put("Image", "artifactType"),
        a_type_of_nothing=put("", "artifactType"),
        a_long_type=put("a" * 129, "artifactType"),
        another_config=put("x", "config", "mediaType"),
        a_config_of_size_3=put(3, "config", "size"),
        a_config_of_another_digest=put("sha512:" + "0" * 128, "config", "digest"),
        a_member_more=put({}, "annotations"),
        another_media=put("text/plain", *LAYER, "mediaType"),
        a_size_below_0=put(-1, *LAYER, "size"),
        a_fraction=put(1.5, *LAYER, "size"),
        sha256=put("sha256:" + "0" * 64, *LAYER, "digest"),
        no_note=put({}, *LAYER, "annotations"),
        twice=lambda said: said["layers"].append(said["layers"][0]),
        a_subject=put({}, "subject"),
    ),
    *(
        case(f"a path: {path!r:.60}", "refuse inside", {"manifest": put(path, *TITLE)})
        for path in (
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/./b",
            "a\\b",
            "C:x",
            "a*",
            "a?",
            'a"',
            "a<",
            "a>",
            "a|",
            " a",
            "a ",
            "a.",
            "a/b ",
            "a/ b",
            "a/b.",
            "\u00a0a",
            "a\u3000",
            "con",
            "CON",
            "con.txt",
            "a/Aux.tar.gz",
            "lpt9",
            "com1.x",
            "nul",
            "a\x00b",
            "a\nb",
            "a\u202eb",
            "a\u200bb",
            "a\u2028b",
            "a\ue000b",
            "a\u0378b",
            "e\u0301",
            "\u212b",
            "x" * 256,
            "é" * 128,
            "/".join("x" * 33),
            "/".join(["y" * 200] * 6),
            7,
            None,
        )
    ),
    *(
        case(f"a path that is one: {path!r:.60}", "accept accepted", {"manifest": put(path, *TITLE)})
        for path in (
            "a",
            "a b",
            "a.b",
            ".a",
            "..a",
            "é",
            "機/密",
            "x" * 255,
            "com0",
            "com10",
            "console",
            "a/con1",
            "-a",
            "~",
            "/".join("x" * 32),
            "é" * 127,
            "a\u00a0b",
            "\U0001f512",
            "%2e%2e",
            "$a",
            "a=b;c",
        )
    ),
    *(
        case(
            f"paths: {name}",
            f"{'accept accepted' if good else 'refuse inside'}",
            objects={"one": dict.fromkeys(paths, b"1")},
        )
        for name, good, paths in (
            ("of one name in two cases", False, ("A/x", "a/X")),
            ("folded", False, ("stra\u00dfe", "strasse")),
            ("one below another", False, ("a", "a/b")),
            ("one below another, folded", False, ("A", "a/b")),
            ("beside each other", True, ("a", "ab", "b/a", "b/b")),
            ("between", True, ("a!", "a/b", "a0")),
            ("one below another, others between", False, ("a", "a!", "a/b")),
        )
    ),
    case(
        "paths out of order",
        "refuse inside",
        {"manifest": lambda said: said["layers"].reverse()},
        objects={"one": {"a": b"1", "b": b"2"}},
    ),
    case("a file that is empty, one that is {}", "accept accepted", objects={"one": {"a": b"", "b": b"{}"}}),
    case("a file of two objects", "accept accepted", objects={"one": {"a": b"1"}, "two": {"b": b"1"}}),
    case(
        "a large manifest",
        "refuse digests",
        {"manifest_bytes": lambda raw: raw + b" " * (8 << 20), "index": put(1, "manifests", 0, "size")},
    ),
    case("a large manifest that is told", "refuse inside", {"manifest_bytes": lambda raw: raw + b" " * (8 << 20)}),
    case(
        "a malformed manifest of another digest",
        "refuse inside",
        {"blobs": lambda blobs: {name: raw.replace(b"layers", b"Layers") for name, raw in blobs.items()}},
    ),
    case(
        "a malformed manifest of another size",
        "refuse digests",
        {"blobs": lambda blobs: {name: raw + b" " * (b"layers" in raw) for name, raw in blobs.items()}},
    ),
]

PREDICATE = ("predicate",)
RELEASE = [
    *bad(
        "envelope",
        type=put("application/json", "payloadType"),
        nobody=put([], "signatures"),
        spaces=lambda said: put(" " + said["payload"], "payload")(said),
        url_safe=put("_-_-", "payload"),
        no_padding=put("YQ", "payload"),
        another_spelling=put("YR==", "payload"),
        number=put(7, "payload"),
        keyid_of_another_algorithm=put("ed25519-" + "a" * 16, "signatures", 0, "keyid"),
        no_keyid=put("", "signatures", 0, "keyid"),
        twice=lambda said: said["signatures"].append(said["signatures"][0]),
        a_certificate=put("x", "signatures", 0, "cert"),
        a_signature_that_is_no_base64=put("%", "signatures", 0, "sig"),
        beyond_ascii=put("é", "signatures", 0, "sig"),
        thirteen=put([{"keyid": f"hybrid-{c * 16}", "sig": ""} for c in "abcdefghijklm"], "signatures"),
    ),
    *bad(
        "statement",
        type=put("https://in-toto.io/Statement/v0.1", "_type"),
        predicate=put("x", "predicateType"),
        no_subject=put([], "subject"),
        sha256=put({"sha256": "0" * 64}, "subject", 0, "digest"),
        two_digests=put("0", "subject", 0, "digest", "sha256"),
        a_short_digest=put("00", "subject", 0, "digest", "sha512"),
        a_member_more=put(1, *PREDICATE, "x"),
        no_previous=drop(*PREDICATE, "previous"),
        a_previous_of_another_size=put("00", *PREDICATE, "previous"),
        capitals=put("F" * 128, *PREDICATE, "previous"),
        an_object_more=lambda said: said["predicate"]["objects"].append(said["predicate"]["objects"][0]),
        no_objects=put([], *PREDICATE, "objects"),
        a_long_source=put("x" * 129, *PREDICATE, "source"),
        a_long_destination=put("x" * 129, *PREDICATE, "destination"),
        a_long_banner=put("x" * 1001, *PREDICATE, "banner"),
        many_approvals=put([{"by": "a", "reference": "b"}] * 101, *PREDICATE, "approvals"),
        a_bad_approval=put([{"by": "a"}], *PREDICATE, "approvals"),
        a_long_approval=put([{"by": "a" * 1001, "reference": ""}], *PREDICATE, "approvals"),
        a_long_label=put("x" * 16_385, *PREDICATE, "label"),
        null_label=put(None, *PREDICATE, "label"),
        a_sequence_below_0=put(-1, *PREDICATE, "sequence"),
        issued_before_time=put(-1, *PREDICATE, "issued"),
        a_long_label_of_an_object=put("x" * 16_385, *PREDICATE, "objects", 0, "label"),
        guards_in_the_wrong_place=put([], *PREDICATE, "guards"),
        seventeen_guards=put(
            [{"digest": "sha512:" + "0" * 128, "guard": "text", "verdict": "agree"}] * 17,
            *PREDICATE,
            "objects",
            0,
            "guards",
        ),
        seventeen_materials=put(["sha512:" + "0" * 128] * 17, *PREDICATE, "objects", 0, "sbom"),
        a_bad_material=put(["x"], *PREDICATE, "objects", 0, "sbom"),
        a_guard_without_a_verdict=put(
            [{"digest": "sha512:" + "0" * 128, "guard": "text"}], *PREDICATE, "objects", 0, "guards"
        ),
    ),
    case(
        "100 approvals, 16 materials",
        "accept accepted",
        {
            "statement": lambda said: (
                put([{"by": "a", "reference": "b"}] * 100, *PREDICATE, "approvals")(said),
                put(["sha512:" + "0" * 128] * 16, *PREDICATE, "objects", 0, "sbom")(said),
                None,
            )[2]
        },
    ),
    *(
        case(f"the release has another {name}", "refuse release", {"statement": put(value, *PREDICATE, name)})
        for name, value in (
            ("banner", "TOP SECRET"),
            ("bundle", "0" * 32),
            ("channel", "0" * 32),
            ("sequence", 2),
            ("not_after", NOW + 1),
            ("source", "otherland"),
            ("destination", "otherland"),
        )
    ),
    case("issued behind its end", "refuse release", issued=NOW + 9, expires=NOW + 5, alarms=("clock-behind",)),
    case("issued at its end", "refuse release", issued=NOW + 5, expires=NOW + 5, alarms=("clock-behind",)),
    case(
        "the release before is another",
        "refuse previous",
        sequence=4,
        previous="1" * 128,
        state={"sequence": 3, "previous": "2" * 128},
    ),
    case(
        "the release before is that",
        "accept accepted",
        sequence=4,
        previous="2" * 128,
        state={"sequence": 3, "previous": "2" * 128},
    ),
    case("the first names one before", "refuse previous", previous="1" * 128),
    case(
        "behind a gap nobody knows the one before",
        "accept accepted",
        sequence=9,
        previous="1" * 128,
        state={"sequence": 3, "skip": 8, "previous": "2" * 128},
        alarms=("gap-skipped",),
    ),
    case("the release is of nobody's hand", "refuse release-signature", agrees=("mallory",)),
    case("the release is of an approver's hand alone", "refuse release-signature", agrees=("bob",)),
    case("the release is of a signer's and a stranger's hand", "accept accepted", agrees=("ann", "mallory")),
    case(
        "the release bears a stranger's bad signature",
        "accept accepted",
        {"envelope": lambda said: _worse(said, "ann", False)},
        agrees=("ann", "mallory"),
    ),
    case(
        "the release bears a known one's bad signature",
        "refuse release-signature",
        {"envelope": lambda said: _worse(said, "ann", False)},
        agrees=("ann", "bob"),
    ),
    case(
        "the release's one signature is bad",
        "refuse release-signature",
        {"envelope": lambda said: _worse(said, "ann", True)},
    ),
    case(
        "signed by a key of the other profile alone",
        "refuse release-signature",
        {"envelope": put("mldsa87-" + "a" * 16, "signatures", 0, "keyid")},
    ),
    case("a signature of another size", "refuse release-signature", {"envelope": put("YWE=", "signatures", 0, "sig")}),
    case("the payload is another than was signed", "refuse release-signature", {"envelope": _resaid}),
]


DIGESTS = [
    case("no blobs at all", "refuse digests", {"members": lambda members: members[:-3]}),
    case(
        "a blob is not its name",
        "refuse digests",
        {
            "blobs": lambda blobs: {
                name: raw if len(raw) > 100 or raw == b"{}" else raw[::-1] for name, raw in blobs.items()
            }
        },
    ),
    case(
        "a blob is missing",
        "refuse digests",
        {"blobs": lambda blobs: {name: raw for name, raw in blobs.items() if b"small" not in raw}},
    ),
    case("the empty one is missing", "refuse digests", {"blobs": lambda blobs: blobs.pop(EMPTY) and None}),
    case(
        "a manifest is missing",
        "refuse digests",
        {"blobs": lambda blobs: {name: raw for name, raw in blobs.items() if b"layers" not in raw}},
    ),
    case(
        "a blob too many",
        "refuse digests",
        {"blobs": lambda blobs: blobs.update({"sha512:" + hashlib.sha512(b"x").hexdigest(): b"x"})},
    ),
    case("a blob of another size than told", "refuse digests", {"manifest": put(12, *LAYER, "size")}),
    case("a manifest of another size than told", "refuse digests", {"index": put(12, "manifests", 0, "size")}),
    case("a blob of a huge size", "refuse digests", {"manifest": put(MOST, *LAYER, "size")}),
    case(
        "a subject of another digest", "refuse digests", {"statement": put("0" * 128, "subject", 0, "digest", "sha512")}
    ),
    case("a subject of another name", "refuse digests", {"statement": put("other", "subject", 0, "name")}),
    case("a subject of a long name", "refuse digests", {"statement": put("o" * 500, "subject", 0, "name")}),
    case("subjects swapped", "refuse digests", {"statement": lambda said: said["subject"].reverse()}, objects=TWO),
    case(
        "a subject too many",
        "refuse digests",
        {
            "statement": lambda said: (
                said["subject"].append(said["subject"][0]),
                said["predicate"]["objects"].append(said["predicate"]["objects"][0]),
                None,
            )[2]
        },
    ),
    case(
        "a manifest that is not its name, and still one",
        "refuse digests",
        {"blobs": lambda blobs: {name: raw.replace(b"casemate.blob", b"casemate.xxxx") for name, raw in blobs.items()}},
    ),
    case(
        "one file told in two sizes",
        "refuse digests",
        {"manifest": put(3, "layers", 1, "size")},
        objects={"one": {"a": b"same", "b": b"same"}},
    ),
]
INSIDE = [*INDEX, *MANIFEST, *RELEASE, *DIGESTS]
