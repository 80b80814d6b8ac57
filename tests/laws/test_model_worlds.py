"""The two-world law where it is densest for models: somebody above registers, accredits, verifies and retires, and an
observer below lists, shows, names and registers the same names. Its mutants stand beside it, each with its leak."""

from __future__ import annotations

import random
from typing import Any

import pytest

from casemate.access import Flow
from casemate.doors.native import models as native
from casemate.models import Card
from casemate.wiring import registry
from tests.laws.operations import MAKERS
from tests.laws.two_worlds import HIDDEN, LABELS, LOW, Case, Leak, judge

SEEN = ("models_asked_about", "model_managers", "model_users", "models_imported")
SEED = random.SystemRandom().randrange(1 << 30)


def case(seed: int, observer: str = "") -> Case:
    rng = random.Random(seed)
    observer = observer or rng.choice(tuple(HIDDEN))
    made = Case(seed, observer)
    for _ in range(2):
        label, name = rng.choice(HIDDEN[observer]), rng.choice(("model_managers", "model_managers", "models_imported"))
        who = f"hidden-{LABELS.index(label)}"
        made.steps.append((rng.choice(("one", "two")), MAKERS[name].make(rng, who, label)))
    for _ in range(4):
        who = f"observer-{LABELS.index(observer)}"
        made.steps.append(("observe", MAKERS[rng.choice(SEEN)].make(rng, who, observer)))
    return made


async def test_models_above_are_seen_by_nobody_below() -> None:
    print(f"\ntwo worlds of models from seed {SEED}")
    assert sum([await judge(case(SEED + n)) for n in range(60)]) >= 60


async def judged_low(count: int) -> None:
    for seed in range(count):
        await judge(case(seed, LOW))


def known_below(self: Card, flow: Flow) -> bool:
    """A card is listed wherever what is carried may enter it, also below its record."""
    return bool(flow.floor <= self.accreditation)


def one_folder(label: Any, name: str) -> str:
    """Imported files of all labels lie in one folder."""
    del label
    return name.replace("/", "_")


def one_key(label: Any, name: str) -> str:
    """Keys of all labels lie under one name."""
    del label
    return f"model-{name}.key"


@pytest.mark.parametrize(
    ("where", "what", "wrong"),
    [
        (Card, "usable", known_below),
        (registry, "folder_of", one_folder),
        (registry, "key_file_of", one_key),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_the_law_sees_what_would_tell(monkeypatch: pytest.MonkeyPatch, where: Any, what: str, wrong: Any) -> None:
    monkeypatch.setattr(where, what, wrong)
    with pytest.raises(Leak):
        await judged_low(300)


async def test_names_taken_above_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: every model's name is taken for everybody, also of those that lie above."""

    def all_of_them(self: Any) -> set[str]:
        return set(self._rooms.catalogue.cards)

    monkeypatch.setattr(native._Models, "_taken", all_of_them)
    with pytest.raises(Leak):
        await judged_low(300)
