"""A region's folder: what a thief or a backup gets (`data/`), what opens it (`keys/`), what runs (`run/`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from casemate.errors import Misconfigured, NotRunning, Occupied
from casemate.settings import Settings, parse, template

__all__ = ["Folder"]

SETTINGS = "casemate.toml"


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths inside a region's folder."""

    path: Path

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
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def writer_socket(self) -> Path:
        return self.run / "writer.sock"

    @property
    def answer_socket(self) -> Path:
        return self.run / "answer.sock"

    @property
    def exists(self) -> bool:
        return self.settings_file.exists()

    def create(self, name: str, agency: str, policies: tuple[str, ...], port: int) -> None:
        """A new folder with its settings; raises Occupied where there is one already."""
        if self.exists:
            raise Occupied(what=str(self.path))
        for folder in (self.path, self.data, self.keys, self.run):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = template(name, agency, policies, port)
        parse(text)
        self.settings_file.write_text(text, encoding="utf-8")

    def settings(self) -> Settings:
        """The settings; raises NotRunning where this is no region, Misconfigured where they cannot be."""
        try:
            text = self.settings_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotRunning(folder=str(self.path)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(setting=SETTINGS, why=str(error)) from None
        return parse(text)
