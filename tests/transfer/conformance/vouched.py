"""Cases of the roles: roots that vouch for the next, files that vouch for the release. Attacks and recoveries."""

from __future__ import annotations

import json
from typing import Any

from tests.transfer.bundling import signer
from tests.transfer.conformance.case import case, drop, put
from tests.transfer.conformance.forge import DAY, NOW, js, name_of, root_of, the_time, tuf

BOTH = ("root", "rootnew")
FIRST = root_of()
SECOND = root_of(2, "new", BOTH)
THIRD = root_of(3, "late", ("rootnew", "rootlate"))


def edited(raw: bytes, bend: Any, by: tuple[str, ...] = BOTH) -> bytes:
    """A root of whose signed part something is another, and signed again."""
    signed = json.loads(raw)["signed"]
    bend(signed)
    return tuf(signed, [signer(name, "cnsa2") for name in by])


def rooted(name: str, expect: str, new: bytes, **more: Any) -> Any:
    """A bundle that brings this second root, and is vouched for by its roles."""
    more.setdefault("roles", "new")
    return case(f"root 2: {name}", expect, roots={"1": FIRST, "2": new}, **more)


def bad_root(**cases: Any) -> list[Any]:
    return [rooted(name.replace("_", " "), "refuse roots", edited(SECOND, bend)) for name, bend in cases.items()]


KEY = json.loads(SECOND)["signed"]["roles"]["root"]["keyids"][0]
OURS = ("x-casemate",)
ROOTS = [
    case("rotated once", "accept accepted", roots={"1": FIRST, "2": SECOND}, roles="new"),
    case("rotated twice", "accept accepted", roots={"1": FIRST, "2": SECOND, "3": THIRD}, roles="late"),
    case("rotated, and the first is not brought", "accept accepted", roots={"2": SECOND}, roles="new"),
    case("no root is brought", "accept accepted", roots={}),
    case("rotated, and the old roles vouch", "refuse metadata", roots={"1": FIRST, "2": SECOND}),
    case("the new roles vouch, and no root says so", "refuse metadata", roots={"1": FIRST}, roles="new"),
    case("a hole between roots", "refuse metadata", roots={"1": FIRST, "3": THIRD}, roles="late"),
    case(
        "an older root beside the trusted",
        "accept accepted",
        roots={"1": FIRST, "2": SECOND},
        roles="new",
        state={"root": SECOND.decode()},
    ),
    case("another root of the trusted one's number", "refuse roots", roots={"1": root_of(expires=NOW + 5 * DAY)}),
    case("a root under another number", "refuse roots", roots={"1": FIRST, "2": THIRD}, roles="late"),
    case(
        "a root that is a timestamp",
        "refuse roots",
        {"metadata": lambda files: files.update({"2.root.json": files["timestamp.json"]})},
    ),
    rooted("not signed by the one before", "refuse roots", root_of(2, "new", ("rootnew",))),
    rooted("not signed by itself", "refuse roots", root_of(2, "new", ("root",))),
    rooted("signed by nobody", "refuse roots", edited(SECOND, lambda signed: None, ())),
    rooted("signed by a stranger too", "accept accepted", root_of(2, "new", ("mallory", *BOTH))),
    rooted("of another channel", "refuse roots", root_of(2, "new", BOTH, channel=b"another channel!")),
    rooted("asks for more than it has", "refuse roots", root_of(2, "new", BOTH, needed=2)),
    rooted(
        "changed behind its signatures",
        "refuse roots",
        js(json.loads(SECOND) | {"signed": json.loads(FIRST)["signed"] | {"version": 2}}),
    ),
    rooted(
        "the key of the one before is revoked", "refuse roots", SECOND, state={"revoked": [name_of("root", "cnsa2")]}
    ),
    rooted("its own key is revoked", "refuse roots", SECOND, state={"revoked": [name_of("rootnew", "cnsa2")]}),
    rooted(
        "signers that it brings do not count yet",
        "refuse threshold",
        root_of(2, "new", BOTH, signers=("dan",)),
        signs=(("signer", "dan"), ("approver", "bob")),
    ),
    rooted("signers that it takes away count still", "accept accepted", root_of(2, "new", BOTH, signers=("dan",))),
    case(
        "signers of the last bundle's root count now",
        "accept accepted",
        roots={"2": root_of(2, "new", BOTH, signers=("dan",))},
        roles="new",
        state={"root": root_of(2, "new", BOTH, signers=("dan",)).decode()},
        signs=(("signer", "dan"), ("approver", "bob")),
        agrees=("dan",),
    ),
    *bad_root(
        a_delegation=put({}, "delegations"),
        no_keys=drop("keys"),
        no_role=drop("roles", "snapshot"),
        a_role_more=put({"keyids": [], "threshold": 1}, "roles", "mirrors"),
        threshold_0=put(0, "roles", "root", "threshold"),
        a_key_that_is_not_there=put(["mldsa87-" + "a" * 16], "roles", "targets", "keyids"),
        a_key_twice=put([KEY, KEY], "roles", "root", "keyids"),
        consistent=put(True, "consistent_snapshot"),
        version_0=put(0, "version"),
        type=put("targets", "_type"),
        no_channel=drop(*OURS, "channel"),
        nothing_of_ours=drop("x-casemate"),
        a_group_more=put({}, *OURS, "owners"),
        no_signer_asked_for=put(0, *OURS, "signers", "threshold"),
        approvers_below_0=put(-1, *OURS, "approvers", "threshold"),
        a_key_of_ours_that_is_none=put(["00"], *OURS, "signers", "keys"),
        our_keys_twice=lambda said: put(said["x-casemate"]["signers"]["keys"] * 2, *OURS, "signers", "keys")(said),
        a_short_channel=put("00", *OURS, "channel"),
        another_scheme=put("ml-dsa-65/1", "keys", KEY, "scheme"),
        another_type=put("rsa", "keys", KEY, "keytype"),
        a_key_that_is_no_pem=put("x", "keys", KEY, "keyval", "public"),
        a_day_that_is_not=put("2027-02-30T00:00:00Z", "expires"),
        a_time_without_a_zone=put("2027-02-20T00:00:00", "expires"),
        a_time_of_fractions=put("2027-02-20T00:00:00.0Z", "expires"),
        a_key_of_another_name=lambda said: (
            said["keys"].update({"mldsa87-" + "a" * 16: said["keys"].pop(KEY)})
            or put(["mldsa87-" + "a" * 16], "roles", "root", "keyids")(said)
        ),
        a_pem_in_another_spelling=lambda said: put(
            said["keys"][KEY]["keyval"]["public"] + "\n", "keys", KEY, "keyval", "public"
        )(said),
        specification_2=put("2.0.0", "spec_version"),
    ),
]

ROLES = ("timestamp", "snapshot", "targets")


def bad_file(**cases: Any) -> list[Any]:
    return [
        case(f"{role}: {name.replace('_', ' ')}", "refuse metadata", {role: bend})
        for name, (role, bend) in cases.items()
    ]


FILE = ("meta", "snapshot.json")
METADATA = [
    *(case(f"{role} is signed by nobody", "refuse metadata", {f"{role}_keys": lambda keys: []}) for role in ROLES),
    *(
        case(
            f"{role} is signed by a stranger",
            "refuse metadata",
            {f"{role}_keys": lambda keys: [signer("mallory", "cnsa2")]},
        )
        for role in ROLES
    ),
    *(
        case(
            f"{role} is signed by another role",
            "refuse metadata",
            {f"{role}_keys": lambda keys: [signer("root", "cnsa2")]},
        )
        for role in ROLES
    ),
    *(
        case(
            f"{role} is signed by a stranger too",
            "accept accepted",
            {f"{role}_keys": lambda keys: [signer("mallory", "cnsa2"), *keys]},
        )
        for role in ROLES
    ),
    *(
        case(f"the key of {role} is revoked", "refuse metadata", state={"revoked": [name_of(role, "cnsa2")]})
        for role in ROLES
    ),
    *(
        case(
            f"the {role} is of an older version",
            "refuse metadata-rollback",
            version=4,
            state={"versions": {"snapshot": 4, "targets": 4, "timestamp": 4} | {role: 5}},
        )
        for role in ROLES
    ),
    *(
        case(
            f"the {role} is not valid any more", "refuse metadata-expired", {role: put(the_time(NOW - DAY), "expires")}
        )
        for role in ROLES
    ),
    case(
        "the same versions again",
        "accept accepted",
        version=4,
        state={"versions": {"snapshot": 4, "targets": 4, "timestamp": 4}},
    ),
    case(
        "the trusted root is not valid any more",
        "refuse metadata-expired",
        roots={},
        state={"root": root_of(expires=NOW - DAY).decode()},
    ),
    case(
        "the trusted root has ended, and the next is brought",
        "accept accepted",
        state={"root": root_of(expires=NOW - DAY).decode()},
        roots={"2": SECOND},
        roles="new",
    ),
    case(
        "ended by a clock that is two years ahead",
        "accept accepted",
        now=NOW + 730 * DAY,
        state={"attested": NOW - 2 * DAY},
        alarms=("clock-ahead", "clock-expired"),
    ),
    case("valid until now", "refuse metadata-expired", valid=NOW),
    case("valid for a second", "accept accepted", valid=NOW + 1_000_000),
    case("another length of the snapshot", "refuse metadata", {"timestamp": put(7, *FILE, "length")}),
    case("another digest of the snapshot", "refuse metadata", {"timestamp": put("0" * 128, *FILE, "hashes", "sha512")}),
    case("another version of the snapshot", "refuse metadata", {"timestamp": put(2, *FILE, "version")}),
    case("another length of the targets", "refuse metadata", {"snapshot": put(7, "meta", "targets.json", "length")}),
    case("another version of the targets", "refuse metadata", {"snapshot": put(2, "meta", "targets.json", "version")}),
    case(
        "another length of the release",
        "refuse metadata",
        {"targets": put(7, "targets", "release.dsse.json", "length")},
    ),
    case(
        "another digest of the release",
        "refuse metadata",
        {"targets": put("0" * 128, "targets", "release.dsse.json", "hashes", "sha512")},
    ),
    *bad_file(
        a_delegation=("targets", put({}, "delegations")),
        a_custom_member=("targets", put({}, "targets", "release.dsse.json", "custom")),
        another_file=("targets", lambda said: said["targets"].update({"x": said["targets"]["release.dsse.json"]})),
        no_file=("targets", put({}, "targets")),
        no_hash=("targets", put({}, "targets", "release.dsse.json", "hashes")),
        sha256=("timestamp", put({"sha256": "0" * 64}, *FILE, "hashes")),
        two_hashes=("timestamp", put("0" * 64, *FILE, "hashes", "sha256")),
        no_length=("snapshot", drop("meta", "targets.json", "length")),
        a_length_below_0=("snapshot", put(-1, "meta", "targets.json", "length")),
        another_type=("snapshot", put("timestamp", "_type")),
        no_version=("timestamp", drop("version")),
        version_true=("timestamp", put(True, "version")),
        no_time=("timestamp", put(7, "expires")),
        version_0_of_the_snapshot=("timestamp", put(0, *FILE, "version")),
        a_member_more=("timestamp", put(1, "x")),
        beyond_ascii=("timestamp", put("1.0.é", "spec_version")),
        root_in_snapshot=("snapshot", put({"version": 1}, "meta", "root.json")),
    ),
]

VOUCHED = [*ROOTS, *METADATA]
