"""The region's Slurm engine beside plain sbatch, on one cluster of the tests' own: the same tasks, that only sleep."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from bench.parts.job_peers import sbatch
from bench.parts.job_region import region
from tests.contracts.executor_rigs import everybodys
from tests.engines.slurm_server import CORES, LOW, lacking, made

SETTINGS = """
[jobs]
process = false
first = "batch"
[jobs.engines.batch]
kind = "slurm"
accreditation = "{label}"
scratch = "{scratch}"
conf = "{conf}"
shim = {shim}
[jobs.engines.batch.labels."{label}"]
user = "{user}"
partition = "batch"
"""


def slurm_figures(count: int, seconds: float, label: str = "RESTRICTED") -> dict[str, float]:
    """Tasks per second of both, their ratio, and the server's CPU of a task with the commands of Slurm that it starts.

    LookupError where this machine has no Slurm.
    """
    if why := lacking():
        raise LookupError(why)
    cluster = made()
    scratch = Path(tempfile.mkdtemp(prefix="casemate-shared-"))
    scratch.chmod(0o755)  # users of the labels walk through it to their own folders, and to the shim
    try:
        shim = everybodys(scratch)
        env = {**os.environ, "SLURM_CONF": cluster.conf}
        settings = SETTINGS.format(
            label=label, scratch=scratch / "jobs", conf=cluster.conf, user=LOW, shim=json.dumps(shim)
        )
        with region(settings) as here:
            spec = {"command": ["/bin/sleep", f"{seconds:g}"], "resources": {"memory_mb": 256}}
            here.run(spec, 2)
            before = here.waited_s()
            told = here.run(spec, count)
            children = (here.waited_s() - before) / count * 1e3
        ours = told["jobs_per_s"]
        plain = sbatch(count, seconds, env)
        return {
            "slurm_vs_sbatch": ours / plain["jobs_per_s"],
            "slurm_jobs_per_s": ours,
            "slurm_server_cpu_ms": told["server_cpu_ms"] + children,
            "sbatch_jobs_per_s": plain["jobs_per_s"],
            "sbatch_cpu_ms": plain["submit_cpu_ms"],
            "cores": 2 * CORES,
        }
    finally:
        cluster.stop()
        shutil.rmtree(scratch, ignore_errors=True)
