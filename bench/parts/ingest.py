"""What bringing documents costs beside what their embedding alone does: a real region, its door, its model.

The region reads, marks, cuts, embeds, seals and commits; the embedder is a child of its own, so that its CPU time can
be told from the rest's. The share of the embedder is how fast ingestion is against what the embedder alone could do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.parts.passages import made
from bench.parts.running import answers, free_port, started, until

__all__ = ["ingested"]

CASEMATE = [str(Path(sys.executable).parent / "casemate")]
DOCUMENTS, PARAGRAPHS = 16, 30
_TICK = os.sysconf("SC_CLK_TCK")


def ingested() -> dict[str, float]:
    """`ingest_vs_embedder`, and passages for each CPU second of everything."""
    with tempfile.TemporaryDirectory() as place:
        env = {**os.environ, "CASEMATE_FOLDER": f"{place}/casemate", "HOME": place}
        port = free_port()
        subprocess.run([*CASEMATE, "init", "--port", str(port)], env=env, cwd=place, check=True, capture_output=True)
        _papers(Path(place, "papers"))
        with started([*CASEMATE, "up"], env, Path(place, "up.log")) as up:
            until(lambda: answers(port), 60, "the region")
            until(lambda: _add(place, env, "papers/first.txt"), 60, "the region's door")  # and its children start
            before, embedder = _spent(up.pid)
            if not _add(place, env, "papers"):
                raise SystemExit("the papers of the bench were not taken")
            time.sleep(0.5)
            after, embedding = _spent(up.pid)
        told = {"ingest_vs_embedder": (embedding - embedder) / (after - before)}
        return told | {"ingest_passages_per_cpu_s": DOCUMENTS * PARAGRAPHS / (after - before)}


def _add(place: str, env: dict[str, str], path: str) -> bool:
    words = [*CASEMATE, "add", path, "--label", "INTERNAL", "--json"]
    done = subprocess.run(words, env=env, cwd=place, capture_output=True, check=False)
    if done.returncode == 0 and json.loads(done.stdout)["data"]["quarantined"]:
        raise SystemExit("papers of the bench lie in quarantine")
    return done.returncode == 0


def _papers(folder: Path) -> None:
    """Documents whose paragraphs are a passage each."""
    folder.mkdir()
    library = made(DOCUMENTS * PARAGRAPHS + 1, 1)
    texts = [f"{text.capitalize()}." for text in library.texts(range(DOCUMENTS * PARAGRAPHS + 1))]
    (folder / "first.txt").write_text(texts.pop())
    for at in range(DOCUMENTS):
        (folder / f"paper-{at}.txt").write_text("\n\n".join(texts[at * PARAGRAPHS : (at + 1) * PARAGRAPHS]))


def _spent(parent: int) -> tuple[float, float]:
    """CPU seconds of a process and all that it has started, ended ones included; and those of the embedder alone."""
    total = embedder = 0.0
    below = _below()
    family = [parent]
    for pid in family:
        family += below.get(pid, [])
    for pid in family:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        own, reaped = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        total += (own + reaped) / _TICK
        if "onnxruntime" in Path(f"/proc/{pid}/maps").read_text():  # the one child that has loaded the model
            embedder += own / _TICK
    if not embedder:
        raise SystemExit("no embedder: `make model` builds it")
    return total, embedder


def _below() -> dict[int, list[int]]:
    """Process ids by the process that started them."""
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            found.setdefault(above, []).append(int(entry.name))
    return found
