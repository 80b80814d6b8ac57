"""A decoder with random weights and a few chosen successions, small enough to build in a moment, as genai wants it.

    ids -> vectors -> one layer of attention over everything so far -> logits + successor[last]

`script` is text whose bytes (each at most once) the model writes one after the other, wherever it is in it; after the
last one comes the end. Everything else follows from random weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from casemate.engines.minilm_onnx import Graph

SPECIAL = ("<|begin|>", "<|end|>", "<|turn|>", "<|pad|>")
PLAIN = ("<tool_call>", "</tool_call>")
"""Added, but not special: they may be generated and are shown."""
HIDDEN, HEADS = 16, 2
CONTEXT = 4096

TEMPLATE = (
    "{{ bos_token }}{% if tools %}tools: {{ tools | tojson }} as <tool_call>\n{% endif %}"
    "{% for message in messages %}<|turn|>{{ message.role }}\n{{ message.content | trim }}"
    "{% if message.tool_calls %}{% for call in message.tool_calls %}<tool_call>{{ call.function | tojson }}</tool_call>"
    "{% endfor %}{% endif %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)


def alphabet() -> list[str]:
    return sorted(pre_tokenizers.ByteLevel.alphabet())


def tokenizer(merges: tuple[tuple[str, str], ...] = ()) -> Tokenizer:
    """Bytes, some merges, and control tokens after them."""
    vocabulary = {letter: index for index, letter in enumerate(alphabet())}
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    made.add_tokens([AddedToken(text, special=False, normalized=False) for text in PLAIN])
    return made


def weights(vocabulary: int, successors: Mapping[int, int], seed: int = 1) -> dict[str, Any]:
    """Random, with a strong preference for the successors."""
    random = np.random.default_rng(seed)

    def floats(*shape: int, spread: float = 0.3) -> Any:
        return (spread * random.standard_normal(shape)).astype(np.float32)

    after = np.zeros((vocabulary, vocabulary), np.float32)
    for one, other in successors.items():
        after[one, other] = 60.0
    found = {name: floats(HIDDEN, HIDDEN) for name in ("query", "key", "value", "out")}
    return {
        **found,
        "words": floats(vocabulary, HIDDEN, spread=1.0),
        "head": floats(HIDDEN, vocabulary),
        "after": after,
    }


def graph(told: Mapping[str, Any]) -> bytes:
    """The ONNX file: inputs and outputs as onnxruntime-genai names them."""
    made = Graph("decoder")
    vocabulary, width = told["words"].shape[0], HIDDEN // HEADS
    ids = made.input("input_ids", "int64", "batch", "length")
    mask = made.input("attention_mask", "int64", "batch", "total")
    past = [
        made.input(f"past_key_values.0.{part}", "float32", "batch", HEADS, "past", width) for part in ("key", "value")
    ]
    hidden = made.node("Gather", made.constant("words", told["words"]), ids)
    split = made.constant("split", np.array([0, 0, HEADS, width], np.int64))
    joined = made.constant("joined", np.array([0, 0, HIDDEN], np.int64))

    def heads(part: str) -> str:
        flat = made.node("MatMul", hidden, made.constant(part, told[part]))
        return made.node("Transpose", made.node("Reshape", flat, split), perm=(0, 2, 1, 3))

    query = heads("query")
    keys = made.node("Concat", past[0], heads("key"), axis=2, name="present.0.key")
    values = made.node("Concat", past[1], heads("value"), axis=2, name="present.0.value")
    scores = made.node("MatMul", query, made.node("Transpose", keys, perm=(0, 1, 3, 2)))
    # Position i of the new ones sees everything up to itself: i + 1 + (total - length).
    one, zero = made.constant("one", np.array(1, np.int64)), made.constant("zero", np.array(0, np.int64))
    axis = made.constant("axis", np.array([1], np.int64))
    total = made.node("Squeeze", made.node("Shape", mask, start=1, end=2))
    length = made.node("Squeeze", made.node("Shape", ids, start=1, end=2))
    columns = made.node("Range", zero, total, one)
    rows = made.node("Add", made.node("Range", zero, length, one), made.node("Sub", total, length))
    hides = made.node("Greater", columns, made.node("Unsqueeze", rows, axis))
    low = made.constant("low", np.array(-1e9, np.float32))
    scores = made.node("Add", scores, made.node("Mul", made.node("Cast", hides, to=1), low))
    mixed = made.node("MatMul", made.node("Softmax", scores, axis=-1), values)
    mixed = made.node("Reshape", made.node("Transpose", mixed, perm=(0, 2, 1, 3)), joined)
    state = made.node("Add", hidden, made.node("MatMul", mixed, made.constant("out", told["out"])))
    logits = made.node("MatMul", state, made.constant("head", told["head"]))
    logits = made.node("Add", logits, made.node("Gather", made.constant("after", told["after"]), ids), name="logits")
    made.output(logits, "float32", "batch", "length", vocabulary)
    for name in (keys, values):
        made.output(name, "float32", "batch", HEADS, "total", width)
    return made.model("casemate", {})


def folder(
    path: Path, script: str = "", template: str = TEMPLATE, context: int = CONTEXT, end: str = "<|end|>", seed: int = 1
) -> Path:
    """A model folder. `script` begins after "assistant\\n" and ends with the token `end`."""
    path.mkdir(parents=True, exist_ok=True)
    made = tokenizer()
    ids = made.encode(f"\n{script}", add_special_tokens=False).ids
    if len(set(ids)) != len(ids):
        raise ValueError("each byte of a script comes once")
    chain = [*ids, made.token_to_id(end)] if script else []
    vocabulary = made.get_vocab_size()
    (path / "model.onnx").write_bytes(graph(weights(vocabulary, dict(pairwise(chain)), seed)))
    (path / "tokenizer.json").write_text(made.to_str())
    tokens = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[1], "pad_token": SPECIAL[3], "chat_template": template}
    (path / "tokenizer_config.json").write_text(json.dumps(tokens))
    decoder = {
        "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
        "filename": "model.onnx",
        "head_size": HIDDEN // HEADS,
        "hidden_size": HIDDEN,
        "inputs": {
            "input_ids": "input_ids",
            "attention_mask": "attention_mask",
            "past_key_names": "past_key_values.%d.key",
            "past_value_names": "past_key_values.%d.value",
        },
        "outputs": {
            "logits": "logits",
            "present_key_names": "present.%d.key",
            "present_value_names": "present.%d.value",
        },
        "num_attention_heads": HEADS,
        "num_hidden_layers": 1,
        "num_key_value_heads": HEADS,
    }
    model = {
        "type": "llama",
        "bos_token_id": made.token_to_id(SPECIAL[0]),
        "eos_token_id": [made.token_to_id(SPECIAL[1])],
        "pad_token_id": made.token_to_id(SPECIAL[3]),
        "context_length": context,
        "vocab_size": vocabulary,
        "decoder": decoder,
    }
    search = {"do_sample": False, "max_length": context, "past_present_share_buffer": False}
    (path / "genai_config.json").write_text(json.dumps({"model": model, "search": search}))
    return path
