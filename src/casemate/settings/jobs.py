"""How jobs run: on this machine, and on which clusters beside it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from casemate.errors import Misconfigured
from casemate.settings.job_nodes import JobNodeSettings, nodes_given

__all__ = ["JobDomain", "JobEngine", "JobSettings", "JobSite", "running"]

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,127}")
_KEY = re.compile(r"[0-9a-fA-F]{64}")
_PYTHON = re.compile(r"3\.[0-9]{1,2}( [a-z0-9_]{1,32}( [0-9]{1,3}\.[0-9]{1,3})?)?")
PROCESS = "process"


class JobDomain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a cluster has for one label. Slurm: the `user` that its jobs run as, and the `partition`. Ray: the `url` of
    a cluster of its own, with the file of its token in keys/ and who signs its certificate (PEM)."""

    user: str = ""
    partition: str = ""
    url: str = ""
    key_file: str = ""
    ca_file: str = ""


class JobEngine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster. `accreditation`: the highest label, as a marking, that may run there; it has no default, nor have
    `labels`: the markings of those that do, each with its own part of the cluster. `scratch`: a folder that region and
    nodes see under the same path. `shim`: the command that runs a folder on a node, "" for the region's own Python.
    `python`: what their `python3` is, as "3.11 x86_64 2.36" (version, machine, glibc; the latter two may be left out),
    "" where that is not said: then nobody knows before a job begins whether its wheels fit.
    """

    kind: Literal["slurm", "ray"]
    accreditation: str
    scratch: str
    labels: dict[str, JobDomain]
    shim: tuple[str, ...] = ()
    levels: tuple[Literal["L1", "L2", "L3"], ...] = ("L1", "L2")
    programs: str = "/usr/bin"
    conf: str = ""
    python: str = ""


class JobSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tree of the machine in which jobs may run, as it stands: modules, a Spack tree. `label`: as a marking, of what
    lies there. `paths`: where its programs are, relative to it or absolute. `env`: variables that it wants set.
    """

    path: str
    label: str
    paths: tuple[str, ...] = ()
    env: dict[str, str] = {}


class JobSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`process`: whether jobs run on this machine; `slots`: how many at once for each label, 0 for its processors.

    `warm`: whether shims are forked from a warm server. `first`: the engine of jobs that name none. `scratch`: where
    the folders of attempts lie, "" for run/jobs in the region's folder. `isolate`: from this marking on, jobs run in L2
    at least; where the region's policies have no such level, "SECRET" asks nothing. `nodes`: by name, whose node of a
    cluster is whose; of an engine that has any here, no other node is used.
    `network`: markings that the machines' own network is accredited for; a job at or below one of them may ask for it.
    `package_keys`: Ed25519 keys, hexadecimal, whose signature under SHA256SUMS counts. `sites`: by name.
    """

    process: bool = True
    slots: int = 0
    warm: bool = True
    first: str = PROCESS
    scratch: str = ""
    network: tuple[str, ...] = ()
    package_keys: tuple[str, ...] = ()
    sites: dict[str, JobSite] = {}
    isolate: str = "SECRET"
    engines: dict[str, JobEngine] = {}
    nodes: dict[str, JobNodeSettings] = {}


def running(jobs: JobSettings) -> None:
    """Raises Misconfigured where jobs could not run so."""
    if not 0 <= jobs.slots <= 4096:
        raise Misconfigured(setting="jobs.slots", why="it is 0 to 4096")
    if jobs.scratch and not PurePosixPath(jobs.scratch).is_absolute():
        raise Misconfigured(setting="jobs.scratch", why="it is an absolute folder")
    if jobs.first not in (*jobs.engines, PROCESS):
        raise Misconfigured(setting="jobs.first", why="it is process, or one of jobs.engines")
    for key in jobs.package_keys:
        if not _KEY.fullmatch(key):
            raise Misconfigured(setting="jobs.package_keys", why="a key is 32 bytes, as 64 hexadecimal digits")
    for name, site in jobs.sites.items():
        if not _SITE.fullmatch(name):
            raise Misconfigured(setting=f"jobs.sites.{name}", why="a name has letters, digits and '._/@+-'")
        if not PurePosixPath(site.path).is_absolute() or len(PurePosixPath(site.path).parts) < 2:
            raise Misconfigured(setting=f"jobs.sites.{name}.path", why="it is an absolute folder, and not the root")
    for name, engine in jobs.engines.items():
        setting = f"jobs.engines.{name}"
        if not _NAME.fullmatch(name) or name == PROCESS:
            raise Misconfigured(setting=setting, why="a name has letters, digits and hyphens, and is not process")
        if engine.python and not _PYTHON.fullmatch(engine.python):
            raise Misconfigured(setting=f"{setting}.python", why='it is as "3.11 x86_64 2.36": version, machine, glibc')
        if not engine.labels:
            raise Misconfigured(setting=f"{setting}.labels", why="it says which labels run there")
        if not PurePosixPath(engine.scratch).is_absolute():
            raise Misconfigured(setting=f"{setting}.scratch", why="it is an absolute folder, shared with the nodes")
        for label, domain in engine.labels.items():
            if (engine.kind == "ray") is not bool(domain.url):
                why = "a label of kind ray has a url" if engine.kind == "ray" else "kind slurm has no url"
                raise Misconfigured(setting=f"{setting}.labels.{label}", why=why)
    nodes_given(jobs.nodes, {name: engine.kind for name, engine in jobs.engines.items()})
