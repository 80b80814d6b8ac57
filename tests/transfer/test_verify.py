"""The verdict: each rule by a bundle that breaks it alone, and what makes it right again.

Rows are those of the fault list of a one-way transfer; a test of one bears its number.
"""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.errors import Damaged
from casemate.transfer.bundle import Guarded
from casemate.transfer.state import Newest, State, read_state, written
from casemate.transfer.verdict import RULES, Verdict
from casemate.transfer.verify import Finding, advanced, held, verify
from tests.transfer.bundling import (
    CHANNEL,
    DAY,
    LOW,
    NOW,
    Made,
    both,
    judged,
    keeper,
    root,
    seen,
    signer,
    state,
)

YEAR = 366 * DAY


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def digest(data: bytes) -> str:
    return f"sha512:{hashlib.sha512(data).hexdigest()}"


def taken(made: Made, known: State | None = None) -> tuple[State, Verdict]:
    """A bundle that is accepted, and the state behind it."""
    found = judged(made.write(), known or state())
    assert found.came is not None, found.rule
    return advanced(known or state(), found.came), found


def but(known: State, **other: Any) -> State:
    return msgspec.structs.replace(known, **other)


# what one change makes of a bundle that is otherwise right: how it is made, what is known, when, rule, alarms
TABLE: dict[str, tuple[dict[str, Any], dict[str, Any], int, str, tuple[str, ...]]] = {
    "it is right": ({}, {}, NOW, "accepted", ()),
    "another channel": ({}, {"channel": "00" * 16}, NOW, "channel", ()),
    "nobody who may signed": ({"signers": ("eve",)}, {}, NOW, "threshold", ()),
    "nobody approved": ({"approvers": ()}, {}, NOW, "threshold", ()),
    "who signs may not approve": ({"signers": ("ann", "bob"), "approvers": ()}, {}, NOW, "threshold", ()),
    "its signer was revoked": ({}, {"revoked": (signer("ann").key_id,)}, NOW, "key-revoked", ()),
    "its approver was revoked": ({}, {"revoked": (signer("bob").key_id,)}, NOW, "key-revoked", ()),
    "a stranger signed too": ({"signers": ("ann", "eve")}, {}, NOW, "accepted", ()),
    "an older number": ({"sequence": 3}, {"sequence": 3, "bundle": "00" * 16}, NOW, "rollback", ()),
    "it has ended": ({}, {}, NOW + 31 * DAY, "expired", ()),
    "it ends now": ({"expires": NOW}, {}, NOW, "expired", ()),
    "two before it are missing": ({"sequence": 3}, {}, NOW, "gap", ()),
    "they were given up": ({"sequence": 3}, {"skip": 2}, NOW, "accepted", ("gap-skipped",)),
    "given up but not all": ({"sequence": 4}, {"skip": 2}, NOW, "gap", ()),
    "its roles have ended": ({"ends": NOW}, {}, NOW, "metadata-expired", ()),
    "its roles are older": ({}, {"versions": Newest(1, 1, 2)}, NOW, "metadata-rollback", ()),
    "its snapshot is older": ({}, {"versions": Newest(2, 1, 1)}, NOW, "metadata-rollback", ()),
    "its targets are older": ({}, {"versions": Newest(1, 2, 1)}, NOW, "metadata-rollback", ()),
    "other roles signed": ({"roles": " of another"}, {}, NOW, "metadata", ()),
    "a role was revoked": ({}, {"revoked": (signer("targets", "cnsa2").key_id,)}, NOW, "metadata", ()),
    "its root is another": ({"roots": (root(expires=NOW + 5 * DAY),)}, {}, NOW, "roots", ()),
    "for another region": ({}, {"destination": "elsewhere"}, NOW, "release", ()),
    "of another region": ({}, {"source": "elsewhere"}, NOW, "release", ()),
    "issued after its end": ({"statement": {"issued": NOW + 40 * DAY}}, {}, NOW, "release", ("clock-behind",)),
    "its release is another's": ({"statement": {"bundle": "00" * 16}}, {}, NOW, "release", ()),
    "its release has another number": ({"statement": {"sequence": 2}}, {}, NOW, "release", ()),
    "its release ends later": ({"statement": {"not_after": NOW + 99 * DAY}}, {}, NOW, "release", ()),
    "its release bears another banner": ({"statement": {"banner": "UNCLASSIFIED"}}, {}, NOW, "release", ()),
    "it follows another": ({"previous": "ab" * 64}, {}, NOW, "previous", ()),
    "a label that is not the channel's": ({"label": LOW}, {}, NOW, "label-channel", ()),
    "a banner that is not the channel's": ({"banner": "CONFIDENTIAL"}, {}, NOW, "banner", ()),
    "an object without a label": ({"labels": {"weights": None}}, {}, NOW, "label-missing", ()),
    "a label that nobody knows": ({"labels": {"weights": "us:COSMIC"}}, {}, NOW, "label-unknown", ()),
    "a label in another spelling": ({"labels": {"weights": "us:SECRET + us:SECRET"}}, {}, NOW, "label-unknown", ()),
    "a floor that nobody knows": ({}, {"floor": "us:COSMIC"}, NOW, "label-unknown", ()),
    "a label above the channel's": ({"labels": {"weights": "us:TOP SECRET"}}, {}, NOW, "label-high", ()),
    "a label with a need": ({"labels": {"weights": "need=ORION + us:SECRET"}}, {}, NOW, "label-high", ()),
    "a label below the floor": ({}, {"floor": "us:SECRET"}, NOW, "label-range", ()),
    "a label above the ceiling": ({}, {"ceiling": "bottom"}, NOW, "label-range", ()),
    "no guard has seen it": ({}, {"guard": "each"}, NOW, "guard-missing", ()),
}  # fmt: skip


@pytest.mark.parametrize("what", TABLE)
def test_each_rule_by_a_bundle_that_breaks_it_alone(what: str, made: Made) -> None:
    how, known, now, rule, alarms = TABLE[what]
    found = judged(made.but(**how).write(), state(**known), now)
    assert (found.rule, found.alarms) == (rule, alarms)
    assert found.state == RULES[rule]
    assert (found.came is None) == (rule != "accepted")


def test_every_rule_is_reached() -> None:
    asked = {row[3] for row in TABLE.values()}
    elsewhere = {"bounds", "signature", "frames", "seen", "sealed", "inside", "release-signature", "digests"}
    assert asked | elsewhere | {"label-downgraded", "guard-refused", "guard-differs"} == set(RULES)


def test_without_a_key_all_outside_is_judged_and_nothing_more(made: Made) -> None:
    path = made.write()
    facts = seen(path).facts
    sealed = dataclasses.replace(facts, inside=None)
    assert verify(sealed, state(), NOW).rule == "sealed"
    assert verify(dataclasses.replace(sealed, spoiled=True), state(), NOW).rule == "inside"
    assert verify(dataclasses.replace(sealed, frames=b"x"), state(), NOW).rule == "frames"
    assert verify(dataclasses.replace(sealed, size=facts.size + 1), state(), NOW).rule == "bounds"
    with pytest.raises(Damaged):
        verify(facts, state(root="{}"), NOW)


def test_row_21_the_second_next_waits_and_the_gap_is_named(made: Made) -> None:
    first, second = made, made.but(sequence=2, files={"b": b"second"})
    third = made.but(sequence=3, files={"c": b"third"})
    known, one = taken(first)
    assert one.came is not None
    waits = judged(third.write(), known)
    assert (waits.state, waits.rule, waits.gap) == ("hold", "gap", (2, 2))
    known = held(held(known, 3), 3)
    assert known.pending == (3,)
    known, two = taken(second.but(previous=known.previous), known)
    assert two.came is not None
    known, _ = taken(third.but(previous=two.came.previous), known)
    assert (known.sequence, known.pending) == (3, ())


def test_row_21_what_never_comes_is_given_up_by_two_and_what_is_missing_is_not_asked_for_again(made: Made) -> None:
    known, _ = taken(made)
    late = made.but(sequence=5, files={"e": b"fifth"}, previous="cd" * 64).write()
    assert judged(late, known).gap == (2, 4)
    assert judged(late, but(known, skip=3)).gap == (4, 4)
    found = judged(late, but(known, skip=4))
    assert (found.rule, found.alarms) == ("accepted", ("gap-skipped",))
    assert found.came is not None
    after = advanced(but(known, skip=4), found.came)
    second = made.but(sequence=2, files={"b": b"second"}, previous=known.previous).write()
    assert judged(second, after).rule == "rollback"


def test_row_22_an_older_bundle_is_refused_and_the_same_is_named(made: Made) -> None:
    old = made.write()
    known, first = taken(made)
    assert judged(old, known).rule == "seen"
    second = made.but(sequence=2, files={"b": b"second"}, previous=known.previous)
    known, _ = taken(second, known)
    assert judged(old, known).rule == "rollback"
    assert first.came is not None


def test_row_23_nothing_comes_any_more_and_what_ended_is_not_taken(made: Made) -> None:
    known, _ = taken(made)
    frozen = made.but(sequence=2, files={"b": b"second"}, previous=known.previous)
    path = frozen.write()
    assert judged(path, known, NOW + 29 * DAY).rule == "accepted"
    assert judged(path, known, NOW + 31 * DAY).rule == "expired"
    again = frozen.but(expires=NOW + 90 * DAY, issued=NOW + 30 * DAY, id=b"another bundle!!", ends=NOW + 90 * DAY)
    assert judged(again.write(), known, NOW + 31 * DAY).rule == "accepted"  # recovery: the same number, made anew


def test_row_26_a_clock_that_is_years_off_raises_an_alarm_and_the_sequence_decides(made: Made) -> None:
    known, _ = taken(made)
    path = made.but(sequence=2, files={"b": b"second"}, previous=known.previous).write()
    for now, alarms in (
        (NOW - 2 * YEAR, ("clock-behind",)),
        (NOW + 2 * YEAR, ("clock-ahead", "clock-expired")),
        (0, ("clock-behind",)),
        (NOW, ()),
    ):
        found = judged(path, known, now)
        assert (found.rule, found.alarms) == ("accepted", alarms), now
    ended = made.but(sequence=2, files={"x": b"x"}, previous=known.previous, expires=known.attested).write()
    assert judged(ended, known, NOW - 2 * YEAR).rule == "expired"  # it ended before the last one was made


def test_row_26_a_sender_whose_clock_runs_ahead_moves_what_is_attested_by_a_window_at_most(made: Made) -> None:
    known, _ = taken(made)
    far = made.but(
        sequence=2, previous=known.previous, issued=NOW + 9 * YEAR, expires=NOW + 10 * YEAR, files={"b": b"2"}
    )
    found = judged(far.but(roots=(root(),)).write(), known)
    assert (found.rule, found.alarms) == ("accepted", ("clock-behind",))
    assert found.came is not None
    after = advanced(known, found.came)
    assert after.attested == known.attested + known.window
    assert advanced(state(), found.came).attested == NOW + 9 * YEAR


def test_row_27_labels_that_lie_are_set_apart(made: Made) -> None:
    data = made.files["weights"]
    known, first = taken(made)
    assert first.came is not None
    ((manifest, label),) = first.came.labels
    assert label == LOW
    assert known.labels == {manifest: LOW}
    again = made.but(sequence=2, previous=known.previous, files={"weights": data})
    assert judged(again.but(labels={"weights": "us:UNCLASSIFIED"}).write(), known).rule == "label-unknown"
    assert judged(again.but(labels={"weights": "bottom"}).write(), known).rule == "label-downgraded"
    assert judged(again.but(labels={"weights": "us:SECRET"}).write(), known).rule == "accepted"
    odd = but(known, labels={manifest: "us:COSMIC"})
    assert judged(again.write(), odd).rule == "label-downgraded"


def test_row_32_the_same_object_twice_is_one_blob(made: Made) -> None:
    twice = made.but(files={"one": b"the same", "two": b"the same"})
    inside = seen(twice.write()).facts.inside
    assert inside is not None
    assert sum(blob.size == len(b"the same") for blob in inside.blobs.values()) == 1
    assert judged(twice.folder / "1.cmb", state()).rule == "accepted"


def guards(**found: str) -> dict[str, tuple[Guarded, ...]]:
    return {"weights": (Guarded(digest(b"form"), "text", found.get("theirs", "agree")),)}


@pytest.mark.parametrize(
    ("theirs", "ours", "rule"),
    [
        ({}, None, "guard-missing"),
        ({}, Finding(digest(b"form"), "text", "crashed"), "guard-refused"),
        ({}, Finding(digest(b"other"), "text", "agree"), "guard-differs"),
        ({}, Finding(digest(b"form"), "table", "agree"), "guard-differs"),
        ({"theirs": "refuse"}, Finding(digest(b"form"), "text", "agree"), "guard-differs"),
        ({}, Finding(digest(b"form"), "text", "agree"), "accepted"),
    ],
)
def test_guards_of_both_sides_agree_on_one_form(made: Made, theirs: Any, ours: Finding | None, rule: str) -> None:
    path = made.but(guards=guards(**theirs)).write()
    inside = seen(path).facts.inside
    assert inside is not None
    found = {} if ours is None else {inside.index[0].digest: ours}
    assert judged(path, state(), guards=found).rule == rule
    plain = made.but(files={"plain": b"no guard"}).write()
    inside = seen(plain).facts.inside
    assert inside is not None
    agreed = {inside.index[0].digest: Finding(digest(b"any"), "text", "agree")}
    assert judged(plain, state(guard="each"), guards=agreed).rule == "accepted"


def test_row_25_keys_are_rotated_by_a_root_that_both_sign(made: Made) -> None:
    new = root(2, ("cid",), ("dan",), roles=" 2", by=("root", "root 2"))
    carrier = made.but(roots=(root(), new), roles=" 2")
    known, _ = taken(carrier)
    assert known.root == new.decode()
    after = made.but(sequence=2, previous=known.previous, files={"b": b"2"}, roots=(root(), new), roles=" 2")
    assert judged(after.write(), known).rule == "threshold"  # the old keys count no more
    rotated = after.but(signers=("cid",), approvers=("dan",))
    assert judged(rotated.write(), known).rule == "accepted"


@pytest.mark.parametrize(
    ("what", "new", "rule"),
    [
        ("signed by the old alone", {"by": ("root",), "roles": " 2"}, "roots"),
        ("signed by the new alone", {"by": ("root 2",), "roles": " 2"}, "roots"),
        ("a version is left out", {"version": 3}, "roots"),
        ("by both", {"by": ("root", "root 2"), "roles": " 2"}, "accepted"),
    ],
)
def test_row_25_a_root_that_does_not_follow_is_refused(made: Made, what: str, new: dict[str, Any], rule: str) -> None:
    version = new.pop("version", 2) if "version" in new else 2
    raw = root(version, **new)
    found = made.but(roots=(root(), raw), roles=new.get("roles", ""))
    assert judged(found.write(), state()).rule == rule, what


def test_row_25_a_revoked_key_is_recovered_from_by_a_new_root(made: Made) -> None:
    gone = (signer("ann").key_id,)
    assert judged(made.write(), state(revoked=gone)).rule == "key-revoked"
    new = root(2, ("cid",), ("bob",), by=("root",))
    renewed = made.but(signers=("cid",), roots=(root(), new))
    assert judged(renewed.write(), state(revoked=gone, root=new.decode())).rule == "accepted"


def test_row_25_a_threshold_of_two_is_met_by_two_and_by_no_one_twice(made: Made) -> None:
    two = root(signers=("ann", "cid"), needed=(2, 1))
    known = state(root=two.decode())
    assert judged(made.but(roots=(two,)).write(), known).rule == "threshold"
    assert judged(made.but(roots=(two,), signers=("ann", "cid")).write(), known).rule == "accepted"
    revoked = but(known, revoked=(signer("cid").key_id,))
    assert judged(made.but(roots=(two,), signers=("ann", "cid")).write(), revoked).rule == "key-revoked"


def test_row_25_metadata_that_ended_in_the_vault_is_signed_anew(made: Made) -> None:
    assert judged(made.but(ends=NOW - DAY).write(), state()).rule == "metadata-expired"
    old = root(expires=NOW - DAY)
    expired = made.but(roots=(old,))
    assert judged(expired.write(), state(root=old.decode())).rule == "metadata-expired"
    new = root(2)
    renewed = made.but(roots=(old, new), id=b"renewed in 2030!")
    assert judged(renewed.write(), state(root=old.decode())).rule == "accepted"  # an expired root leads to a newer one


def test_the_release_is_signed_by_whom_the_channel_trusts(made: Made) -> None:
    import casemate.transfer.bundle.release as release

    path = made.but(signers=("ann",)).write()
    facts = seen(path).facts
    inside = facts.inside
    assert inside is not None
    for signatures, rule in (
        ((("hybrid-aaaaaaaaaaaaaaaa", b"x"),), "release-signature"),
        (((signer("ann").key_id, b"x"),), "release-signature"),
        ((*inside.envelope.signatures, ("hybrid-zzzzzzzzzzzzzzzz", b"x")), "accepted"),
    ):
        envelope = dataclasses.replace(inside.envelope, signatures=signatures)
        assert isinstance(envelope, release.Envelope)
        found = verify(dataclasses.replace(facts, inside=dataclasses.replace(inside, envelope=envelope)), state(), NOW)
        assert found.rule == rule
    two = state(root=(both_may := root(signers=("ann", "cid"))).decode(), revoked=(signer("ann").key_id,))
    path = made.but(signers=("cid",), roots=(both_may,)).write()
    facts = seen(path).facts
    assert facts.inside is not None
    old = dataclasses.replace(facts.inside.envelope, signatures=inside.envelope.signatures[:0])
    assert verify(facts, two, NOW).rule == "accepted"
    assert (
        verify(dataclasses.replace(facts, inside=dataclasses.replace(facts.inside, envelope=old)), two, NOW).rule
        == "release-signature"
    )


def test_digests_are_one_tree(made: Made) -> None:
    facts = seen(made.but(files={"one": b"1", "two": b"22"}).write()).facts
    inside = facts.inside
    assert inside is not None
    some = next(iter(inside.manifests.values())).files[0].digest
    blob = inside.blobs[some]
    wrong = [
        dataclasses.replace(inside, index=inside.index[::-1]),
        dataclasses.replace(inside, blobs={**inside.blobs, some: dataclasses.replace(blob, true=False)}),
        dataclasses.replace(inside, blobs={**inside.blobs, some: dataclasses.replace(blob, size=99)}),
        dataclasses.replace(inside, blobs={key: value for key, value in inside.blobs.items() if key != some}),
        dataclasses.replace(inside, blobs={**inside.blobs, digest(b"more"): blob}),
        dataclasses.replace(inside, manifests=dict.fromkeys(inside.manifests, sized(inside, some))),
    ]
    assert verify(facts, state(), NOW).rule == "accepted"
    for other in wrong:
        assert verify(dataclasses.replace(facts, inside=other), state(), NOW).rule == "digests"


def sized(inside: Any, some: str) -> Any:
    """A manifest that gives that blob two sizes."""
    manifest = next(each for each in inside.manifests.values() if each.files[0].digest == some)
    return dataclasses.replace(manifest, files=(*manifest.files, dataclasses.replace(manifest.files[0], size=98)))


def test_the_state_is_read_in_its_one_spelling() -> None:
    known = state(labels={digest(b"x"): LOW}, pending=(3, 5), revoked=("hybrid-x",))
    assert read_state(written(known)) == known
    for wrong in (b"{}", b"[]", written(known)[:-1], written(known) + b" ", b"\xff", b'{"format":"casemate channel"}'):
        with pytest.raises(Damaged):
            read_state(wrong)


def test_outside_and_channel_are_of_one_root(made: Made) -> None:
    assert keeper().recipient.name.startswith("hybrid-")
    assert both is not None
    assert CHANNEL.hex() == state().channel
    other = "11" * 16
    assert judged(made.write(), state(channel=other)).rule == "channel"
