"""The region's Slurm engine beside plain sbatch, on one cluster of the tests' own: the same tasks, that only sleep."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from bench.parts.job_peers import sbatch
from bench.parts.job_region import region
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
[jobs.engines.batch.labels."{label}"]
user = "{user}"
partition = "{user}"
"""


def slurm_figures(count: int, seconds: float, label: str = "RESTRICTED") -> dict[str, float]:
    """Tasks per second of both, and their ratio. LookupError where this machine has no Slurm."""
    if why := lacking():
        raise LookupError(why)
    cluster = made()
    scratch = Path(tempfile.mkdtemp(prefix="casemate-shared-"))
    try:
        env = {**os.environ, "SLURM_CONF": cluster.conf}
        told = SETTINGS.format(label=label, scratch=scratch, conf=cluster.conf, user=LOW)
        with region(told) as here:
            spec = {"command": ["/bin/sleep", f"{seconds:g}"], "resources": {"memory_mb": 256}}
            here.run(spec, 2)
            ours = here.run(spec, count)["jobs_per_s"]
        plain = sbatch(count, seconds, env)["jobs_per_s"]
        return {
            "slurm_vs_sbatch": ours / plain,
            "slurm_jobs_per_s": ours,
            "sbatch_jobs_per_s": plain,
            "cores": 2 * CORES,
        }
    finally:
        cluster.stop()
        shutil.rmtree(scratch, ignore_errors=True)
