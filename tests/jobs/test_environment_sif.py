"""A SIF image is known by its first bytes, and a node that cannot read one is named."""

from __future__ import annotations

from casemate.jobs import Spec
from casemate.jobs.unpack import MISSING, TRIES
from tests.jobs.test_environment import arriving, known, unpacked
from tests.jobs.yard import Yard


async def test_a_node_without_unsquashfs_is_named_and_asked_again(yard: Yard) -> None:
    flow = await yard.flow("submit")
    found = await known(yard).add_image(flow, "built", arriving(b"#!" + bytes(28), b"\0\0SIF_MA", b"GIC\0", b"more"))
    assert found.value.files[0].name == "image.sif"
    for n in range(TRIES + 1):
        job = await yard.submit(Spec(("true",), environment="image:built"))
        await yard.step(2, 1.0)
        if n < TRIES:
            await unpacked(yard, code=MISSING)
            await yard.step(2, 1.0)
        seen = await yard.job(job.id)
        assert (seen.state, seen.reason) == ("FAILED", "UNSQUASHFS")
    assert not yard.scratch.spots
