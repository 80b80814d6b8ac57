"""`casemate store scrub`: every blob read, label by label; damaged ones mended or named, what nobody names swept."""

from __future__ import annotations

from typing import Any

from casemate.cli.bar import bar
from casemate.cli.command import option, verb
from casemate.cli.failure import failed
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import Damaged

__all__ = ["scrub"]

COUNTS = ("looked", "bytes", "mended", "copied", "swept", "damaged", "missing")
SHELVES = 256
"""A blob's name is a keyed digest, so its first byte says how far a run in the order of names has come."""


def come(after: str) -> int:
    """How many shelves lie behind a run that goes on there; all of them once what is named is looked for."""
    try:
        return int(after[:2], 16)
    except ValueError:
        return SHELVES


@verb("store.scrub", option("--label", default="", metavar="LABEL"))
def scrub(talk: Talk, label: str) -> None:
    client = talk.client()
    classes = client.get("/api/store/classes", acting=label)
    chosen = [each for each in classes.data if not label or each["label"] == classes.label]
    told: list[dict[str, Any]] = []
    with bar(talk, "store.scrubbing", SHELVES * len(chosen)) as tell:
        for number, each in enumerate(chosen):
            sums = dict.fromkeys(COUNTS, 0)
            after = ""
            while True:
                found = client.post("/api/store/scrub", {"after": after}, acting=each["label"]).data
                for name in COUNTS:
                    sums[name] += found[name]
                after = found["after"]
                tell(SHELVES * number + come(after))
                if not after:
                    break
            broken = client.get("/api/store/damaged", acting=each["label"]).data
            told.append({"label": each["label"], "mark": each["mark"], **sums, "broken": broken})
    talk.data(told)
    for line in columns([(each["mark"], t("store.scrubbed", **each)) for each in told]):
        talk.out(line)
    for each in told:
        for one in each["broken"]:
            objects = ", ".join(one.get("objects", ())) or t("store.unnamed")
            talk.out(f"{each['mark']}  {one['number']}. {t('store.why_' + one['why'])}: {objects}")
    if any(each["damaged"] + each["missing"] for each in told):
        raise failed(Damaged(what=t("store.some")))
