"""Models that a service answers for: deployed by who may, asked at one label, accredited for no more than that."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.errors import BadInput
from casemate.jobs import Resources
from casemate.models import Card, Catalogue
from casemate.models.deploy import Deployment, command_of
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.laws.world import Seen, World


async def cast(world: World) -> None:
    await world.person("opal", TOP, ("operator", "user"))
    await world.person("olga", TOP, ("operator",))
    await world.person("sofia", TOP, ("officer",))
    await world.person("ann", TOP)


async def deploy(world: World, who: str = "opal", label: str = SECRET, **told: Any) -> Seen:
    body = {"model": "acme/one", "engine": "openai", "command": ["serve"], **told}
    return await world.call(who, "POST", "/api/models/deploy", body, label)


async def say(world: World, high: str, label: str = SECRET) -> Seen:
    return await world.call(
        "sofia", "POST", "/api/models/accredit", {"model": "acme/one", "accreditation": high}, label
    )


async def listed(world: World, label: str) -> list[str]:
    return [one["name"] for one in (await world.call("ann", "GET", "/api/models", acting=label)).json["data"]]


async def one(world: World) -> Any:
    return (await world.call("opal", "GET", "/api/models/acme/one", acting=SECRET)).json["data"]


async def test_a_service_answers_requests_that_act_at_its_label_and_no_others(world: World) -> None:
    await cast(world)
    made = await deploy(world)
    assert made.status == 201
    data = made.json["data"]
    assert (data["engine"]["kind"], data["engine"]["job"], data["accreditation"]) == (
        "service", data["service"]["id"], "",
    )  # fmt: skip
    assert data["service"]["spec"]["service"]["path"] == "/v1/models"
    assert "acme/one" not in await listed(world, SECRET)
    assert (await say(world, SECRET)).status == 200
    assert [("acme/one" in await listed(world, label)) for label in (LOW, SECRET, TOP)] == [False, True, False]
    card = Card("a", "a", "v", label_of(world, SECRET), label=label_of(world, SECRET), alone=True)
    names = [[each.name for each in Catalogue({"a": card}).visible(await at(world, label))] for label in (SECRET, TOP)]
    assert names == [["a"], []]


async def test_nothing_from_above_is_accredited_for_a_service(world: World) -> None:
    await cast(world)
    await deploy(world)
    assert (await say(world, TOP)).status == 403
    assert (await say(world, SECRET)).status == 200


async def test_only_who_may_run_jobs_deploys(world: World) -> None:
    await cast(world)
    assert (await deploy(world, "olga")).status == 403
    assert (await deploy(world, "ann")).status == 403
    assert (await deploy(world)).status == 201


async def test_deployed_again_it_is_changed_and_taken_back_it_ends(world: World) -> None:
    await cast(world)
    first = (await deploy(world)).json["data"]
    await say(world, SECRET)
    again = (await deploy(world, command=["other"], replicas=3)).json["data"]
    assert again["service"]["id"] == first["service"]["id"]
    assert (again["service"]["service"]["revision"], again["service"]["service"]["wanted"]) == (2, 3)
    assert again["accreditation"]  # the place is the same
    taken = await world.call("opal", "POST", "/api/models/undeploy", {"model": "acme/one"}, SECRET)
    assert (taken.json["data"]["retired"], taken.json["data"]["engine"]["kind"]) == (True, "")
    assert "acme/one" not in await listed(world, SECRET)
    job = await world.call("opal", "GET", f"/api/jobs/{first['service']['id']}", acting=SECRET)
    assert job.json["data"]["cancel"] == "undeployed"
    assert (await world.call("opal", "POST", "/api/models/undeploy", {"model": "acme/one"}, SECRET)).status == 400
    assert (await deploy(world)).status == 409  # a name is not given again
    assert (await world.call("opal", "POST", "/api/models/undeploy", {"model": "never"}, SECRET)).status == 404


async def test_imported_weights_are_served_and_another_place_is_accredited_anew(world: World) -> None:
    await cast(world)
    token = "ab" * 16
    folder = world.house.folder.path / "models" / "incoming" / token
    folder.mkdir(parents=True)
    (folder / "w.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(16))
    body = {"name": "acme/one", "token": token}
    assert (await world.call("opal", "POST", "/api/models/import", body, SECRET)).status == 201
    assert (await say(world, SECRET)).status == 200
    made = (await deploy(world, engine="llama-server", command=["--ctx-size", "4096"])).json["data"]
    spec = made["service"]["spec"]
    assert spec["inputs"][0]["source"] == "model:acme/one"
    assert spec["command"][:3] == ["llama-server", "--model", "/in/weights/w.gguf"]
    assert spec["command"][-2:] == ["--ctx-size", "4096"]
    assert made["accreditation"] == ""
    taken = await world.call("opal", "POST", "/api/models/undeploy", {"model": "acme/one"}, SECRET)
    assert taken.json["data"]["retired"] is False
    assert (await one(world))["engine"]["kind"] == ""
    assert (await deploy(world, engine="vllm")).status == 201


@pytest.mark.parametrize(
    ("told", "files", "begins"),
    [
        ({"engine": "vllm", "resources": Resources(gpus=2)}, ["a.safetensors"], ("vllm", "serve", "/in/weights")),
        ({"engine": "sglang"}, ["a.safetensors"], ("python3", "-m", "sglang.launch_server")),
        ({"engine": "llama-server"}, ["b-2.gguf", "b-1.gguf"], ("llama-server", "--model", "/in/weights/b-1.gguf")),
        ({"engine": "openai", "command": ("serve", "it")}, [], ("serve", "it")),
    ],
)
def test_the_command_line_of_each_engine(told: dict[str, Any], files: list[str], begins: tuple[str, ...]) -> None:
    asked = Deployment(model="acme/one", port=9000, **told)
    made = command_of(asked, files)
    assert made[: len(begins)] == begins
    if asked.engine != "openai":
        assert {"9000", "127.0.0.1", "acme/one"} <= set(made)
    assert ("--tensor-parallel-size" in made) == (asked.engine == "vllm")


@pytest.mark.parametrize(
    ("engine", "files"), [("openai", []), ("vllm", []), ("llama-server", ["a.safetensors"]), ("sglang", [])]
)
def test_what_has_no_program_or_no_weights_is_refused(engine: Any, files: list[str]) -> None:
    with pytest.raises(BadInput):
        command_of(Deployment(model="m", engine=engine), files)
