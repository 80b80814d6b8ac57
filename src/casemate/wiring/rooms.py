"""The rooms of the answer and control sides, furnished: knowledge, assistants, the native API and the console."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

from casemate.assistants import Assistant, Prover
from casemate.doors import console, native
from casemate.doors.frame import App, Table
from casemate.engines.extractor import CellExtractor
from casemate.engines.hashing import HashingEmbedder
from casemate.engines.minilm import MiniLMEmbedder
from casemate.engines.sandbox import Sandbox
from casemate.errors import BadInput, Misconfigured
from casemate.knowledge import Embedder, Ingest, Library
from casemate.labels import Policies
from casemate.wiring.checks import checks
from casemate.wiring.house import House, Role, hang, wires
from casemate.wiring.relay import AnswerServer, Relay
from casemate.wiring.twin import Twin

__all__ = ["furnish"]

_POLICIES = re.compile(r"\s*policies\s*=")


async def furnish(house: House, role: Role) -> None:
    """Everything but the wires of a data process."""
    embedder = _embedder(house)
    library = Library(embedder)
    assistant = Assistant(library, house.catalogue)
    house.answerer = Relay(house.folder.answer_socket) if role == "control" else assistant
    if role == "answer":
        server = AnswerServer(house.folder.answer_socket, house.gate, assistant)
        await server.start()
        house.closers.append(server.stop)
        return
    extractor = house.extractor
    if extractor is None:
        extractor = cell = CellExtractor(sandbox_of(house))
        house.closers.append(cell.close)
    ingest = Ingest(house.gate, extractor, embedder, patience=None if house.extractor else 0.5)
    house.closers.append(ingest.stop)
    house.loops += ingest.loops()
    rooms = native.Rooms(
        gate=house.gate,
        catalogue=house.catalogue,
        answerer=house.answerer,
        library=library,
        prover=Prover(assistant, library, Twin(house.catalogue, embedder)),
        settings=house.settings,
        checks=lambda language: checks(house.folder, house.settings, embedder.name if embedder else "", language),
        add_policy=lambda name: _add_policy(house, name),
        wires=house.folder.wires,
    )
    planes = [console.PLANE, native.PLANE]
    house.app = App(house.gate, Table([*native.routes(rooms), *console.routes(rooms)]), planes)
    if role == "all":
        hang(house, wires(house, house.answerer))


def _embedder(house: House) -> Embedder | None:
    """The embedder that the settings name; None where it is not installed: then full text alone works."""
    chosen = house.settings.knowledge.embedder
    if chosen == "hashing":
        return HashingEmbedder()
    if chosen == "none":
        return None
    try:
        engine = MiniLMEmbedder(sandbox_of(house))
    except Misconfigured:
        return None
    house.closers.append(engine.close)
    return engine


def sandbox_of(house: House) -> Sandbox:
    """Where children of this region live: none of them reaches anything in its folder."""
    folder = house.folder
    home = folder.run / "empty"
    return Sandbox(home, (folder.data, folder.keys, folder.run))


def _add_policy(house: House, name: str) -> Callable[[], None]:
    """What writes another policy into casemate.toml, to be read at the next start. Raises BadInput where none can."""
    listed = house.settings.region.policies
    try:
        Policies.load((*listed, name))
    except Misconfigured as error:
        raise BadInput(what=f"There is no policy {name[:40]!r}.") from error
    file = house.folder.settings_file
    text = file.read_text(encoding="utf-8")
    written = tomllib.loads(text)
    now = tuple(written["region"].get("policies", listed))
    wanted = now if name in now else (*now, name)
    quoted = ", ".join(f'"{p}"' for p in wanted)
    lines = [f"policies = [{quoted}]" if _POLICIES.match(line) else line for line in text.splitlines()]
    changed = "\n".join(lines) + "\n"
    written["region"]["policies"] = list(wanted)
    if not _reads(changed, written):
        raise BadInput(what=f"casemate.toml does not list its policies on one line; add {name!r} to them by hand.")

    def write() -> None:
        draft = file.with_name(f".{file.name}.new")
        draft.write_text(changed, encoding="utf-8")
        draft.replace(file)

    return write


def _reads(text: str, wanted: dict[str, Any]) -> bool:
    """Whether the changed settings say what they should and nothing else."""
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False
