"""Cases of labels against the lattice, and of the guards' verdicts, object by object."""

from __future__ import annotations

from typing import Any

from tests.transfer.conformance.case import case, put
from tests.transfer.conformance.forge import Bundle

LOW, HIGH = "us:CONFIDENTIAL", "us:TOP SECRET"
WEIGHTS = Bundle().named()["weights"]
TWO = {"one": {"a": b"1"}, "two": {"b": b"2"}}
NAMED = Bundle(objects=TWO).named()
FIRST, LATER = sorted(NAMED, key=lambda name: NAMED[name])  # in the order of the index, whatever their names are


def label(text: Any, expect: str, **more: Any) -> Any:
    """The label of the one object."""
    return case(f"label {text!r:.60} {more.pop('what', '')}".strip(), expect, labels={"weights": text}, **more)


OPEN = {"label": "us:TOP SECRET//DISSEM=ORCON//SCI=SI,TK + site:CLOSED//PROJECT=OAK,PINE + agency=NAVY + need=oak"}
OPEN["label"] = " + ".join(sorted(OPEN["label"].split(" + ")))
BOUND = OPEN["label"]


def within(text: str, expect: str, **more: Any) -> Any:
    """In a channel whose label has a little of everything."""
    known = {"label": BOUND, "ceiling": BOUND, **more.pop("state", {})}
    bend = {"statement": put(BOUND, "predicate", "label")}
    return case(
        f"within: {text:.70}{more.pop('what', '')}", expect, bend, labels={"weights": text}, state=known, **more
    )


LABELS = [
    case(
        "the channel's label is another",
        "quarantine label-channel",
        {"statement": put("us:CONFIDENTIAL", "predicate", "label")},
    ),
    case("the channel's banner is another", "quarantine banner", state={"banner": "TOP SECRET"}),
    label(None, "quarantine label-missing"),
    label("bottom", "accept accepted"),
    label("us:SECRET", "accept accepted"),
    *(
        label(text, "quarantine label-unknown")
        for text in (
            "",
            "SECRET",
            "us",
            "us:",
            ":SECRET",
            "us:secret",
            "us:UNCLASSIFIED",
            "eu:SECRET",
            "us:COSMIC",
            "us:SECRET//",
            "us:SECRET//X=A",
            "us:SECRET//SCI",
            "us:SECRET//SCI=",
            "us:SECRET//SCI=TK,SI",
            "us:SECRET//SCI=SI,SI",
            "us:SECRET//SCI=si",
            "us:SECRET//SCI=SI//SCI=TK",
            "us:SECRET//SCI=SI//DISSEM=NF",
            "us:SECRET//REL=,",
            "us:SECRET//REL=A,",
            "us:SECRET ",
            " us:SECRET",
            "us:SECRET +  agency=A",
            "us:SECRET + agency=A",
            "agency=a",
            "agency=",
            "agency",
            "need=",
            "need=a b",
            "need=\u00e9",
            "us:CONFIDENTIAL + us:SECRET",
            "bottom + us:SECRET",
            "us:SECRET + us:SECRET",
            "us:SECRET\n",
            "Us:SECRET",
            "us:SECRET+agency=A",
            "agency=" + "A" * 65,
            "us:SECRET//SCI=" + "A" * 65,
            "BOTTOM",
            "us:SECRET//REL",
            "us:SECRET//=",
            "us:SECRET//SCI=A=B",
            "site:OPEN",
            "us:0",
            "site:CLOSED//REL=A",
            "need=" + "a" * 65,
            "agency=A + agency=A",
            "us:SECRET//SCI=_A",
            "us:SECRET/SCI=A",
        )
    ),
    label(HIGH, "quarantine label-high"),
    label("us:SECRET//SCI=SI", "quarantine label-high"),
    label("us:SECRET//REL=USA", "quarantine label-high"),
    label("us:SECRET//REL=", "quarantine label-high"),
    label("agency=NAVY", "quarantine label-high"),
    label("need=oak", "quarantine label-high"),
    label("site:CLOSED", "quarantine label-high"),
    label("site:OPEN//PROJECT=OAK", "quarantine label-high"),
    label("us:UNCLASSIFIED//SCI=SI", "quarantine label-high"),
    label("us:CONFIDENTIAL", "quarantine label-range", state={"floor": "us:SECRET"}, what="below the floor"),
    label("us:SECRET", "quarantine label-range", state={"ceiling": "us:CONFIDENTIAL"}, what="above the ceiling"),
    label("us:SECRET", "accept accepted", state={"ceiling": "us:SECRET", "floor": "us:SECRET"}, what="on both"),
    label(
        "us:CONFIDENTIAL", "quarantine label-downgraded", state={"labels": {WEIGHTS: "us:SECRET"}}, what="was higher"
    ),
    label(
        "us:CONFIDENTIAL",
        "quarantine label-downgraded",
        state={"labels": {WEIGHTS: "us:CONFIDENTIAL//SCI=SI"}},
        what="was in a compartment",
    ),
    label("us:SECRET", "accept accepted", state={"labels": {WEIGHTS: "us:CONFIDENTIAL"}}, what="was lower"),
    label("us:CONFIDENTIAL", "accept accepted", state={"labels": {WEIGHTS: "us:CONFIDENTIAL"}}, what="was that"),
    label(
        "us:CONFIDENTIAL",
        "accept accepted",
        state={"labels": {"sha512:" + "0" * 128: "us:SECRET"}},
        what="another was higher",
    ),
    *(
        within(text, "accept accepted")
        for text in (
            "us:TOP SECRET//SCI=SI",
            "us:UNCLASSIFIED//SCI=SI,TK",
            "us:SECRET//DISSEM=ORCON//SCI=TK",
            "site:OPEN//PROJECT=OAK",
            "site:CLOSED",
            "agency=NAVY",
            "agency=NAVY + need=oak + us:SECRET",
            "need=oak",
            BOUND,
        )
    ),
    *(
        within(text, "quarantine label-high")
        for text in (
            "us:SECRET//SCI=HCS",
            "site:OPEN//PROJECT=ELM",
            "agency=ARMY",
            "need=elm",
            "us:SECRET//REL=USA",
            "us:SECRET//DISSEM=SI",
        )
    ),
]

RELEASED = "us:SECRET//REL=GBR,USA"
OPENED = [
    case(
        f"open to {text}",
        expect,
        {"statement": put(RELEASED, "predicate", "label")},
        labels={"weights": text},
        state={"label": RELEASED, "ceiling": RELEASED},
    )
    for text, expect in (
        ("us:SECRET", "accept accepted"),
        ("us:SECRET//REL=GBR,USA", "accept accepted"),
        ("us:SECRET//REL=AUS,GBR,USA", "accept accepted"),
        ("us:SECRET//REL=USA", "quarantine label-high"),
        ("us:SECRET//REL=", "quarantine label-high"),
        ("us:SECRET//REL=AUS", "quarantine label-high"),
        ("us:UNCLASSIFIED//REL=GBR,USA", "accept accepted"),
    )
]
ORDER = [
    case(
        "the first object's label is unknown, the other's missing",
        "quarantine label-unknown",
        objects=TWO,
        labels={FIRST: "x", LATER: None},
    ),
    case(
        "the first object's label is missing, the other's unknown",
        "quarantine label-missing",
        objects=TWO,
        labels={FIRST: None, LATER: "x"},
    ),
    case(
        "the first object's label is too high, the other's missing",
        "quarantine label-high",
        objects=TWO,
        labels={FIRST: HIGH, LATER: None},
    ),
    case("the other object's label alone is too high", "quarantine label-high", objects=TWO, labels={LATER: HIGH}),
    case(
        "a label comes before digests",
        "quarantine label-high",
        {"blobs": lambda blobs: {name: raw for name, raw in blobs.items() if len(raw) > 20}},
        labels={"weights": HIGH},
    ),
]


def said(verdict: str = "agree", digest: str = "1", guard: str = "text") -> dict[str, str]:
    return {"digest": "sha512:" + digest * 128, "guard": guard, "verdict": verdict}


EACH = {"guard": "each"}
ONE = {"weights": [said()]}
GUARDS = [
    case("each needs a verdict, and none is here", "quarantine guard-missing", state=EACH),
    case(
        "each needs a verdict, and it is of another",
        "quarantine guard-missing",
        state=EACH,
        guards={"sha512:" + "0" * 128: said()},
    ),
    case(
        "each needs a verdict, and it is no", "quarantine guard-refused", state=EACH, guards={WEIGHTS: said("refuse")}
    ),
    case("each needs a verdict, and has it", "accept accepted", state=EACH, guards={WEIGHTS: said()}),
    case("none is named, and it is no anyway", "accept accepted", guards={WEIGHTS: said("refuse")}),
    *(
        case(
            f"the sender names one: {name}",
            expect,
            {"statement": put(theirs, "predicate", "objects", 0, "guards")},
            guards={WEIGHTS: here} if here else {},
        )
        for name, expect, theirs, here in (
            ("none is here", "quarantine guard-missing", [said()], None),
            ("it is no here", "quarantine guard-refused", [said()], said("differ")),
            ("it agrees", "accept accepted", [said()], said()),
            ("on another form", "quarantine guard-differs", [said()], said(digest="2")),
            ("it said no there", "quarantine guard-differs", [said("refuse")], said()),
            ("another guard", "quarantine guard-differs", [said(guard="png")], said()),
            ("one of two", "accept accepted", [said(guard="png"), said()], said()),
            (
                "the right form by another guard",
                "quarantine guard-differs",
                [said(guard="png"), said(digest="2")],
                said(),
            ),
        )
    ),
    case(
        "the first has no verdict, the other a no",
        "quarantine guard-missing",
        objects=TWO,
        state=EACH,
        guards={NAMED[LATER]: said("no")},
    ),
    case(
        "the first has a yes, the other a no",
        "quarantine guard-refused",
        objects=TWO,
        state=EACH,
        guards={NAMED[FIRST]: said(), NAMED[LATER]: said("no")},
    ),
    case(
        "digests come before guards",
        "refuse digests",
        {"blobs": lambda blobs: {name: raw for name, raw in blobs.items() if len(raw) > 20}},
        state=EACH,
    ),
]

MARKED = [*LABELS, *OPENED, *ORDER, *GUARDS]
