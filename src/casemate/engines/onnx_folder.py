"""What the folder of an ONNX model declares, read before any of it is loaded: what it takes, its window, its size.

The files belong to whoever imported the model. Here they are only read as data, within bounds; template and weights are
run in the cell alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from casemate.errors import Misconfigured

__all__ = ["OnnxFolder"]

_FILES: Final = ("genai_config.json", "tokenizer.json")
_MOST: Final = 8 << 20
_TOOLS: Final = re.compile(r"\btools\b")
_CALL: Final = "<tool_call>"


class OnnxFolder:
    """Raises Misconfigured, naming `setting`, where the folder is not such a model.

    `takes`: always a shape; tools where the template tells the model of them and has it call them as `<tool_call>`.
    `context`: tokens; `size`: bytes of all files.
    """

    def __init__(self, path: Path, setting: str) -> None:
        self._setting = setting
        lacking = [name for name in _FILES if not (path / name).is_file()]
        if lacking:
            raise Misconfigured(setting=setting, why=f"the folder lacks {', '.join(lacking)}")
        model = self._json(path / "genai_config.json").get("model")
        told = model.get("context_length") if isinstance(model, dict) else None
        if not isinstance(told, int) or told < 2:
            raise Misconfigured(setting=setting, why="genai_config.json names no model.context_length")
        template = self._template(path)
        if not template:
            raise Misconfigured(setting=setting, why="the model has no chat template")
        self.path = path.resolve()
        self.context = told
        self.takes = frozenset({"shape", "tools"} if _TOOLS.search(template) and _CALL in template else {"shape"})
        self.size = sum(each.stat().st_size for each in path.iterdir() if each.is_file())

    def _json(self, path: Path) -> dict[str, Any]:
        try:
            if path.stat().st_size > _MOST:
                raise ValueError
            told = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise Misconfigured(setting=self._setting, why=f"{path.name} cannot be read")
        return told

    def _template(self, path: Path) -> str:
        beside, config = path / "chat_template.jinja", path / "tokenizer_config.json"
        if beside.is_file() and beside.stat().st_size <= _MOST:
            return beside.read_text("utf-8", "replace")
        told = self._json(config).get("chat_template") if config.is_file() else ""
        return json.dumps(told) if isinstance(told, list) else told if isinstance(told, str) else ""
