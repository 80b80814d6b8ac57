"""A real one-way link: two network namespaces, a veth pair between them, a wall in the high one that lets nothing out.

The wall is nftables at the device's egress, below everything that the kernel does by itself (ARP, ICMP), and counts:
what the high side tried to say is told there, and zero is what the tests ask for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

LOW, HIGH = "10.77.0.1", "10.77.0.2"
ADDRESS = "02:00:00:00:00:02"
WALL = """
table netdev diode {
  counter reverse { }
  counter forward { }
  chain out {
    type filter hook egress device "vH" priority 0; policy drop;
    counter name "reverse"
  }
  chain in {
    type filter hook ingress device "vH" priority 0; policy accept;
    counter name "forward"
  }
}
"""
CASEMATE = (sys.executable, "-m", "casemate.cli", "diode")


def run(words: Sequence[str], text: str = "") -> str:
    return subprocess.run(words, input=text, capture_output=True, text=True, check=True, timeout=60).stdout


@dataclass
class OneWay:
    """Prefixes of a command that runs on one side."""

    low: tuple[str, ...]
    high: tuple[str, ...]

    def loss(self, thousandths: int) -> None:
        """Drop so many of a thousand UDP datagrams at the high side's door; none for 0."""
        run([*self.high, "nft", "flush", "chain", "netdev", "diode", "in"])
        if thousandths:
            rule = f"ip protocol udp numgen random mod 1000 < {thousandths} drop"
            run([*self.high, "nft", "add", "rule", "netdev", "diode", "in", *rule.split()])

    def up(self, up: bool) -> None:
        """Pull the plug, or put it in again; the neighbour that nobody may ask for is told anew."""
        run([*self.low, "ip", "link", "set", "vL", "up" if up else "down"])
        if up:
            self.neighbour()

    def neighbour(self) -> None:
        run([*self.low, "ip", "neigh", "replace", HIGH, "lladdr", ADDRESS, "dev", "vL", "nud", "permanent"])

    def mtu(self, size: int) -> None:
        run([*self.low, "ip", "link", "set", "vL", "mtu", str(size)])

    @property
    def reverse(self) -> int:
        """Packets that the high side tried to send since it was last asked."""
        told = run([*self.high, "nft", "reset", "counter", "netdev", "diode", "reverse"])
        found = re.search(r"packets (\d+)", told)
        assert found, told
        return int(found[1])

    @contextmanager
    def running(self, side: Sequence[str], *words: str | Path) -> Iterator[subprocess.Popen[str]]:
        """`casemate diode WORDS` on that side, until the block ends."""
        process = subprocess.Popen(
            [*side, *CASEMATE, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=60)


def until(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines that it says up to the one with that text."""
    lines: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"ended without saying {text!r}: {lines}")


def lacking() -> str:
    """Why there can be no such link here, or nothing."""
    for program in ("ip", "nft", "unshare", "nsenter"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            return f"{program} is not installed: apt-get install iproute2 nftables util-linux"
    return ""


def _alone() -> tuple[str, ...]:
    """The way to a namespace of one's own here: a user's, or root's."""
    for words in (("unshare", "-Urn"), ("unshare", "-n")):
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("NO ONE-WAY LINK: neither user namespaces nor root's are allowed here, and its tests DID NOT RUN")


def _held(words: Sequence[str]) -> subprocess.Popen[str]:
    """A process that keeps a namespace, once it is in it."""
    held = subprocess.Popen([*words, "sh", "-c", "echo here; exec sleep 3600"], stdout=subprocess.PIPE, text=True)
    assert held.stdout is not None
    assert held.stdout.readline() == "here\n"
    return held


def _laid(found: OneWay, high: int) -> None:
    """Two ends of one wire, and the wall. Raises CalledProcessError where this kernel knows no such thing."""
    run([*found.low, "ip", "link", "add", "vL", "mtu", "9000", "type", "veth", "peer", "name", "vH", "mtu", "9000"])
    run([*found.low, "ip", "link", "set", "vH", "netns", str(high)])
    for side, device, address in ((found.low, "vL", LOW), (found.high, "vH", HIGH)):
        switch = f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6"
        run([*side, "sh", "-c", f"[ ! -e {switch} ] || echo 1 > {switch}"])
        run([*side, "ip", "address", "add", f"{address}/24", "dev", device])
    run([*found.high, "nft", "-f", "-"], WALL)
    run([*found.high, "ip", "link", "set", "vH", "address", ADDRESS, "up"])
    run([*found.high, "ip", "link", "set", "lo", "up"])


@contextmanager
def one_way() -> Iterator[OneWay]:
    """The link, up. Skips, and says so, where the machine allows none."""
    if why := lacking():
        pytest.skip(f"NO ONE-WAY LINK: {why}; its tests DID NOT RUN")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    alone = _alone()
    user = ("-U", "--preserve-credentials") if "-Urn" in alone else ()
    low = _held(alone)
    enter = ("nsenter", "-t", str(low.pid), *user, "-n")
    high = _held([*enter, "unshare", "-n"])
    found = OneWay(enter, ("nsenter", "-t", str(high.pid), *user, "-n"))
    try:
        try:
            _laid(found, high.pid)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"NO ONE-WAY LINK: {error.cmd}: {error.stderr}; its tests DID NOT RUN")
        found.up(True)
        yield found
    finally:
        for held in (high, low):
            held.kill()
            held.wait()
            assert held.stdout is not None
            held.stdout.close()
