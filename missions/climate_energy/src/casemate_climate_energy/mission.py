"""The mission: its form, its estimate, its run and its report. Libraries are imported where they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from casemate.errors import BadInput
from casemate.missions import Citation, Context, Mission, Need, Output, Report, Result, Role, parameter
from casemate_climate_energy.fleet import Costs, Fleet, built, weather_of

if TYPE_CHECKING:
    from casemate_climate_energy.climate import Climate

__all__ = ["ClimateEnergy", "Parameters"]

CLIMATE = ("members", "emissions", "species")


@dataclass(frozen=True)
class Parameters:
    """What a person chooses. Costs are assumptions, in euros."""

    scenario: str = parameter("medium-extension", en="The scenario that the budget is of.", fr="Le scénario du budget.")
    beside: tuple[str, ...] = parameter((), en="Scenarios shown beside it.", fr="Scénarios montrés à côté.")
    member_count: int = parameter(100, low=1, high=100_000, en="Members of the ensemble.", fr="Membres de l'ensemble.")
    chunk: int = parameter(50, low=1, high=1000, en="Members at a time.", fr="Membres à la fois.")
    until: int = parameter(2100, low=2030, high=2500, en="The last year.", fr="La dernière année.")
    now: int = parameter(
        2022, low=1990, high=2100, en="The year that the budget begins.", fr="L'année où commence le budget."
    )
    target: float = parameter(1.7, unit="K", low=0.5, high=6, en="Warming to keep to.", fr="Réchauffement à tenir.")
    share: float = parameter(
        5e-5, low=0, high=1, en="The fleet's share of what the world may still emit.", fr="La part de la flotte."
    )
    years: int = parameter(30, low=1, high=200, en="Years that the budget lasts.", fr="Années que dure le budget.")
    caps: tuple[float, ...] = parameter(
        (0.5, 0.2, 0.05, 0.0), low=0, high=1, en="Caps, as shares of what is emitted without.", fr="Plafonds, en parts."
    )
    load: float = parameter(
        1300.0, unit="MW", low=0.001, high=1e6, en="Power of the machines.", fr="Puissance des machines."
    )
    pue: float = parameter(1.2, low=1, high=3, en="All power over that of the machines, when it is mild.", fr="PUE.")
    cooling: float = parameter(
        0.005, unit="1/K", low=0, high=0.1, en="How much it rises for each degree.", fr="Sa hausse par degré."
    )
    mild: float = parameter(15.0, unit="degC", low=-20, high=40, en="Mild until here.", fr="Doux jusqu'ici.")
    flexible: float = parameter(0.0, low=0, high=1, en="The share that may be moved.", fr="La part déplaçable.")
    hours: float = parameter(6.0, unit="h", low=1, high=48, en="By how long.", fr="De combien de temps.")
    sheddable: float = parameter(0.0, low=0, high=1, en="The share that may be left undone.", fr="La part délestable.")
    grid: float = parameter(300.0, unit="MW", low=0, high=1e6, en="Between two zones.", fr="Entre deux zones.")
    step: int = parameter(3, unit="h", low=1, high=24, en="Hours that one step holds.", fr="Heures par pas.")
    intensity: float = parameter(
        0.351, unit="t/MWh", low=0, high=2, en="CO2 of gas power.", fr="CO2 de l'électricité au gaz."
    )
    wind_cost: float = parameter(100_000.0, unit="EUR/MW/a", low=0, high=1e7, en="Wind.", fr="Éolien.")
    solar_cost: float = parameter(50_000.0, unit="EUR/MW/a", low=0, high=1e7, en="Solar.", fr="Solaire.")
    gas_cost: float = parameter(90_000.0, unit="EUR/MW/a", low=0, high=1e7, en="Gas turbine.", fr="Turbine à gaz.")
    gas_price: float = parameter(60.0, unit="EUR/MWh", low=0, high=1e4, en="Gas power.", fr="Électricité au gaz.")
    battery_power: float = parameter(15_000.0, unit="EUR/MW/a", low=0, high=1e7, en="Battery, power.", fr="Batterie.")
    battery_room: float = parameter(13_000.0, unit="EUR/MWh/a", low=0, high=1e7, en="Battery, room.", fr="Sa capacité.")
    electrolysis: float = parameter(40_000.0, unit="EUR/MW/a", low=0, high=1e7, en="Electrolysis.", fr="Électrolyse.")
    turbine: float = parameter(50_000.0, unit="EUR/MW/a", low=0, high=1e7, en="Hydrogen turbine.", fr="Turbine à H2.")
    hydrogen_room: float = parameter(
        150.0, unit="EUR/MWh/a", low=0, high=1e7, en="Hydrogen, room.", fr="Réservoir de H2."
    )
    shed_price: float = parameter(
        1000.0, unit="EUR/MWh", low=0, high=1e6, en="Work left undone.", fr="Travail délesté."
    )


class ClimateEnergy(Mission[Parameters]):
    """Scenario, warming, what is left to emit, and the cheapest supply that keeps to it."""

    name: ClassVar[str] = "climate_energy"
    version: ClassVar[str] = "1.0.0"
    titles: ClassVar[Mapping[str, str]] = {"en": "Climate and energy", "fr": "Climat et énergie"}
    about: ClassVar[Mapping[str, str]] = {
        "en": "How warm a scenario gets, what may still be emitted, and what a supply costs that keeps to it.",
        "fr": "Le réchauffement d'un scénario, ce qui peut encore être émis, et le coût d'une énergie qui s'y tient.",
    }
    parameters = Parameters
    roles: ClassVar[Sequence[Role]] = (
        Role(
            "network", ("nc",), many=True, required=False, en="Networks of your own (PyPSA).", fr="Vos réseaux (PyPSA)."
        ),
        Role("weather", ("csv", "nc"), required=False, en="Weather of the fleet's zones.", fr="Météo des zones."),
        Role("members", ("csv",), required=False, en="Calibrated members (FaIR).", fr="Membres calibrés (FaIR)."),
        Role("emissions", ("csv",), required=False, en="Emissions by scenario (FaIR).", fr="Émissions par scénario."),
        Role("species", ("csv",), required=False, en="Species (FaIR).", fr="Espèces (FaIR)."),
        Role(
            "forcing", ("csv",), required=False, en="Volcanic and solar forcing.", fr="Forçage volcanique et solaire."
        ),
    )
    outputs: ClassVar[Sequence[Output]] = (
        Output("warming", "table", "Warming by year: 5, 50 and 95 % of the members.", "Réchauffement par an."),
        Output(
            "frontier", "table", "Cost and price of CO2 under each cap.", "Coût et prix du CO2 sous chaque plafond."
        ),
        Output("capacities", "table", "What would be built.", "Ce qui serait construit."),
        Output("dispatch", "table", "A week of supply.", "Une semaine de production."),
        Output("checks", "table", "What every solution must hold.", "Ce que toute solution doit vérifier."),
    )
    stands_on: ClassVar[Sequence[Citation]] = (
        Citation("fair", "Leach et al. 2021, doi:10.5194/gmd-14-3007-2021", "Apache-2.0"),
        Citation("pypsa", "Brown et al. 2018, doi:10.5334/jors.188", "MIT"),
        Citation("linopy", "Hofmann 2023, doi:10.21105/joss.04823", "MIT"),
        Citation("highspy", "Huangfu and Hall 2018, doi:10.1007/s12532-017-0130-5", "MIT"),
    )

    def need(self, parameters: Parameters, sizes: Mapping[str, int]) -> Need:
        """From the sizes of the files and the form; the slopes were measured (README)."""
        scenarios = 1 + len(parameters.beside)
        chunk = min(parameters.chunk, parameters.member_count) * scenarios
        # what stays of the chunks, whole once more while it is put together
        kept = parameters.member_count * scenarios * (parameters.until - 1749) * 32 / 1e6
        climate = 350 + 2 * chunk + kept if sizes.get("members") else 0
        steps = sizes.get("weather", 0) / 30 / parameters.step
        columns = max(steps * 20, sizes.get("network", 0) / 8)
        points = len(parameters.caps) + 2
        rounds = parameters.member_count * scenarios if climate else 0
        return Need(1, int(max(climate, 450 + columns / 100)), int(120 + rounds + columns * points / 500), 256)

    def run(self, context: Context[Parameters]) -> Result:
        from casemate_climate_energy import tables
        from casemate_climate_energy.budget import budget_of
        from casemate_climate_energy.energy import network_of
        from casemate_climate_energy.frontier import frontier_of
        from casemate_climate_energy.quiet import quiet

        p, cap = context.parameters, None
        found = tables.Found()
        climate = _climate(context)
        if climate is not None:
            budget = budget_of(climate, p.scenario, year=p.now, target=p.target, share=p.share, years=p.years)
            found.climate(climate, budget)
            cap = budget.cap
        for number, path in enumerate(context.inputs["network"]):
            name = f"network{number + 1}"
            found.supply(frontier_of(name, network_of(path), p.caps, None, context.progress))
        if context.inputs["weather"]:
            with quiet():
                network = built(_fleet(p), _costs(p), weather_of(Path(context.inputs["weather"][0]), p.step))
            found.supply(frontier_of("fleet", network, p.caps, cap, context.progress))
        if found.empty:
            raise BadInput(what="There is nothing to do: give networks, weather, or members, emissions and species.")
        return found.result()

    def report(self, context: Context[Parameters], result: Result) -> Report:
        from casemate_climate_energy.pictures import report

        return report(context, result, self.titles[context.language])


def _climate(context: Context[Parameters]) -> Climate | None:
    from casemate_climate_energy.climate import Files, ensemble

    given = [role for role in CLIMATE if context.inputs[role]]
    if not given:
        return None
    if len(given) < len(CLIMATE):
        raise BadInput(what=f"The climate needs {', '.join(CLIMATE)} together.")
    p = context.parameters
    one = {role: Path(context.inputs[role][0]) for role in CLIMATE}
    forcing = Path(context.inputs["forcing"][0]) if context.inputs["forcing"] else None
    scenarios = list(dict.fromkeys((p.scenario, *p.beside)))
    return ensemble(
        Files(one["members"], one["emissions"], one["species"], forcing), scenarios, p.member_count,
        chunk=p.chunk, until=p.until, scratch=context.scratch, told=context.progress,
    )  # fmt: skip


def _fleet(p: Parameters) -> Fleet:
    return Fleet(p.load, p.pue, p.cooling, p.mild, p.flexible, p.hours, p.sheddable, p.grid, p.intensity)


def _costs(p: Parameters) -> Costs:
    return Costs(
        p.wind_cost, p.solar_cost, p.gas_cost, p.gas_price, p.battery_power, p.battery_room, p.electrolysis, p.turbine,
        p.hydrogen_room, p.shed_price,
    )  # fmt: skip
