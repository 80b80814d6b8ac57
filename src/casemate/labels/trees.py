"""A system with its compartments and their sub-compartments: "SI-G ABCD-NK", "RD-CNWDI-SIGMA 14". Pure look-ups."""

from __future__ import annotations

from typing import NamedTuple

from casemate.labels.policy import Category
from casemate.labels.vocabulary import Form, Vocabulary

__all__ = ["Branches", "branches"]


class Branches(NamedTuple):
    """What an item of a tree says: its tokens with their ancestors, in the order in which they stand.

    `right`: no step is abbreviated as another form of a mark has it. `legacy`: a step is a withdrawn name. `strangers`:
    the tokens that nobody has declared.
    """

    tokens: list[str]
    right: bool
    legacy: bool
    strangers: list[str]


class _Climb:
    """The steps that one item has taken."""

    __slots__ = ("category", "legacy", "nodes", "right", "strangers", "tokens", "vocabulary")

    def __init__(self, vocabulary: Vocabulary, form: Form, category: Category) -> None:
        self.vocabulary = vocabulary
        self.category = category
        self.nodes = vocabulary.nodes[form]
        self.tokens: dict[str, None] = {}
        self.strangers: list[str] = []
        self.right = True
        self.legacy = False

    def step(self, above: str, written: str) -> str | None:
        """The name of a step, which is kept; None if it is none."""
        category = self.category
        node = self.nodes.get((category.name, above, written))
        if node is not None:
            self.right, self.legacy = self.right and node.right, self.legacy or node.legacy
            name = node.name
        else:
            spaced = written.replace(" ", "_") if category.prefixes and not above else written
            name = f"{above}-{spaced}" if above else spaced
            if not any(f.written and f.written.fullmatch(name) and f.match.fullmatch(name) for f in category.families):
                return None
            self.strangers.append(name)
        if name not in category.inner:
            self.tokens[name] = None
        return name

    def branch(self, root: str, branch: str) -> bool:
        """A compartment, whose name may hold spaces, or a compartment and its sub-compartments."""
        if (self.category.name, root, branch) in self.nodes:
            name = self.step(root, branch)
            return name not in self.category.inner
        written, *subs = branch.split(" ")
        compartment = self.step(root, written)
        return compartment is not None and all(self.step(compartment, sub) for sub in subs)


def branches(vocabulary: Vocabulary, form: Form, category: Category, text: str, *, late: bool) -> Branches | None:
    """What a text says in a tree; None if some step is unknown. `late`: too late for a system that nobody declares."""
    head, *rest = text.split("-")
    climb = _Climb(vocabulary, form, category)
    if not category.prefixes and (category.name, "", head) not in climb.nodes and (late or _taken(vocabulary, head)):
        return None
    root = climb.step("", head)
    if root is None or not all(climb.branch(root, each) for each in rest):
        return None
    return Branches(list(climb.tokens), climb.right, climb.legacy, climb.strangers)


def _taken(vocabulary: Vocabulary, head: str) -> bool:
    """Whether this is the code of a recipient, or the word for a joint mark: no control system is named so."""
    foreign = vocabulary.policy.foreign
    return (foreign is not None and head == foreign.joint) or any(
        head in each for each in vocabulary.recipients.values()
    )
