"""A model as data: what the region knows of it, kept at the label of whoever registered it.

A record holds no secret: `engine.key` is the name under which a key is kept, never the key. `accreditation` is the
highest label that may enter the model, "" while the security officer has not said: then no request may use it, whatever
was proposed. A record becomes a card in `wiring`, which alone knows engines.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec

from casemate.access import Region
from casemate.errors import BadInput
from casemate.labels import Label
from casemate.models.card import State
from casemate.objects import Kind
from casemate.words import say

__all__ = [
    "ENGINES", "FILES", "GIGABYTES", "MODEL", "NAME", "Described", "EngineSpec", "Evidence", "FileDigest",
    "ModelRecord", "address", "checked", "folder_of", "inside", "key_file_of", "ownership", "proposed",
]  # fmt: skip

ENGINES = ("openai", "anthropic", "bedrock", "llama", "onnx", "service")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_REGION = re.compile(r"[a-z0-9-]{0,40}")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,2047}")
_TASKS = frozenset({"chat", "embeddings"})
_TAKES = frozenset({"images", "tools", "shape"})
_TEXT = 200
MANY = 64
FILES = 2000  # of an imported model, and
GIGABYTES = 4096  # how large it may be
LONGEST_CONTEXT = 1 << 30
HIGHEST_PRICE = 10**12


class EngineSpec(msgspec.Struct, frozen=True):
    """How a model is reached. `url`: the server's base; `model`: what it calls the model; `key`: the name of a key that
    was kept at the same label; `region`: of AWS. `kind` "" is a model that lies here and nobody serves yet; onnx is
    one whose imported files are run here; service one that a service of the region answers, whose job is `job`."""

    kind: Literal["", "openai", "anthropic", "bedrock", "llama", "onnx", "service"] = ""
    url: str = ""
    model: str = ""
    key: str = ""
    region: str = ""
    job: str = ""


class FileDigest(msgspec.Struct, frozen=True):
    """One file of an imported model: path inside its folder, size in bytes, digests in hexadecimal."""

    path: str
    size: int
    sha256: str
    sha384: str


class Evidence(msgspec.Struct, frozen=True):
    """The last time that somebody looked: `at` in microseconds; `outcome` is answered, whole, failed or changed."""

    at: int
    outcome: Literal["answered", "whole", "failed", "changed"]
    detail: str = ""
    by: str = ""


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever registers a model says of it: `price` in micro-units of money for a million tokens, `context` in
    tokens."""

    vendor: str = "unknown"
    licence: str = ""
    languages: tuple[str, ...] = ()
    context: int = 0
    tasks: tuple[str, ...] = ("chat",)
    takes: tuple[str, ...] = ("tools", "shape")
    price: int = 0
    state: State = "none"
    aliases: tuple[str, ...] = ()


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A model as it is kept. `proposed` and `accreditation` are canonical texts; `signed_by` is the SHA-256 of the key
    (SubjectPublicKeyInfo) under whose signature its files came, "" for none; `signer` is that key, in PEM."""

    name: str
    described: Described
    engine: EngineSpec = EngineSpec()
    proposed: str
    accreditation: str = ""
    accredited_by: str = ""
    formats: tuple[str, ...] = ()
    files: tuple[FileDigest, ...] = ()
    signed_by: str = ""
    signer: str = ""
    bom: bool = False
    retired: bool = False
    registered_by: str = ""
    at: int = 0
    evidence: Evidence | None = None


MODEL = Kind("model", ModelRecord, snapshot=True, withholds=True)


def checked(name: str, described: Described, engine: EngineSpec, language: str) -> None:
    """Raises BadInput for a model that cannot be registered: texts are bounded, and a URL is one that may be asked."""
    if not NAME.fullmatch(name) or ".." in name:
        raise BadInput(what=say("catalogue.name", language))
    texts = (described.vendor, described.licence, engine.model, *described.languages)
    if any(len(text) > _TEXT or not text.isprintable() for text in texts) or not described.vendor:
        raise BadInput(what=say("catalogue.text", language, most=_TEXT))
    if not all(_ALIAS.fullmatch(alias) for alias in described.aliases) or len(described.aliases) > MANY:
        raise BadInput(what=say("catalogue.alias", language, most=MANY))
    unknown = (set(described.tasks) - _TASKS) | (set(described.takes) - _TAKES)
    if unknown or not described.tasks or len(described.languages) > MANY:
        raise BadInput(what=say("catalogue.takes", language))
    if not (0 <= described.context <= LONGEST_CONTEXT and 0 <= described.price <= HIGHEST_PRICE):
        raise BadInput(what=say("catalogue.number", language))
    if engine.kind in ("openai", "anthropic", "bedrock"):
        if not engine.model:
            raise BadInput(what=say("catalogue.served", language))
        address(engine.url, language)
    if (engine.key and not _KEY.fullmatch(engine.key)) or not _REGION.fullmatch(engine.region):
        raise BadInput(what=say("catalogue.key", language))
    if engine.kind == "bedrock" and not engine.region:
        raise BadInput(what=say("catalogue.key", language))


def address(url: str, language: str) -> None:
    """Raises BadInput for a URL that no engine may ask.

    Away from this machine it is HTTPS. Never a link-local, unspecified or multicast address, nor a number that some
    resolver would read as an address: that is where machines keep what only they may read.
    """
    bad = BadInput(what=say("catalogue.url", language))
    if len(url) > 2000 or not url.isascii() or not url.isprintable() or " " in url:
        raise bad
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise bad from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise bad
    if parts.scheme == "http" and not inside(url):
        raise BadInput(what=say("catalogue.https", language))
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        if host.rpartition(".")[2].isdigit() or host.rpartition(".")[2].startswith("0x"):
            raise bad from None
        return
    mapped = getattr(found, "ipv4_mapped", None) or found
    if mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast or mapped.is_reserved:
        raise bad


def inside(url: str) -> bool:
    """Whether a URL names this machine's own loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proposed(region: Region, engine: EngineSpec) -> Label:
    """The accreditation that a model's place speaks for: the region's ceiling on this machine, else its floor."""
    return region.ceiling if not engine.url or inside(engine.url) else region.floor


def ownership(label: Label) -> str:
    """The name under which files of one label lie: two labels never meet in one folder."""
    return hashlib.sha384(label.text.encode()).hexdigest()[:24]


def key_file_of(label: Label, name: str) -> str:
    """The file in keys/ that holds the key of that name, kept at that label."""
    return f"model-{ownership(label)}-{name}.key"


def folder_of(label: Label, name: str) -> str:
    """Where an imported model's files lie, below models/."""
    return f"{ownership(label)}/{quote(name, safe='')}"
