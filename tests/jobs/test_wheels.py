"""Which wheels fit which Python, and that a job whose wheels do not is refused before it is there."""

from __future__ import annotations

import sysconfig
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.executor_process_probe import interpreter
from casemate.errors import BadInput
from casemate.jobs import Spec
from casemate.jobs.environment import EnvironmentRequest
from casemate.jobs.sites import Sites
from casemate.jobs.wheels import Interpreter, fits, nowhere, unfit
from tests.jobs.test_environment import BODY, bring, digest, floor, known
from tests.jobs.yard import Yard

HERE = Interpreter(11, "x86_64", (2, 36))


@pytest.mark.parametrize(
    ("tags", "good"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        ("py311-none-any", True),
        ("py312-none-any", False),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp311-cp311-manylinux_2_36_x86_64", True),
        ("cp311-cp311-manylinux_2_37_x86_64", False),
        ("cp311-cp311-manylinux_2_17_aarch64", False),
        ("cp312-cp312-manylinux2014_x86_64", False),
        ("cp310-cp310-linux_x86_64", False),
        ("cp38-abi3-manylinux1_x86_64", True),
        ("cp312-abi3-manylinux2010_x86_64", False),
        ("cp311-none-linux_x86_64", True),
        ("py3-none-manylinux_2_5_x86_64", True),
        ("cp311-cp311-musllinux_1_1_x86_64", False),
        ("cp311-cp311-macosx_11_0_arm64", False),
        ("cp311-cp311-win_amd64", False),
        ("pp39-pypy39_pp73-linux_x86_64", False),
    ],
)
def test_a_wheel_fits_by_its_tags(tags: str, good: bool) -> None:
    assert fits(f"some-1.0-{tags}.whl", HERE) is good
    assert fits(f"some-1.0-7-{tags}.whl", HERE) is good  # with a build number
    assert unfit([f"some-1.0-{tags}.whl"], HERE) == ([] if good else [f"some-1.0-{tags}.whl"])


def test_a_name_without_tags_fits_nowhere() -> None:
    assert not fits("some.whl", HERE)


@given(st.sampled_from(["3.11", "3.11 x86_64", "3.11 x86_64 2.36"]), st.integers(6, 40))
def test_what_is_not_known_of_a_python_is_taken_to_fit(text: str, minor: int) -> None:
    python = Interpreter.read(text.replace("3.11", f"3.{minor}"))
    assert python is not None
    assert python.minor == minor
    assert fits(f"a-1-cp3{minor}-cp3{minor}-manylinux_2_36_x86_64.whl", python)
    assert fits("a-1-py3-none-any.whl", python)


@pytest.mark.parametrize("text", ["", "2.7", "3.x", "3.11  x86_64", "3.11 X86", "3.11 x86_64 2", "3.11\n"])
def test_another_text_says_nothing_of_a_python(text: str) -> None:
    assert Interpreter.read(text) is None


def test_a_set_that_no_python_fits_is_known_for_one() -> None:
    pure, one, other = "a-1-py3-none-any.whl", "b-1-cp311-cp311-linux_x86_64.whl", "c-1-cp312-cp312-linux_x86_64.whl"
    arm = "d-1-cp311-cp311-manylinux2014_aarch64.whl"
    assert not nowhere([pure])
    assert not nowhere([pure, one])
    assert nowhere([one, other])
    assert nowhere([one, arm])
    assert nowhere(["e-1-cp311-cp311-win_amd64.whl"])


def test_the_machines_own_python_says_what_it_is() -> None:
    python = Interpreter.read(interpreter())
    assert python is not None
    assert python.machine == sysconfig.get_platform().rpartition("-")[2]


async def locked(yard: Yard, *wheels: str) -> None:
    """An environment `tools` of these wheels, at the floor."""
    flow = await floor(yard)
    lines = []
    for number, name in enumerate(wheels):
        body = BODY + bytes([number])
        await bring(yard, flow, name, body)
        lines.append(f"{name.partition('-')[0]}==1 --hash=sha256:{digest(body)}\n")
    await known(yard).add(flow, EnvironmentRequest("tools", "".join(lines)))


def speaks(yard: Yard, text: str) -> None:
    async def python() -> str:
        return text

    site = yard.sites.every["fake"]
    yard.sites = yard.jobs.sites = Sites(
        {"fake": replace(site, python=python)}, "fake", environments=yard.sites.environments
    )


async def test_a_job_whose_wheels_fit_no_python_of_its_engine_is_refused(yard: Yard) -> None:
    await locked(yard, "a-1-py3-none-any.whl", "b-1-cp312-cp312-manylinux_2_17_x86_64.whl")
    spec = Spec(("true",), environment="wheels:tools")
    speaks(yard, "3.11 x86_64 2.36")
    with pytest.raises(BadInput) as refused:
        await yard.submit(spec)
    said = str(refused.value.facts["what"])
    assert "b-1-cp312" in said
    assert "3.11" in said
    assert "a-1" not in said
    for text in ("3.12 x86_64 2.36", "", "nonsense"):
        speaks(yard, text)
        assert (await yard.submit(spec)).value.state == "SUBMITTED"


async def test_wheels_that_no_one_python_fits_are_refused_wherever_they_would_run(yard: Yard) -> None:
    await locked(yard, "a-1-cp311-cp311-linux_x86_64.whl", "b-1-cp312-cp312-linux_x86_64.whl")
    with pytest.raises(BadInput) as refused:
        await yard.submit(Spec(("true",), environment="wheels:tools"))
    assert "a-1-cp311" in str(refused.value.facts["what"])
