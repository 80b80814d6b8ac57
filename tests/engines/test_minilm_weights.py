from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from casemate.engines.minilm_weights import LIMIT, quantise, read
from casemate.errors import Damaged
from tests.engines import minilm_tiny as tiny

MATRICES = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-1000, 1000, width=32, allow_subnormal=False),
)


def test_what_is_written_is_read() -> None:
    tensors = tiny.weights(layers=1, hidden=24)
    found = read(tiny.safetensors(tensors))
    assert found.keys() == tensors.keys()
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)


def test_tensors_of_other_types_are_left_out() -> None:
    data = tiny.safetensors({"a": np.ones((2, 2), np.float32)}).replace(b'"F32"', b'"I64"')
    assert read(data) == {}


@given(st.binary(max_size=80))
def test_what_is_no_safetensors_file_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        read(data)


def test_a_file_that_was_cut_is_damaged() -> None:
    data = tiny.safetensors({"a": np.ones((20, 20), np.float32)})
    with pytest.raises(Damaged):
        read(data[:-1])


@given(MATRICES, st.sampled_from([0, 1]))
def test_integers_times_scales_are_the_weights_within_half_a_step(matrix: np.ndarray, axis: int) -> None:
    integers, scales = quantise(matrix, axis)
    assert integers.dtype == np.int8
    assert np.abs(integers.astype(int)).max() <= LIMIT
    assert scales.shape == tuple(1 if place == axis else size for place, size in enumerate(matrix.shape))
    assert (np.abs(integers * scales - matrix) <= scales * 0.5001).all()


@given(MATRICES)
def test_a_column_is_a_function_of_itself_alone(matrix: np.ndarray) -> None:
    integers, scales = quantise(matrix, 0)
    alone, scale = quantise(matrix[:, :1], 0)
    assert np.array_equal(alone[:, 0], integers[:, 0])
    assert scale[0, 0] == scales[0, 0]


def test_two_products_added_never_reach_what_old_processors_saturate_at() -> None:
    most_unsigned = 2 * LIMIT
    assert 2 * most_unsigned * LIMIT <= 2**15 - 1
