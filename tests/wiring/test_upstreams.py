"""Each kind of upstream of casemate.toml becomes a card with its engine; what cannot be is named by its setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.engines.anthropic_like import AnthropicLike
from casemate.engines.bedrock_like import BedrockLike
from casemate.engines.llama_server import LlamaServer
from casemate.engines.openai_like import OpenAILike
from casemate.errors import Misconfigured
from casemate.settings import RegionSettings, parse
from casemate.wiring.engines import catalogue, region_of

REGION = RegionSettings(name="r", agency="NAVY", policies=("us", "house"))


def cards(text: str) -> dict[str, object]:
    settings = parse(f'[region]\npolicies = ["us", "house"]\nagency = "NAVY"\n{text}')
    return dict(catalogue(region_of(REGION), settings, Path("keys")).cards)


def test_each_kind_has_its_engine(tmp_path: Path) -> None:
    for name in ("program", "weights"):
        (tmp_path / name).write_text("x")
    found = cards(
        f"""
        [upstreams.local]
        url = "http://127.0.0.1:1/v1"
        model = "m"
        tasks = ["chat", "embeddings"]
        state = "salted"
        takes = ["images"]
        aliases = ["gpt-x"]
        context = 4096
        price = 7
        allows = ["store"]
        [upstreams.claude]
        kind = "anthropic"
        url = "https://api.anthropic.com"
        model = "c"
        [upstreams.aws]
        kind = "bedrock"
        url = "https://bedrock.test"
        region = "eu-1"
        model = "b"
        [upstreams.own]
        kind = "llama"
        program = "{tmp_path}/program"
        weights = "{tmp_path}/weights"
        model = "l"
        """
    )
    local, claude, aws, own = (found[name] for name in ("local", "claude", "aws", "own"))
    assert isinstance(local.engine, OpenAILike)  # type: ignore[attr-defined]
    assert local.vectors is local.engine  # type: ignore[attr-defined]
    assert (local.state, local.takes, local.aliases) == ("salted", frozenset({"images"}), ("gpt-x",))  # type: ignore[attr-defined]
    assert (local.context, local.price, local.allows) == (4096, 7, frozenset({"store"}))  # type: ignore[attr-defined]
    assert isinstance(claude.engine, AnthropicLike)  # type: ignore[attr-defined]
    assert isinstance(aws.engine, BedrockLike)  # type: ignore[attr-defined]
    assert isinstance(own.engine, LlamaServer)  # type: ignore[attr-defined]
    assert [card.outside for card in (local, claude, aws, own)] == [False, True, True, False]  # type: ignore[attr-defined]
    assert [card.state for card in (claude, own)] == ["none", "shared"]  # type: ignore[attr-defined]
    assert claude.vectors is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('url = "http://x"', "upstreams.a.model"),
        ('model = "m"', "upstreams.a"),
        ('model = "m"\nurl = "http://x"\nprogram = "/x"', "upstreams.a"),
        ('model = "m"\nkind = "llama"\nprogram = "/x"', "upstreams.a"),
        ('model = "m"\nkind = "llama"\nprogram = "/x"\nweights = "/y"', "upstreams.a.program"),
        ('model = "m"\nkind = "onnx"', "upstreams.a"),
        ('model = "m"\nkind = "onnx"\npath = "x"\nurl = "http://x"', "upstreams.a"),
        ('model = "m"\nkind = "bedrock"\nurl = "http://x"', "upstreams.a.region"),
        ('model = "m"\nkind = "anthropic"\nurl = "http://x"\ntasks = ["embeddings"]', "upstreams.a.tasks"),
        ('model = "m"\nurl = "http://x"\nprice = -1', "upstreams.a"),
        ('model = "m"\nurl = "nowhere"', "upstreams.a.url"),
        ('model = "m"\nurl = "https://x"\nca_file = "none.pem"', "upstreams.a.ca_file"),
    ],
)
def test_upstreams_that_cannot_be(text: str, setting: str) -> None:
    with pytest.raises(Misconfigured) as told:
        cards(f"[upstreams.a]\n{text}")
    assert told.value.facts["setting"] == setting


def test_an_onnx_model_says_itself_what_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.engines import onnx_chat
    from tests.engines import chat_tiny

    monkeypatch.setattr(onnx_chat, "installed", lambda: True)
    chat_tiny.folder(tmp_path / "m", template="{{ messages[0].content }}")
    card = cards(f'[upstreams.own]\nkind = "onnx"\nmodel = "m"\npath = "{tmp_path}/m"')["own"]
    assert isinstance(card.engine, onnx_chat.OnnxChat)  # type: ignore[attr-defined]
    assert (card.takes, card.context) == (frozenset({"shape"}), chat_tiny.CONTEXT)  # type: ignore[attr-defined]
    assert not card.outside  # type: ignore[attr-defined]
    with pytest.raises(Misconfigured) as told:
        cards('[upstreams.own]\nkind = "onnx"\nmodel = "m"\npath = "models/none"')
    assert told.value.facts["setting"] == "upstreams.own.path"
