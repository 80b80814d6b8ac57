"""A gap code comes back as it was told, and whoever misheard one sign is told in which group."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.transfer.volumes.gaps import SIGNS, Gap, gap_of, read_code, write_code
from casemate.transfer.volumes.volume import Layout


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    n = draw(st.integers(1, 255))
    wanted = draw(st.sets(st.integers(1, n), max_size=20))
    return Gap(draw(st.binary(min_size=5, max_size=5)), draw(st.integers(1, n)), n, tuple(sorted(wanted)))


ONE = Gap(b"abcde", 8, 10, (2, 9))


@given(gaps(), st.sampled_from(["", " ", "-", ", "]), st.booleans())
def test_a_code_comes_back_however_it_is_written(gap: Gap, between: str, small: bool) -> None:
    told = between.join(write_code(gap).split())
    assert read_code(told.lower() if small else told) == gap
    assert read_code(told.replace("0", "o").replace("1", "l")) == gap


def test_ten_volumes_are_five_groups_of_five_signs() -> None:
    assert [len(group) for group in write_code(ONE).split()] == [5] * 5


@given(gaps(), st.data())
def test_one_wrong_sign_is_found_in_its_group(gap: Gap, data: st.DataObject) -> None:
    groups = write_code(gap).split()
    which, sign = data.draw(st.integers(0, len(groups) - 1)), data.draw(st.integers(0, 4))
    other = data.draw(st.sampled_from([each for each in SIGNS if each != groups[which][sign]]))
    groups[which] = groups[which][:sign] + other + groups[which][sign + 1 :]
    with pytest.raises(BadInput) as raised:
        read_code(" ".join(groups))
    assert f"Group {which + 1} " in str(raised.value.facts["what"])


@given(gaps(), st.data())
def test_signs_that_changed_places_are_found(gap: Gap, data: st.DataObject) -> None:
    groups = write_code(gap).split()
    which, at = data.draw(st.integers(0, len(groups) - 1)), data.draw(st.integers(0, 3))
    group = groups[which]
    if group[at] == group[at + 1]:
        return
    groups[which] = group[:at] + group[at + 1] + group[at] + group[at + 2 :]
    with pytest.raises(BadInput):
        read_code(" ".join(groups))


def test_groups_that_changed_places_or_are_missing_are_found() -> None:
    groups = write_code(ONE).split()
    for one in range(len(groups)):
        for other in range(one):
            swapped = list(groups)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            with pytest.raises(BadInput) as raised:
                read_code(" ".join(swapped))
            assert f"Group {other + 1} " in str(raised.value.facts["what"])
        with pytest.raises(BadInput):
            read_code(" ".join(groups[:one] + groups[one + 1 :]))


@given(st.one_of(st.text(max_size=60), st.text(SIGNS, max_size=60)))
def test_what_is_no_code_is_bad_input(told: str) -> None:
    try:
        gap = read_code(told)
    except BadInput:
        return
    assert "".join(write_code(gap).split()) in told.upper().translate(str.maketrans("OIL", "011"))


@pytest.mark.parametrize("told", ["", "?", "A" * 401, "AB CD", write_code(ONE) + " " + write_code(ONE)])
def test_codes_that_cannot_be(told: str) -> None:
    with pytest.raises(BadInput):
        read_code(told)


@pytest.mark.parametrize(
    "changed",
    [
        lambda said: b"\2" + said[1:],
        lambda said: said[:6] + b"\0" + said[7:],
        lambda said: said[:6] + b"\x0b" + said[7:],
        lambda said: said[:9] + bytes([said[9] | 1]),
    ],
)
def test_codes_of_numbers_that_cannot_be_are_refused(changed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the checks right over a version, a k or a volume that no set has."""
    from casemate.transfer.volumes import gaps as module

    class Fixed:
        def __init__(self, said: bytes) -> None:
            self.said = said

        def digest(self) -> bytes:
            return bytes(64)

    monkeypatch.setattr(module.hashlib, "sha512", Fixed)
    made = bytes([1]) + ONE.set + bytes([8, 10]) + np.packbits([0, 1] + [0] * 6 + [1] + [0] * 7).tobytes()
    said = changed(made) + bytes(2)  # type: ignore[operator]
    bits = "".join(f"{byte:08b}" for byte in said).ljust(100, "0")
    values = [int(bits[at : at + 5], 2) for at in range(0, 100, 5)]
    groups = [values[at : at + 4] for at in range(0, 20, 4)]
    told = " ".join("".join(SIGNS[v] for v in [*g, module.checked(i, g)]) for i, g in enumerate(groups))
    with pytest.raises(BadInput):
        read_code(told)


def packed(frames: int, chosen: set[int]) -> np.ndarray:
    there = np.zeros(frames, np.uint8)
    there[sorted(chosen)] = 1
    return np.packbits(there)


@given(st.integers(1, 8), st.integers(0, 4), st.integers(1, 40), st.integers(0, 1 << 30))
def test_what_is_wanted_makes_up_for_what_is_missing(k: int, m: int, frames: int, seed: int) -> None:
    chance = random.Random(seed)
    layout = Layout(k, k + m, 4096, frames)
    have = {
        number: packed(frames, {f for f in range(frames) if chance.random() < 0.8})
        for number in range(1, layout.n + 1)
        if chance.random() < 0.8
    }
    wanted = gap_of(layout, have)

    def least(brought: tuple[int, ...]) -> int:
        there = {n: set(range(frames)) if n in brought else set() for n in range(1, layout.n + 1)}
        for number, bits in have.items():
            there[number] |= set(np.flatnonzero(np.unpackbits(bits, count=frames)))
        return min(sum(frame in own for own in there.values()) for frame in range(frames))

    assert least(wanted) >= k
    assert (least(()) >= k) == (not wanted)
    assert len(wanted) <= k or not have


def test_missing_volumes_are_wanted_from_the_first_on_and_no_more_than_needed() -> None:
    layout = Layout(3, 5, 4096, 4)
    every = packed(4, {0, 1, 2, 3})
    assert gap_of(layout, {2: every, 5: every}) == (1,)
    assert gap_of(layout, {}) == (1, 2, 3)
    assert gap_of(layout, {1: every, 2: every, 3: packed(4, {0, 1})}) == (4,)
    assert gap_of(layout, {1: every, 4: every, 5: every}) == ()
