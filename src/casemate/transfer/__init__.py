"""transfer: what crosses an air gap, and how it is judged before anything of it becomes visible.

Its parts (`bundle`, volumes, diode, guard) do not know each other. All of it is pure: it takes bytes and gives bytes or
verdicts; files, links and clocks are others'. It must never adopt anything: that is a region's doing, through the gate.
"""

from __future__ import annotations

__all__: list[str] = []
