"""`casemate labels explain`: one marking in words: level and controls, who may see what is so marked, the source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from casemate.cli.command import verb
from casemate.cli.failure import failed
from casemate.cli.labels import POLICY, listed
from casemate.cli.labels_told import message, shown
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import MarkingError, Mismarked
from casemate.labels import Control, Mark, Parsed, Policies, Policy

__all__ = ["explain"]

_PORTION = re.compile(r"\((.*)\)", re.DOTALL)


@verb("labels.explain", click.argument("marking"), *POLICY)
def explain(talk: Talk, marking: str, policy: str, extra: tuple[Path, ...]) -> None:
    policies = listed(policy, extra)
    inside = _PORTION.fullmatch(marking.strip())
    found = policies.parse_mark(inside[1] if inside else marking.strip(), "portion" if inside else "any")
    if not found:
        raise failed(MarkingError(marking=shown(marking)[:200], why=t("labels.no_mark")))
    told = [_told(policies, each) for each in found]
    talk.data(told)
    for each in told:
        _say(talk, each)
    if not all(each.right for each in found):
        raise SystemExit(Mismarked.exit)


def _told(policies: Policies, parsed: Parsed) -> dict[str, Any]:
    """What a mark says in one policy."""
    mark = parsed.mark
    policy = policies.listed[mark.policy]
    return {
        "policy": policy.name,
        "title": _spoken(policy.title),
        "source": policy.source,
        "banner": _written(policies, mark, language()),
        "portion": _written(policies, mark, "portion"),
        "level": mark.level,
        "owners": list(mark.owners),
        "controls": [each for name, tokens in mark.values for each in _controls(policy, name, tokens)],
        "seen_by": _seen_by(policies, mark),
        "label": _label(policies, mark),
        "findings": [
            {"rule": each.rule, "severity": each.severity, "message": message(each), "source": each.paragraph}
            for each in parsed.findings
        ],
    }


def _spoken(words: Any) -> str:
    return str(words.get(language(), words["en"]))


def _written(policies: Policies, mark: Mark, form: str) -> str:
    try:
        written = policies.render(mark, form)
    except MarkingError:
        return ""
    return f"({written})" if form == "portion" else written


def _controls(policy: Policy, name: str, tokens: tuple[str, ...]) -> list[dict[str, str]]:
    """What a category of a mark says: what it is called, what kind of control it is, where the source speaks of it."""
    category = policy.by_name[name]
    if category.listing and category.permissive:
        return [_control(name, ", ".join(tokens), "permissive", category.whole)]
    kind = "informative" if category.informative else "restrictive"
    owner = {each.only_as for each in policy.categories}
    return [
        _control(name, token, "owner" if (name, token) in owner else kind, category.control(token)) for token in tokens
    ]


def _control(category: str, token: str, kind: str, control: Control | None) -> dict[str, str]:
    if control is not None and kind == "restrictive" and (control.free or control.evicted):
        kind = "informative"
    named = control.written(language()) if control is not None and control.name == token else token
    source = control.source if control is not None else ""
    return {"category": category, "token": token, "name": named, "kind": kind, "source": source}


def _label(policies: Policies, mark: Mark) -> str:
    try:
        return policies.label(mark).text
    except MarkingError:
        return ""


def _seen_by(policies: Policies, mark: Mark) -> list[str]:
    """Who may see it, as sentences: the level, what all are needed of, and of what any one is enough."""
    try:
        label = policies.label(mark)
    except MarkingError:
        return [t("labels.seen.undeclared")]
    told: list[str] = []
    for name, element in label.elements:
        policy = policies.listed.get(name)
        level = policy.levels[element.level].banner if policy else {"en": element.level_name}
        told.append(t("labels.seen.level", level=_spoken(level)))
        needed = sorted(token for category, token in element.restrictive if not _free(policy, category, token))
        if needed:
            told.append(t("labels.seen.needed", tokens=", ".join(needed)))
        for category, tokens in element.permissive:
            slug = "nobody" if not tokens else "only"
            told.append(t(f"labels.seen.{slug}", tokens=", ".join(sorted(tokens)), category=category))
    return told or [t("labels.seen.all")]


def _free(policy: Policy | None, category: str, token: str) -> bool:
    """Whether every clearance covers it: it says something, and keeps nobody out."""
    control = policy.by_name[category].control(token) if policy and category in policy.by_name else None
    return control is not None and (control.free or control.evicted)


def _say(talk: Talk, told: dict[str, Any]) -> None:
    talk.out(talk.bold(told["title"]))
    owners = " ".join(told["owners"])
    rows = [(t(f"labels.part.{name}"), told[name]) for name in ("banner", "portion", "level") if told[name]]
    rows += [(t("labels.part.owners"), owners)] if owners else []
    rows += [
        (
            t("labels.part.control"),
            f"{each['category']} {each['name']}: {t('labels.kind.' + each['kind'])}"
            + (f" [{each['source']}]" if each["source"] else ""),
        )
        for each in told["controls"]
    ]
    rows += [(t("labels.part.seen_by"), said) for said in told["seen_by"]]
    rows += [(t("labels.part.label"), told["label"])] if told["label"] else []
    rows += [(t("labels.part.source"), told["source"])]
    for line in columns([(f"  {name}", said) for name, said in rows]):
        talk.out(line)
    for each in told["findings"]:
        source = f" [{each['source']}]" if each["source"] else ""
        severity = t(f"labels.severity.{each['severity']}")
        talk.out(f"  {talk.lit(severity)} {each['rule']}: {each['message']}{source}")
