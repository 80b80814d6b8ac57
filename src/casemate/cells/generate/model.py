"""The model of a folder: onnxruntime-genai, one thread, one generator for each prompt."""

from __future__ import annotations

import os

# Before any library is loaded: no telemetry (both collect by default), no lookup of models by name, no second thread.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    RAYON_NUM_THREADS="1",
)

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime_genai as genai

from casemate.cells.generate.held import Held
from casemate.cells.generate.spoken import Ask

__all__ = ["Model", "Running"]

CHUNK: Final = 256
"""Tokens of a prompt that are read at once; between two chunks a wish to stop is heard."""
_ONE_THREAD: Final = {
    "intra_op_num_threads": 1,
    "inter_op_num_threads": 1,
    "log_severity_level": 4,
    "session.intra_op.allow_spinning": "0",
}


class Model:
    """Loaded once. `ends`: the tokens that end an answer; `context`: its window in tokens."""

    def __init__(self, folder: Path) -> None:
        told: dict[str, Any] = json.loads((folder / "genai_config.json").read_text("utf-8"))
        model = told["model"]
        ends = model["eos_token_id"]
        self.ends: list[int] = ends if isinstance(ends, list) else [ends]
        self.context = int(model["context_length"])
        self.size = int(model["vocab_size"])
        self._search: dict[str, Any] = told.get("search") or {}
        genai.disable_telemetry_events()
        config = genai.Config(str(folder))
        config.clear_providers()  # the processor: nothing else is fenced
        config.overlay(json.dumps({"model": {"decoder": {"session_options": _ONE_THREAD}}}))
        self._model = genai.Model(config)

    def running(self, prompt: list[int], ask: Ask, held: Held | None) -> Running:
        """A generator of its own for this prompt. There must be room for one token after it."""
        parameters = genai.GeneratorParams(self._model)
        most = min(len(prompt) + ask.max_tokens, self.context)
        parameters.set_search_options(max_length=most, batch_size=1, num_beams=1, **self._choice(ask))
        return Running(genai.Generator(self._model, parameters), prompt, most, held)

    def _choice(self, ask: Ask) -> dict[str, Any]:
        """How the next token is chosen; what the caller leaves open is the model's own way."""
        own = self._search
        heat = ask.temperature if ask.temperature is not None else float(own.get("temperature", 1.0))
        if heat <= 0 or (ask.temperature is None and ask.top_p is None and not own.get("do_sample", False)):
            return {"do_sample": False, "top_k": 1}
        seed = ask.seed if ask.seed is not None else int.from_bytes(os.urandom(4), "big")
        return {
            "do_sample": True,
            "temperature": heat,
            "top_p": ask.top_p if ask.top_p is not None else float(own.get("top_p", 1.0)),
            "top_k": ask.top_k if ask.top_k is not None else int(own.get("top_k", 0)),
            "random_seed": seed & 0x7FFFFFFF,
        }


class Running:
    """One answer in the making."""

    def __init__(self, generator: Any, prompt: list[int], most: int, held: Held | None) -> None:
        self._generator, self._held = generator, held
        self._prompt, self._left = prompt, most - len(prompt)

    def read(self, wanted: Callable[[], bool]) -> bool:
        """Take the prompt in; False where it was not `wanted` to the end."""
        for start in range(0, len(self._prompt), CHUNK):
            if not wanted():
                return False
            self._generator.append_tokens(np.array(self._prompt[start : start + CHUNK], np.int32))
        return True

    def next(self) -> int | None:
        """The next token; None where there is no room for one."""
        if self._left <= 0:
            return None
        if self._held is not None:
            logits = self._generator.get_logits()
            self._held.mask(logits)
            self._generator.set_logits(logits)
        self._generator.generate_next_token()
        token = int(self._generator.get_next_tokens()[0])
        self._left -= 1
        return token
