"""How jobs run is said in the settings, and what could not be is named."""

from __future__ import annotations

import pytest

from casemate.errors import Misconfigured
from casemate.settings import parse

SLURM = """
[jobs.engines.hpc]
kind = "slurm"
accreditation = "SECRET"
scratch = "/shared/casemate"
[jobs.engines.hpc.labels."SECRET"]
user = "cm-secret"
"""

NODE = """
[jobs.nodes.n1]
engine = "hpc"
label = "SECRET"
"""


def test_what_may_be_said() -> None:
    told = parse('[region]\nname="x"\n[jobs]\nslots = 8\nfirst = "hpc"\n' + SLURM).jobs
    assert (told.slots, told.first, told.engines["hpc"].labels["SECRET"].user) == (8, "hpc", "cm-secret")
    assert parse('[region]\nname="x"\n').jobs.first == "process"
    assert parse('[region]\nname="x"\n' + SLURM + NODE).jobs.nodes["n1"].label == "SECRET"


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("[jobs]\nslots = -1", "jobs.slots"),
        ('[jobs]\nscratch = "here"', "jobs.scratch"),
        ('[jobs]\nfirst = "none"', "jobs.first"),
        (SLURM.replace("hpc", "process"), "jobs.engines.process"),
        (SLURM.replace('"/shared/casemate"', '"shared"'), "jobs.engines.hpc.scratch"),
        (SLURM.replace('"/shared/casemate"', '"/shared/casemate"\npython = "python3"'), "jobs.engines.hpc.python"),
        (SLURM.replace('user = "cm-secret"', 'url = "http://x"'), "jobs.engines.hpc.labels.SECRET"),
        (SLURM.replace('"slurm"', '"ray"'), "jobs.engines.hpc.labels.SECRET"),
        (SLURM + NODE.replace('"hpc"', '"none"'), "jobs.nodes.n1.engine"),
        (NODE.replace('"hpc"', '"process"'), "jobs.nodes.n1.engine"),
        (SLURM + NODE.replace("n1", '"n 1"'), "jobs.nodes.n 1"),
        ('[jobs]\npackage_keys = ["00"]', "jobs.package_keys"),
        ('[jobs.sites."a b"]\npath = "/opt"\nlabel = "SECRET"', "jobs.sites.a b"),
        ('[jobs.sites.a]\npath = "opt"\nlabel = "SECRET"', "jobs.sites.a.path"),
        ('[jobs.sites.a]\npath = "/"\nlabel = "SECRET"', "jobs.sites.a.path"),
        (
            SLURM.replace('[jobs.engines.hpc.labels."SECRET"]\nuser = "cm-secret"', "labels = {}"),
            "jobs.engines.hpc.labels",
        ),
    ],
)
def test_what_could_not_run_is_named(text: str, setting: str) -> None:
    with pytest.raises(Misconfigured) as told:
        parse('[region]\nname="x"\n' + text)
    assert told.value.facts["setting"] == setting
