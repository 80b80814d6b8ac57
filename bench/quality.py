"""How well search finds written answers, and by which method: `make bench NAME=quality`.

- The written questions of tests/quality on a diplomatic volume, a manual of markings and the exercise corpus: hit@5 and
  nDCG@10 of full text, vectors and both, and the differences question by question.
- The exercise's own questions as each of its principals sees them: hit@5.
- Questions whose answer stands in the other language, with the model as declared (English) and asked in French too.
- With --fusion, other ways to make one order of the two lists, chosen on one half of the questions and judged on the
  other.

A figure is [value, low, high, questions]: shares with Wilson's interval, means with the bootstrap's, 95 %. It needs the
embedding model (`make model`) and the real documents (CASEMATE_TEST_DATA, else ../shared/data).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.parts import fusion, quality
from bench.parts.running import ROOT
from casemate.engines.minilm_model import NAME, default_folder, verify


def measure(data: Path, ways: bool) -> dict[str, Any]:
    """All figures, as one document."""
    verify(default_folder())
    began = time.process_time()
    told = {"bench": "quality", "figures": quality.figures(data, _tell)}
    if ways:
        made = quality.vectors()
        told["fusion"] = fusion.compared(quality.worlds(data, made, _tell), made)
    names = ("casemate", "numpy", "onnxruntime", "tokenizers")
    versions = {name: version(name) for name in names} | {"model": NAME, "python": sys.version.split()[0]}
    return {**told, "versions": versions, "cpu_s": round(time.process_time() - began, 1)}


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("CASEMATE_TEST_DATA", ROOT.parent / "shared" / "data"))
    asked.add_argument("--data", type=Path, default=default)
    asked.add_argument("--fusion", action="store_true")
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.data, chosen.fusion), indent=1))
