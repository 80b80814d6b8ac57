"""Sigma rules as data. `pack` needs no pySigma; `read` makes packs with it."""

from casemate_cyber.rules.pack import Correlation, Left, Node, Pack, Rule, decode

__all__ = ["Correlation", "Left", "Node", "Pack", "Rule", "decode"]
