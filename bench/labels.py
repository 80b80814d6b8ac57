"""What labels and the linter cost, in CPU time: `make bench NAME=labels`.

- Dominance: checks of 2,000 labels against readers in a Python loop, and each of the 2,000 once. The labels are made
  beforehand; nothing of a check is kept.
- The filter: a million rows, each with a vector as a shard holds it (384 bytes) and one of 2,000 labels. Each label is
  decided once, then the rows that may be seen are taken; beside it a bare take of the same rows. A tenth is visible.
- The linter: documents of 10 kB with 60 portions, of a few marks that come again (warm) or of 60 different ones, a new
  document each time (cold); then how memory grows over 1,000 documents.

The peer is Cedar, in a virtual environment of the bench's own: the same pairs as sets and `containsAll`, its policies
and entities parsed beforehand.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from bench.parts import cedar
from bench.parts.running import ROOT, resident_mb
from casemate.labels import Label, Policies, dominated, lint

SEED = 20261120
LABELS = 2_000
ROWS = 1_000_000
WIDTH = 384  # bytes of a passage's vector
VISIBLE = 0.1
AGENCIES = ["EXERCISE", "ALPHA", "BRAVO"]
PORTIONS = 60
SIZE = 10_000
DOCUMENTS = 1_000
WARM = [
    "U", "U//FOUO", "C//NF", "S//NF", "S//REL TO USA, FRA", "S//REL TO USA, FVEY", "S//SI//NF", "TS//SI/TK//OC/NF"
]  # fmt: skip
LEVELS = ["C", "S", "TS"]


def seconds(f: Callable[[], object], rounds: int = 9) -> float:
    """CPU seconds of f: of several rounds the quickest, which other work on the machine disturbed least."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        f()
        times.append(time.process_time() - began)
    return min(times)


def some_labels(policies: Policies, count: int) -> list[Label]:
    """So many different labels of a house of many countries, compartments and agencies."""
    rng = random.Random(SEED)
    us = policies.listed["us"]
    countries = sorted(token for token in us.by_name["REL"].tokens if len(token) == 3 and token != "USA")[:24]
    found: dict[Label, None] = {}
    while len(found) < count:
        level = rng.choice(["CONFIDENTIAL", "SECRET", "TOP SECRET"])
        said = [f"us:{level}", f"REL={','.join(['USA', *rng.sample(countries, rng.randint(0, 6))])}"]
        systems = rng.sample(["SI", "TK", "HCS"], rng.randint(0, 2))
        if systems:
            said.append(f"SCI={','.join(systems)}")
        agencies = rng.sample(AGENCIES, rng.randint(1, 2))
        found[policies.parse("//".join(said), agencies)] = None
    return list(found)


def dominance(labels: Sequence[Label]) -> dict[str, float]:
    """Checks a second in a loop, and microseconds for 2,000 checks of 2,000 labels."""
    readers = labels[::100]

    def loop() -> None:
        for reader in readers:
            for label in labels:
                label <= reader  # noqa: B015 - what is measured

    each = seconds(loop) / len(readers) / len(labels)
    fresh = seconds(lambda: dominated(labels, readers[0]), 50)
    return {"dominance_per_s": 1 / each, "fresh_2000_us": fresh * 1e6}


def filtered(policies: Policies, labels: Sequence[Label]) -> dict[str, float]:
    """The cost of a bare take of the visible rows over that of deciding, finding and taking them."""
    rng = np.random.default_rng(SEED)
    reader = Policies.load(["us"]).top(AGENCIES)  # who sees all but what the house restricts, too
    seen = list(labels[: int(LABELS * VISIBLE)])
    everyone = [*seen, *(label | policies.parse("house:RESTRICTED") for label in labels[len(seen) :])]
    order = rng.permutation(LABELS)
    column = [everyone[at] for at in order]
    numbers = rng.integers(0, LABELS, ROWS, dtype=np.uint16)
    wide = rng.integers(-127, 127, (ROWS, WIDTH), dtype=np.int8)
    narrow = rng.integers(0, 1 << 40, ROWS, dtype=np.int64)

    def sieve(rows: np.ndarray) -> np.ndarray:
        table = np.frombuffer(dominated(column, reader), dtype=np.bool_)
        return rows.take(np.flatnonzero(table.take(numbers)), axis=0)

    table = np.array([label <= reader for label in column])
    chosen = np.flatnonzero(table[numbers])
    if not np.array_equal(sieve(narrow), narrow[chosen]) or not 0.08 < len(chosen) / ROWS < 0.12:
        raise SystemExit("the filter gives other rows than the order")
    return {
        "filter_vs_take": seconds(lambda: wide.take(chosen, axis=0)) / seconds(lambda: sieve(wide)),
        "filter_ms": seconds(lambda: sieve(wide)) * 1e3,
        "filter_8_bytes_ms": seconds(lambda: sieve(narrow)) * 1e3,
        "label_lookup_vs_take": seconds(lambda: table.take(numbers))
        / seconds(lambda: np.frombuffer(dominated(column, reader), dtype=np.bool_).take(numbers)),
    }


def document(marks: Sequence[str]) -> str:
    """10 kB of portions that bear these marks in turn, between two banners."""
    head = "TOP SECRET//SI/TK//ORCON/NOFORN"
    room = (SIZE - 2 * len(head)) // PORTIONS - max(map(len, marks)) - 5
    words = ("The bridge at the second kilometre bears a column of vehicles by night and by day. " * 4)[:room].rstrip()
    body = [f"({marks[at % len(marks)]}) {words}." for at in range(PORTIONS)]
    return "\n\n".join([head, *body, head])


def different_marks(policies: Policies, seed: int) -> list[str]:
    """60 portion marks, no two alike, rightly written."""
    rng = random.Random(SEED + seed)
    countries = sorted(token for token in policies.listed["us"].by_name["REL"].tokens if len(token) == 3)
    countries.remove("USA")
    found: dict[str, None] = {}
    while len(found) < PORTIONS:
        listed = ", ".join(["USA", *sorted(rng.sample(countries, rng.randint(1, 5)))])
        system = rng.choice(["", "//SI", "//TK", "//SI/TK"])
        found[f"{rng.choice(LEVELS[1:])}{system}//REL TO {listed}"] = None
    return list(found)


def linting(policies: Policies) -> dict[str, float]:
    """Milliseconds for 10 kB, and kilobytes that 1,000 documents leave behind."""
    warm = document(WARM)
    cold = [document(different_marks(policies, seed)) for seed in range(60)]
    lint(policies, warm)
    warm_s = seconds(lambda: lint(policies, warm), 60)
    cold_s = statistics.median(seconds(lambda text=text: lint(policies, text), 1) for text in cold)
    for text in cold:
        lint(policies, text)
    gc.collect()
    before, blocks = resident_mb(os.getpid()), sys.getallocatedblocks()
    for seed in range(DOCUMENTS):
        lint(policies, document(different_marks(policies, 1000 + seed)))
    gc.collect()
    return {
        "lint_10kb_warm_ms": warm_s * 1e3,
        "lint_10kb_cold_ms": cold_s * 1e3,
        "memory_growth_kb": (resident_mb(os.getpid()) - before) * 1e3,
        "memory_growth_blocks": float(sys.getallocatedblocks() - blocks),
    }


def beside_cedar(labels: Sequence[Label], count: int) -> dict[str, float]:
    """CPU microseconds of a decision, ours and Cedar's, over the same pairs with the same outcome."""
    rng = random.Random(SEED)
    pairs = [(rng.randrange(len(labels)), rng.randrange(len(labels))) for _ in range(count)]
    asked = json.dumps({"bears": cedar.words(labels), "pairs": pairs})
    script = str(ROOT / "bench" / "parts" / "cedar.py")
    done = subprocess.run([str(cedar_python()), script], input=asked, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    both = [(labels[what], labels[reader]) for what, reader in pairs]
    if [what <= reader for what, reader in both] != told["allowed"]:
        raise SystemExit("Cedar decides otherwise")
    ours = seconds(lambda: [what <= reader for what, reader in both]) / count
    return {"cedar_us": told["seconds"] / count * 1e6, "ours_us": ours * 1e6}


def cedar_python() -> Path:
    """The peer's own virtual environment, made at the first run. CASEMATE_BENCH_CEDAR names one that is there."""
    home = Path(os.environ.get("CASEMATE_BENCH_CEDAR", ROOT / ".bench" / f"cedarpy-{cedar.CEDARPY}"))
    if not (home / "bin/python").exists():
        print(f"Setting up cedarpy {cedar.CEDARPY} in {home}, once.", file=sys.stderr)
        venv.create(home, with_pip=True)
        pip = [str(home / "bin/pip"), "install", "-q", "--disable-pip-version-check", f"cedarpy=={cedar.CEDARPY}"]
        subprocess.run(pip, check=True)
    return home / "bin/python"


def measure(pairs: int) -> dict[str, object]:
    """All of it."""
    policies = Policies.load(["us", "house"])
    labels = some_labels(policies, LABELS)
    checks, sieve = dominance(labels), filtered(policies, labels)
    peer = beside_cedar(labels, pairs)
    ratios = {
        "filter_vs_take": sieve.pop("filter_vs_take"),
        "label_lookup_vs_take": sieve.pop("label_lookup_vs_take"),
        "cedar_vs_ours": peer["cedar_us"] / peer["ours_us"],
    }
    figures = checks | sieve | linting(policies) | peer
    return {
        "bench": "labels",
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "against": f"numpy.take of the same rows; Cedar's containsAll through cedarpy {cedar.CEDARPY}",
        "versions": {
            "casemate": version("casemate"),
            "cedarpy": cedar.CEDARPY,
            "numpy": np.__version__,
            "python": sys.version.split()[0],
        },
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=20_000)
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.pairs)))
