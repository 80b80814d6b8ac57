"""The engines behind the upstreams of casemate.toml, by their kind. Each card has what its engine needs and no more."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from casemate.access import Region
from casemate.engines.anthropic_like import AnthropicLike
from casemate.engines.bedrock_like import BedrockLike
from casemate.engines.openai_like import OpenAILike
from casemate.engines.remote import Upstream as Remote
from casemate.engines.sandbox import Sandbox
from casemate.errors import MarkingError, Misconfigured
from casemate.labels import Label
from casemate.models import Card, Generator, State
from casemate.settings import Upstream

__all__ = ["card_of"]


def card_of(name: str, told: Upstream, region: Region, keys: Path, sandbox: Sandbox | None = None) -> Card:
    """The card of one upstream, with its engine. Raises Misconfigured."""
    inside = told.kind in ("llama", "onnx") or _loopback(told.url)
    # what a process of our own keeps, it keeps for one label and agency alone
    state: State = told.state or ("shared" if told.kind == "llama" else "none")
    engine = _engine(name, told, keys, state, sandbox)
    declared = getattr(engine, "folder", None)  # what the files of an ONNX model say of it
    return Card(
        name=name,
        served=told.model,
        vendor=told.vendor,
        accreditation=_accreditation(name, told, region, inside),
        engine=engine,
        outside=not inside,
        aliases=told.aliases,
        takes=frozenset(told.takes) & declared.takes if declared is not None else frozenset(told.takes),
        tasks=told.tasks,
        context=told.context or (declared.context if declared is not None else 0),
        state=state,
        allows=frozenset(told.allows),
        price=told.price,
        vectors=engine if "embeddings" in told.tasks and isinstance(engine, OpenAILike) else None,
    )


def _engine(name: str, told: Upstream, keys: Path, state: State, sandbox: Sandbox | None) -> Generator:
    if told.kind == "llama":
        from casemate.engines.llama_server import LlamaServer  # few regions run one

        sandbox = sandbox or Sandbox(protect=(keys.parent,))  # the region's folder
        return LlamaServer(name, Path(told.program), Path(told.weights), told.model, sandbox)
    if told.kind == "onnx":
        from casemate.engines.onnx_chat import OnnxChat

        region = keys.parent
        return OnnxChat(name, region / told.path, sandbox or Sandbox(None, (keys, region / "data", region / "run")))
    remote = Remote(
        url=told.url,
        name=name,
        key_file=keys / told.key_file if told.key_file else None,
        ca_file=keys / told.ca_file if told.ca_file else None,
        answers=told.answers,
        counts_cache=state == "shared",
    )
    if told.kind == "anthropic":
        return AnthropicLike(remote)
    if told.kind == "bedrock":
        return BedrockLike(remote, told.region)
    return OpenAILike(remote)


def _accreditation(name: str, upstream: Upstream, region: Region, inside: bool) -> Label:
    if not upstream.accreditation:
        return region.ceiling if inside else region.floor
    try:
        return region.policies.parse(upstream.accreditation) | region.floor
    except MarkingError as error:
        raise Misconfigured(setting=f"upstreams.{name}.accreditation", why=str(error.facts.get("why"))) from None


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
