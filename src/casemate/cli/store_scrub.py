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


@verb("store.scrub", option("--label", default="", metavar="LABEL"))
def scrub(talk: Talk, label: str) -> None:
    client = talk.client()
    classes = client.get("/api/store/classes", acting=label)
    chosen = [each for each in classes.data if not label or each["label"] == classes.label]
    told: list[dict[str, Any]] = []
    for each in chosen:
        sums = dict.fromkeys(COUNTS, 0)
        after = ""
        with bar(talk, "store.scrubbing", 0) as tell:
            while True:
                found = client.post("/api/store/scrub", {"after": after}, acting=each["label"]).data
                for name in COUNTS:
                    sums[name] += found[name]
                tell(sums["looked"])
                after = found["after"]
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
