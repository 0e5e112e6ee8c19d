"""Neutrinos of the sun: Φ φ(E) of each reaction, as the mass states that ν_e turn into adiabatically."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.checks import Number, check_fields, require
from nurecoil.errors import unknown_name
from nurecoil.quantities import conversion
from nurecoil.sources.flux import Component, Continuum, Files, Flux, Line, Tabulated, Uncertainty
from nurecoil.sources.mixing import NUFIT, Mixing

# Φ per cm² and s, and its uncertainty as a fraction: Vinyoles et al., arXiv:1611.09867, table 6.
FLUXES: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "b16-gs98": {
        "pp": (5.98e10, 0.006),
        "pep": (1.44e8, 0.01),
        "hep": (7.98e3, 0.30),
        "7be": (4.93e9, 0.06),
        "8b": (5.46e6, 0.12),
        "13n": (2.78e8, 0.15),
        "15o": (2.05e8, 0.17),
        "17f": (5.29e6, 0.20),
    },
    "b16-agss09met": {
        "pp": (6.03e10, 0.005),
        "pep": (1.46e8, 0.009),
        "hep": (8.25e3, 0.30),
        "7be": (4.50e9, 0.06),
        "8b": (4.50e6, 0.12),
        "13n": (2.04e8, 0.14),
        "15o": (1.44e8, 0.16),
        "17f": (3.26e6, 0.18),
    },
}
# V = √2 G_F n_e where the neutrinos are made, in 1e-12 eV, and its relative variance there: de Holanda, Liao
# and Smirnov, hep-ph/0404042, table 1 (from memory; those of pep, 7Be and 8B were seen in other programs).
POTENTIAL: Final[Mapping[str, tuple[float, float]]] = {
    "pp": (4.68, 0.109),
    "pep": (5.13, 0.076),
    "hep": (3.96, 0.165),
    "7be": (6.16, 0.029),
    "8b": (6.81, 0.010),
    "13n": (6.22, 0.054),
    "15o": (6.69, 0.013),
    "17f": (6.74, 0.012),
}
# Electron captures: MeV and shares; 10.4 % of those of 7Be are into the excited state of 7Li (Tilley:2002).
LINES: Final[Mapping[str, Mapping[float, float]]] = {
    "pep": {1.442: 1.0},
    "7be": {0.8618: 0.896, 0.3843: 0.104},
}
RELEASE: Final = "fluxes"
_TABLES: Final = {"pp": "pp", "hep": "hep", "8b": "8B", "13n": "13N", "15o": "15O", "17f": "17F"}


@dataclass(frozen=True)
class Conversion:
    """How ν_e made at a potential V (eV, of relative variance ΔV²/V²) leave the sun as mass states.

    x = 2 E V c13²/Δm²,   cos2θ_m = (cos2θ - x)/[(cos2θ - x)² + sin²2θ]^½,   θ = θ_12

    Adiabatically; the mean over the region of production has (1 - δ) cos2θ_m (hep-ph/0404042):

    δ = (3/2) ΔV²/V² x² sin²2θ/[(cos2θ - x)² + sin²2θ]²
    """

    V: float
    variance: float
    mixing: Mixing

    def shares(self, E: ArrayLike) -> tuple[Array, Array, Array]:
        """Return how many are ν_1, ν_2 and ν_3, c13² [1 ± (1 - δ) cos2θ_m]/2 and s13², at E (MeV)."""
        c2, s13 = 1 - 2 * self.mixing.sin2_theta_12, self.mixing.sin2_theta_13
        c13 = 1 - s13
        x = 2e6 * np.asarray(E, dtype=float) * self.V * c13 / self.mixing.dm2_21_eV2
        square = (c2 - x) ** 2 + 1 - c2**2
        delta = 1.5 * self.variance * x**2 * (1 - c2**2) / square**2
        cosine = (1 - delta) * (c2 - x) / np.sqrt(square)
        return c13 * (1 + cosine) / 2, c13 * (1 - cosine) / 2, np.full_like(cosine, s13)


@dataclass(frozen=True)
class Converted:
    """What of a spectrum arrives as the mass state of a number from 0 to 2."""

    spectrum: Tabulated
    factor: float
    conversion: Conversion
    state: int

    def __call__(self, E: Array) -> Array:
        """Return Φ φ(E) of it."""
        return np.asarray(self.factor * self.spectrum(E) * self.conversion.shares(E)[self.state])


@dataclass(frozen=True)
class Solar:
    """The sun at 1 au, by day: what its distance and the earth's matter change over a year is left out.

    Neutrinos arrive as ν_1, ν_2 and ν_3, of ν_e, ν_μ and ν_τ with U_αi. The potential is
    that of electrons: new physics that changes what neutrinos do inside the sun is left out.
    """

    flux: ClassVar = "solar"
    baseline_m: ClassVar = None
    live_time_day: Annotated[
        float, Number(0, 1e6, "day", above=True, written=True), "times the mass: an exposure such as 5 t yr"
    ]
    model: Annotated[
        Literal["b16-gs98", "b16-agss09met"], "the solar model of the fluxes and of the widths of their pulls"
    ]
    neutrinos_of: Annotated[
        tuple[str, ...], "which: pp, pep, hep, 7be, 8b, 13n, 15o, 17f; all if left out"
    ] = tuple(POTENTIAL)
    fluxes: Annotated[
        Mapping[str, Annotated[float, Number(0, 1e12)]],
        "per cm² and s, in place of the model's",
    ] = field(default_factory=dict)
    widths: Annotated[
        Mapping[str, Annotated[float, Number(0, 3)]],
        "of the pulls solar_8b_flux and so on, as fractions, in place of the model's; 0: no pull",
    ] = field(default_factory=dict)
    mixing: Mixing = NUFIT

    def __post_init__(self) -> None:
        """Refuse neutrinos that the sun has not, and fluxes of those that are left out."""
        check_fields(self, "solar")
        chosen = self.neutrinos_of
        once = 0 < len(chosen) == len(set(chosen))
        require(once, "neutrinos_of", list(chosen), f"one or more of {', '.join(POTENTIAL)}, each once")
        for key, known in (("neutrinos_of", POTENTIAL), ("fluxes", chosen), ("widths", chosen)):
            for name in getattr(self, key):
                if name not in known:
                    raise unknown_name(f"kind of solar neutrinos in {key}", name, known)

    @property
    def fluence(self) -> float:
        """The live time in seconds; the spectra are per second."""
        return self.live_time_day * conversion("day", "s")

    def conversion(self, kind: str) -> Conversion:
        """Return how the neutrinos of a reaction are converted."""
        V, variance = POTENTIAL[kind]
        return Conversion(1e-12 * V, variance, self.mixing)

    def survival(self, kind: str, E: ArrayLike) -> Array:
        """Return P_ee(E) = Σ_i |U_ei|² (share of ν_i) of the neutrinos of a reaction, E in MeV."""
        shares = self.conversion(kind).shares(E)
        return np.asarray(
            sum(abs(U) ** 2 * share for U, share in zip(self.mixing.matrix[0], shares, strict=True))
        )

    def neutrinos(self, files: Files) -> Flux:
        """Return three mass states of each line and of each continuum."""
        components, uncertainties = [], []
        for kind in dict.fromkeys(self.neutrinos_of):
            rate, width = FLUXES[self.model][kind]
            parts = self._components(kind, self.fluxes.get(kind, rate), files)
            components += parts
            if width := self.widths.get(kind, width):
                names = tuple(part.name for part in parts)
                uncertainties.append(Uncertainty(f"solar_{kind}_flux", width, names))
        named = f"{self.model}, Vinyoles:2017; NuFIT 6.0"
        return Flux("solar", tuple(components), named, uncertainties=tuple(uncertainties))

    def _components(self, kind: str, rate: float, files: Files) -> list[Component]:
        conversion, found = self.conversion(kind), []
        table = None if kind in LINES else _table(kind, files)
        for state in range(3):
            flavours, pairs = self.mixing.flavours(state + 1), self.mixing.coherences(state + 1)
            if table is not None:
                density = Converted(table, rate, conversion, state)
                name = f"{kind}_nu_{state + 1}"
                found.append(Component(name, flavours, Continuum(density, table.panels), pairs))
            for E, share in LINES.get(kind, {}).items():
                number = rate * share * float(conversion.shares(E)[state])
                found.append(Component(f"{kind}_{E:g}_nu_{state + 1}", flavours, Line(E, number), pairs))
        return found


def _table(kind: str, files: Files) -> Tabulated:
    """Return a spectrum, scaled so that its straight lines have the integral 1 (that of pp is 0.997)."""
    E, values = files.read(f"{_TABLES[kind]}.txt", RELEASE).T
    return Tabulated(tuple(E.tolist()), tuple((values / np.trapezoid(values, E)).tolist()))
