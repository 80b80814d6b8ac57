"""Mutants of the engines that run attempts on clusters: one line broken, named after the leak, with its killer."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

SLURM, TEXT = "casemate.engines.executor_slurm:SlurmExecutor", "casemate.engines.executor_slurm_text"
RAY = "casemate.engines.executor_ray"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/engines/{file}.py::{name}")


OF_SLURM, OF_RAY = "test_executor_slurm", "test_executor_ray"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "scratch-gives-second-names",
        "a second name that a cluster's user has laid makes a file of the region's own his",
        Edit("casemate.engines.job_scratch_owned:_given", "and told.st_nlink == 1", ""),
        _test("test_job_scratch_owned", "test_a_second_name_in_his_folders_is_neither_given_nor_written"),
    ),
    (
        "scratch-fills-second-names",
        "what a job reads is written into another file, which everybody may read then",
        Edit("casemate.engines.job_scratch:JobScratch._fill", "or told.st_nlink != 1", ""),
        _test("test_job_scratch_owned", "test_a_second_name_in_his_folders_is_neither_given_nor_written"),
    ),
    (
        "slurm-adopts-by-id",
        "the job that has the number of a lost one is taken for it",
        Edit(f"{SLURM}._known", "if row.token in wanted", "if wanted"),
        _test(OF_SLURM, "test_an_id_that_was_given_again_is_not_ours"),
    ),
    (
        "slurm-cancels-by-id",
        "whoever has the number now is ended",
        Edit(f"{SLURM}.cancel", 'named = (f"--name=cm-{token}", id)', "named = (id,)"),
        _test(OF_SLURM, "test_both_name_and_id_are_cancelled"),
    ),
    (
        "slurm-domains-mixed",
        "a job of a label above is told below",
        Edit(f"{TEXT}:rows", "and parts[5].strip() == domain", ""),
        _test(OF_SLURM, "test_rows_of_another_domain_are_not_there"),
    ),
    (
        "slurm-labels-share-a-node",
        "jobs of two labels run side by side",
        Edit(f"{TEXT}:kept_apart", "if len(set(users)) == len(domains)", "if users"),
        _test(OF_SLURM, "test_nothing_is_submitted_where_labels_would_share_a_node"),
    ),
    (
        "slurm-label-not-told",
        "Slurm does not know what it is to keep apart",
        Edit(f"{SLURM}._separating", 'if self._apart == "label" else []', "if not self._apart else []"),
        _test(OF_SLURM, "test_labels_share_no_node"),
    ),
    (
        "slurm-two-at-once",
        "two jobs of one token run at the same time",
        Edit(f"{TEXT}:options", "['singleton', *", "[*"),
        _test(OF_SLURM, "test_what_sbatch_is_told"),
    ),
    (
        "slurm-reasons-of-others",
        "why a job waits tells of what others run",
        Edit(f"{TEXT}:polled", 'row.reason if row.reason in _OWN else ""', "row.reason"),
        _test(OF_SLURM, "test_states"),
    ),
    (
        "slurm-says-what-it-hears",
        "what Slurm complains of, with names and paths, is told to the caller",
        Edit(
            f"{TEXT}:failure",
            'why=f"{program} ended with',
            'why=f"{said}{program} ended with',
        ),
        _test(OF_SLURM, "test_a_failure_says_what_to_do_and_repeats_nothing"),
    ),
    (
        "slurm-node-as-it-comes",
        "a node's name is an option of sbatch",
        Edit(f"{TEXT}:options", "if not _NODES.fullmatch(order.node):", "if not order.node:"),
        _test(OF_SLURM, "test_no_argument_is_smuggled_in"),
    ),
    (
        "ray-any-domain",
        "a job that was submitted for another label is ours",
        Edit(f"{RAY}:RayExecutor._ours", "if marked == domain else", "if marked else"),
        _test(OF_RAY, "test_a_job_of_another_domain_is_not_there"),
    ),
    (
        "ray-one-cluster-for-two",
        "two labels run on one cluster, which keeps none apart",
        Edit(f"{RAY}:RayExecutor.__init__", "< len(clusters)", "< 1"),
        _test(OF_RAY, "test_two_labels_never_have_one_cluster"),
    ),
    (
        "ray-entrypoint-unquoted",
        "a folder's name is a command of the cluster's shell",
        Edit(
            f"{RAY}:RayExecutor.submit",
            "shlex.join([*self._shim, order.folder])",
            "' '.join([*self._shim, order.folder])",
        ),
        _test(OF_RAY, "test_what_ray_is_told"),
    ),
)
