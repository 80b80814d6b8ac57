"""What a region's casemate.toml may say. Unknown keys are errors; every setting has a default but the name.

Pure: it reads text, `wiring` reads the file. A secret never stands here: `key_file` names a file in keys/.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Literal

import msgspec

from casemate.errors import Misconfigured
from casemate.settings.backup import BackupSettings, backed_up
from casemate.settings.blobs import BlobSettings, lying
from casemate.settings.datasets import DatasetSettings, RootSettings, rooted
from casemate.settings.jobs import JobDomain, JobEngine, JobSettings, running
from casemate.settings.keys import KeySettings
from casemate.settings.missions import MissionSettings, SinkSettings, notified
from casemate.settings.places import PlaceSettings, placed
from casemate.settings.records import RecordSettings, recording
from casemate.settings.store import StoreSettings, storing
from casemate.settings.transfer import TransferSettings, carrying

__all__ = [
    "AttributeAuthority",
    "BackupSettings",
    "BlobSettings",
    "CedarSettings",
    "Console",
    "DatasetSettings",
    "InspectSettings",
    "JobDomain",
    "JobEngine",
    "JobSettings",
    "KeySettings",
    "Knowledge",
    "Listen",
    "MissionSettings",
    "Oidc",
    "PersonalRules",
    "PlaceSettings",
    "RecordSettings",
    "RegionSettings",
    "RootSettings",
    "Routing",
    "SecretRules",
    "Settings",
    "SinkSettings",
    "SnapshotSettings",
    "StoreSettings",
    "TelemetrySettings",
    "TransferSettings",
    "Upstream",
    "parse",
    "template",
]

LONGEST = 366 * 86_400
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
DEFAULT_CONSENT_EN = (
    "This region records every question, answer and refusal. Use it only for what you are authorised to do."
)
DEFAULT_CONSENT_FR = (
    "Cette région enregistre chaque question, réponse et refus. N'en usez que pour ce qui vous est permis."
)


class RegionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`policies` in their order; `floor` and `ceiling` as markings ("" = bottom and top of the policies)."""

    name: str = "casemate"
    agency: str = "LOCAL"
    policies: tuple[str, ...] = ("house",)
    floor: str = ""
    ceiling: str = ""
    retention_days: int = 30


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the region listens, and `processes`: all in one process, or split by role. Loopback unless you say so.

    `data`: how many processes serve the wires where they are split by role. `tls`: HTTPS, with `certificate` and
    `certificate_key` (PEM), else with those of `casemate tls init`. `client_ca`: the authorities of clients'
    certificates, and `client_crl` what they have revoked (PEM). Paths start in the region's folder.
    """

    host: str = "127.0.0.1"
    port: int = 8480
    processes: Literal["all", "split"] = "all"
    data: int = 1
    tls: bool = False
    tls_minimum: Literal["1.2", "1.3"] = "1.2"
    certificate: str = ""
    certificate_key: str = ""
    client_ca: str = ""
    client_crl: str = ""


class Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`embedder`: minilm where its model is installed, else full text alone; none; hashing for tests. `memory_mb`: how
    much of the shards a process holds opened, for each label domain.

    `prove_at`: the time of day (UTC, "03:00") at which every access class is proved with the questions of the file
    `prove_questions`; "" never. Paths start in the region's folder. `places`: from where sources may bring documents.
    """

    embedder: Literal["minilm", "none", "hashing"] = "minilm"
    memory_mb: int = 4096
    prove_at: str = ""
    prove_questions: str = ""
    places: dict[str, PlaceSettings] = {}

    @property
    def prove_minutes(self) -> int | None:
        """Minutes after midnight, or None."""
        return int(self.prove_at[:2]) * 60 + int(self.prove_at[3:]) if self.prove_at else None


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of the consent page, in English and French."""

    consent_en: str = DEFAULT_CONSENT_EN
    consent_fr: str = DEFAULT_CONSENT_FR


class SnapshotSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What control tells data processes: how often, how long it counts above the floor, and how long at all."""

    rate_seconds: float = 1.0
    not_after_hours: float = 24.0
    ends_hours: float = 168.0


class Oidc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sign-in provider. `jwks`: a file with its keys, or an https URL that control reads every `refresh_seconds`.

    Keys from a URL that could not be read again for `keep_hours` are believed no longer. `ca_file`: who signs that
    URL's certificate, where the machine does not know it. The token's `claim` names the subject; nothing else counts.
    """

    issuer: str
    audience: str
    jwks: str
    algorithms: tuple[Literal["RS256", "PS256", "ES256", "ES384", "EdDSA"], ...] = ("RS256", "ES256")
    claim: str = "sub"
    skew_seconds: int = 60
    refresh_seconds: int = 600
    keep_hours: int = 168
    ca_file: str = ""


class AttributeAuthority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose signed files say what people outside may see: a public `key`, and the most that it may say of anybody."""

    key: str
    ceiling: str
    roles: tuple[Literal["user", "auditor", "operator"], ...] = ("user",)


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model server: two lines, `url` and `model`; or, of `kind` llama, a `program` that is run here on `weights`; or,
    of `kind` onnx, the `path` of a model's folder, beneath the region's own where it is not absolute.

    `accreditation` is the highest label that may reach it: "" means the region's ceiling where it is on this machine,
    and the region's floor anywhere else. `answers`: names by which it may call the model in its answers besides
    `model`. `region`: what signatures for Bedrock name. `ca_file`: who signs its certificate (PEM), beside the key
    files. The rest is told by the model's card: what it takes besides words, other names for it, its window in tokens,
    micro-units of money for a million tokens, what it keeps between requests, and which request fields may reach it.
    """

    url: str = ""
    model: str = ""
    accreditation: str = ""
    vendor: str = "upstream"
    key_file: str = ""
    kind: Literal["openai", "anthropic", "bedrock", "llama", "onnx"] = "openai"
    ca_file: str = ""
    region: str = ""
    answers: tuple[str, ...] = ()
    takes: tuple[Literal["images", "tools", "shape"], ...] = ("tools", "shape")
    tasks: tuple[Literal["chat", "embeddings"], ...] = ("chat",)
    aliases: tuple[str, ...] = ()
    context: int = 0
    price: int = 0
    state: Literal["", "none", "salted", "shared"] = ""
    allows: tuple[str, ...] = ()
    program: str = ""
    weights: str = ""
    path: str = ""


class Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which models are asked first among those that a request may use. `denied`: vendors that are never asked."""

    denied: tuple[str, ...] = ()
    inside_first: bool = True


class TelemetrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where spans go: `traces` is the base URL of an OTLP/HTTP collector, "" for none.

    `accreditation`: the highest label, as a marking, that may be known there. It has no default.
    """

    traces: str = ""
    accreditation: str = ""


class SecretRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done with secrets in a request: refuse, mask, note or off; on its way out of the region, or not."""

    outside: Literal["refuse", "mask", "note", "off"] = "refuse"
    inside: Literal["refuse", "mask", "note", "off"] = "note"


class PersonalRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same for personal data. Nobody looks for them unless told to."""

    outside: Literal["refuse", "mask", "note", "off"] = "off"
    inside: Literal["refuse", "mask", "note", "off"] = "off"


class InspectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`also`: inspectors beside the house's own, each of which must be installed. `seconds` bounds one look.

    `presidio_model`: an installed spaCy package by which names of people are told; "" for patterns alone.
    """

    secrets: SecretRules = SecretRules()
    personal: PersonalRules = PersonalRules()
    also: tuple[Literal["detect-secrets", "presidio"], ...] = ()
    presidio_model: str = ""
    seconds: float = 5.0


class CedarSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`folder`: where Cedar policies (*.cedar) stand that may refuse what the rules permit, in the region's folder."""

    folder: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of casemate.toml."""

    region: RegionSettings = RegionSettings()
    listen: Listen = Listen()
    store: StoreSettings = StoreSettings()
    records: RecordSettings = RecordSettings()
    blobs: BlobSettings = BlobSettings()
    keys: KeySettings = KeySettings()
    backup: BackupSettings = BackupSettings()
    datasets: DatasetSettings = DatasetSettings()
    jobs: JobSettings = JobSettings()
    missions: MissionSettings = MissionSettings()
    transfer: TransferSettings = TransferSettings()
    knowledge: Knowledge = Knowledge()
    console: Console = Console()
    snapshot: SnapshotSettings = SnapshotSettings()
    routing: Routing = Routing()
    inspect: InspectSettings = InspectSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    cedar: CedarSettings = CedarSettings()
    prices: dict[str, Any] = {}
    upstreams: dict[str, Upstream] = {}
    oidc: dict[str, Oidc] = {}
    attributes: dict[str, AttributeAuthority] = {}


def parse(text: str) -> Settings:
    """The settings in a casemate.toml. Raises Misconfigured, naming the setting."""
    try:
        raw: dict[str, Any] = tomllib.loads(text)
        found = msgspec.convert(raw, Settings)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(setting="casemate.toml", why=str(error)) from None
    except msgspec.ValidationError as error:
        raise Misconfigured(setting="casemate.toml", why=str(error)) from None
    if not 0 <= found.listen.port <= 65534:
        raise Misconfigured(setting="listen.port", why="a port is 0 to 65534")
    if not 1 <= found.listen.data <= 64:
        raise Misconfigured(setting="listen.data", why="1 to 64 processes serve the wires")
    if not found.region.policies:
        raise Misconfigured(setting="region.policies", why="a region lists at least one policy")
    if not 0.1 <= found.inspect.seconds <= 60:
        raise Misconfigured(setting="inspect.seconds", why="it is 0.1 to 60 seconds")
    if found.knowledge.memory_mb < 16:
        raise Misconfigured(setting="knowledge.memory_mb", why="it is at least 16")
    _proved(found.knowledge)
    placed(found.knowledge.places)
    storing(found.store)
    recording(found.records)
    lying(found.blobs)
    backed_up(found.backup)
    rooted(found.datasets)
    running(found.jobs)
    notified(found.missions)
    carrying(found.transfer)
    _signing_in(found)
    for name, upstream in found.upstreams.items():
        _reached(name, upstream)
    if bool(found.telemetry.traces) is not bool(found.telemetry.accreditation):
        raise Misconfigured(
            setting="telemetry.accreditation", why="a collector and its accreditation are given together"
        )
    told = found.snapshot
    if not 0.05 <= told.rate_seconds <= 60:
        raise Misconfigured(setting="snapshot.rate_seconds", why="a rate is 0.05 to 60 seconds")
    if not told.rate_seconds * 60 <= told.not_after_hours * 3600 <= told.ends_hours * 3600 <= LONGEST:
        why = "it is at least 60 rates, at most snapshot.ends_hours, and that is at most a year"
        raise Misconfigured(setting="snapshot.not_after_hours", why=why)
    return found


def _proved(knowledge: Knowledge) -> None:
    """Raises Misconfigured where the nightly proof lacks its hour or its questions."""
    if knowledge.prove_at and not _HOUR.fullmatch(knowledge.prove_at):
        raise Misconfigured(setting="knowledge.prove_at", why="it is a time of day, 00:00 to 23:59")
    if bool(knowledge.prove_at) is not bool(knowledge.prove_questions):
        raise Misconfigured(setting="knowledge.prove_questions", why="it is given together with prove_at")


def _reached(name: str, upstream: Upstream) -> None:
    """Raises Misconfigured where nothing says how a model is reached."""
    setting = f"upstreams.{name}"
    if not upstream.model:
        raise Misconfigured(setting=f"{setting}.model", why="it names the model that is asked for")
    if upstream.kind == "llama":
        if not upstream.program or not upstream.weights or upstream.url:
            raise Misconfigured(setting=setting, why="kind llama has program and weights, and no url")
    elif upstream.kind == "onnx":
        if not upstream.path or upstream.url or upstream.program or upstream.weights:
            raise Misconfigured(setting=setting, why="kind onnx has a path, and no url")
    elif not upstream.url or upstream.program or upstream.weights:
        raise Misconfigured(setting=setting, why="it has a url; only kind llama has program and weights")
    if upstream.kind == "bedrock" and not upstream.region:
        raise Misconfigured(setting=f"{setting}.region", why="kind bedrock signs for a region")
    if "embeddings" in upstream.tasks and upstream.kind != "openai":
        raise Misconfigured(setting=f"{setting}.tasks", why="only kind openai gives embeddings")
    if upstream.context < 0 or upstream.price < 0:
        raise Misconfigured(setting=setting, why="context and price are not below zero")


def _signing_in(found: Settings) -> None:
    """Raises Misconfigured where what is said of signing in contradicts itself."""
    listen = found.listen
    if bool(listen.certificate) is not bool(listen.certificate_key):
        raise Misconfigured(setting="listen.certificate", why="a certificate and its key are given together")
    if (listen.certificate or listen.client_ca) and not listen.tls:
        raise Misconfigured(setting="listen.tls", why="certificates need tls = true")
    if listen.client_crl and not listen.client_ca:
        raise Misconfigured(setting="listen.client_crl", why="a revocation list needs listen.client_ca")
    issuers = [each.issuer for each in found.oidc.values()]
    if len(issuers) != len(set(issuers)):
        raise Misconfigured(setting="oidc", why="two providers of one issuer")
    for name, provider in found.oidc.items():
        if not (provider.issuer and provider.audience and provider.jwks and provider.claim and provider.algorithms):
            raise Misconfigured(
                setting=f"oidc.{name}", why="issuer, audience, jwks, claim and algorithms are not empty"
            )
        if not (
            0 <= provider.skew_seconds <= 300 and 10 <= provider.refresh_seconds <= 86_400 and provider.keep_hours > 0
        ):
            why = "skew_seconds is 0 to 300, refresh_seconds 10 to 86400, keep_hours above 0"
            raise Misconfigured(setting=f"oidc.{name}", why=why)
        if not _NAME.fullmatch(name):
            raise Misconfigured(setting=f"oidc.{name}", why="a name has letters, digits and hyphens")
    for name in found.attributes:
        if not _NAME.fullmatch(name) or name == "service":
            raise Misconfigured(setting=f"attributes.{name}", why="a name has letters, digits and hyphens")


def template(name: str, agency: str, policies: tuple[str, ...], port: int) -> str:
    """The casemate.toml that `casemate init` writes."""
    listed = ", ".join(f'"{p}"' for p in policies)
    return (
        "# A region of Casemate. docs/operations.md lists every setting.\n"
        f'[region]\nname = "{name}"\nagency = "{agency}"\npolicies = [{listed}]\n\n'
        f'[listen]\nhost = "127.0.0.1"\nport = {port}\n\n'
        "# A model server of your own (llama-server, Ollama, vLLM): two lines.\n"
        '# [upstreams.local]\n# url = "http://127.0.0.1:8080/v1"\n# model = "NAME"\n'
    )
