from __future__ import annotations

import numpy as np
import pytest

from casemate.cells.embed import session
from casemate.engines import minilm_graph, minilm_reference
from tests.engines import minilm_tiny as tiny

WEIGHTS = tiny.weights()
MODEL = minilm_graph.Encoder(WEIGHTS).model({"licence": "none"})
RUN = session(MODEL)


def vector(ids: list[int]) -> bytes:
    return RUN.run(["vector"], {"ids": np.array(ids, np.int64)})[0].tobytes()


def ids(length: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(0, len(tiny.WORDS), length).tolist()


@pytest.mark.parametrize("length", [1, 2, 3, 17, 100, 256])
def test_the_graph_is_the_encoder(length: int) -> None:
    unit = minilm_reference.encode(WEIGHTS, ids(length))
    assert np.linalg.norm(unit) == pytest.approx(1, abs=1e-5)
    wanted = np.clip(np.rint(unit * minilm_graph.SCALE), -127, 127).astype(np.int8).tobytes()
    assert minilm_reference.cosine(vector(ids(length)), wanted) > 0.995


def test_other_ids_give_another_vector() -> None:
    assert minilm_reference.cosine(vector(ids(17)), vector(ids(17, seed=1))) < 0.9


def test_word_order_counts() -> None:
    assert vector([5, 6, 7, 8]) != vector([8, 7, 6, 5])


def test_the_graph_takes_one_text() -> None:
    (taken,) = RUN.get_inputs()
    (given,) = RUN.get_outputs()
    assert (taken.shape, given.shape, given.type) == (["tokens"], [384], "tensor(int8)")


def test_a_text_beyond_the_positions_is_refused() -> None:
    with pytest.raises(Exception, match="Add"):
        vector(ids(257))


def test_the_file_is_the_same_bytes_each_time() -> None:
    assert minilm_graph.Encoder(tiny.weights()).model({"licence": "none"}) == MODEL


def test_the_kept_texts_are_varied_and_their_vectors_are_whole() -> None:
    kept = minilm_reference.reference()
    lengths = [len(text.split()) for text in kept]
    assert len(kept) == 100
    assert (min(lengths), max(lengths) > 300) == (1, True)
    assert all(len(made) == 384 and 370 < np.linalg.norm(np.frombuffer(made, np.int8).astype(float)) < 390
               for made in kept.values())  # fmt: skip


def test_comparing_the_kept_vectors_with_themselves_gives_one() -> None:
    least, mean = minilm_reference.compare(list(minilm_reference.reference().values()))
    assert least == pytest.approx(1)
    assert mean == pytest.approx(1)


def test_cosines_keep_their_sign() -> None:
    assert minilm_reference.cosine(bytes([3, 4]), bytes([253, 252])) == -1
    assert minilm_reference.cosine(bytes([1, 0]), bytes([0, 1])) == 0


def test_the_reference_is_written_anew(tmp_path, monkeypatch, capsys) -> None:
    kept = tmp_path / minilm_reference.FILE
    kept.write_text('{"a convoy": "", "river": ""}')
    weights, tokenizer = tmp_path / "model.safetensors", tmp_path / "tokenizer.json"
    weights.write_bytes(tiny.safetensors(WEIGHTS))
    tokenizer.write_text(tiny.tokenizer())
    monkeypatch.setattr(minilm_reference, "__file__", str(tmp_path / "minilm_reference.py"))
    monkeypatch.setattr(minilm_reference.resources, "files", lambda _: tmp_path)
    assert minilm_reference.main([str(weights), str(tokenizer)]) == 0
    assert capsys.readouterr().out == "2 texts\n"
    found = minilm_reference.reference()
    # [CLS] convoy [SEP], and the letter before it
    assert minilm_reference.cosine(found["a convoy"], vector([2, 5, 45, 3])) > 0.995
    assert minilm_reference.cosine(found["river"], vector([2, 46, 3])) > 0.995
