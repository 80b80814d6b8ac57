"""What is installed is pinned by digest, is what the package asks for, and names no index."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
LOCKS = ("run.txt", "build.txt", "test.txt", "ray.txt")


def pins(name: str) -> dict[str, str]:
    """Package to version, in the lock's order."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (FOLDER / name).read_text(), re.MULTILINE))


def declared() -> list[Requirement]:
    return [
        Requirement(text) for text in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_digests_and_no_place_to_fetch_from(name: str) -> None:
    text = (FOLDER / name).read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text.split("\n", 1)[1])
    assert len(blocks) == len(pins(name)) > 5
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block
    assert not re.search(r"://|^ *-", text.replace("    --hash", "    "), re.MULTILINE), (
        "a lock names no index and no option"
    )


def test_run_in_lists_what_the_package_declares() -> None:
    listed = {
        Requirement(line).name for line in (FOLDER / "run.in").read_text().splitlines() if line and line[0] != "#"
    }
    assert listed == {requirement.name for requirement in declared()}


def test_the_pins_are_within_what_the_package_declares() -> None:
    run = pins("run.txt")
    for requirement in declared():
        assert requirement.specifier.contains(run[requirement.name]), requirement


def test_no_package_is_pinned_to_two_versions() -> None:
    for one, other in (("run.txt", "test.txt"), ("build.txt", "test.txt")):
        assert not set(pins(one)) & set(pins(other))
    assert {name: v for name, v in pins("build.txt").items() if pins("run.txt").get(name, v) != v} == {}


def test_nothing_that_fetches_models_is_installed_or_needed() -> None:
    """tokenizers asks for huggingface-hub, and works without it (docs/decisions/0002-dependencies.md)."""
    fetchers = {"huggingface-hub", "hf-xet", "httpx2", "requests", "urllib3", "torch", "transformers"}
    assert not fetchers & set(pins("run.txt"))
    code = (
        "import sys; sys.modules['huggingface_hub'] = None; import tokenizers; from tokenizers.models import WordPiece;"
        "t = tokenizers.Tokenizer(WordPiece({'[UNK]': 0, 'port': 1}, unk_token='[UNK]')); print(t.encode('port').ids)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == ("[1]", 0), done.stderr
