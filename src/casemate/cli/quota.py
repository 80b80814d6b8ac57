"""`casemate quota`: what a project, a key or a principal's jobs may use at a label, and above until a nearer one."""

from __future__ import annotations

import re
from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.failure import failed
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["quota"]

quota = Group("quota", {"set": "quota:set_", "show": "quota:show"})

LABEL = option("--label", default="", metavar="LABEL")
COUNT = click.IntRange(0)
MICRO = 1_000_000
_AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,6}))?")


@verb(
    "quota.set",
    click.argument("project", required=False, default=""),
    option("--of", default="", metavar="ID"),
    option("--principal", "person", default="", metavar="NAME"),
    LABEL,
    option("--requests-per-minute", type=COUNT, default=None),
    option("--tokens-per-minute", type=COUNT, default=None),
    option("--tokens-per-day", type=COUNT, default=None),
    option("--budget-per-month", default=None, metavar="AMOUNT"),
    option("--concurrent", type=COUNT, default=None),
    option("--job-cpus", type=COUNT, default=None),
    option("--job-gpus", type=COUNT, default=None),
    option("--jobs", type=COUNT, default=None),
    option("--none", is_flag=True),
)
def set_(
    talk: Talk,
    project: str,
    of: str,
    person: str,
    label: str,
    budget_per_month: str | None,
    none: bool,
    **counts: int | None,
) -> None:
    bounds = {**counts, "budget_per_month": None if budget_per_month is None else _micro(budget_per_month)}
    if none is any(bound is not None for bound in bounds.values()):
        raise failed(BadInput(what=t("quota.which")))
    body = {"project": project, "key": of, "principal": person, "bounds": bounds}
    answer = talk.client().call("PUT", "/api/quotas", body, acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data, answer.mark)))


@verb("quota.show", LABEL)
def show(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/quotas", acting=label)
    talk.answer(answer)
    for line in columns([_row(each, each["mark"]) for each in answer.data]):
        talk.out(line)


def _micro(text: str) -> int:
    """Millionths of an amount such as 250 or 99.50."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise failed(BadInput(what=t("quota.amount", amount=text)))
    return int(found[1]) * MICRO + int((found[2] or "").ljust(6, "0"))


def _row(told: dict[str, Any], mark: str) -> tuple[str, ...]:
    bounds = [f"{name}={_said(name, bound)}" for name, bound in told["bounds"].items() if bound is not None]
    return told["subject"], mark, ", ".join(bounds) or t("quota.none")


def _said(name: str, bound: int) -> str:
    if name != "budget_per_month":
        return str(bound)
    whole, part = divmod(bound, MICRO)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")
