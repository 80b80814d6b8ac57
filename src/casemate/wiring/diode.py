"""The folder of one side of a diode link: its settings, its keys, and how the two folders are made together.

    link.toml            side, engine, where to, pace
    keys/link.key        32 bytes, shared by both sides, as hexadecimal digits
    keys/heartbeat.key   the low side's alone: it signs that it is alive
    keys/heartbeat.pub   the high side's half of it

Keys are files that nobody else may read; they stand in no option, no setting and no error.
"""

from __future__ import annotations

import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from casemate.crypto import KEY_SIZE, KeySigner, SigningProfile, generate, is_public_key
from casemate.engines.diode_outbox import Outbox
from casemate.engines.files_publish import publish
from casemate.engines.key_file import KeyFile
from casemate.errors import Absent, Misconfigured, Occupied
from casemate.transfer.diode import BANNER, OVERHEAD, SYMBOLS, Pace

__all__ = ["DiodeFolder", "DiodeSettings", "new_link"]

SEGMENTS, LONGEST = 64, 65_507
_SETTINGS = "link.toml"
_LOW = """\
# The low side of a diode link: what lies in out/ and out/urgent/ is sent.
side = "low"
engine = "{engine}"
address = "{address}"  # where the high side listens
drop = ""  # engine = "drop": the folder that the other diode empties
symbol = {symbol}  # bytes; 1400 fits an MTU of 1500, 8192 one of 9000
loss = {loss}  # the part of datagrams that the link may lose
cap_mbit = {cap}  # never faster, all headers counted
turns = 3  # so often each object is sent
banner = ""  # the marking that the link bears
"""
_HIGH = """\
# The high side of a diode link: what is whole and verified appears in arrived/.
side = "high"
engine = "{engine}"
address = "{address}"  # where we listen
drop = ""  # engine = "drop": the folder that the other diode fills
symbol = {symbol}  # as on the low side
buffer_mib = 64  # room in the socket; net.core.rmem_max bounds it
largest_gib = 2048  # an object that says it is larger is refused
"""


class DiodeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """link.toml."""

    side: Literal["low", "high"]
    engine: Literal["udp", "drop"] = "udp"
    address: str = ""
    drop: str = ""
    symbol: Annotated[int, msgspec.Meta(ge=SYMBOLS[0], le=SYMBOLS[1], multiple_of=8)] = 1400
    loss: Annotated[float, msgspec.Meta(ge=0, le=0.3)] = 0.02
    cap_mbit: Annotated[float, msgspec.Meta(gt=0, le=400_000)] = 100
    turns: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 3
    banner: Annotated[str, msgspec.Meta(max_length=BANNER)] = ""
    buffer_mib: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    largest_gib: Annotated[int, msgspec.Meta(ge=1, le=1 << 20)] = 2048
    offload: bool = True

    @property
    def pace(self) -> Pace:
        most = max(1, min(SEGMENTS, LONGEST // (self.symbol + OVERHEAD)))
        return Pace(self.symbol, self.loss, int(self.cap_mbit * 125_000), most, self.turns)


@dataclass(frozen=True, slots=True)
class DiodeFolder:
    """One side's folder."""

    path: Path

    def settings(self, side: Literal["low", "high", ""] = "") -> DiodeSettings:
        """What link.toml says. Raises Absent where there is none, Misconfigured."""
        try:
            text = (self.path / _SETTINGS).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise Absent(kind="diode link", id=str(self.path)) from None
        except (OSError, UnicodeDecodeError):
            raise Misconfigured(setting=_SETTINGS, why="the file cannot be read") from None
        try:
            found = msgspec.convert(tomllib.loads(text), DiodeSettings)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise Misconfigured(setting=_SETTINGS, why=str(error)) from None
        if side and found.side != side:
            raise Misconfigured(setting="side", why=f"this folder is the {found.side} side of its link")
        return found

    def link(self) -> bytes:
        """The key that both sides share. Raises Misconfigured."""
        key = self._key("link.key")
        if len(key) != KEY_SIZE:
            raise Misconfigured(setting="keys/link.key", why="it is not 32 bytes in hexadecimal digits")
        return key

    def signer(self) -> KeySigner:
        """The low side's. Raises Misconfigured, Damaged."""
        return KeySigner(self._key("heartbeat.key"))

    def public(self) -> bytes:
        """The high side's half. Raises Misconfigured."""
        public = self._key("heartbeat.pub", secret=False)
        if not is_public_key(public):
            raise Misconfigured(setting="keys/heartbeat.pub", why="it is no public key")
        return public

    def _key(self, name: str, secret: bool = True) -> bytes:
        setting, path = f"keys/{name}", self.path / "keys" / name
        line = KeyFile(path, setting).line()
        if secret and path.stat().st_mode & 0o077:
            raise Misconfigured(setting=setting, why="others may read the file; it is to be its owner's alone (0600)")
        try:
            return bytes.fromhex(line)
        except ValueError:
            raise Misconfigured(setting=setting, why="it is not in hexadecimal digits") from None


def new_link(
    low: Path,
    high: Path,
    address: str,
    *,
    engine: str = "udp",
    symbol: int = 1400,
    loss: float = 0.02,
    cap: float = 100,
    profile: SigningProfile = "hybrid",
) -> None:
    """Make both folders with their keys; the high one is then carried to its side. Raises Occupied."""
    for folder in (low, high):
        if folder.exists() and any(folder.iterdir()):
            raise Occupied(what=str(folder))
    private, link = generate(profile), secrets.token_bytes(KEY_SIZE)
    said = {"engine": engine, "address": address, "symbol": symbol, "loss": loss, "cap": cap}
    for folder, text, keys in (
        (low, _LOW, {"link.key": link, "heartbeat.key": private}),
        (high, _HIGH, {"link.key": link, "heartbeat.pub": KeySigner(private).public}),
    ):
        (folder / "keys").mkdir(parents=True, mode=0o700)
        folder.chmod(0o700)
        publish(folder / _SETTINGS, [text.format(**said).encode()])
        for name, key in keys.items():
            publish(folder / "keys" / name, [key.hex().encode() + b"\n"])
    Outbox(low)
