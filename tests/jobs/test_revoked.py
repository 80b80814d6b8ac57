"""Whose clearance was taken away: what runs for him is ended."""

from __future__ import annotations

from tests.attacks.scene import SECRET
from tests.jobs.yard import Yard


async def test_what_runs_for_an_owner_who_is_revoked_is_ended(yard: Yard) -> None:
    await yard.person("anna", SECRET)
    found, other = await yard.submit(who="anna"), await yard.submit()
    await yard.step(2)
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
    await yard.step(2)
    gate = yard.world.house.gate
    anna, principal = gate.directory.named("anna"), gate.directory.principal
    assert anna is not None
    gate.directory.principal = lambda id: None if id == anna.id else principal(id)  # type: ignore[method-assign]
    yard.at += 10
    await yard.step(6, 1.0)
    for native in yard.engine.cancelled:
        yard.engine.end(native, 143)
    await yard.step(6, 1.0)
    job = await yard.job(found.id)
    assert (job.state, job.reason) == ("CANCELLED", "OWNER")
    assert (await yard.job(other.id)).state == "RUNNING"
    del gate.directory.principal
