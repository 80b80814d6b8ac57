from __future__ import annotations

import numpy as np
import pytest

from casemate.cells.embed import session
from casemate.engines.minilm_onnx import Graph


def test_a_graph_runs_as_it_was_written() -> None:
    graph = Graph("test")
    x = graph.input("x", "float32", "rows", 3)
    left, right = graph.nodes("Split", x, count=2, axis=-1, num_outputs=2)
    turned = graph.node("Transpose", left, perm=[1, 0])
    product = graph.node("MatMul", turned, graph.node("Elu", right, alpha=0.5))
    graph.output(graph.node("Add", product, graph.constant("one", np.array(1, np.float32)), name="y"), "float32", 2, 1)
    given = np.array([[1, 2, -1], [3, 4, 5]], np.float32)
    (found,) = session(graph.model("test", {})).run(["y"], {"x": given})
    right_part = np.array([[0.5 * np.expm1(-1)], [5]], np.float32)
    assert np.allclose(found, given[:, :2].T @ right_part + 1, atol=1e-6)


def test_types_and_attributes_reach_the_runtime() -> None:
    graph = Graph("test")
    ids = graph.input("ids", "int64", "n")
    table = graph.constant("table", np.array([[1, -2], [3, -4]], np.int8))
    bytes_ = graph.node("Gather", table, ids)
    bounded = graph.node("ReduceMax", graph.node("Cast", bytes_, to=7), graph.constant("last", np.array([-1])))
    text = graph.node("Cast", bounded, to=1, saturate=1)
    graph.output(graph.node("Flatten", text, name="y"), "float32", "n", 1)
    made = session(graph.model("test", {"key": "value"}))
    assert made.get_modelmeta().custom_metadata_map == {"key": "value"}
    assert made.get_inputs()[0].shape == ["n"]
    assert made.run(["y"], {"ids": np.array([1, 0])})[0].tolist() == [[3.0], [1.0]]


def test_a_text_attribute_is_carried() -> None:
    graph = Graph("test")
    x = graph.input("x", "float32", "n")
    graph.output(graph.node("Gelu", x, approximate="tanh", name="y"), "float32", "n")
    one = np.array([1], np.float32)
    (found,) = session(graph.model("test", {})).run(["y"], {"x": one})
    assert found[0] == pytest.approx(0.841192, abs=1e-5)  # the exact one would be 0.841345


def test_a_name_stands_for_one_tensor() -> None:
    graph = Graph("test")
    assert graph.constant("a", np.array([1.0], np.float32)) == "a"
    assert graph.constant("a", np.array([1.0], np.float32)) == "a"
    with pytest.raises(ValueError, match="two tensors named a"):
        graph.constant("a", np.array([2.0], np.float32))
