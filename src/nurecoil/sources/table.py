"""Fluxes of a data file of one's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from nurecoil.checks import Number, check_fields, require, require_ascending
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.quantities import conversion
from nurecoil.sources.flux import Component, Continuum, Files, Flux, Tabulated

NEUTRINOS: Final = {f"nu_{flavour}{bar}": flavour for flavour in ("e", "mu", "tau") for bar in ("", "_bar")}
POINTS: Final = 8  # between the energies of a table, where a density is a straight line or nearly so
_UNIT: Final = re.compile(r"(?<![A-Za-z])(keV|MeV|GeV)(?![A-Za-z])")
_LAST: Final = (0.01, 1e4)  # MeV
_CM2: Final = {"cm2": 1.0, "m2": 1e-4}


@dataclass(frozen=True)
class FluxTable:
    """Fluxes of a data file: straight lines between its energies, nothing outside."""

    flux: ClassVar = "table"
    file: Annotated[str, "its name, in the card's release or beside the card"]
    columns: Annotated[
        Mapping[str, Annotated[int, Number(0)]],
        "of `energy`, and of each neutrino: nu_e, nu_e_bar, nu_mu, nu_mu_bar, nu_tau, nu_tau_bar",
    ]
    energy_unit: Annotated[Literal["keV", "MeV", "GeV"], "of the energies, and of what fluxes are per"]
    area: Annotated[Literal["cm2", "m2"], "what fluxes are per as well"]
    live_time_day: Annotated[
        float | None, Number(0, 1e6, "day", above=True, written=True), "of fluxes per s; none: a fluence"
    ] = None
    baseline_m: Annotated[
        float | None, Number(1, 1e6, "m", written=True), "from the source, for oscillations alone"
    ] = None

    def __post_init__(self) -> None:
        """Refuse columns of anything else."""
        check_fields(self, "flux table")
        names = ["energy", *NEUTRINOS]
        for name in self.columns:
            if name not in names:
                raise unknown_name("column", name, names)
        both = "energy" in self.columns and len(self.columns) > 1
        require(both, "columns", dict(self.columns), "energy, and one neutrino or more")

    def neutrinos(self, files: Files) -> Flux:
        """Return a component for each neutrino."""
        table, unit = files.read(self.file), conversion(self.energy_unit, "MeV")
        if table.shape[1] <= max(self.columns.values()):
            raise NurecoilError(f"{self.file} has {table.shape[1]} columns, the first being 0")
        energies = tuple((table[:, self.columns["energy"]] * unit).tolist())
        require_ascending(f"energies of {self.file}", energies)
        require(energies[0] >= 0, f"the first energy of {self.file}", energies[0], "0 or more")
        self._require_unit(files.path(self.file), energies[-1])
        components = []
        for name, column in self.columns.items():
            if name != "energy":
                values = table[:, column]
                require(bool((values >= 0).all()), f"{name} of {self.file}", values.min(), "0 or more")
                density = Tabulated(energies, tuple((values / unit * _CM2[self.area]).tolist()))
                spectrum = Continuum(density, energies, POINTS)
                components.append(Component(name, NEUTRINOS[name], spectrum))
        return Flux(f"table {self.file}", tuple(components), self.file)

    def _require_unit(self, path: Path, last: float) -> None:
        """Refuse a unit that the heading does not name, or that makes the last energy (MeV) absurd."""
        lines = takewhile(_is_heading, path.read_text("utf-8-sig").splitlines())
        named = {unit for line in lines for unit in _UNIT.findall(line)}
        said = f"{' or '.join(sorted(named))}, as the heading of {self.file} says"
        require(not named or self.energy_unit in named, "energy_unit", repr(self.energy_unit), said)
        low, high = _LAST
        said = f"from {low:g} to {high:g} MeV: is the energy_unit {self.energy_unit} right?"
        require(low <= last <= high, f"the last energy of {self.file}", f"{last:g} MeV", said)

    @property
    def fluence(self) -> float:
        """The live time in seconds, 1 if the table is a fluence."""
        return 1.0 if self.live_time_day is None else self.live_time_day * conversion("day", "s")


def _is_heading(line: str) -> bool:
    """Return whether a line of a table has no number first: a comment, or the names of columns."""
    return not line.strip()[:1].isdigit() and line.strip()[:1] not in ("+", "-", ".")
