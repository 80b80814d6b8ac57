"""The mission: inputs become records, records a view for each label, views tables, pictures and exports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from casemate.errors import BadInput
from casemate.missions import Citation, Context, Mission, Need, Output, Report, Result, Role, parameter
from casemate_intelligence import __version__
from casemate_intelligence.label import DEFAULT, Label, Scheme

if TYPE_CHECKING:
    from casemate_intelligence.load import Desk
    from casemate_intelligence.record import Record
    from casemate_intelligence.view import View

__all__ = ["Intelligence", "Parameters"]

MOST_VIEWS = 8
FILES = {
    "ftm.jsonl": ("FollowTheMoney", "FollowTheMoney"),
    "graphml": ("GraphML", "GraphML"),
    "stix.json": ("STIX 2.1", "STIX 2.1"),
    "graph.svg": ("Links", "Liens"),
    "time.svg": ("Time line", "Chronologie"),
    "map.svg": ("Places", "Lieux"),
    "walk.json": ("What the page walks through", "Ce que la page parcourt"),
}
"""What each view leaves; `view1` is the first that was asked for."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a person fills in."""

    label: str = parameter(
        "SECRET",
        en="Label of the run: what bears no label has this one, and nothing may stand above it.",
        fr="Classification de l'exécution : ce qui n'en porte pas a celle-ci, et rien ne peut être au-dessus.",
    )
    views: tuple[str, ...] = parameter(
        ("UNCLASSIFIED", "SECRET"),
        en="Labels whose views are made side by side, lowest first.",
        fr="Classifications dont les vues sont faites côte à côte, la plus basse d'abord.",
    )
    levels: tuple[str, ...] = parameter(
        DEFAULT,
        en="Levels of the policy as NAME=PORTION, lowest first.",
        fr="Niveaux de la politique, NOM=MENTION, le plus bas d'abord.",
    )
    files: tuple[str, ...] = parameter(
        (),
        en="Label of a whole file, NAME=LABEL; a file that is not named has the label of the run.",
        fr="Classification d'un fichier entier, NOM=CLASSIFICATION ; sinon celle de l'exécution.",
    )
    merge_at: float = parameter(
        0.98, low=0.5, high=1.0, en="From this likeness on, two are one.", fr="À partir de là, deux ne font qu'un."
    )
    suggest_at: float = parameter(
        0.88, low=0.3, high=1.0, en="From this likeness on, a person is asked.", fr="À partir de là, on demande."
    )
    link: bool = parameter(
        True, en="Compare rows of persons with splink.", fr="Comparer les lignes de personnes avec splink."
    )
    extract: bool = parameter(
        False,
        en="Have a model name persons and organisations in texts.",
        fr="Faire nommer par un modèle les personnes et organisations des textes.",
    )
    find: str = parameter("", en="Words to search for.", fr="Mots à chercher.")
    start: str = parameter("", en="A path from: a name or an id.", fr="Un chemin depuis : un nom ou un identifiant.")
    end: str = parameter("", en="A path to: a name or an id.", fr="Un chemin vers : un nom ou un identifiant.")
    first: str = parameter("", en="Edges of this day or later (ISO 8601).", fr="Liens de ce jour ou après (ISO 8601).")
    last: str = parameter("", en="Edges of this day or earlier.", fr="Liens de ce jour ou avant.")
    questions: tuple[str, ...] = parameter(
        (),
        en="Standing questions: from=; to=; by=; least=; first=; last=; hops=. A watch compares their answers.",
        fr="Questions permanentes : from= ; to= ; by= ; least= ; first= ; last= ; hops=. Une veille les compare.",
    )
    most: int = parameter(80, low=1, high=400, en="Entities in the picture.", fr="Entités dans l'image.")


class Intelligence(Mission[Parameters]):
    """Link analysis over records of several labels."""

    name: ClassVar[str] = "intelligence"
    version: ClassVar[str] = __version__
    titles: ClassVar[Mapping[str, str]] = {"en": "Intelligence analysis", "fr": "Analyse du renseignement"}
    about: ClassVar[Mapping[str, str]] = {
        "en": "Entities, links, documents and merges of several labels, seen side by side as each label may see them.",
        "fr": "Entités, liens, documents et fusions de plusieurs classifications, vus côte à côte selon chacune.",
    }
    parameters = Parameters
    roles: ClassVar[tuple[Role, ...]] = (
        Role("entities", ("ijson", "jsonl", "ftm"), True, False, "FollowTheMoney, an entity a line", "FollowTheMoney"),
        Role("tables", ("csv",), True, False, "Tables", "Tableaux"),
        Role("mappings", ("json",), True, False, "A mapping for each table, or one for all", "Correspondances"),
        Role("bundles", ("json",), True, False, "STIX 2.1 bundles", "Lots STIX 2.1"),
        Role("documents", ("txt", "md"), True, False, "Texts, portion-marked or not", "Textes, marqués ou non"),
        Role("judgements", ("jsonl",), True, False, "Judgements and withdrawals", "Jugements et retraits"),
    )
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("views", "table", "What each view holds", "Ce que contient chaque vue"),
        Output("entities", "table", "Entities of each view, with what was measured", "Entités de chaque vue, mesurées"),
        Output("edges", "table", "Edges of each view", "Liens de chaque vue"),
        Output("candidates", "table", "Pairs for a person to judge", "Paires à juger"),
        Output("evidence", "table", "Values with source, span and portion mark", "Valeurs, source et mention"),
        Output("answers", "table", "Search, path and time window", "Recherche, chemin et période"),
        *(
            Output(f"view{number}.{ending}", "file", f"View {number}: {en}", f"Vue {number} : {fr}")
            for number in range(1, MOST_VIEWS + 1)
            for ending, (en, fr) in FILES.items()
        ),
    )
    stands_on: ClassVar[tuple[Citation, ...]] = (
        Citation("followthemoney", "https://followthemoney.tech", "MIT"),
        Citation("rustworkx", "Treinish et al. 2022, doi:10.21105/joss.03968", "Apache-2.0"),
        Citation("splink", "https://moj-analytical-services.github.io/splink", "MIT"),
        Citation("duckdb", "https://duckdb.org", "MIT"),
        Citation("ahocorasick_rs", "https://github.com/G-Research/ahocorasick_rs", "Apache-2.0"),
        Citation("rapidfuzz", "https://github.com/rapidfuzz/RapidFuzz", "MIT"),
    )

    def need(self, parameters: Parameters, sizes: Mapping[str, int]) -> Need:
        """Each view is made anew; what is read is held some forty times over as records and entities."""
        mib = sum(sizes.values()) / (1 << 20)
        views = max(1, len(parameters.views))
        memory = 600 + round(60 * mib) + 40 * views
        return Need(1, memory, 120 + round(60 * mib * views), 64 + round(20 * mib * views))

    def run(self, context: Context[Parameters]) -> Result:
        """Reads everything once, then makes each view of it."""
        from casemate_intelligence.extract import read as models_read
        from casemate_intelligence.link import linked_statements
        from casemate_intelligence.names import alike
        from casemate_intelligence.outcome import outcome
        from casemate_intelligence.schema import kin
        from casemate_intelligence.view import Settings, view_of

        asked = context.parameters
        scheme, labels = self._labels(asked)
        desk = self._desk(asked, scheme)
        read = None
        if asked.extract:
            papers = context.inputs.get("documents", ())
            read = models_read((one for path in papers for one in desk.paragraphs(path)), context.generate)
            desk = replace(desk, names=read.names)
        records = list(self._records(context, desk))
        settings = Settings(kin(), alike, asked.merge_at, asked.suggest_at)
        if asked.link:
            settings = replace(settings, link=linked_statements)
        views: list[tuple[str, View]] = []
        for number, label in enumerate(labels):
            context.progress(number, len(labels), scheme.write(label))
            views.append((f"view{number + 1}", view_of(records, label, settings)))
        context.progress(len(labels), len(labels))
        result = outcome(views, context, scheme)
        if read is not None:
            counts = {"asked": read.asked, "answered": read.answered, "dropped": read.dropped}
            result = replace(result, figures={**result.figures, **{f"model.{name}": n for name, n in counts.items()}})
        return result

    def report(self, context: Context[Parameters], result: Result) -> Report:
        """Views side by side, pictures of each, evidence with portion marks."""
        from casemate_intelligence.report import report

        return report(context, result)

    def _labels(self, asked: Parameters) -> tuple[Scheme, list[Label]]:
        scheme = Scheme(asked.levels)
        job = scheme.read(asked.label)
        labels = [scheme.read(text) for text in asked.views]
        if not labels or len(labels) > MOST_VIEWS or len(set(labels)) != len(labels):
            raise BadInput(what=f"From 1 to {MOST_VIEWS} views are made, each of a label of its own.")
        if not all(label.flows_to(job) for label in labels):
            raise BadInput(what="A view stands at or below the label of the run.")
        return scheme, labels

    def _desk(self, asked: Parameters, scheme: Scheme) -> Desk:
        from casemate_intelligence.load import Desk

        given = [text.partition("=") for text in asked.files]
        return Desk(scheme, scheme.read(asked.label), {name: scheme.read(text) for name, _, text in given})

    def _records(self, context: Context[Parameters], desk: Desk) -> Iterator[Record]:
        files = context.inputs
        for role, read in (
            ("entities", desk.entities),
            ("bundles", desk.bundle),
            ("documents", desk.document),
            ("judgements", desk.judgements),
        ):
            for path in files.get(role, ()):
                yield from read(path)
        mappings = [_mapping(path) for path in files.get("mappings", ())]
        tables = files.get("tables", ())
        if tables and len(mappings) not in (1, len(tables)):
            raise BadInput(what="There is a mapping for each table, or one for all of them.")
        for number, path in enumerate(tables):
            yield from desk.table(path, mappings[number if len(mappings) > 1 else 0])


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as wrong:
        raise BadInput(what=f"{path.name} is no JSON.") from wrong
    if not isinstance(found, dict):
        raise BadInput(what=f"{path.name} is no mapping.")
    return found
