"""What a model's folder says of it besides its weights: the template, and what it calls its own tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from casemate.cells.serve import CannotRead

__all__ = ["Folder"]

MOST = 1 << 20  # characters of a template


class Folder:
    """`template`: the Jinja source; `names`: bos_token, eos_token and the like, as text."""

    def __init__(self, path: Path) -> None:
        config = path / "tokenizer_config.json"
        told: dict[str, Any] = json.loads(config.read_text("utf-8")) if config.is_file() else {}
        beside = path / "chat_template.jinja"
        self.template = beside.read_text("utf-8") if beside.is_file() else _chosen(told.get("chat_template"))
        self.names = {name: _text(told[name]) for name in told if name.endswith("_token") and _text(told[name])}
        if not self.template or len(self.template) > MOST:
            raise CannotRead("The model has no chat template.")


def _chosen(told: Any) -> str:
    """The template of that name; several may be listed, and `default` is the one for chats."""
    if isinstance(told, list):
        return next((str(each.get("template", "")) for each in told if each.get("name") == "default"), "")
    return told if isinstance(told, str) else ""


def _text(told: Any) -> str:
    if isinstance(told, dict):
        return str(told.get("content", ""))
    return told if isinstance(told, str) else ""
