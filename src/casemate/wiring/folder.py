"""A region's folder: what a thief or a backup gets (`data/`), what opens it (`keys/`), what runs (`run/`, `door/`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from casemate.errors import Misconfigured, NotRunning
from casemate.settings import Settings, parse

__all__ = ["Folder"]

SETTINGS = "casemate.toml"


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths inside a region's folder."""

    path: Path

    @staticmethod
    def default() -> Path:
        """Where a region lies unless somebody says otherwise."""
        return Path("casemate")

    @property
    def settings_file(self) -> Path:
        return self.path / SETTINGS

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def records(self) -> Path:
        return self.data / "records.db"

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"

    @property
    def snapshot(self) -> Path:
        """What control tells data processes; the one before it lies beside."""
        return self.data / "snapshot"

    @property
    def segments(self) -> Path:
        """What each process has recorded and nobody has folded into the ledger yet."""
        return self.data / "segments"

    @property
    def ledger(self) -> Path:
        """The files of each log's tree."""
        return self.data / "ledger"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def tls(self) -> Path:
        """The local certificate authority and the server's certificate, with their keys."""
        return self.keys / "tls"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def door(self) -> Path:
        """The one part that other users of the machine may pass through, to knock at control's socket."""
        return self.path / "door"

    @property
    def control_socket(self) -> Path:
        return self.door / "control.sock"

    @property
    def writer_socket(self) -> Path:
        return self.run / "writer.sock"

    @property
    def answer_socket(self) -> Path:
        return self.run / "answer.sock"

    @property
    def addresses(self) -> Path:
        """Where it answers while it runs; any user of the machine may read it."""
        return self.door / "addresses.json"

    def wires(self) -> str:
        """The address of the wires: as they run now, else as the settings say."""
        try:
            return str(json.loads(self.addresses.read_bytes())["wires"])
        except (OSError, ValueError, KeyError):
            listen = self.settings().listen
            return f"http://{f'[{listen.host}]' if ':' in listen.host else listen.host}:{listen.port}"

    @property
    def exists(self) -> bool:
        return self.settings_file.exists()

    def settings(self) -> Settings:
        """The settings; raises NotRunning where this is no region, Misconfigured where they cannot be."""
        try:
            text = self.settings_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotRunning(folder=str(self.path)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(setting=SETTINGS, why=str(error)) from None
        return parse(text)
