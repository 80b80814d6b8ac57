"""The sentence encoder as an ONNX graph: token numbers in, 384 integers out.

    ids[n] -> embeddings -> 6 x (attention, feed-forward) -> mean over tokens -> unit length -> round(384 x) -> int8

The graph takes one text, with its own length: there is no batch axis, no padding and no mask, so nothing of a
neighbour can reach a vector. Weights are int8 with a scale per column; an activation row (one token) is quantised with
a scale of its own, so no scale spans two tokens either. Between the products everything is float32. Only operators of
the standard are used, and the runtime is told to change nothing: what runs is what is written here.

Source: Devlin et al. 2019 (BERT); the model card of sentence-transformers/all-MiniLM-L6-v2 (mean pooling, unit length).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from casemate.engines.minilm_onnx import Graph
from casemate.engines.minilm_weights import LIMIT, Floats, quantise

__all__ = ["EPSILON", "HEADS", "SCALE", "TOKENS", "Encoder", "layers"]

HEADS: Final = 12
EPSILON: Final = 1e-12
TOKENS: Final = 256
"""The longest text in tokens, as the model card says; the rest is cut."""
SCALE: Final = 384
"""A component of a unit vector is written as round(384 x): over 2000 passages of 2 to 96 words the largest was 0.32, so
127 cuts nothing in practice, and the cosine of two texts is close to their integer product divided by 384 * 384."""

_FLOAT, _INT8 = 1, 3


def layers(weights: Mapping[str, Floats]) -> int:
    """How many layers the weights hold."""
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))


class Encoder:
    """Builds the graph from float32 weights; `model()` is the file."""

    def __init__(self, weights: Mapping[str, Floats], heads: int = HEADS) -> None:
        self._weights = weights
        self._heads = heads
        self._hidden = weights["embeddings.LayerNorm.weight"].shape[0]
        self._graph = Graph("sentence-encoder")

    def model(self, notes: Mapping[str, str]) -> bytes:
        """The ONNX file, with `notes` among its metadata."""
        ids = self._graph.input("ids", "int64", "tokens")
        state = self._embeddings(ids)
        for index in range(layers(self._weights)):
            state = self._layer(state, f"encoder.layer.{index}.")
        self._graph.output(self._integers(self._unit(state)), "int8", self._hidden)
        return self._graph.model("casemate", dict(notes))

    # The parts, in the order in which a text passes through them.

    def _embeddings(self, ids: str) -> str:
        """Word vectors (int8, a scale per word), positions and the one segment, normalised."""
        graph, weights = self._graph, self._weights
        integers, scales = quantise(weights["embeddings.word_embeddings.weight"], axis=1, limit=127)
        words = graph.node("Gather", self._constant("words", integers), ids)
        scale = graph.node("Gather", self._constant("words.scale", scales), ids)
        vectors = graph.node("Mul", graph.node("Cast", words, to=_FLOAT), scale)
        # A text is always the first segment, so its constant vector is added to every position once and for all.
        places = weights["embeddings.position_embeddings.weight"][:TOKENS]
        places = places + weights["embeddings.token_type_embeddings.weight"][0]
        first = self._constant("zero", np.array([0], np.int64))
        place = graph.node("Slice", self._constant("places", places), first, graph.node("Shape", ids))
        return self._normal(graph.node("Add", vectors, place), "embeddings.LayerNorm")

    def _layer(self, state: str, at: str) -> str:
        """One block: attention and feed-forward, each added to its input and normalised."""
        graph = self._graph
        mixed = self._linear(self._attention(state, at), f"{at}attention.output.dense")
        state = self._normal(graph.node("Add", state, mixed), f"{at}attention.output.LayerNorm")
        wide = graph.node("Gelu", self._linear(state, f"{at}intermediate.dense"))
        narrow = self._linear(wide, f"{at}output.dense")
        return self._normal(graph.node("Add", state, narrow), f"{at}output.LayerNorm")

    def _attention(self, state: str, at: str) -> str:
        """Every token's weighted mean of all tokens, per head. A head's 1/sqrt(width) sits in the query weights."""
        graph, width = self._graph, self._hidden // self._heads
        shrink = np.float32(1 / np.sqrt(width))
        names = [f"{at}attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._weights[f"{name}.weight"].T for name in names], axis=1)
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        weight[:, : self._hidden] *= shrink
        bias[: self._hidden] *= shrink
        parts = graph.nodes("Split", self._product(state, f"{at}attention.self", weight, bias), count=3, axis=1,
                            num_outputs=3)  # fmt: skip
        heads = self._constant("heads", np.array([0, self._heads, width], np.int64))
        query, key, value = (graph.node("Reshape", part, heads) for part in parts)
        scores = graph.node("MatMul", self._turn(query, 1, 0, 2), self._turn(key, 1, 2, 0))
        mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), self._turn(value, 1, 0, 2))
        flat = self._constant("flat", np.array([0, self._hidden], np.int64))
        return graph.node("Reshape", self._turn(mixed, 1, 0, 2), flat)

    def _unit(self, state: str) -> str:
        """The mean over the tokens, at length one."""
        mean = self._graph.node("ReduceMean", state, self._constant("zero", np.array([0], np.int64)), keepdims=0)
        return self._graph.node("LpNormalization", mean, axis=-1, p=2)

    def _integers(self, unit: str) -> str:
        """round(SCALE x), half to even, within -127..127."""
        graph = self._graph
        scaled = graph.node("Round", graph.node("Mul", unit, self._scalar("scale", SCALE)))
        bounded = graph.node("Clip", scaled, self._scalar("least", -127), self._scalar("most", 127))
        return graph.node("Cast", bounded, to=_INT8, name="vector")

    # The bricks.

    def _linear(self, rows: str, at: str) -> str:
        return self._product(rows, at, self._weights[f"{at}.weight"].T, self._weights[f"{at}.bias"])

    def _product(self, rows: str, at: str, weight: Floats, bias: Floats) -> str:
        """rows @ weight + bias: uint8 rows (a scale each, zero at LIMIT) by int8 columns (a scale each)."""
        graph = self._graph
        integers, scales = quantise(weight, axis=0)
        one = self._constant("one", np.array([1], np.int64))
        peak = graph.node("ReduceMax", graph.node("Abs", rows), one, keepdims=1)
        # A row of zeros must not divide by zero.
        peak = graph.node("Max", peak, self._scalar("tiny", 1e-9))
        scale = graph.node("Mul", peak, self._scalar("limit", 1 / LIMIT))
        flat = graph.node("Squeeze", scale, one)
        zero = self._constant("centre", np.array(LIMIT, np.uint8))
        zeros = graph.node("Expand", zero, graph.node("Shape", flat))
        small = graph.node("QuantizeLinear", rows, flat, zeros, axis=0)
        sums = graph.node("MatMulInteger", small, self._constant(f"{at}.weight", integers), zero)
        real = graph.node("Mul", graph.node("Cast", sums, to=_FLOAT), scale)
        real = graph.node("Mul", real, self._constant(f"{at}.scale", scales[0]))
        return graph.node("Add", real, self._constant(f"{at}.bias", bias))

    def _normal(self, rows: str, at: str) -> str:
        gain = self._constant(f"{at}.weight", self._weights[f"{at}.weight"])
        bias = self._constant(f"{at}.bias", self._weights[f"{at}.bias"])
        return self._graph.node("LayerNormalization", rows, gain, bias, axis=-1, epsilon=EPSILON)

    def _turn(self, name: str, *axes: int) -> str:
        return self._graph.node("Transpose", name, perm=axes)

    def _scalar(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def _constant(self, name: str, array: NDArray[Any]) -> str:
        return self._graph.constant(name, array)
