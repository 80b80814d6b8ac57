"""A model of the catalogue that a service of the region answers: deployed, and taken back.

    deploy -> a job of the kind service, at the acting label -> the model's record names it as its engine
           -> accredit, by the officer -> requests that act at that label

The service has the walls of every job and no network; nothing but the region's own gateway reaches it. It lies at one
label and answers that one alone, so that nobody below or beside meets its queue, its caches or its health. Who deploys
is a user of that label too: the job is his.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Literal

import msgspec
from msgspec.structs import replace

from casemate.access import Flow
from casemate.errors import BadInput, Conflict
from casemate.jobs import Input, Job, Jobs, Resources, Service, Spec
from casemate.models.record import MODEL, Described, EngineSpec, ModelRecord, checked
from casemate.models.registry import free, here
from casemate.objects import Found, Put
from casemate.policy import Action, Refuse, Target, decide
from casemate.words import say

__all__ = ["Deployment", "Program", "command_of", "deploy", "undeploy"]

Program = Literal["vllm", "sglang", "llama-server", "openai"]
PORT = 8000
WEIGHTS = "weights"
SUBMIT, CANCEL = Action("submit", "job"), Action("cancel", "job")
_HEALTH = {"vllm": "/health", "sglang": "/health", "llama-server": "/health", "openai": "/v1/models"}
_STATE: dict[str, Literal["salted", "shared"]] = {"vllm": "salted"}


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to answer for `model`. `engine`: whose command line is made; `openai` takes `command` as it stands.

    `command` stands behind what is made, or is all of it. `health`: the path that is asked, "" for the engine's own.
    `served`: what the program calls the model, "" for its name. `described`: of a model that the catalogue has not yet.
    """

    model: str
    engine: Program
    command: tuple[str, ...] = ()
    resources: Resources = Resources()
    replicas: int = 1
    port: int = PORT
    health: str = ""
    served: str = ""
    environment: str = ""
    env: dict[str, str] = {}
    job_engine: str = ""
    queue: str = "default"
    start_s: int = 1800
    drain_s: int = 60
    described: Described = Described()


async def deploy(
    flow: Flow, jobs: Jobs, asked: Deployment, taken: Container[str] = ()
) -> tuple[ModelRecord, Found[Job]]:
    """The record that names the service, and the service. One that is deployed already is changed: its replicas are
    replaced one by one.

    `taken`: names that the settings have given away. Raises Refused, BadInput, Conflict; Absent as `Jobs.submit`.
    """
    language = flow.session.language
    checked(asked.model, asked.described, EngineSpec(), language)
    decision = decide(flow.session, flow.acting, SUBMIT, Target())
    if isinstance(decision, Refuse):
        await flow.refuse(decision)
    found = await _mine(flow, asked.model)
    if found is None:
        await free(flow, asked.model, taken)
    elif found.value.engine.kind not in ("", "service") or found.value.retired:
        raise Conflict(what=say("catalogue.none", language, name=asked.model))
    files = [one.path for one in found.value.files] if found is not None else []
    spec = _spec(asked, files)
    known = found.value.engine.job if found is not None else ""
    if known and (await jobs.named(flow, known)).value.open == "yes":
        job = await jobs.update(flow, known, spec)
    else:
        job = await jobs.submit(flow, spec, f"deploy {asked.model} {found.version if found is not None else 0}"[:128])
    engine = EngineSpec(kind="service", model=asked.served or asked.model, job=job.id)
    described = replace(asked.described, state=_STATE.get(asked.engine, "shared"))
    if found is None:
        now, by = flow.gate.vault.clock.now(), flow.session.principal.name
        label = flow.access.label.text
        record = ModelRecord(
            name=asked.model, described=described, engine=engine, proposed=label, registered_by=by, at=now
        )
    else:
        # an officer has spoken of this place, or of none: another engine is another place
        same = found.value.engine.kind == "service"
        record = replace(
            found.value,
            engine=engine,
            proposed=flow.access.label.text,
            accreditation=found.value.accreditation if same else "",
            described=replace(found.value.described, state=described.state),
        )
    if found is None or record != found.value:
        put = Put(MODEL, asked.model, record, expect=found.version if found is not None else 0)
        await flow.commit(put, facts={"model": asked.model, "job": job.id})
    return record, job


async def undeploy(flow: Flow, jobs: Jobs, name: str) -> ModelRecord:
    """Its service ends, and nobody answers for it; where no files of it lie here, it is retired.

    Raises Absent, BadInput where no service answers for it.
    """
    found = await here(flow, name)
    record = found.value
    if record.engine.kind != "service":
        raise BadInput(what=say("catalogue.undeployed", flow.session.language, name=name))
    await jobs.cancel(flow, record.engine.job, "undeployed")
    left = replace(record, engine=EngineSpec(), accreditation="", retired=not record.files)
    await flow.commit(Put(MODEL, name, left, expect=found.version), facts={"model": name, "job": record.engine.job})
    return left


async def _mine(flow: Flow, name: str) -> Found[ModelRecord] | None:
    for found in await flow.read_each(MODEL, name):
        if found.ref.class_id == flow.access.id:
            return found
    return None


def _spec(asked: Deployment, files: list[str]) -> Spec:
    return Spec(
        command=command_of(asked, files),
        name=asked.model[:128],
        kind="service",
        service=Service(
            port=asked.port,
            path=asked.health or _HEALTH[asked.engine],
            replicas=asked.replicas,
            start_s=asked.start_s,
            drain_s=asked.drain_s,
        ),
        environment=asked.environment,
        env=asked.env,
        inputs=(Input(WEIGHTS, f"model:{asked.model}"),) if files else (),
        resources=asked.resources,
        engine=asked.job_engine,
        queue=asked.queue,
    )


def command_of(asked: Deployment, files: list[str]) -> tuple[str, ...]:
    """The program and its arguments. Imported weights stand at /in/weights. Raises BadInput."""
    name, port = asked.served or asked.model, str(asked.port)
    at = f"/in/{WEIGHTS}"
    if asked.engine == "openai":
        if not asked.command:
            raise BadInput(what="The engine openai is a command of yours: it stands behind --.")
        return asked.command
    if not files:
        raise BadInput(what="This engine reads the weights of an imported model: casemate models import.")
    many = max(asked.resources.gpus, 1)
    listens = ("--host", "127.0.0.1", "--port", port)
    if asked.engine == "vllm":
        shards = ("--tensor-parallel-size", str(many)) if many > 1 else ()
        return ("vllm", "serve", at, "--served-model-name", name, *listens, *shards, *asked.command)
    if asked.engine == "sglang":
        program = ("python3", "-m", "sglang.launch_server", "--model-path", at, "--served-model-name", name)
        return (*program, *listens, "--tp", str(many), *asked.command)
    weights = sorted(one for one in files if one.endswith(".gguf"))
    if not weights:
        raise BadInput(what="llama-server reads one GGUF file, or the first of several.")
    quiet = ("--cache-ram", "0", "--no-webui", "--offline", "--no-slots")
    return ("llama-server", "--model", f"{at}/{weights[0]}", "--alias", name, *listens, *quiet, *asked.command)
