"""Atmospheric neutrinos below 1 GeV: FLUKA's table, Battistoni et al., Astropart. Phys. 23, 526 (2005)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from nurecoil.checks import Number, Positive, checked
from nurecoil.errors import NurecoilError
from nurecoil.quantities import conversion
from nurecoil.sources.flux import Component, Continuum, Files, Flux, Tabulated, Uncertainty

RELEASE: Final = "fluxes-atmospheric-battistoni-2005"
_MEV, _CM2 = 1e3, 1e-4 * 1e-3  # of GeV; of 1/(GeV m²) in 1/(MeV cm²)


@dataclass(frozen=True)
@checked("atmospheric")
class Atmospheric:
    """Atmospheric neutrinos of 13 to 944 MeV at Kamioka, as they are made: no oscillations."""

    flux: ClassVar = "atmospheric"
    baseline_m: ClassVar = None
    live_time_day: Annotated[
        float, Number(0, 1e6, "day", above=True, written=True), "times the mass: an exposure"
    ]
    scale: Annotated[Positive, "the flux of another place or year over Kamioka's in the table"] = 1.0
    width: Annotated[float, Number(0, 3), "of the pull atmospheric_flux, as a fraction; 0: no pull"] = 0.2

    @property
    def fluence(self) -> float:
        """The live time in seconds, scaled."""
        return self.scale * self.live_time_day * conversion("day", "s")

    def neutrinos(self, files: Files) -> Flux:
        """Return ν_e, ν_μ and their antineutrinos, straight lines between the energies of the table."""
        components = []
        for flavour in ("e", "mu"):
            table = files.read(f"nu_{flavour}.txt", RELEASE)
            if table.shape[1] != 5:
                raise NurecoilError(f"nu_{flavour}.txt has {table.shape[1]} columns, not 5")
            energies = tuple((_MEV * table[:, 0]).tolist())
            for bar, column in (("", 1), ("_bar", 3)):
                spectrum = Tabulated(energies, tuple((_CM2 * table[:, column]).tolist()))
                components.append(Component(f"nu_{flavour}{bar}", flavour, Continuum(spectrum, energies, 8)))
        names = tuple(component.name for component in components)
        pulls = (Uncertainty("atmospheric_flux", self.width, names),) if self.width else ()
        return Flux("atmospheric", tuple(components), "Battistoni:2005", uncertainties=pulls)
