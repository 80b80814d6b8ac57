"""The mission's face. Importing it needs the standard library and `casemate.missions` alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from casemate.missions import (
    Citation,
    Context,
    Mission,
    Need,
    Output,
    Report,
    Result,
    Role,
    parameter,
)

MIB = 1 << 20
LEVELS = ("informational", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a person may choose."""

    least_level: str = parameter(
        "informational",
        choices=LEVELS,
        en="Alerts of rules below this level are counted and not listed.",
        fr="Les alertes des règles sous ce niveau sont comptées et non listées.",
    )
    audit_events: bool = parameter(
        False,
        en="Apply process and registry rules to Windows' own audit events 4688 and 4657 as well as to Sysmon.",
        fr="Appliquer les règles de processus et de registre aux événements d'audit 4688 et 4657 en plus de Sysmon.",
    )
    processes: int = parameter(
        2, low=1, high=16, en="How many processes read and match.", fr="Nombre de processus qui lisent et comparent."
    )
    signed_by: str = parameter(
        "",
        en="The publisher's Ed25519 key in hex: rules that it has not signed are refused.",
        fr="La clé Ed25519 de l'éditeur en hexadécimal : les règles qu'elle n'a pas signées sont refusées.",
    )
    rows: int = parameter(
        5000,
        low=10,
        high=100_000,
        en="How many alerts the tables list; the files hold all.",
        fr="Nombre d'alertes dans les tableaux ; les fichiers les contiennent toutes.",
    )


class Cyber(Mission[Parameters]):
    """Sigma rules over event logs."""

    name = "cyber"
    version = "0.3.0"
    titles: ClassVar[Mapping[str, str]] = {"en": "Cyber-threat detection", "fr": "Détection de cybermenaces"}
    about: ClassVar[Mapping[str, str]] = {
        "en": "Sigma rules over Windows event logs, Linux audit records, and Zeek and Suricata JSON: alerts with the "
        "value and the pattern that matched, time lines, ATT&CK, STIX and OCSF.",
        "fr": "Règles Sigma sur les journaux Windows, les enregistrements d'audit Linux et le JSON de Zeek et "
        "Suricata : alertes avec la valeur et le motif reconnus, chronologies, ATT&CK, STIX et OCSF.",
    }
    parameters = Parameters
    roles = (
        Role(
            "logs",
            ("evtx", "json", "jsonl", "ndjson", "log"),
            many=True,
            en="Event logs: EVTX, Windows or Sysmon JSON lines, audit.log, Zeek and Suricata JSON lines.",
            fr="Journaux : EVTX, lignes JSON Windows ou Sysmon, audit.log, lignes JSON de Zeek et Suricata.",
        ),
        Role(
            "rules",
            ("yml", "yaml", "tar", "gz", "pack"),
            many=True,
            en="Sigma rules: files, an archive, or the compiled pack of an earlier run.",
            fr="Règles Sigma : fichiers, archive, ou paquet compilé d'une exécution précédente.",
        ),
        Role(
            "compiled",
            ("pack",),
            many=True,
            required=False,
            en="Compiled packs of earlier runs: the one of just these rules is taken instead of compiling.",
            fr="Paquets compilés d'exécutions précédentes : celui de ces règles mêmes évite de compiler.",
        ),
        Role(
            "baseline",
            ("jsonl",),
            required=False,
            en="Alerts of a benign period (alerts.jsonl of an earlier run): what stands in it is suppressed.",
            fr="Alertes d'une période saine (alerts.jsonl d'une exécution précédente) : elles sont écartées.",
        ),
        Role(
            "hunts",
            ("sql",),
            many=True,
            required=False,
            en="Questions over all events: one SELECT of DuckDB in each file, from the table events.",
            fr="Questions sur tous les événements : un SELECT de DuckDB par fichier, depuis la table events.",
        ),
    )
    outputs = (
        Output("alerts", "table", "Alerts, the severest first", "Alertes, les plus graves d'abord"),
        Output(
            "timeline", "table", "Alerts by host and user in time", "Alertes par machine et utilisateur dans le temps"
        ),
        Output("techniques", "table", "ATT&CK techniques by host", "Techniques ATT&CK par machine"),
        Output("hours", "table", "Hits by hour and level", "Détections par heure et niveau"),
        Output("left", "table", "Rules that are not applied, and why", "Règles non appliquées, et pourquoi"),
        Output("troubles", "table", "What was not read, and why", "Ce qui n'a pas été lu, et pourquoi"),
        Output("alerts.jsonl", "file", "Every alert with its example", "Toutes les alertes avec leur exemple"),
        Output("findings.jsonl", "file", "OCSF Detection Findings", "Detection Findings OCSF"),
        Output("releasable.jsonl", "file", "Alerts without their rules", "Alertes sans leurs règles"),
        Output("navigator.json", "file", "ATT&CK Navigator layer", "Couche ATT&CK Navigator"),
        Output("stix.json", "file", "STIX 2.1 bundle", "Ensemble STIX 2.1"),
        Output("rules.pack", "file", "The compiled rules", "Les règles compilées"),
        Output("note.txt", "file", "The triage note", "La note de tri"),
        Output("hunt", "table", "What each question found", "Ce que chaque question a trouvé"),
        Output(
            "events.parquet", "file", "Every event, where a question is asked", "Tous les événements, si on demande"
        ),
    )
    stands_on = (
        Citation("pySigma", "https://github.com/SigmaHQ/pySigma", "LGPL-2.1-only"),
        Citation("pysigma-pipeline-windows", "https://github.com/SigmaHQ/pySigma-pipeline-windows", "LGPL-2.1-only"),
        Citation("pysigma-pipeline-sysmon", "https://github.com/SigmaHQ/pySigma-pipeline-sysmon", "LGPL-2.1-only"),
        Citation("evtx", "https://github.com/omerbenamram/pyevtx-rs", "MIT OR Apache-2.0"),
        Citation("ahocorasick_rs", "https://github.com/G-Research/ahocorasick_rs", "Apache-2.0"),
        Citation("cryptography", "https://github.com/pyca/cryptography", "Apache-2.0 OR BSD-3-Clause"),
        Citation("duckdb", "https://github.com/duckdb/duckdb", "MIT"),
        Citation("google-re2", "https://github.com/google/re2", "BSD-3-Clause"),
        Citation("msgspec", "https://github.com/jcrist/msgspec", "BSD-3-Clause"),
        Citation("Sigma rules of SigmaHQ, where given", "https://github.com/SigmaHQ/sigma", "DRL-1.1"),
        Citation("MITRE ATT&CK", "https://attack.mitre.org", "ATT&CK terms of use"),
    )

    def need(self, parameters: Parameters, sizes: Mapping[str, int]) -> Need:
        """Memory does not grow with the logs; time does (measured: bench/cyber.py), and so does scratch."""
        logs, rules, hunts = (sizes.get(role, 0) for role in ("logs", "rules", "hunts"))
        return Need(
            cpus=min(parameters.processes, 16),
            memory_mb=300 + 200 * parameters.processes + rules * 8 // MIB + (700 if hunts else 0),
            wall_s=60 + logs // (2 * MIB) + 20 * rules // MIB,
            disk_mb=256 + (6 if hunts else 2) * logs // MIB,
        )

    def run(self, context: Context[Parameters]) -> Result:
        """Compile, match, group, write."""
        from casemate_cyber.result import result_of

        return result_of(context)

    def report(self, context: Context[Parameters], result: Result) -> Report:
        """The note, the worst alerts, when and where, techniques, and what was left out."""
        from casemate_cyber.page import report_of

        return report_of(context, result)


def baseline_of(paths: list[Path]) -> frozenset[str]:
    """Keys of the alerts of a benign period.

    Raises:
        ValueError: a line is no alert.
    """
    keys = set()
    for path in paths:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    keys.add(str(json.loads(line)["key"]))
                except (ValueError, KeyError, TypeError):
                    raise ValueError(f"line {number} of the baseline is no alert") from None
    return frozenset(keys)
