"""The embedding cell: texts in, vectors out, in a process that can reach nothing else.

    {texts: [...]} -> [vector, ...]      384 signed bytes each; the argument is the model's folder

It keeps no state between two texts and runs them one at a time, each with its own length: a vector is a function of
its text alone, bit for bit, on one machine. It opens its model's two files at the start and nothing afterwards.
"""

from __future__ import annotations

import os

# Before any library is loaded: no telemetry (onnxruntime collects by default), no lookup of models by name, and no
# thread that another text could wait on.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    RAYON_NUM_THREADS="1",
)

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import onnxruntime
import tokenizers

from casemate.cells.serve import serve

__all__ = ["Embed", "Encoder", "main", "session"]

TOKENS: Final = 256
CHARACTERS: Final = 20_000
"""More than 256 tokens of any writing; what lies beyond is not even read."""


class Embed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request: texts, in the order of their vectors."""

    texts: list[str]


class Encoder:
    """The tokenizer and the model of a folder, loaded once."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(TOKENS)
        # "[SEP]" in a text is five characters of that text, not a control token.
        self._tokenizer.encode_special_tokens = True
        self._session = session(str(folder / "model.onnx"))

    def vector(self, text: str) -> bytes:
        """384 integers in -127..127, a signed byte each."""
        ids = self._tokenizer.encode(text[:CHARACTERS]).ids
        (vector,) = self._session.run(["vector"], {"ids": np.array(ids, np.int64)})
        return bytes(vector.tobytes())


def session(model: str | bytes) -> onnxruntime.InferenceSession:
    """One thread, in order, nothing rewritten: the same sums in the same order each time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def main(arguments: Sequence[str]) -> int:
    """Load the model of the folder named, then answer until the parent closes the pipe."""
    encoder = Encoder(Path(arguments[0]))
    serve(Embed, lambda request: [encoder.vector(text) for text in request.texts])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
