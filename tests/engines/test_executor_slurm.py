"""What Slurm's programs are told, and what is believed of their answers: ids are given again, versions differ."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from casemate.engines.executor_slurm import Lane, SlurmExecutor
from casemate.engines.executor_slurm_run import MOST
from casemate.engines.executor_slurm_text import kept_apart, parted, polled, rows, version
from casemate.errors import EngineFailed
from casemate.jobs.executor import Capabilities, Order, Polled
from casemate.jobs.job import Resources
from casemate.jobs.plan import Node
from tests.contracts.executor_rigs import ceiling
from tests.engines.fake_slurm import Fake

MINE, OTHER = "a" * 32, "b" * 32
LOW, HIGH = "class_low", "class_high"
OWN = Lane("", "batch")


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    found = Fake(tmp_path)
    found.make()
    return found


def engine(fake: Fake, lanes: dict[str, Lane] | None = None, **more: Any) -> SlurmExecutor:
    shim = ("/usr/bin/python3", "-I", "/opt/the shim/main.py")
    return SlurmExecutor("hpc", ceiling(), lanes or {LOW: OWN}, shim, programs=str(fake.folder), **more)


def order(token: str = MINE, domain: str = LOW, **more: Any) -> Order:
    return Order(token, 1, domain, f"/shared/jobs/{token}", ("true",), {}, Resources(**more.pop("wants", {})), **more)


def row(id: int, token: str, state: str = "RUNNING", reason: str = "None", domain: str = LOW) -> str:
    return f"{id}|{state}|{reason}|n1|cm-{token}|{domain}\n"


async def test_what_sbatch_is_told(fake: Fake) -> None:
    wants = {"nodes": 2, "tasks": 4, "cpus": 3, "memory_mb": 700, "gpus": 2, "gpu_type": "a100", "wall_s": 3600}
    assert await engine(fake, conf="/etc/slurm/slurm.conf").submit(order(wants=wants, node="n1,n2")) == f"17.{MINE}"
    assert fake.calls("sbatch") == [
        [
            "--parsable", f"--job-name=cm-{MINE}", f"--comment={LOW}", "--no-requeue", "--export=ALL",
            "--output=/dev/null", "--error=/dev/null", "--chdir=/", "--exclusive=mcs", "--dependency=singleton",
            "--nodes=2", "--ntasks-per-node=4", "--cpus-per-task=3", "--mem=700M", "--partition=batch",
            "--time=63", "--gres=gpu:a100:2", "--nodelist=n1,n2",
        ]
    ]  # fmt: skip
    assert fake.script == f"#!/bin/sh\nexec /usr/bin/python3 -I '/opt/the shim/main.py' /shared/jobs/{MINE}\n"
    clean = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "SLURM_CONF": "/etc/slurm/slurm.conf"}
    assert fake.env == clean


async def test_a_service_has_no_time(fake: Fake) -> None:
    await engine(fake).submit(order(service=True))
    assert not [one for one in fake.calls("sbatch")[0] if one.startswith("--time")]


async def test_an_id_that_was_given_again_is_not_ours(fake: Fake) -> None:
    slurm = engine(fake)
    assert await slurm.submit(order()) == f"17.{MINE}"
    fake.prints("squeue", row(17, OTHER))  # slurmctld lost ours, and gave its number to the next
    assert await slurm.poll(LOW, [f"17.{MINE}"]) == {f"17.{MINE}": Polled("gone", token=MINE)}
    assert await slurm.find(LOW, MINE) == []
    await slurm.cancel(LOW, f"17.{MINE}", 1.0)
    assert fake.calls("scancel") == []
    fake.prints("sbatch", "18\n")
    assert await slurm.submit(order()) == f"18.{MINE}"


async def test_what_squeue_knows_is_adopted(fake: Fake) -> None:
    slurm = engine(fake)
    fake.prints(
        "squeue", row(9, MINE) + row(4, MINE, "COMPLETED") + row(5, OTHER) + "junk\n" + f"6|RUNNING|x|n1|cm-{MINE}\n"
    )
    assert await slurm.find(LOW, MINE) == [f"4.{MINE}", f"9.{MINE}"]
    assert await slurm.submit(order()) == f"4.{MINE}"
    assert fake.calls("sbatch") == []


async def test_rows_of_another_domain_are_not_there(fake: Fake) -> None:
    fake.make("slurm 25.11.1", "mcs/label")
    slurm = engine(fake, {LOW: OWN, HIGH: OWN})
    fake.prints("squeue", row(9, MINE, domain=HIGH))
    assert await slurm.find(LOW, MINE) == []
    assert (await slurm.poll(LOW, [f"9.{MINE}"]))[f"9.{MINE}"].state == "gone"
    assert (await slurm.poll(HIGH, [f"9.{MINE}"]))[f"9.{MINE}"].state == "running"
    await slurm.cancel(LOW, f"9.{MINE}", 1.0)
    assert fake.calls("scancel") == []


async def test_both_name_and_id_are_cancelled(fake: Fake) -> None:
    slurm = engine(fake)
    fake.prints("squeue", row(9, MINE))
    await slurm.cancel(LOW, f"9.{MINE}", 30.0)
    await slurm.close()
    named = [f"--name=cm-{MINE}", "9"]
    assert fake.calls("scancel") == [["--state=PENDING", *named], ["--batch", "--signal=TERM", *named]]
    fake.fails("scancel", "scancel: error: Kill job error on job id 9: Invalid job id specified\n")
    await slurm.cancel(LOW, f"9.{MINE}", 30.0)  # it ended between two looks
    await slurm.close()
    fake.fails("scancel", "scancel: error: Access/permission denied\n")
    with pytest.raises(EngineFailed):
        await slurm.cancel(LOW, f"9.{MINE}", 30.0)


async def test_what_outlives_its_grace_is_ended(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.engines.executor_slurm._PATIENCE", 0.0)
    slurm = engine(fake)
    fake.prints("squeue", row(9, MINE))
    await slurm.cancel(LOW, f"9.{MINE}", 0.0)
    for task in list(slurm._ending):
        await task
    assert fake.calls("scancel")[2:] == [[f"--name=cm-{MINE}", "9"]]


async def test_labels_share_no_node(fake: Fake) -> None:
    fake.make("slurm 25.11.1", "mcs/label")
    slurm = engine(fake, {LOW: OWN, HIGH: OWN})
    await slurm.submit(order(domain=HIGH))
    assert [one for one in fake.calls("sbatch")[0] if "mcs" in one] == ["--exclusive=mcs", f"--mcs-label=cm-{HIGH}"]
    assert (await slurm.capabilities()).facts == {"version": "25.11", "apart": "label", "private": "yes"}


async def test_without_a_plugin_users_share_no_node(fake: Fake) -> None:
    fake.make(plugin="(null)")
    await engine(fake).submit(order())
    assert [one for one in fake.calls("sbatch")[0] if "exclusive" in one] == ["--exclusive=user"]
    assert await engine(fake).poll(LOW, []) == {}


@pytest.mark.parametrize(("told", "plugin"), [("slurm-wlm 22.05.8", "mcs/user"), ("slurm 25.11.1", "mcs/none")])
async def test_nothing_is_submitted_where_labels_would_share_a_node(fake: Fake, told: str, plugin: str) -> None:
    fake.make(told, plugin)
    slurm = engine(fake, {LOW: OWN, HIGH: OWN})
    for _ in range(2):
        with pytest.raises(EngineFailed, match="labels would share its nodes"):
            await slurm.submit(order())
    with pytest.raises(EngineFailed):
        await slurm.capabilities()
    assert fake.calls("sbatch") == []


def test_how_labels_are_kept_apart() -> None:
    enforced = {"MCSPlugin": "mcs/user", "MCSParameters": "enforced,select"}
    labels = {"MCSPlugin": "mcs/label", "MCSParameters": "enforced"}
    assert kept_apart(enforced, (22, 5), [5, 9], [LOW, HIGH]) == "mcs"
    assert kept_apart({**enforced, "MCSParameters": "select"}, (22, 5), [5, 9], [LOW, HIGH]) == "user"
    assert kept_apart({}, (22, 5), [5, 9], [LOW, HIGH]) == "user"
    assert kept_apart(labels, (25, 5), [5, 5], [LOW, HIGH]) == "label"
    assert kept_apart(labels, (24, 5), [5, 5], [LOW, HIGH]) == ""
    assert kept_apart({**labels, "MCSParameters": ""}, (25, 5), [5, 5], [LOW, HIGH]) == ""


async def test_it_waits_only_for_what_has_not_ended(fake: Fake) -> None:
    fake.prints("squeue", row(3, OTHER) + row(4, "c" * 32, "COMPLETED"))
    lost = f"5.{'d' * 32}"
    await engine(fake).submit(order(after=(f"3.{OTHER}", f"4.{'c' * 32}", lost)))
    assert "--dependency=singleton,afterany:3" in fake.calls("sbatch")[0]


def test_states() -> None:
    def state(name: str, reason: str = "None") -> Polled:
        return polled(rows(row(1, MINE, name, reason), LOW)[0])

    assert state("PENDING", "Resources") == Polled("waiting", token=MINE)  # what others run is nobody's to know
    assert state("PENDING", "PartitionTimeLimit").reason == "PartitionTimeLimit"
    assert state("COMPLETING").state == "running"
    assert state("SOMETHING_OF_2031").state == "running"
    assert state("COMPLETED") == Polled("ended", "n1", "", MINE)
    assert state("NODE_FAIL") == Polled("ended", "n1", "node_fail", MINE)


def test_versions_and_native_ids() -> None:
    assert version("slurm-wlm 22.05.8\n") == (22, 5)
    assert version("slurm 26.05.0-0rc1") == (26, 5)
    with pytest.raises(ValueError):
        version("sbatch wrapper 3")
    assert parted(f"17.{MINE}") == ("17", MINE)
    assert parted(f"17.{MINE} --all") == ("", "")
    assert parted("17") == ("", "")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("sbatch: error: Batch job submission failed: Invalid partition name specified", "rejected"),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", "down"),
        ("sbatch: error: Munge encode failed: Failed to access /run/munge/secret-place", "denied"),
        ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying.", "busy"),
        ("sbatch: error: something about secret-place", "broken"),
    ],
)
async def test_a_failure_says_what_to_do_and_repeats_nothing(fake: Fake, said: str, cause: str) -> None:
    fake.fails("sbatch", said)
    with pytest.raises(EngineFailed) as failed:
        await engine(fake).submit(order())
    assert failed.value.cause == cause
    assert "secret-place" not in str(failed.value)
    assert ":" in str(failed.value.facts["why"])


async def test_what_cannot_be_run_is_told(fake: Fake) -> None:
    with pytest.raises(EngineFailed, match="not in /nowhere"):
        await SlurmExecutor("hpc", ceiling(), {LOW: OWN}, ("x",), programs="/nowhere").find(LOW, MINE)
    fake.hangs("squeue")
    with pytest.raises(EngineFailed) as slow:
        await engine(fake, seconds=0.3).find(LOW, MINE)
    assert slow.value.cause == "slow"


async def test_an_answer_without_end_is_dropped(fake: Fake) -> None:
    (fake.folder / "squeue").write_text(f"#!/bin/sh\nexec head -c {MOST + 1} /dev/zero\n")
    with pytest.raises(EngineFailed, match="printed more than"):
        await engine(fake).find(LOW, MINE)


@pytest.mark.parametrize("printed", ["", "Submitted batch job 17\n", "17 18\n"])
async def test_a_wrapper_of_sbatch_is_told_apart(fake: Fake, printed: str) -> None:
    fake.prints("sbatch", printed)
    with pytest.raises(EngineFailed, match="wrapper"):
        await engine(fake).submit(order())


async def test_a_wrapper_without_a_version(fake: Fake) -> None:
    (fake.folder / "version").write_text("our own sbatch\n")
    with pytest.raises(EngineFailed, match="version"):
        await engine(fake).submit(order())


@pytest.mark.parametrize(
    "bad",
    [
        {"node": "--uid=0"},
        {"node": "n1 --wrap=x"},
        {"wants": {"gpus": 1, "gpu_type": "a,b:9"}},
        {"token": "../x"},
    ],
)
async def test_no_argument_is_smuggled_in(fake: Fake, bad: dict[str, Any]) -> None:
    with pytest.raises(EngineFailed) as refused:
        await engine(fake).submit(order(**bad))
    assert refused.value.cause == "rejected"
    assert fake.calls("sbatch") == []


async def test_users(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineFailed, match="does not know a user"):
        await engine(fake, {LOW: Lane("nobody-here")}).find(LOW, MINE)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(EngineFailed, match="does not run as root"):
        await engine(fake, {LOW: Lane("daemon")}).find(LOW, MINE)


async def test_many_are_asked_for_at_once(fake: Fake) -> None:
    tokens = [f"{number:032x}" for number in range(1500)]
    fake.prints("squeue", "".join(row(number, token) for number, token in enumerate(tokens)))
    told = await engine(fake).poll(LOW, [f"{number}.{token}" for number, token in enumerate(tokens)])
    assert {one.state for one in told.values()} == {"running"}
    (asked,) = fake.calls("squeue")
    assert not [one for one in asked if one.startswith("--name")]


async def test_nodes_and_gpus_are_counted_once(fake: Fake) -> None:
    lines = "n1|8|4000|gpu:a100:4(S:0-1)|mix", "n1|8|4000|gpu:a100:4(S:0-1)|mix", "n2|4|2000|gpu:2|idle~"
    gone = "n3|4|2000|(null)|down*", "n4|4|2000|(null)|idle*", "n5|4|2000|(null)|drain", "n6|x|x|(null)|idle", "junk"
    fake.prints("sinfo", "\n".join((*lines, *gone)))
    slurm = engine(fake)
    assert slurm.nodes(LOW, Capabilities()) == ()
    can = await slurm.capabilities()
    assert (can.nodes, can.gpus, can.services, can.mpi) == (2, 6, True, True)
    assert slurm.nodes(LOW, can) == (Node("n1", LOW, 8, 4000, 4, "a100"), Node("n2", LOW, 4, 2000, 2, ""))
    assert slurm.nodes(HIGH, can) == ()
