"""ATT&CK from the hits: techniques by host, and a layer for the ATT&CK Navigator (format 4.5)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from casemate_cyber.scan.alerts import LEVELS, Alert

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)\Z")
WEIGHT = {"critical": 5, "high": 4, "medium": 3, "low": 2, "informational": 1}


def techniques(tags: Iterable[str]) -> list[str]:
    """T1059.001 and so on, of a rule's tags."""
    return [found[1].upper() for tag in tags if (found := _TECHNIQUE.match(tag.lower()))]


class Matrix:
    """Techniques counted over alerts: how many hits, which rules, how severe, on which hosts."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.hosts: Counter[tuple[str, str]] = Counter()
        self.rules: dict[str, set[str]] = {}
        self.level: dict[str, str] = {}

    def add(self, alert: Alert) -> None:
        """One alert's techniques."""
        for technique in techniques(alert.tags):
            self.hits[technique] += alert.count
            if len(self.hosts) < 100_000 or (alert.host, technique) in self.hosts:
                self.hosts[alert.host, technique] += alert.count
            self.rules.setdefault(technique, set()).add(alert.title)
            best = self.level.get(technique, "")
            self.level[technique] = min(best, alert.level, key=_rank) if best else alert.level

    def layer(self, name: str) -> dict[str, Any]:
        """The Navigator's layer: score is the severity (1 to 5), the comment names rules and hits."""
        return {
            "name": name,
            "versions": {"attack": "18", "navigator": "5.1.0", "layer": "4.5"},
            "domain": "enterprise-attack",
            "description": "Techniques of the rules that matched; score: the severest level, 1 to 5.",
            "sorting": 3,
            "gradient": {"colors": ["#ffe766ff", "#ff6666ff"], "minValue": 1, "maxValue": 5},
            "techniques": [
                {
                    "techniqueID": technique,
                    "score": WEIGHT.get(self.level[technique], 1),
                    "comment": f"{count} hits: " + "; ".join(sorted(self.rules[technique]))[:400],
                    "enabled": True,
                    "showSubtechniques": "." in technique,
                }
                for technique, count in sorted(self.hits.items())
            ],
        }


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
