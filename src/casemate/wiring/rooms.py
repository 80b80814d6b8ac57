"""The rooms of the answer and control sides, furnished: knowledge, assistants, the native API and the console."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

from casemate import assistants, knowledge
from casemate.access import ReleaseDoor
from casemate.assistants import Assistant, Nightly, Prover
from casemate.clock import SECOND, Loop
from casemate.custody.backups import Backups
from casemate.custody.scrub import Scrub
from casemate.custody.spill import Spill
from casemate.doors import bedrock, console, native, openai
from casemate.doors.frame import App, Table
from casemate.errors import BadInput, Misconfigured
from casemate.jobs.work import Works
from casemate.knowledge import Embedders, Library, NearShelf
from casemate.knowledge.base_work import BaseWork
from casemate.labels import Policies
from casemate.missions.host import RELEASABLE as FINDINGS
from casemate.missions.host import Answers
from casemate.models import Answerer
from casemate.models.batch_work import BatchWork
from casemate.models.batches import Batches
from casemate.models.shelf_work import FilesWork
from casemate.transfer.dispatch import RELEASABLE as DISPATCHES
from casemate.transfer.dispatch import OutwardGuard
from casemate.wiring.accounting import account, metered
from casemate.wiring.checks import checks
from casemate.wiring.connecting import connectors_of
from casemate.wiring.custody import kinds
from casemate.wiring.data_in_place import datasets_of
from casemate.wiring.embedding import CatalogueModels, embedder_of, offer
from casemate.wiring.house import House, Role, hang, wires
from casemate.wiring.jobs import jobs_of
from casemate.wiring.listening import listening
from casemate.wiring.missions import watching
from casemate.wiring.naming import NAMING
from casemate.wiring.proofs import questions_of
from casemate.wiring.relay import AnswerServer, Relay
from casemate.wiring.shelf import performing
from casemate.wiring.tending import tend
from casemate.wiring.transfer import transfer_of
from casemate.wiring.twin import Twin

__all__ = ["furnish"]

_POLICIES = re.compile(r"\s*policies\s*=")


async def furnish(house: House, role: Role) -> None:
    """Everything but the wires of a data process."""
    embedder = embedder_of(house)
    offer(house, embedder)
    library = Library(Embedders(embedder, models=CatalogueModels(house)), house.settings.knowledge.memory_mb << 20)
    assistant = Assistant(library, house.catalogue, house.gateway)
    house.shelf = NearShelf(library)
    await account(house, role)
    house.answerer = metered(house, Relay(house.folder.answer_socket) if role == "control" else assistant)
    if role == "answer":
        socket = house.folder.answer_socket
        server = AnswerServer(socket, house.gate, assistant, performing(house.shelf))  # whoever relays has counted it
        await server.start()
        house.closers.append(server.stop)
        _batches(house, house.answerer)
        return
    connectors = connectors_of(house)
    house.scrub = Scrub(NAMING, round(house.settings.blobs.grace_hours * 3600 * SECOND))
    tend(house, library.embedders, connectors)
    gateway, records = house.gateway, house.records
    assert gateway is not None
    assert records is not None  # `open_house` has given both
    prover = Prover(assistant, library, Twin(house.catalogue, library.embedders))
    house.loops += _nightly(house, prover)
    datasets = datasets_of(house)
    spill = Spill(house.gate, kinds(datasets.roots))
    house.loops += spill.loops()
    jobs = jobs_of(house, datasets)
    answers = Answers(house.gate, jobs, house.answerer, None if house.extractor else 0.5)
    house.closers.append(answers.stop)
    house.loops += answers.loops()
    watching(house, jobs, datasets)
    listening(house)
    rooms = native.Rooms(
        gate=house.gate,
        catalogue=house.catalogue,
        answerer=house.answerer,
        library=library,
        prover=prover,
        settings=house.settings,
        checks=lambda language, seen: checks(
            house.folder, house.settings, embedder.name if embedder else "", language, seen
        ),
        add_policy=lambda name: _add_policy(house, name),
        wires=house.folder.wires,
        gateway=gateway,
        registry=records,
        release=ReleaseDoor(
            house.gate, OutwardGuard(), (assistants.RELEASABLE, knowledge.RELEASABLE, FINDINGS, DISPATCHES)
        ),
        connectors=connectors,
        spill=spill,
        backups=_backups(house),
        datasets=datasets,
        buckets=house.buckets,
        jobs=jobs,
        works=Works((BatchWork(), FilesWork(house.shelf), BaseWork(library.embedders))),
        scrub=house.scrub,
        transfer=transfer_of(house, records, jobs.sites.environments.mirror),
    )
    planes = [console.PLANE, native.PLANE]
    house.app = App(house.gate, Table([*native.routes(rooms), *console.routes(rooms)]), planes)
    if role == "all":
        _batches(house, house.answerer)
        hang(house, wires(house, house.answerer, jobs))


def _backups(house: House) -> Backups:
    """What makes backups, where the settings name a folder for them."""
    told = house.settings.backup
    hour, _, minute = told.drill_at.partition(":")
    backups = Backups(house.gate, house.backing, told.minutes, int(hour) * 60 + int(minute) if told.drill_at else None)
    house.loops += backups.loops()
    return backups


def _nightly(house: House, prover: Prover) -> list[Loop]:
    """The proof of every night, where the settings name an hour."""
    knowledge = house.settings.knowledge
    if knowledge.prove_minutes is None:
        return []
    file = house.folder.path / knowledge.prove_questions
    return Nightly(house.gate, prover, knowledge.prove_minutes, lambda: questions_of(file)).loops()


def _batches(house: House, answerer: Answerer) -> None:
    """What answers batches runs where assistants are."""
    lines = openai.Lines(house.gate, house.catalogue, answerer, house.shelf)
    jobs = bedrock.wire(house.gate, house.catalogue, answerer)
    batches = Batches(house.gate, lines, jobs, patience=None if house.extractor else 0.5)
    house.closers.append(batches.stop)
    house.loops += batches.loops()


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
