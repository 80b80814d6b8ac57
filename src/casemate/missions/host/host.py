"""Missions of a region: installed, listed, and a filled form made into a job. Nothing of a mission is run here.

A description lies at the acting label of whoever installed it and is seen from there up; a run is a job at the acting
label of whoever asks, and a mission is a parent of its runs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from casemate.access import Flow
from casemate.errors import BadInput, Conflict, Damaged
from casemate.jobs import JOB, Beside, Input, Job, Jobs, Output, Resources, Spec
from casemate.missions.form import filled
from casemate.missions.host.members import ORDER
from casemate.missions.host.mission import (
    MISSION,
    CallRequest,
    Code,
    Described,
    InstallRequest,
    Mission,
    NeedAt,
    RunRequest,
)
from casemate.missions.host.tool import asked_by
from casemate.objects import Delete, Found, Put, Where

__all__ = ["SCHEME", "TAG", "Missions", "age", "code_of"]

SCHEME = "mission:"
TAG = "mission"
CALLED = "called"
"""The tag of a run that a model asked for."""
FILES, BYTES = 400, 8 << 20
SAID, ABOUT = 1 << 20, 4000
"""Bytes of a description, and characters of what every list of missions shows of it."""
INPUTS = 99
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,39}")
_ROLE = re.compile(r"(?!program$|answers$|sweep$)[a-z][a-z0-9_-]{0,39}")
_PLACE = re.compile(r"(?!casemate(/|$))([A-Za-z0-9_][A-Za-z0-9._-]{0,79}/){0,6}[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
_ENTRY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,127}:[A-Za-z_][A-Za-z0-9_]{0,79}")
# face and code are among what the job reads; the libraries are those of its environment
_BEGIN = (
    "import os,runpy,sys;p=os.environ['CASEMATE_IN']+'/program/';sys.path[:0]=[p+'face',p+'code'];"
    "runpy.run_module('casemate.missions',run_name='__main__',alter_sys=True)"
)


@dataclass(slots=True)
class Missions:
    """What doors speak to."""

    jobs: Jobs

    async def install(self, flow: Flow, asked: InstallRequest) -> Found[Mission]:
        """A mission at the acting label; the same again is what is there. Raises BadInput, Absent, Conflict."""
        _checked(asked)
        environment = ""
        if asked.environment:
            environment = (await self.jobs.sites.environments.look(flow, asked.environment)).text
        digest, id = _digest(asked, environment), f"{asked.described.name}@{asked.described.version}"
        for found in await flow.read_each(MISSION, id):
            if found.value.digest == digest:
                flow.use(found.ref)
                return found
            raise Conflict(what=f"Mission {id}")
        files = []
        for name, data in sorted(asked.files.items()):
            pieces = (await flow.pour(data),) if data else ()
            files.append(Code(name, len(data), hashlib.sha384(data).hexdigest(), pieces))
        who, now = flow.session.principal.name, flow.gate.vault.clock.now()
        name = asked.described.name
        value = Mission(name, asked.described, asked.entry, environment, tuple(files), digest, who, now)
        await flow.commit(Put(MISSION, id, value, expect=0), facts={"mission": id})
        return await self.named(flow, id)

    async def every(self, flow: Flow) -> list[Found[Mission]]:
        """The visible ones, by name, the newest version of each first."""
        found = await flow.every(MISSION)
        return sorted(found, key=lambda one: (one.value.name, -one.value.at, one.id, one.label.text))

    async def named(self, flow: Flow, name: str) -> Found[Mission]:
        """The newest visible one of that name, or the one of NAME@VERSION or of that digest. Raises Absent."""
        name = name[:128]
        by = "digest" if re.fullmatch(r"[0-9a-f]{96}", name) else "name"
        found = await flow.every(MISSION, Where(((by, name),))) if "@" not in name else []
        found = found or list(await flow.read_each(MISSION, name))
        if not found:
            await flow.absent(MISSION, name)
        top = max(found, key=age)
        flow.use(top.ref)
        return top

    async def remove(self, flow: Flow, name: str) -> str:
        """Forget the one that lies at the acting label; what waits for it fails. Raises Absent."""
        found = await self.named(flow, name)
        if found.ref.class_id != flow.access.id:
            await flow.absent(MISSION, name[:128])
        await flow.commit(Delete(MISSION, found.id, found.version), facts={"mission": found.id})
        return found.id

    async def estimate(self, flow: Flow, name: str, asked: RunRequest) -> tuple[Found[Mission], Spec, NeedAt]:
        """What a run would be, and what it would take. Nothing is kept. Raises Absent, BadInput."""
        found = await self.named(flow, name)
        told = found.value.described
        values = filled(msgspec.to_builtins(told.parameters), asked.parameters)
        inputs, sizes = [Input("program", f"{SCHEME}{found.value.digest}")], dict[str, int]()
        known = {role.name: role for role in told.roles}
        if sum(map(len, asked.inputs.values())) > INPUTS:
            raise BadInput(what=f"A run has at most {INPUTS} inputs.")
        for name_of in asked.inputs:
            if name_of not in known:
                raise BadInput(what=f"{name_of[:80]} is no role of this mission.")
        for role in told.roles:
            given = asked.inputs.get(role.name, ())
            if (role.required and not given) or (len(given) > 1 and not role.many):
                raise BadInput(what=f"The role {role.name} takes {'at least ' if role.many else ''}one input.")
            for at, source in enumerate(given):
                if not source.startswith(("dataset:", "object:", "job:")):
                    raise BadInput(what="A source is dataset:NAME, object:BUCKET/KEY or job:ID/OUTPUT.")
                inputs.append(Input(role.name if not at else f"{role.name}.{at + 1}", source))
                size = (await self.jobs.inputs.look(flow, inputs[-1])).size
                sizes[role.name] = sizes.get(role.name, 0) + size
        need = _need(told, max(sizes.values(), default=0))
        room = Resources(
            cpus=asked.cpus or need.cpus,
            memory_mb=asked.memory_mb or need.memory_mb,
            wall_s=asked.wall_s or need.wall_s,
            disk_mb=need.disk_mb,
        )
        order = {
            "parameters": values,
            "seed": asked.seed,
            "language": flow.session.language,
            "model": asked.model,
            "given": {"memory_mb": room.memory_mb},
        }
        spec = Spec(
            ("python3", "-c", _BEGIN, "run", found.value.entry),
            name=f"{told.name} {told.version}",
            environment=found.value.environment,
            env={ORDER: msgspec.json.encode(order).decode()},
            inputs=tuple(inputs),
            outputs=(Output("out", ""),),
            resources=room,
            queue=asked.queue,
            engine=asked.engine,
            tags={TAG: found.id},
        )
        return found, spec, need

    async def run(self, flow: Flow, name: str, asked: RunRequest, beside: Beside | None = None) -> Found[Job]:
        """The job of a filled form, at the acting label. `beside`: what is changed in its commit.

        Raises as `estimate` and as `Jobs.submit`.
        """
        _, spec, _ = await self.estimate(flow, name, asked)
        return await self.jobs.submit(flow, spec, asked.key, beside)

    async def called(self, flow: Flow, name: str, asked: CallRequest) -> Found[Job]:
        """The run that a model's call asks for: its arguments choose parameters and inputs, and nothing else.

        Its tag says that a model asked. Raises as `run`.
        """
        found = await self.named(flow, name)
        form = asked_by(found.value.described, asked)
        _, spec, _ = await self.estimate(flow, found.value.digest, form)
        return await self.jobs.submit(flow, msgspec.structs.replace(spec, tags={**spec.tags, CALLED: "yes"}), form.key)

    async def again(self, flow: Flow, id: str) -> Found[Job]:
        """The same run once more: the same mission, parameters, seed, and inputs of the same digest.

        Raises Absent, also where the mission is gone; Conflict where an input has changed.
        """
        _, spec = await self.ran(flow, id)
        # a form gives no priority: what its queue has added is not added to it once more
        again = msgspec.structs.replace(spec, priority=0, tags={**spec.tags, "again": id[:128]})
        return await self.jobs.submit(flow, again)

    async def ran(self, flow: Flow, id: str) -> tuple[Found[Job], Spec]:
        """The visible run of that id, and what was asked for. Raises Absent, also for a job that is none."""
        found = await self.jobs.named(flow, id)
        spec = await self.jobs.spec_of(flow, found)
        if TAG not in spec.tags:
            await flow.absent(JOB, id[:128])
        return found, spec

    async def runs(self, flow: Flow, name: str, most: int = 100) -> list[Found[Job]]:
        """The visible runs of a mission, newest first."""
        found = await self.named(flow, name)
        ids = [ref.id for ref in await flow.children(found.ref) if ref.kind == JOB.name]
        every = [each for id in dict.fromkeys(ids) for each in await flow.read_each(JOB, id)]
        return sorted(every, key=lambda one: (-one.value.created, one.id))[:most]


async def code_of(flow: Flow, found: Found[Mission]) -> AsyncIterator[tuple[str, bytes]]:
    """Its files by place, compared with their digests. Raises Damaged."""
    for file in found.value.files:
        data = b"".join([await flow.blob(found.ref.class_id, piece) for piece in file.pieces])
        if hashlib.sha384(data).hexdigest() != file.digest:
            raise Damaged(what=f"mission {found.id}")
        yield file.name, data


def age(found: Found[Mission]) -> tuple[int, str, str]:
    """By what the newest version of a name is found."""
    return found.value.at, found.id, found.label.text


def _need(told: Described, size: int) -> NeedAt:
    """The row of the first size that is large enough; beyond the last one, the last."""
    mb = -(-size // (1 << 20))
    return next((one for one in told.needs if one.mb >= mb), told.needs[-1])


def _digest(asked: InstallRequest, environment: str) -> str:
    """SHA-384, hexadecimal, over description, entry, environment and each file."""
    whole = hashlib.sha384(b"casemate mission\0")
    for part in (msgspec.json.encode(asked.described), asked.entry.encode(), environment.encode()):
        whole.update(hashlib.sha384(part).digest())
    for name, data in sorted(asked.files.items()):
        whole.update(f"{name}\0{hashlib.sha384(data).hexdigest()}\n".encode())
    return whole.hexdigest()


def _checked(asked: InstallRequest) -> None:
    """Raises BadInput, naming what is wrong."""
    told = asked.described
    if not _NAME.fullmatch(told.name) or not _VERSION.fullmatch(told.version):
        raise BadInput(what="A mission's name has small letters, digits, '-' and '_'; its version none but plain ones.")
    if not all(words.get(language) for words in (told.titles, told.about) for language in ("en", "fr")):
        raise BadInput(what="A mission has titles and about in en and fr.")
    if not _ENTRY.fullmatch(asked.entry):
        raise BadInput(what="A mission's entry is MODULE:NAME.")
    _distinct("role", [role.name for role in told.roles])
    _distinct("parameter", [field.name for field in told.parameters])
    if any(not _ROLE.fullmatch(role.name) for role in told.roles):
        raise BadInput(what="A role's name has small letters, digits, '-' and '_', and is not program or answers.")
    if not told.needs or sorted(told.needs, key=lambda one: one.mb) != list(told.needs):
        raise BadInput(what="A mission says what it needs, by size.")
    if not asked.files or len(asked.files) > FILES or sum(map(len, asked.files.values())) > BYTES:
        raise BadInput(what=f"A mission's code has 1 to {FILES} files and at most {BYTES >> 20} MiB.")
    if any(not _PLACE.fullmatch(name) for name in asked.files):
        raise BadInput(what="A file of a mission has a plain path below its root, and none below casemate.")
    for field in told.parameters:
        if field.type not in ("integer", "number") and (field.low, field.high) != (None, None):
            raise BadInput(what=f"{field.name[:80]} is no number, and has no bounds.")
    if len(msgspec.json.encode(told)) > SAID or any(
        len(text) > ABOUT for text in (*told.titles.values(), *told.about.values())
    ):
        raise BadInput(what=f"A description has at most {SAID} bytes, a title and what it is about {ABOUT} characters.")
    filled(msgspec.to_builtins(told.parameters), {})


def _distinct(what: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise BadInput(what=f"Two {what}s have one name.")
