"""The same encoder in float32 and plain numpy: what the quantised model is held against.

It is written from the model card, not from the graph, and shares no code with it. `minilm_reference.json` keeps its
vectors for 100 texts (as round(384 x), so about 0.9999 of the cosine), and `compare` says how far a model is from
them; the weights are needed only to write that file anew:

    python -m casemate.engines.minilm_reference model.safetensors tokenizer.json
"""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import tokenizers

from casemate.engines.minilm_weights import Floats, read

__all__ = ["Reference", "compare", "cosine", "encode", "reference"]

FILE: Final = "minilm_reference.json"
HEADS: Final = 12
SCALE: Final = 384
_ERF = np.vectorize(math.erf, otypes=[np.float32])

Reference = dict[str, bytes]


def reference() -> Reference:
    """The kept texts and their vectors."""
    kept = json.loads(resources.files("casemate.engines").joinpath(FILE).read_text("utf-8"))
    return {text: base64.b85decode(vector) for text, vector in kept.items()}


def cosine(left: bytes, right: bytes) -> float:
    """The cosine of two vectors of signed bytes: exact whole numbers until the last division."""
    one, other = (np.frombuffer(side, np.int8).astype(np.int64) for side in (left, right))
    return float(one @ other) / math.sqrt(int(one @ one) * int(other @ other))


def compare(vectors: Sequence[bytes]) -> tuple[float, float]:
    """The least and the mean cosine of these vectors, one for each kept text, to the kept ones."""
    found = [cosine(vector, kept) for vector, kept in zip(vectors, reference().values(), strict=True)]
    return min(found), sum(found) / len(found)


def encode(weights: Mapping[str, Floats], ids: Sequence[int], heads: int = HEADS) -> Floats:
    """The unit vector of one text."""
    places = weights["embeddings.position_embeddings.weight"][: len(ids)]
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    state = weights["embeddings.word_embeddings.weight"][list(ids)] + places + segment
    state = _normal(weights, "embeddings.LayerNorm", state)
    index = 0
    while f"encoder.layer.{index}.output.dense.bias" in weights:
        state = _layer(weights, f"encoder.layer.{index}.", state, heads)
        index += 1
    mean = state.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _layer(weights: Mapping[str, Floats], at: str, state: Floats, heads: int) -> Floats:
    def split(part: str) -> Floats:
        rows = _linear(weights, f"{at}attention.self.{part}", state)
        return rows.reshape(len(state), heads, -1).transpose(1, 0, 2)

    query, key, value = split("query"), split("key"), split("value")
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    mixed = (shares @ value).transpose(1, 0, 2).reshape(state.shape)
    state = _normal(weights, f"{at}attention.output.LayerNorm",
                    state + _linear(weights, f"{at}attention.output.dense", mixed))  # fmt: skip
    wide = _linear(weights, f"{at}intermediate.dense", state)
    wide = wide * (1 + _ERF(wide / math.sqrt(2))) / 2
    return _normal(weights, f"{at}output.LayerNorm", state + _linear(weights, f"{at}output.dense", wide))


def _linear(weights: Mapping[str, Floats], at: str, rows: Floats) -> Floats:
    return np.asarray(rows @ weights[f"{at}.weight"].T + weights[f"{at}.bias"], np.float32)


def _normal(weights: Mapping[str, Floats], at: str, rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-12)
    return np.asarray(centred / spread * weights[f"{at}.weight"] + weights[f"{at}.bias"], np.float32)


def main(arguments: Sequence[str]) -> int:
    """Write the kept vectors anew for the texts that are kept."""
    weights = read(Path(arguments[0]).read_bytes())
    tokenizer = tokenizers.Tokenizer.from_file(arguments[1])
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    tokenizer.encode_special_tokens = True
    target = Path(__file__).with_name(FILE)
    kept = {}
    for text in json.loads(target.read_text("utf-8")):
        scaled = np.rint(encode(weights, tokenizer.encode(text).ids) * SCALE)
        kept[text] = base64.b85encode(np.clip(scaled, -127, 127).astype(np.int8).tobytes()).decode()
    target.write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", "utf-8")
    print(f"{len(kept)} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
