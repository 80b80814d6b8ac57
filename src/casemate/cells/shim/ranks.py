"""What ranks of MPI find in the walls: names of the attempt's nodes, and a way to begin a program on another of them.

    one node          ranks speak through shared memory; there is no network, as for every job
    several, network  `seat` builds the same walls on each further node before anything of the job runs there; inside,
                      a line of sh takes commands from the shared working directory. mpirun begins its daemons so

OpenMPI 4 reads its parameters from the environment (`OMPI_MCA_*`); what an order names stands above ours. The shim
starts nothing that a job asks for: what stands on another node was ordered by the region, and is shut in like this one.
"""

from __future__ import annotations

import os
import time

from casemate.cells.shim import files

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from typing import Any

__all__ = ["OVER", "READY", "SERVE", "across", "environment", "furnish", "gather", "host", "several"]

READY, OVER = "ranks", "over"
"""Files of the folder: the working directory is furnished; the job on the first node has ended."""
_AT = "/job/.mpi"
SERVE = f"{_AT}/serve"
_GATHER = 10.0  # seconds for which the other nodes may say what they have used
_AGENT = f"""#!/bin/sh
# Begins a command on another node of this job, as ssh would: agent HOST COMMAND
while [ "${{1#-}}" != "$1" ]; do shift; done
host=$1 ask={_AT}/$1/$$ waited=0
shift
mkdir -p "{_AT}/$host"
printf '%s\\n' "$*" > "$ask.new"
mv "$ask.new" "$ask.ask"
until [ -e "$ask.end" ]; do
    if [ -e "$ask.ask" ] && [ "$waited" -gt 600 ]; then
        echo "casemate: $host has not begun within a minute" >&2
        exit 1
    fi
    waited=$((waited + 1))
    sleep 0.1
done
cat "$ask.out"
cat "$ask.err" >&2
code=$(cat "$ask.end")
rm -f "$ask".*
exit "$code"
"""
_SERVE = f"""# Takes commands for the node that it is named after, for as long as the attempt runs.
at={_AT}/$1
mkdir -p "$at"
while :; do
    for ask in "$at"/*.ask; do
        [ -e "$ask" ] || continue
        one=${{ask%.ask}}
        mv "$ask" "$one.run"
        (/bin/sh "$one.run" > "$one.out" 2> "$one.err" < /dev/null; echo $? > "$one.code"; mv "$one.code" "$one.end") &
    done
    sleep 0.1
done
"""
_OPENMPI = {
    "OMPI_MCA_orte_default_hostfile": f"{_AT}/hosts",
    "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",  # no job reads another process' memory
    "OMPI_MCA_btl_vader_backing_directory": "/tmp",
    "OMPI_MCA_hwloc_base_binding_policy": "none",  # the kernel's control groups hold it
    "HWLOC_COMPONENTS": "no_os,stop",  # there is no /sys
    "PMIX_MCA_psec": "native",
    "PMIX_MCA_gds": "hash",
}


def several(order: dict[str, Any]) -> bool:
    """Whether it has ranks, and walls with a working directory of that name."""
    return bool(order["level"] == "L2" and (order.get("tasks", 1) > 1 or across(order)))


def across(order: dict[str, Any]) -> bool:
    """Whether its ranks stand on several nodes: only where a network was ordered."""
    return bool(order["level"] == "L2" and order.get("nodes", 1) > 1 and order["network"] == "host")


def host(order: dict[str, Any]) -> str:
    """What the node calls itself inside."""
    return f"node{order.get('seat', 0)}" if several(order) else "job"


def environment(order: dict[str, Any]) -> dict[str, str]:
    """How OpenMPI finds its nodes and its transport; nothing where there is one rank."""
    if not several(order):
        return {}
    if across(order):
        way = {"OMPI_MCA_plm": "rsh", "OMPI_MCA_plm_rsh_agent": f"{_AT}/agent", "OMPI_MCA_plm_rsh_no_tree_spawn": "1"}
        return {**_OPENMPI, **way, "OMPI_MCA_btl": "vader,tcp,self"}
    return {**_OPENMPI, "OMPI_MCA_plm": "isolated", "OMPI_MCA_btl": "vader,self"}


def furnish(folder: int, order: dict[str, Any]) -> None:
    """Write what ranks find in the working directory. Raises OSError."""
    if not several(order):
        return
    many = order["nodes"] if across(order) else 1
    hosts = "".join(f"node{number} slots={order['tasks']}\n" for number in range(many))
    work = files.open_folder("work", folder)
    try:
        try:
            os.mkdir(".mpi", 0o755, dir_fd=work)
        except FileExistsError:
            pass
        inner = files.open_folder(".mpi", work)
        try:
            for name, said, mode in (("hosts", hosts, 0o644), ("agent", _AGENT, 0o755), ("serve", _SERVE, 0o644)):
                files.put(inner, name, said.encode("ascii"), sync=False)
                os.chmod(name, mode, dir_fd=inner)
        finally:
            os.close(inner)
    finally:
        os.close(work)


def gather(folder: int, order: dict[str, Any]) -> list[dict[str, int]]:
    """What the other nodes have used: they end now, and say so; one that is silent for too long is not waited for."""
    if not across(order) or "seat" in order:
        return []
    files.put(folder, OVER, b"{}", sync=False)
    used: list[dict[str, int]] = []
    left = set(range(1, order["nodes"]))
    until = time.monotonic() + _GATHER
    while left and time.monotonic() < until:
        for number in sorted(left):
            told = files.read(folder, f"used.{number}")
            if told is not None:
                used.append({name: int(files.load(told)[name]) for name in ("cpu_us", "rss_kb")})
            elif files.read(folder, f"seat.{number}") is not None:
                continue
            left.discard(number)  # it has said it, or nobody has ever sat there
        time.sleep(0.05)
    return used
