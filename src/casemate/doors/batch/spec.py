"""From containers, as this protocol has them, to what a job of ours does; pure.

An image is one of ours: `machine` for the programs of the machine, else `wheels:DIGEST`, `image:DIGEST` or `site:NAME`;
`NAME@sha256:DIGEST` is an image by its digest. A tag of a registry names nothing here, since what it means may change.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from casemate.doors.batch.acting import LABEL
from casemate.doors.batch.shapes import Container, RetryStrategy, Timeout
from casemate.errors import BadInput
from casemate.jobs import Evaluate, Resources, Retry, Spec
from casemate.words import say

__all__ = ["MACHINE", "OWN", "image_of", "overridden", "public", "refused", "retry_of", "spec_of", "timed"]

MACHINE = "machine"
OWN = ("casemate:definition",)  # tags that this wire keeps for itself
_DIGEST = re.compile(r"[^@\s]{1,255}@sha256:([0-9a-f]{64})")
_OURS = re.compile(r"(?:wheels|image|site):\S{1,255}")
_NUMBER = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,4})?")
_NEVER = (
    "volumes",
    "mount_points",
    "ulimits",
    "linux_parameters",
    "secrets",
    "repository_credentials",
    "privileged",
    "enable_execute_command",
)


def refused(shape: msgspec.Struct, names: Sequence[str], language: str) -> None:
    """Raises BadInput where a member asks for what is not here."""
    for name in names:
        if getattr(shape, name):
            raise BadInput(what=say("batch.not_here", language, name=_camel(name)))


def spec_of(told: Container, tags: Mapping[str, str], language: str) -> Spec:
    """What a definition's container does. Raises BadInput."""
    refused(told, _NEVER, language)
    spec = Spec(
        command=tuple(told.command or ()),
        environment=_environment(told.image, language),
        label=tags.get(LABEL, ""),
        tags=dict(tags),
    )
    return overridden(spec, replace(told, image="", command=None), language)


def overridden(spec: Spec, told: Container, language: str) -> Spec:
    """The same with what a submission says otherwise. Raises BadInput."""
    refused(told, _NEVER, language)
    refused(told, ("image",), language)
    resources = _resources(spec.resources, told, language)
    env = {**spec.env, **{pair.name: pair.value for pair in told.environment}}
    command = spec.command if told.command is None else tuple(told.command)
    return replace(spec, command=command, env=env, resources=resources)


def retry_of(told: RetryStrategy | None, kept: Retry, language: str) -> Retry:
    """The rules of a strategy; without one, those that were kept. Raises BadInput."""
    if told is None:
        return kept
    rules = []
    for rule in told.evaluate_on_exit:
        action = rule.action.upper()
        if action not in ("RETRY", "EXIT") or (rule.on_reason and rule.on_status_reason):
            raise BadInput(what=say("batch.rule", language))
        rules.append(
            Evaluate(
                "RETRY" if action == "RETRY" else "EXIT", rule.on_exit_code, rule.on_reason or rule.on_status_reason
            )
        )
    return Retry(told.attempts, tuple(rules))


def timed(spec: Spec, told: Timeout | None) -> Spec:
    """With the time of an attempt, where one is said."""
    if told is None or not told.attempt_duration_seconds:
        return spec
    return replace(spec, resources=replace(spec.resources, wall_s=told.attempt_duration_seconds))


def image_of(spec: Spec) -> str:
    """The image as it is told."""
    return spec.environment or MACHINE


def public(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a caller has given."""
    return {name: text for name, text in tags.items() if name not in OWN}


def _environment(image: str, language: str) -> str:
    by_digest = _DIGEST.fullmatch(image)
    if by_digest is not None:
        return f"image:{by_digest[1]}"
    if image in ("", MACHINE):
        return ""
    if not _OURS.fullmatch(image):
        raise BadInput(what=say("batch.image", language, image=image[:200]))
    return image


def _resources(kept: Resources, told: Container, language: str) -> Resources:
    asked: dict[str, Any] = {}
    if told.vcpus:
        asked["cpus"] = told.vcpus
    if told.memory:
        asked["memory_mb"] = told.memory
    for one in told.resource_requirements:
        if not _NUMBER.fullmatch(one.value) or (one.type != "VCPU" and not one.value.isdecimal()):
            raise BadInput(what=say("batch.requirement", language, type=one.type))
        field = {"VCPU": "cpus", "MEMORY": "memory_mb", "GPU": "gpus"}[one.type]
        asked[field] = max(1, math.ceil(float(one.value))) if one.type == "VCPU" else int(one.value)
    if told.ephemeral_storage:
        asked["disk_mb"] = told.ephemeral_storage.get("sizeInGiB", 1) << 10
    return replace(kept, **asked)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
