"""The sandbox: child processes that can compute, and nothing else. See docs/decisions/0005-sandbox.md.

    Sandbox.spawn   start a program; it comes back fenced, proved to be so, or not at all (SandboxMissing)
    Child           its two pipes, its end
    support         what this kernel can enforce

No byte of work is sent before the parent has seen in /proc that the child runs under the filter.
"""

from __future__ import annotations

from casemate.engines.sandbox.probe import Support, support
from casemate.engines.sandbox.spawn import Child, Limits, Sandbox

__all__ = ["Child", "Limits", "Sandbox", "Support", "support"]
