"""Environments: what a lock names and no other wheel, one tree for each class and digest, and nothing on trust."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from casemate.access import Flow
from casemate.crypto.sign import generate, public_of, sign
from casemate.errors import Absent, BadInput, CasemateError, Conflict, Damaged, Refused
from casemate.jobs import Job, Spec
from casemate.jobs.environment import ENVIRONMENT, Environment, EnvironmentRequest, Environments, Site
from casemate.jobs.lock import pinned
from casemate.jobs.packages import PACKAGE, ListRequest, Mirror
from casemate.jobs.unpack import DAY, TRIES, keeping, token_of
from casemate.objects import Found, Put
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.jobs.yard import Yard

WHEEL = "some_thing-1.0-py3-none-any.whl"
BODY = b"a wheel"


def known(yard: Yard) -> Environments:
    return yard.sites.environments


async def arriving(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def digest(body: bytes = BODY) -> str:
    return hashlib.sha256(body).hexdigest()


def sums(name: str = WHEEL, body: bytes = BODY) -> str:
    return f"{digest(body)}  {name}\n"


def lock(name: str = "Some.Thing", version: str = "1.0", body: bytes = BODY) -> str:
    return f"{name}=={version} --hash=sha256:{digest(body)}\n"


async def floor(yard: Yard) -> Flow:
    return await yard.flow("submit", at=yard.world.house.gate.vault.region.floor.text)


async def bring(yard: Yard, flow: Flow, name: str = WHEEL, body: bytes = BODY) -> None:
    listed, _ = await known(yard).mirror.listed(flow, ListRequest(sums(name, body)))
    await known(yard).mirror.bring(flow, listed, name, arriving(body[:3], body[3:]))


async def made(yard: Yard, name: str = "tools") -> Found[Environment]:
    flow = await floor(yard)
    await bring(yard, flow)
    return await known(yard).add(flow, EnvironmentRequest(name, lock()))


async def ended(yard: Yard, id: str) -> Job:
    await yard.settle()
    return await yard.job(id)


async def unpacked(yard: Yard, code: int = 0) -> str:
    """The unpacking that waits at the engine begins and ends; its token."""
    [native] = yard.engine.all("waiting")
    assert yard.engine.begin(native)
    yard.engine.end(native, code)
    return yard.engine.known[native][1]


async def test_a_job_runs_in_a_tree_that_is_made_once(yard: Yard) -> None:
    found = await made(yard)
    text = f"wheels:{found.value.digest}"
    first = await yard.submit(Spec(("true",), environment="wheels:tools"))
    spec = (await yard.job(first.id)).spec
    assert spec is not None
    assert spec.environment == text
    assert (ENVIRONMENT.name, "tools", found.ref.class_id) in (await yard.job(first.id)).made_of
    await yard.step(3, 1.0)
    assert (await yard.job(first.id)).state == "RUNNABLE"
    token = await unpacked(yard)
    assert token == token_of(first.ref.class_id, text, 0)
    spot = yard.scratch.spots[(first.ref.class_id, token)]
    assert spot.inputs[f"environment/{WHEEL}"] == BODY
    assert spot.order is not None
    assert (spot.order.level, spot.order.resources.network) == ("L2", "none")
    await yard.step(2, 1.0)
    [native] = yard.engine.all("waiting")
    order = yard.engine.spot(native).order
    assert order is not None
    assert [(one.source, one.target, one.write) for one in order.mounts] == [("out/tree", "/env", False)]
    assert (order.env["PYTHONPATH"], order.env["PATH"].split(":")[0]) == ("/env/lib", "/env/bin")
    assert (await ended(yard, first.id)).state == "SUCCEEDED"
    again = await yard.submit(Spec(("true",), environment=text, floor="L1", env={"PATH": "/mine"}))
    await yard.step(2, 1.0)
    [native] = yard.engine.all("waiting")
    order = yard.engine.spot(native).order
    assert order is not None
    assert (order.env["PATH"], order.env["PYTHONPATH"]) == ("/mine", "out/tree/lib")
    assert (await ended(yard, again.id)).state == "SUCCEEDED"
    assert list(yard.engine.ran.values()) == [1, 1, 1]


async def test_an_image_is_a_root_and_never_below_l2(yard: Yard) -> None:
    flow = await yard.flow("submit")
    found = await known(yard).add_image(flow, "shell", arriving(b"an ", b"archive"))
    assert found.value.files[0].digest == hashlib.sha384(b"an archive").hexdigest()
    job = await yard.submit(Spec(("true",), environment="image:shell", floor="L1"))
    await yard.step(2, 1.0)
    await unpacked(yard)
    await yard.step(2, 1.0)
    [native] = yard.engine.all("waiting")
    order = yard.engine.spot(native).order
    assert order is not None
    assert (order.rootfs, order.level, order.mounts) == ("out/tree", "L2", ())
    assert (await ended(yard, job.id)).state == "SUCCEEDED"
    with pytest.raises(BadInput, match="empty"):
        await known(yard).add_image(flow, "none", arriving())
    with pytest.raises(Absent):
        await yard.submit(Spec(("true",), environment="wheels:shell"))


async def test_a_label_raised_between_submission_and_dispatch_is_honoured(yard: Yard) -> None:
    environments = known(yard)
    environments.sites = {"spack": Site("/opt/spack", label_of(yard.world, LOW), ("bin", "/opt/more"), {"A": "b"})}
    good = await yard.submit(Spec(("true",), environment="site:spack"))
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    order = yard.engine.spot(native).order
    assert order is not None
    assert order.env["PATH"].startswith("/opt/spack/bin:/opt/more:/usr")
    assert (order.env["A"], [one.target for one in order.mounts]) == ("b", ["/opt/spack"])
    assert (await ended(yard, good.id)).state == "SUCCEEDED"
    raised = await yard.submit(Spec(("true",), environment="site:spack"))
    environments.sites = {"spack": Site("/opt/spack", label_of(yard.world, TOP))}
    job = await ended(yard, raised.id)
    assert (job.state, job.reason) == ("FAILED", "ENVIRONMENT")
    with pytest.raises(Absent):
        await yard.submit(Spec(("true",), environment="site:spack"))
    assert environments.standing(await yard.flow("submit")) == []
    assert [name for name, _ in environments.standing(await yard.flow("submit", at=TOP))] == ["spack"]


async def test_what_is_no_more_when_it_is_dispatched_runs_nothing(yard: Yard) -> None:
    await made(yard)
    job = await yard.submit(Spec(("true",), environment="wheels:tools"))
    with pytest.raises(Absent):
        await known(yard).remove(await yard.flow("submit"), "tools")  # it lies below
    assert await known(yard).remove(await floor(yard), "tools") == "tools"
    seen = await ended(yard, job.id)
    assert (seen.state, seen.reason) == ("FAILED", "ENVIRONMENT")
    assert not yard.engine.submitted


async def test_a_blob_that_was_tampered_with_is_no_environment(yard: Yard) -> None:
    found = await made(yard)
    flow = await floor(yard)
    file = found.value.files[0]
    other = msgspec.structs.replace(file, pieces=(await flow.pour(b"another"),))
    value = msgspec.structs.replace(found.value, files=(other,))  # its digest is still that of the file it was
    await flow.commit(Put(ENVIRONMENT, found.id, value, expect=found.version))
    job = await yard.submit(Spec(("true",), environment="wheels:tools"))
    seen = await ended(yard, job.id)
    assert (seen.state, seen.reason) == ("FAILED", "ENVIRONMENT")
    assert not yard.engine.submitted
    now = await known(yard).named(flow, "tools")
    value = msgspec.structs.replace(now.value, files=(msgspec.structs.replace(file, digest="0" * 96),))
    await flow.commit(Put(ENVIRONMENT, found.id, value, expect=now.version))
    with pytest.raises(Damaged):
        await yard.submit(Spec(("true",), environment="wheels:tools"))


async def test_what_cannot_be_unpacked_fails_and_what_was_lost_is_tried_again(yard: Yard) -> None:
    found = await made(yard)
    text = f"wheels:{found.value.digest}"
    job = await yard.submit(Spec(("true",), environment=text))
    await yard.step(2, 1.0)
    for n in range(2):
        [native] = yard.engine.all("waiting")
        yard.engine.begin(native)
        yard.engine.die(native)
        await yard.step(3, 2.0)
        assert (await yard.job(job.id)).state == "RUNNABLE", n
    await unpacked(yard, code=1)
    await yard.step(2, 2.0)
    seen = await yard.job(job.id)
    assert (seen.state, seen.reason) == ("FAILED", "ENVIRONMENT")
    again = await yard.submit(Spec(("true",), environment=text))
    assert (await ended(yard, again.id)).reason == "ENVIRONMENT"
    assert not yard.scratch.spots


async def test_an_unpacking_outlives_the_process_that_began_it(yard: Yard) -> None:
    await made(yard)
    job = await yard.submit(Spec(("true",), environment="wheels:tools"))
    await yard.step(2, 1.0)
    known(yard).begun.clear()
    yard.restart()
    await yard.step(3, 1.0)
    assert len(yard.engine.submitted) == 1
    yard.engine.known.clear()  # the engine has lost it
    yard.engine.states.clear()
    await yard.step(3, 1.0)
    assert len(yard.engine.submitted) == 2
    await unpacked(yard)
    assert (await ended(yard, job.id)).state == "SUCCEEDED"


async def test_an_engine_that_is_silent_or_a_full_disk_keeps_it_waiting(yard: Yard) -> None:
    await made(yard)
    job = await yard.submit(Spec(("true",), environment="wheels:tools"))
    down = yard.engine.submit

    async def silent(order: Any) -> str:
        yard.engine.down = True
        yard.engine._up()
        return ""

    yard.engine.submit = silent  # type: ignore[method-assign]
    await yard.step(1, 1.0)
    assert yard.reconciler.problems
    yard.engine.down, yard.engine.submit = False, down  # type: ignore[method-assign]
    await yard.step(2, 1.0)
    await unpacked(yard)
    assert (await ended(yard, job.id)).state == "SUCCEEDED"


async def test_a_tree_goes_once_no_job_has_asked_for_it_in_a_day(yard: Yard) -> None:
    found = await made(yard)
    flow, text = await yard.flow("submit"), f"wheels:{found.value.digest}"
    token = token_of(flow.access.id, text, 0)
    environments = Environments()
    assert token in await keeping(flow, environments, [], 0.0)
    assert token in await keeping(flow, environments, [], DAY - 1)
    assert token not in await keeping(flow, environments, [], DAY)
    assert token in await keeping(flow, environments, [text], DAY)
    assert token in await keeping(flow, environments, [], DAY + 1)
    await known(yard).remove(await floor(yard), "tools")
    assert len(await keeping(flow, environments, [text], DAY)) == TRIES
    assert await keeping(flow, environments, [], DAY) == set()


async def test_the_loop_sweeps_trees_that_nobody_asks_for(yard: Yard) -> None:
    found = await made(yard)
    await yard.submit(Spec(("true",), environment="wheels:tools"))
    await yard.step(2, 1.0)
    token = await unpacked(yard)
    await yard.settle()
    flow = await yard.flow("submit")
    assert token_of(flow.access.id, f"wheels:{found.value.digest}", 0) == token
    await yard.step(1, 4000.0)
    assert (flow.access.id, token) in yard.scratch.spots
    await known(yard).remove(await floor(yard), "tools")
    await yard.step(1, 4000.0)
    assert (flow.access.id, token) not in yard.scratch.spots


async def test_what_is_large_lies_in_pieces(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.jobs.environment.PIECE", 4)
    monkeypatch.setattr("casemate.jobs.packages.PIECE", 4)
    flow = await floor(yard)
    found = await known(yard).add_image(flow, "shell", arriving(b"an archive", b"!!"))
    assert [len(await flow.blob(found.ref.class_id, piece)) for piece in found.value.files[0].pieces] == [4, 4, 4]
    await bring(yard, flow)
    [package] = await known(yard).mirror.every(flow)
    assert [await flow.blob(package.ref.class_id, piece) for piece in package.value.pieces] == [b"a wh", b"eel"]
    value = msgspec.structs.replace(package.value, pieces=(await flow.pour(b"another"),))
    await flow.commit(Put(PACKAGE, package.id, value, expect=package.version))
    with pytest.raises(Damaged):
        await known(yard).add(flow, EnvironmentRequest("tools", lock()))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (lock(version="2.0"), "the mirror has no wheel of it"),
        (lock(name="other"), "other==1.0: the mirror has no wheel of it"),
        (lock(body=b"x"), "another digest than the lock names"),
    ],
)
async def test_a_lock_gets_the_one_wheel_that_it_names(yard: Yard, text: str, why: str) -> None:
    flow = await floor(yard)
    await bring(yard, flow)
    with pytest.raises(BadInput, match=why):
        await known(yard).add(flow, EnvironmentRequest("tools", text))


async def test_a_lock_that_several_wheels_fit_names_them(yard: Yard) -> None:
    flow = await floor(yard)
    await bring(yard, flow)
    await bring(yard, flow, WHEEL.replace("any", "linux_x86_64"), b"for a machine")
    both = f"{lock().strip()} --hash=sha256:{digest(b'for a machine')}\n"
    with pytest.raises(BadInput, match="several wheels of the mirror fit"):
        await known(yard).add(flow, EnvironmentRequest("tools", both))
    with pytest.raises(BadInput, match="at most"):
        await known(yard).add(flow, EnvironmentRequest("tools", "#" * (1 << 21)))
    with pytest.raises(BadInput, match="name"):
        await known(yard).add(flow, EnvironmentRequest("a/b", lock()))
    first = await known(yard).add(flow, EnvironmentRequest("tools", lock()))
    same = await known(yard).add(await yard.flow("submit"), EnvironmentRequest("tools", lock()))
    assert (same.ref, same.version) == (first.ref, first.version)  # the same again is what is there
    other = lock(body=b"for a machine")
    with pytest.raises(Conflict):
        await known(yard).add(await yard.flow("submit"), EnvironmentRequest("tools", other))
    missing = "".join(lock(f"none-{at}") for at in range(22))
    with pytest.raises(BadInput) as caught:
        await known(yard).add(flow, EnvironmentRequest("more", f"{lock()}{missing}"))
    said = str(caught.value.facts["what"])
    assert [f"none-{at}==" in said for at in (0, 19, 20)] == [True, True, False]
    assert said.endswith("And 2 more.")
    assert [one.id for one in await known(yard).every(flow)] == ["tools"]
    with pytest.raises(Absent):
        await known(yard).named(flow, "never")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 2000"),
        ("a==1", "no digest"),
        ("a>=1 --hash=sha256:" + "0" * 64, "not NAME==VERSION"),
        ("-r other.txt", "not NAME==VERSION"),
        (f"a==1 ; python_version > '3' --hash=sha256:{'0' * 64}", "says more"),
        (f"a==1 --hash=md5:{'0' * 32} --hash=sha256:{'0' * 64}", "says more"),
        (f"# c\n\na==1 --hash=sha256:{'0' * 64}\nA==2 --hash=sha256:{'1' * 64}", "Line 4 of the lock names a a second"),
    ],
)
def test_what_a_lock_may_not_say(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        pinned(text)


def test_a_lock_as_pip_compile_writes_it() -> None:
    told = pinned(
        f"#\n# pip-compile\n#\nA_b[x,y]==1.0 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}\n"
        f"    # via c\nc===2 --hash=sha256:{'2' * 64}  # said\n"
    )
    assert [(one.text, len(one.hashes)) for one in told] == [("a-b==1.0", 2), ("c==2", 1)]


async def test_without_a_key_an_unsigned_list_counts_at_the_floor_alone(yard: Yard) -> None:
    mirror, flow = Mirror(), await floor(yard)
    id, value = await mirror.listed(flow, ListRequest(sums()))
    assert (value.key, (await mirror.listed(flow, ListRequest(sums())))[0]) == ("", id)
    for refused, request in ((await yard.flow("submit"), ListRequest(sums())), (flow, ListRequest(sums(), "00"))):
        with pytest.raises(Refused) as error:
            await mirror.listed(refused, request)
        assert error.value.facts["rule"] == "package-signature"


async def test_with_a_key_what_it_has_not_signed_counts_nowhere(yard: Yard) -> None:
    key = generate("ed25519")
    mirror, flow = Mirror((public_of(key),)), await floor(yard)
    signed = sign(key, sums().encode()).hex()
    for request in (
        ListRequest(sums()),
        ListRequest(sums(), sign(generate("ed25519"), sums().encode()).hex()),
        ListRequest(sums(body=b"x"), signed),
        ListRequest(sums(), "no"),
    ):
        with pytest.raises(Refused):
            await mirror.listed(flow, request)
    _, value = await mirror.listed(await yard.flow("submit"), ListRequest(sums(), signed))
    assert value.key.startswith("ed25519-")


async def test_a_wheel_is_the_file_that_its_list_names(yard: Yard) -> None:
    mirror, flow = Mirror(), await floor(yard)
    for text in ("a b", "0" * 64 + "  a/b", f"{sums()}{'0' * 64}  {WHEEL}\n", "#" * (1 << 21)):
        with pytest.raises(BadInput):
            await mirror.listed(flow, ListRequest(text))
    id, _ = await mirror.listed(flow, ListRequest(sums()))
    cases: list[tuple[str, str, bytes, type[CasemateError]]] = [
        (id, WHEEL, b"other", BadInput),
        (id, "p-1.zip", BODY, BadInput),
        (id, "other-1-py3-none-any.whl", BODY, BadInput),
        ("0" * 96, WHEEL, BODY, Absent),
    ]
    for listed, name, body, wrong in cases:
        with pytest.raises(wrong):
            await mirror.bring(flow, listed, name, arriving(body))
    assert await mirror.every(flow) == []
    found = await mirror.bring(flow, id, WHEEL, arriving(BODY))
    assert (found.value.project, found.value.version, found.value.size) == ("some-thing", "1.0", len(BODY))
    assert (await mirror.bring(flow, id, WHEEL, arriving(BODY))).version == found.version
    other, _ = await mirror.listed(flow, ListRequest(sums(body=b"x")))
    with pytest.raises(Conflict):
        await mirror.bring(flow, other, WHEEL, arriving(b"x"))
    with pytest.raises(BadInput):  # a list counts at its own label
        await mirror.bring(await yard.flow("submit", at=SECRET), id, WHEEL, arriving(BODY))
