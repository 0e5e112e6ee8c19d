"""Electron antineutrinos of a nuclear reactor: φ(E) = P/(4πL² Σ f_i e_i) Σ f_i S_i(E)."""

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import Ascending, Number, Probability, check_fields, require, require_one_each
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.quantities import conversion
from nurecoil.sources.flux import (
    Component,
    Continuum,
    Files,
    Flux,
    Tabulated,
    Uncertainty,
    flux_integral,
)
from nurecoil.sources.table import POINTS

Density = Callable[[Array], Array]

THRESHOLD: Final = 1.8  # MeV, of inverse beta decay, and of all spectra that were measured by it or converted
_PUBLISHED: Final[dict[str, Any]] = tomllib.loads(
    resources.files("nurecoil.sources").joinpath("reactor.toml").read_text("utf-8")
)
ENERGY_PER_FISSION: Final[Mapping[str, float]] = _PUBLISHED["energy_per_fission"]  # MeV
_END: Final = 10.0  # MeV, of tables; what lies beyond is 1e-5 of it
_JOULE: Final = 1 / 1.602176634e-13  # MeV


@dataclass(frozen=True)
class ExponentialOfPolynomial:
    """S(E) = e^(a_0 + a_1 E + ...), E in MeV, S per MeV and fission."""

    coefficients: tuple[float, ...]

    def __call__(self, E: Array) -> Array:
        """Return S(E)."""
        return np.asarray(np.exp(np.polynomial.polynomial.polyval(E, self.coefficients)))


@dataclass(frozen=True)
class InBins:
    """A density times a factor in each bin of energies (MeV), zero outside."""

    density: Density
    edges: tuple[float, ...]
    factors: tuple[float, ...]

    def __call__(self, E: Array) -> Array:
        """Return factor · S(E)."""
        place = np.searchsorted(self.edges, E, side="right") - 1
        return np.asarray(np.append(self.factors, 0.0)[place] * self.density(E))


@dataclass(frozen=True)
class PerFission:
    """Σ f_i S_i(E), those S that are of low energies below the threshold, the others above it."""

    low: tuple[tuple[float, Density], ...]
    high: tuple[tuple[float, Density], ...]

    def __call__(self, E: Array) -> Array:
        """Return S(E)."""
        found, below = np.zeros_like(E), E < THRESHOLD
        for terms, at in ((self.low, below), (self.high, ~below)):
            if terms and at.any():
                found[at] = sum(f * S(E[at]) for f, S in terms)
        return found


@dataclass(frozen=True)
class Shape:
    """How well a spectrum is known: a pull for each range of energies, independent of the others."""

    edges_MeV: Annotated[tuple[float, ...], Ascending(), "of the ranges, which cover the spectrum"]
    widths: Annotated[
        tuple[Annotated[float, Number(0, 3, above=True)], ...], "of reactor_spectrum_1.8_4 and so on"
    ]

    def __post_init__(self) -> None:
        """Refuse ranges without a width."""
        check_fields(self, "shape")
        require_one_each("widths", self.widths, "range", self.edges_MeV[1:])


@dataclass(frozen=True)
class Reactor:
    """A reactor: electron antineutrinos of its fissions while it is on."""

    flux: ClassVar = "reactor"
    thermal_power_GW: Annotated[float, Number(0, 1e3, "GW", above=True, written=True)]
    baseline_m: Annotated[float, Number(1, 1e6, "m", written=True)]
    live_time_day: Annotated[
        float, Number(0, 1e6, "day", above=True, written=True), "with the reactor on; times the mass: kg day"
    ]
    fission_fractions: Annotated[
        Mapping[str, Probability], "of U235, U238, Pu239 and Pu241, which sum to 1; left out are 0"
    ]
    spectrum: Annotated[
        Literal["huber-mueller", "huber-mueller-table", "dayabay-2021", "summation-2019"],
        "above 1.8 MeV; all but the first need data (`nurecoil data list`)",
    ]
    low_energies: Annotated[
        Literal["summation-2019"] | None,
        "the spectrum below 1.8 MeV, without which there is nothing; recoils of electrons need it",
    ] = None
    flux_width: Annotated[
        float, Number(0, 3), "of the pull reactor_flux: power, and antineutrinos of a fission; 0: no pull"
    ] = 0.0
    shape: Annotated[Shape | None, "pulls of the spectrum's shape"] = None

    def __post_init__(self) -> None:
        """Refuse what is no composition."""
        check_fields(self, "reactor")
        fractions: Any = self.fission_fractions
        shape = self.shape
        require(shape is None or isinstance(shape, Shape), "reactor shape", shape, "a Shape, or None")
        known = isinstance(fractions, Mapping)
        require(known, "fission_fractions", fractions, "a table of isotopes, each with a number")
        for isotope, fraction in fractions.items():
            if isotope not in ENERGY_PER_FISSION:
                raise unknown_name("isotope of fission_fractions", isotope, ENERGY_PER_FISSION)
            given = isinstance(fraction, (int, float)) and 0 <= fraction <= 1
            require(given, f"fission_fractions.{isotope}", fraction, "from 0 to 1")
        total = sum(fractions.values())
        require(abs(total - 1) <= 0.005, "sum of fission_fractions", f"{total:g}", "1, within 0.005")

    @property
    def fluence(self) -> float:
        """Fissions per cm², P t/(4πL² Σ f_i e_i); the spectra are per fission."""
        energy = sum(f * ENERGY_PER_FISSION[isotope] for isotope, f in self.fission_fractions.items())
        watt, seconds = self.thermal_power_GW * 1e9, self.live_time_day * conversion("day", "s")
        return watt * _JOULE * seconds / energy / (4 * math.pi * (self.baseline_m * 100) ** 2)

    def neutrinos(self, files: Files) -> Flux:
        """Return the antineutrinos of a fission."""
        kinds = (self.low_energies, self.spectrum)
        (low, below), (high, above) = (_SPECTRA[kind](files) if kind else ({}, ()) for kind in kinds)
        knots = {THRESHOLD, *(E for E in below if E < THRESHOLD), *(E for E in above if E > THRESHOLD)}
        parts = [tuple((f, S[i]) for i, f in self.fission_fractions.items() if S) for S in (low, high)]
        components, pulls = self._ranges(PerFission(*parts), sorted(knots))
        if self.flux_width:
            names = tuple(component.name for component in components)
            pulls.insert(0, Uncertainty("reactor_flux", self.flux_width, names))
        named = f"{self.spectrum}, {self.low_energies or 'nothing'} below {THRESHOLD} MeV"
        return Flux("reactor", tuple(components), named, uncertainties=tuple(pulls))

    def _ranges(self, density: Density, knots: list[float]) -> tuple[list[Component], list[Uncertainty]]:
        """Return the spectrum, or what of it is in each range of energies and how well it is known."""
        if self.shape is None:
            return [Component("nu_e_bar", "e", Continuum(density, tuple(knots), POINTS))], []
        edges, components, pulls = self.shape.edges_MeV, [], []
        covered = edges[0] <= knots[0] and knots[-1] <= edges[-1]
        require(covered, "shape.edges_MeV", edges, f"from {knots[0]:g} or less to {knots[-1]:g} or more")
        for (low, high), width in zip(pairwise(edges), self.shape.widths, strict=True):
            ends = max(low, knots[0]), min(high, knots[-1])
            if ends[0] < ends[1]:
                inside = (ends[0], *(E for E in knots if ends[0] < E < ends[1]), ends[1])
                name = f"{low:g}_{high:g}_nu_e_bar"
                components.append(Component(name, "e", Continuum(density, inside, POINTS)))
                pulls.append(Uncertainty(f"reactor_spectrum_{low:g}_{high:g}", width, (name,)))
        return components, pulls


Spectra = tuple[Mapping[str, Density], tuple[float, ...]]  # of each isotope, and knots of them all


def _huber_mueller(files: Files) -> Spectra:
    """Return the polynomials of Huber (2011) and Mueller et al. (2011)."""
    found = {i: ExponentialOfPolynomial(tuple(a)) for i, a in _PUBLISHED["huber-mueller"].items()}
    return found, tuple(np.linspace(THRESHOLD, _END, 21).tolist())


def _huber_mueller_table(files: Files) -> Spectra:
    """Return the tables of the same papers as Daya Bay (2025) takes them: an exponential in each 0.25 MeV."""
    path = files.path("reactor_antineutrino_spectra_hm.npz", "fluxes-reactor-dayabay-2025")
    with np.load(path) as tables:
        E, values = ({i: tables[i][key] for i in ENERGY_PER_FISSION} for key in ("E_MeV", "N_density"))
    found = {i: Tabulated(tuple(E[i].tolist()), tuple(values[i].tolist()), True) for i in E}
    return found, tuple(np.arange(2.0, _END + 0.1, 0.25).tolist())


def _summation(files: Files) -> Spectra:
    """Return SM-2018 of Estienne et al. (2019): straight lines between the centres of bins of 0.1 MeV."""
    found, knots = {}, np.zeros(1)
    for isotope in ENERGY_PER_FISSION:
        E, values = files.read(f"{isotope.lower()}_EF.csv", "fluxes-reactor-summation-2019").T[:2]
        found[isotope], knots = Tabulated(tuple(E.tolist()), tuple(values.tolist())), E
    return found, (0.0, *(E for E in knots.tolist() if E <= _END))


def _dayabay(files: Files) -> Spectra:
    """Return Daya Bay (2021), unfolded: in each bin the shape of Huber and Mueller, and U238 all theirs."""
    path = files.path("UnfoldAntineutrinoSpectra.txt", "fluxes-reactor-dayabay-2021")
    lines = [line.split() for line in path.read_text("utf-8").splitlines() if line[:1] not in ("#", "")]
    rows = np.array([cells for cells in lines if len(cells) == 3], dtype=float)
    published, (model, _) = _PUBLISHED["dayabay-2021"], _huber_mueller(files)
    edges, mix = tuple(published["edges"]), published["pu241"]
    if len(rows) != 3 * (len(edges) - 1):
        raise NurecoilError(f"{path} has {len(rows)} rows of three numbers, not one a bin of three spectra")
    unfolded = np.split(rows[:, 2] * np.tile(np.diff(edges), 3), 3)  # U235, Pu239 with its Pu241, all

    def factors(parts: PerFission, measured: Array) -> tuple[float, ...]:
        bins = (Continuum(parts, pair) for pair in pairwise(edges))
        expected = [flux_integral(each, np.ones_like, np.zeros(1))[0] for each in bins]
        return tuple((measured / expected).tolist())

    uranium = factors(PerFission((), ((1.0, model["U235"]),)), unfolded[0])
    plutonium = factors(PerFission((), ((1.0, model["Pu239"]), (mix, model["Pu241"]))), unfolded[1])
    scaled = {i: InBins(model[i], edges, plutonium) for i in ("Pu239", "Pu241")}
    return {**model, "U235": InBins(model["U235"], edges, uranium), **scaled}, edges


_SPECTRA: Final[Mapping[str, Callable[[Files], Spectra]]] = {
    "huber-mueller": _huber_mueller,
    "huber-mueller-table": _huber_mueller_table,
    "summation-2019": _summation,
    "dayabay-2021": _dayabay,
}
