from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate import frames
from casemate.cells import embed
from casemate.cells.embed import CHARACTERS, Embed, Encoder
from casemate.engines import minilm_graph, minilm_model
from casemate.engines.minilm_reference import compare, cosine, reference
from casemate.errors import Damaged, Misconfigured
from tests.engines import minilm_tiny as tiny

UNFENCED = """
import os, runpy
os.dup2(0, 3), os.dup2(1, 4), os.dup2(2, 1)
runpy.run_module("casemate.cells.embed", run_name="__main__", alter_sys=True)
"""

TELLS = """
import json, os, sys
from pathlib import Path
from casemate.cells.embed import Encoder
encoder = Encoder(Path(sys.argv[1]))
for text in json.loads(sys.argv[2]):
    encoder.vector(text)
held = [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if number not in "012"
        if os.path.exists(f"/proc/self/fd/{number}")]
print(json.dumps({"held": held, "threads": len(os.listdir("/proc/self/task"))}))
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.onnx").write_bytes(minilm_graph.Encoder(tiny.weights(layers=1)).model({}))
    (folder / "tokenizer.json").write_text(tiny.tokenizer())
    return folder


@pytest.fixture(scope="module")
def encoder(small: Path) -> Encoder:
    return Encoder(small)


@pytest.fixture(scope="module")
def installed() -> Path:
    folder = minilm_model.default_folder()
    try:
        minilm_model.verify(folder)
    except (Misconfigured, Damaged) as error:
        pytest.skip(f"no embedding model is installed (make model): {error}")
    return folder


def ask(folder: Path, texts: list[str], home: Path) -> dict[str, object]:
    """The reply of the cell as a process, without a fence, at home in a folder of its own."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", UNFENCED, str(folder)],
        input=frames.encode(Embed(texts)),
        capture_output=True,
        check=True,
        cwd=home,
        env={"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "XDG_CACHE_HOME": str(home / "cache")},
    )
    return frames.decode(done.stdout[4:], dict[str, object])


def test_the_process_answers_in_order_and_leaves_no_file(small, encoder, tmp_path) -> None:
    texts = ["convoy", "", "river at 12"]
    reply = ask(small, texts, tmp_path)
    assert reply == {"value": [encoder.vector(text) for text in texts], "failure": "", "why": ""}
    assert list(tmp_path.iterdir()) == []


def test_it_holds_no_socket_no_file_and_no_second_thread(small, tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", TELLS, str(small), json.dumps(["convoy", "river"] * 20)],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
    )
    found = json.loads(done.stdout)
    assert set(found["held"]) <= {"/dev/null", "/dev/urandom"}
    assert found["threads"] == 1
    assert list(tmp_path.iterdir()) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(text=st.text(max_size=60), others=st.lists(st.text(max_size=60), max_size=4))
def test_a_vector_is_a_function_of_its_text_alone(encoder, text, others) -> None:
    before = encoder.vector(text)
    for other in others:
        encoder.vector(other)
    assert encoder.vector(text) == before
    assert len(before) == 384


def test_a_control_token_in_a_text_is_text(encoder) -> None:
    assert encoder.vector("convoy [SEP] river") != encoder.vector("convoy river")
    assert encoder.vector("convoy [SEP] river") == encoder.vector("convoy [ s e p ] river".replace(" s e p ", "sep"))


def test_what_is_beyond_the_bound_does_not_count(encoder) -> None:
    long = "convoy " * 254
    assert encoder.vector(long) == encoder.vector(long + "river")
    assert encoder.vector("convoy " * 253) != encoder.vector("convoy " * 253 + "river")
    spaces = " " * CHARACTERS
    assert encoder.vector(spaces + "river") == encoder.vector("")


def test_a_question_keeps_no_padding(encoder) -> None:
    assert encoder.vector("convoy") != encoder.vector("convoy" + " [PAD]" * 3)
    assert encoder._tokenizer.encode("convoy").ids == [2, 45, 3]


def test_the_program_loads_the_folder_that_it_was_named(small, encoder, monkeypatch) -> None:
    served: list[object] = []
    monkeypatch.setattr(embed, "serve", lambda kind, work: served.extend([kind, work(Embed(["convoy", "river"]))]))
    assert embed.main([str(small)]) == 0
    assert served == [Embed, [encoder.vector("convoy"), encoder.vector("river")]]


# With the model that `make install` builds.


def test_the_installed_model_is_near_float32_and_does_not_mind_its_neighbours(installed, tmp_path) -> None:
    texts = list(reference())
    vectors = ask(installed, texts, tmp_path)["value"]
    least, mean = compare(vectors)
    print(f"cosine to float32 over {len(texts)} texts: least {least:.4f}, mean {mean:.4f}")
    assert least >= 0.98
    shuffled = random.Random(7).sample(list(zip(texts, vectors, strict=True)), 40)
    again = ask(installed, [text for text, _ in shuffled], tmp_path)["value"]
    assert again == [vector for _, vector in shuffled]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("Are people in the camp ill?", "The doctors count thirty-one patients with fever.",
         "Fuel stocks at the northern airfield cover nine days."),
        ("Who hacked the depot?", "Ransomware encrypted the scheduling server of the depot.",
         "Grain prices rose by a fifth in a week."),
        ("ships", "The harbour was closed to every vessel.", "The minister of finance resigned."),
    ],
)  # fmt: skip
def test_the_installed_model_knows_meaning(installed, question, near, far) -> None:
    encoder = Encoder(installed)
    about = encoder.vector(question)
    assert cosine(about, encoder.vector(near)) > cosine(about, encoder.vector(far)) + 0.1
