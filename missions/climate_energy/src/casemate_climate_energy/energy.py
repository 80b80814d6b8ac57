"""A linear model of supply in a solver, solved again and again: built once, and only the bound of its cap is changed.

Networks are PyPSA's (Brown et al. 2018, doi:10.5334/jors.188), models linopy's, the solver HiGHS (Huangfu, Hall 2018,
doi:10.1007/s12532-017-0130-5). Building and handing over is most of what a point of a sweep costs; a bound is one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.errors import BadInput
from casemate_climate_energy.quiet import quiet

__all__ = ["CAP", "Built", "Solved", "capped", "is_netcdf", "network_of"]

CAP = "casemate_co2_cap"
"""The row whose upper bound is the cap, in t."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Solved:
    """`cost`: the currency of the network, for its period. `emitted`: t. `price`: what one t less would cost, per t.

    `dual`: the objective of the dual problem, which equals `cost` where both are solved. `x`: the columns.
    """

    cost: float
    dual: float
    emitted: float
    price: float
    x: Floats


def network_of(path: Path) -> Any:
    """A network from a file. Raises BadInput for what is none, or has no place, demand or supply."""
    import pypsa

    if not is_netcdf(path):
        raise BadInput(what="A network is one file in PyPSA's netCDF format.")
    try:
        with quiet():
            network = pypsa.Network()
            network.import_from_netcdf(str(path))
    except Exception as wrong:
        raise BadInput(what="This is no network in PyPSA's netCDF format.") from wrong
    if network.buses.empty or network.generators.empty:
        raise BadInput(what="The network has no buses or no generators.")
    return network


def is_netcdf(path: Path) -> bool:
    """By its first bytes: what a job is given has no ending."""
    with path.open("rb") as file:
        return file.read(4) in (b"\x89HDF", b"CDF\x01", b"CDF\x02", b"CDF\x05")


def capped(network: Any) -> tuple[bool, float | None]:
    """Whether the network can emit, and the cap that it came with, t. What can is given a row of ours instead."""
    carriers = network.carriers
    emits = set(carriers.index[carriers.get("co2_emissions", 0.0) > 0]) if len(carriers) else set()
    if not emits & set(network.generators.carrier):
        return False, None
    rules = network.global_constraints
    own = rules[(rules.type == "primary_energy") & (rules.carrier_attribute == "co2_emissions") & (rules.sense == "<=")]
    cap = float(own.constant.min()) if len(own) else None
    for name in own.index:
        network.remove("GlobalConstraint", name)
    rule = {"type": "primary_energy", "carrier_attribute": "co2_emissions", "sense": "<=", "constant": 1e12}
    network.add("GlobalConstraint", CAP, **rule)
    return True, cap


class Built:
    """One model in the solver. `solve` changes a bound and nothing else."""

    def __init__(self, network: Any) -> None:
        import highspy
        from linopy.io import to_highspy

        self._highs = highspy
        self.network = network
        with quiet():
            self.model = network.optimize.create_model()
            matrices = self.model.matrices
            self.rows, self.columns = np.asarray(matrices.clabels), np.asarray(matrices.vlabels)
            self.solver = to_highspy(self.model)
        self.solver.setOptionValue("output_flag", False)
        self.solver.setOptionValue("threads", 1)
        self._offset = float(getattr(network, "objective_constant", 0.0) or 0.0)
        self.cap = self._row(f"GlobalConstraint-{CAP}")

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.columns)

    def solve(self, cap: float | None = None) -> Solved:
        """At most `cap` t; None: as many as it likes. Raises BadInput where nothing can meet it."""
        if self.cap is not None:
            bound = self._highs.kHighsInf if cap is None else float(cap)
            self.solver.changeRowBounds(self.cap, -self._highs.kHighsInf, bound)
        with quiet():
            self.solver.run()
        if self.solver.getModelStatus() != self._highs.HighsModelStatus.kOptimal:
            told = self.solver.modelStatusToString(self.solver.getModelStatus())
            raise BadInput(what=f"The network has no solution under this cap: {told}.")
        solution, info = self.solver.getSolution(), self.solver.getInfo()
        emitted = price = 0.0
        if self.cap is not None:
            emitted, price = float(solution.row_value[self.cap]), -float(solution.row_dual[self.cap])
        x = np.asarray(solution.col_value, dtype=np.float64)
        return Solved(float(info.objective_function_value), self._dual(solution), emitted, max(price, 0.0), x)

    def values(self, name: str, x: Floats) -> Any:
        """What the columns of a variable of the model are, as linopy labels them; None where there is none."""
        if name not in self.model.variables:
            return None
        variable = self.model.variables[name]
        at = np.full(int(self.columns.max()) + 2, len(x), dtype=np.int64)
        at[self.columns] = np.arange(len(self.columns))
        padded = np.append(x, np.nan)
        return variable.labels.copy(data=padded[at[np.asarray(variable.labels)]])

    def _row(self, name: str) -> int | None:
        if name not in self.model.constraints:
            return None
        label = int(np.asarray(self.model.constraints[name].labels).ravel()[0])
        return int(np.flatnonzero(self.rows == label)[0])

    def _dual(self, solution: Any) -> float:
        """Each price times the bound that it stands at (Boyd and Vandenberghe 2004, section 5.2.1)."""
        program = self.solver.getLp()
        total = float(program.offset_)
        for prices, low, high in (
            (solution.row_dual, program.row_lower_, program.row_upper_),
            (solution.col_dual, program.col_lower_, program.col_upper_),
        ):
            price = np.asarray(prices)
            bound = np.where(price > 0, np.asarray(low), np.asarray(high))
            with np.errstate(invalid="ignore"):
                told = np.where(np.abs(price) < 1e-9, 0.0, price * np.where(np.isfinite(bound), bound, 0.0))
            total += float(told.sum())
        return total
