"""Climate and energy: warming of scenarios, what is left to emit, and what a supply costs that keeps to it."""

from __future__ import annotations

from casemate_climate_energy.mission import ClimateEnergy

__all__ = ["ClimateEnergy"]
