"""From Sigma files to a pack: pySigma parses and both Windows pipelines name channel and event id of each rule.

Nothing here fails as a whole: a file that is no rule, a rule that a pipeline refuses or that asks for what no input of
this mission carries is left out with its reason.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationCondition, SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.pipelines.sysmon.sysmon import sysmon_pipeline
from sigma.pipelines.windows.windows import windows_audit_pipeline, windows_logsource_pipeline
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from casemate_cyber.rules.condition import Unsupported, node_of
from casemate_cyber.rules.pack import Correlation, Left, Pack, Rule, digest_of
from casemate_cyber.rules.signed import MANIFEST, SIGNATURE
from casemate_cyber.rules.sources import source_of

LARGEST_FILE = 1 << 20
LARGEST_RULES, LARGEST_ARCHIVE = 64 << 20, 1 << 30
"""Bytes of all rules of one archive, and of all that it unpacks to: what is passed over is unpacked too."""
MOST_MEMBERS = 200_000
RULES = (".yml", ".yaml")
KINDS = ("event_count", "value_count", "temporal", "temporal_ordered")
AUDITED = ("process_creation", "registry_event", "registry_set", "registry_add")


def versions() -> str:
    """What converts: a pack made by other versions is another pack."""
    names = ("pysigma", "pysigma-pipeline-sysmon", "pysigma-pipeline-windows")
    return " ".join(f"{name}=={version(name)}" for name in names)


def files(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each rule file in files, folders and tar archives, never written to disk.

    What a file is, is told by what stands in it: an input of a job has no ending.
    """
    for path in paths:
        inner = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in inner:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            if tarfile.is_tarfile(file):
                yield from _archived(file)
            elif file.suffix in RULES or file.name in (MANIFEST, SIGNATURE) or not path.is_dir():
                yield name, file.read_bytes()


def _archived(path: Path) -> Iterator[tuple[str, bytes]]:
    rules = whole = 0
    with tarfile.open(path) as archive:
        for number, member in enumerate(archive):
            whole += member.size
            if whole > LARGEST_ARCHIVE or rules > LARGEST_RULES or number >= MOST_MEMBERS:
                raise ValueError(f"{path.name} unpacks to more than is read of an archive of rules")
            told = member.name.endswith(RULES) or member.name.rpartition("/")[2] in (MANIFEST, SIGNATURE)
            if not (member.isfile() and told and member.size <= LARGEST_FILE):
                continue
            held = archive.extractfile(member)
            if held is not None:
                rules += member.size
                yield member.name, held.read()


def digest(sources: Sequence[tuple[str, bytes]], audit: bool = False) -> str:
    """By what the pack of these files is known, before it is compiled."""
    return digest_of(list(sources), f"{versions()} audit={audit}")


def compiled(sources: Sequence[tuple[str, bytes]], audit: bool = False) -> Pack:
    """The pack of these files. `audit` adds each Sysmon rule over Windows' own audit events 4688 and 4657."""
    rules: list[Rule] = []
    correlations: list[SigmaCorrelationRule] = []
    left: list[Left] = []
    pipelines = [sysmon_pipeline() + windows_logsource_pipeline()]
    if audit:
        pipelines.append(windows_audit_pipeline() + windows_logsource_pipeline())
    for path, raw in sorted(sources):
        try:
            documents = [d for d in yaml.safe_load_all(io.BytesIO(raw)) if d]
            _each(path, documents, pipelines, rules, correlations, left)
        except (yaml.YAMLError, SigmaError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as fault:
            left.append(Left(path, path, _words(fault)))
    kept, dropped = _correlated(correlations, rules)
    return Pack(digest(sources, audit), tuple(rules), tuple(kept), (*left, *dropped))


def _words(fault: Exception) -> str:
    return f"{type(fault).__name__}: {str(fault).splitlines()[0] if str(fault) else ''}"[:300]


def _each(
    path: str,
    documents: list[Any],
    pipelines: list[ProcessingPipeline],
    rules: list[Rule],
    correlations: list[SigmaCorrelationRule],
    left: list[Left],
) -> None:
    for document in documents:
        if not isinstance(document, dict) or not ({"detection", "correlation"} & document.keys()):
            left.append(Left(path, path, "no rule: it has neither detection nor correlation"))
            continue
        if "correlation" in document:
            correlation = SigmaCorrelationRule.from_dict(document)
            correlation.custom_attributes["path"] = path
            correlations.append(correlation)
            continue
        logsource = document.get("logsource") or {}
        audited = logsource.get("product") == "windows" and logsource.get("category") in AUDITED
        for pipeline in pipelines[: None if audited else 1]:
            title = str(document.get("title", path))
            try:
                rules.append(_rule(path, document, pipeline))
            except (SigmaError, Unsupported, ValueError, TypeError, AttributeError, KeyError, RecursionError) as fault:
                reason = str(fault) if isinstance(fault, Unsupported) else _words(fault)
                left.append(Left(path, title, reason))


def _rule(path: str, document: dict[str, Any], pipeline: ProcessingPipeline) -> Rule:
    """One rule after one pipeline. A list of conditions is their union, as Sigma says."""
    rule = SigmaCollection.from_dicts([document]).rules[0]
    assert isinstance(rule, SigmaRule)
    source = source_of(rule.logsource.product, rule.logsource.category, rule.logsource.service)
    pipeline.apply(rule)
    nodes = [node_of(condition.parsed) for condition in rule.detection.parsed_condition]
    return Rule(
        id=str(rule.id or rule.name or path),
        title=rule.title,
        level=rule.level.name.lower() if rule.level else "",
        author=rule.author or "",
        tags=tuple(str(tag) for tag in rule.tags),
        source=source,
        condition=nodes[0] if len(nodes) == 1 else ("or", tuple(nodes)),
        description=(rule.description or "").strip(),
        path=path,
        references=tuple(rule.references),
        falsepositives=tuple(str(item) for item in rule.falsepositives),
        fields=tuple(rule.fields),
        name=rule.name or "",
    )


def _correlated(found: list[SigmaCorrelationRule], rules: list[Rule]) -> tuple[list[Correlation], list[Left]]:
    """Correlations whose rules are here; the others with their reason. Their rules fall silent but for `generate`."""
    kept: list[Correlation] = []
    left: list[Left] = []
    named = {name: rule.id for rule in rules for name in (rule.id, rule.name) if name}
    silent: set[str] = set()
    for correlation in found:
        path = str(correlation.custom_attributes["path"])
        kind = correlation.type.name.lower()
        wanted = [reference.reference for reference in correlation.rules or ()]
        missing = [name for name in wanted if name not in named]
        condition = correlation.condition
        if kind not in KINDS or not isinstance(condition, SigmaCorrelationCondition):
            left.append(Left(path, correlation.title, f"correlation {kind} is not evaluated here"))
        elif missing or not wanted:
            left.append(Left(path, correlation.title, f"it names rules that are not in the pack: {', '.join(missing)}"))
        else:
            kept.append(_correlation(path, correlation, condition, [named[name] for name in wanted], named))
            if not correlation.generate:
                silent.update(kept[-1].rules)
    for at, rule in enumerate(rules):
        if rule.id in silent:
            rules[at] = msgspec.structs.replace(rule, silent=True)
    return kept, left


def _correlation(
    path: str,
    correlation: SigmaCorrelationRule,
    condition: SigmaCorrelationCondition,
    rules: list[str],
    named: dict[str, str],
) -> Correlation:
    counted = condition.fieldref
    field = counted[0] if isinstance(counted, list) else counted or ""
    aliases = {
        alias.alias: {named.get(ref.reference, ref.reference): name for ref, name in alias.mapping.items()}
        for alias in correlation.aliases
    }
    return Correlation(
        id=str(correlation.id or correlation.name or path),
        title=correlation.title,
        level=correlation.level.name.lower() if correlation.level else "",
        author=correlation.author or "",
        tags=tuple(str(tag) for tag in correlation.tags),
        kind=correlation.type.name.lower(),
        rules=tuple(rules),
        timespan=correlation.timespan.seconds,
        by=tuple(correlation.group_by or ()),
        operator=condition.op.name.lower(),
        count=condition.count,
        field=field,
        aliases=aliases,
        description=(correlation.description or "").strip(),
        path=path,
        falsepositives=tuple(str(item) for item in correlation.falsepositives),
    )
