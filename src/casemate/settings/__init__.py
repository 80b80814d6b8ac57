"""What a region's casemate.toml may say. Unknown keys are errors; every setting has a default but the name.

Pure: it reads text, `wiring` reads the file. A secret never stands here: `key_file` names a file in keys/.
"""

from __future__ import annotations

import tomllib
from typing import Any, Literal

import msgspec

from casemate.errors import Misconfigured

__all__ = ["Console", "Knowledge", "Listen", "RegionSettings", "Settings", "Upstream", "parse", "template"]

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
    """Where the region listens, and `processes`: all in one process, or split by role. Loopback unless you say so."""

    host: str = "127.0.0.1"
    port: int = 8480
    processes: Literal["all", "split"] = "all"


class Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`embedder`: minilm where its model is installed, else full text alone; none; hashing for tests."""

    embedder: Literal["minilm", "none", "hashing"] = "minilm"


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of the consent page, in English and French."""

    consent_en: str = DEFAULT_CONSENT_EN
    consent_fr: str = DEFAULT_CONSENT_FR


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An OpenAI-shaped server: two lines, `url` and `model`.

    `accreditation` is the highest label that may reach it: "" means the region's ceiling where the url is on this
    machine's loopback, and the region's floor anywhere else.
    """

    url: str
    model: str
    accreditation: str = ""
    vendor: str = "upstream"
    key_file: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of casemate.toml."""

    region: RegionSettings = RegionSettings()
    listen: Listen = Listen()
    knowledge: Knowledge = Knowledge()
    console: Console = Console()
    upstreams: dict[str, Upstream] = {}


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
    if not found.region.policies:
        raise Misconfigured(setting="region.policies", why="a region lists at least one policy")
    return found


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
