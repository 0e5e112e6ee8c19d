"""Neutrinos of a supernova: what a model emits, over 4πd², as the mass states that it turns into.

ν_x is one of ν_μ, ν_τ and their antineutrinos. Spectra are pinched (Keil et al., astro-ph/0208035):

φ(E) = N (α+1)^(α+1)/[<E> Γ(α+1)] (E/<E>)^α e^{-(α+1) E/<E>},   N = energy/<E>
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import (
    Ascending,
    Number,
    check_fields,
    checked,
    require,
    require_ascending,
)
from nurecoil.errors import NurecoilError
from nurecoil.quantities import conversion
from nurecoil.sources.flux import Component, Continuum, Files, Flux, Tabulated
from nurecoil.sources.mixing import NUFIT, Mixing

Edges = tuple[float, ...] | None
Flavours = tuple[float, float, float]

SPECIES: Final = ("nu_e", "nu_e_bar", "nu_x")
ERG: Final = 1 / 1.602176634e-6  # MeV
_STEPS: Final = 1000  # of energies that a light curve is summed at
_ENDS: Final = 10.0  # of the largest mean energy
_PLAUSIBLE: Final = (1e49, 1e56)  # erg
# What leaves as which mass states, by ordering: Dighe and Smirnov, hep-ph/9907423. Of ν_x there are two.
_STATES: Final[Mapping[str, Mapping[str, tuple[int, ...]]]] = {
    "normal": {"nu_e": (3,), "nu_x": (1, 2), "nu_e_bar": (1,), "nu_x_bar": (2, 3)},
    "inverted": {"nu_e": (2,), "nu_x": (1, 3), "nu_e_bar": (3,), "nu_x_bar": (1, 2)},
}


@dataclass(frozen=True)
@checked("pinched spectrum")
class Pinched:
    """A pinched spectrum of one species."""

    mean_MeV: Annotated[float, Number(0.1, 100, "MeV"), "<E>"]
    alpha: Annotated[float, Number(-0.9, 50), "2.3 of a Fermi-Dirac spectrum, more if pinched"]
    energy_erg: Annotated[float, Number(*_PLAUSIBLE, "erg"), "emitted, of ν_x by one of the four"]

    def __call__(self, E: Array) -> Array:
        """Return φ(E), 1/MeV."""
        return pinched(E, self.mean_MeV, self.alpha, self.energy_erg * ERG / self.mean_MeV)


def pinched(E: Array, mean: Array | float, alpha: Array | float, number: Array | float) -> Array:
    """Return φ(E) of so many neutrinos; arguments are arrays that go together."""
    from scipy.special import gammaln  # type: ignore[import-untyped]

    a = np.asarray(alpha) + 1
    x = np.maximum(E / mean, 1e-300)
    return np.asarray(number / mean * np.exp(a * np.log(a) - gammaln(a) + (a - 1) * np.log(x) - a * x))


@dataclass(frozen=True)
class Supernova:
    """A supernova: a table of its fluence, a light curve, or a pinched spectrum of each species."""

    flux: ClassVar = "supernova"
    baseline_m: ClassVar = None
    distance_kpc: Annotated[float, Number(1e-3, 1e5, "kpc", written=True)]
    fluence_file: Annotated[
        str | None, "columns: E in MeV; ν_e, ν_e_bar and one of four ν_x emitted, per MeV"
    ] = None
    light_curve: Annotated[
        str | None,
        "a file: time in s; mean energies in MeV, α, and luminosities in erg/s, each of ν_e, ν_e_bar, ν_x",
    ] = None
    spectra: Annotated[
        Mapping[str, Pinched] | None,
        "of nu_e, nu_e_bar, nu_x (one of four): { mean_MeV = 11, alpha = 3, energy_erg = 5e52 }",
    ] = None
    times_s: Annotated[
        tuple[float, ...] | None,
        Ascending(),
        "edges of bins of a light curve, which are an axis `time`",
    ] = None
    ordering: Annotated[
        Literal["none", "normal", "inverted"],
        "of the masses, by which flavours turn into mass states adiabatically; none: they do not",
    ] = "none"
    mixing: Mixing = NUFIT

    def __post_init__(self) -> None:
        """Refuse what is no supernova, or two."""
        check_fields(self, "supernova")
        given = [key for key in ("fluence_file", "light_curve", "spectra") if getattr(self, key) is not None]
        if len(given) != 1:
            have = " and ".join(given) or "nothing"
            raise NurecoilError(f"{have} is given: it must be one of fluence_file, light_curve, spectra")
        if self.times_s is not None and self.light_curve is None:
            raise NurecoilError("times_s needs a light_curve")
        if self.spectra is not None and sorted(self.spectra) != sorted(SPECIES):
            raise NurecoilError(f"spectra has {', '.join(self.spectra)}: it must have {', '.join(SPECIES)}")

    @property
    def fluence(self) -> float:
        """1/(4πd²) in cm⁻²; the spectra are what is emitted."""
        return 1 / (4 * math.pi * (100 * conversion("kpc", "m") * self.distance_kpc) ** 2)

    def neutrinos(self, files: Files) -> Flux:
        """Return ν_e, ν_x and their antineutrinos, in each bin of time."""
        if self.spectra is not None:
            spectra = {s: Continuum(p, _knots(p.mean_MeV)) for s, p in self.spectra.items()}
            return self._flux("pinched", [spectra])
        name = self.fluence_file or self.light_curve or ""
        table = files.read(name)
        if self.fluence_file:
            return self._flux(name, [_fluences(name, table)])
        return self._flux(name, list(_of_light_curve(name, table, self.times_s)))

    def _flux(self, name: str, spectra: list[Mapping[str, Continuum]]) -> Flux:
        """Return the components of one or more bins."""
        components, parts = [], len(spectra)
        for number, emitted in enumerate(spectra):
            for species in ("nu_e", "nu_x", "nu_e_bar", "nu_x_bar"):
                spectrum = emitted[species if species in SPECIES else "nu_x"]
                called = species if parts == 1 else f"{number}_{species}"
                components.append(Component(called, *self._state(species, spectrum)))
        cells = tuple(tuple(map(float, row)) for row in np.repeat(np.eye(parts), 4, axis=0))
        return Flux(f"supernova, {name}", tuple(components), name, in_time=cells if self.times_s else ())

    def _state(self, species: str, spectrum: Continuum) -> tuple[Flavours, Continuum, tuple[complex, ...]]:
        """Return what of each flavour arrives, of one ν_e or of two ν_x, the spectrum, and the coherences."""
        if self.ordering != "none":
            states = _STATES[self.ordering][species]
            return self.mixing.flavours(*states), spectrum, self.mixing.coherences(*states)
        return ((1.0, 0.0, 0.0) if species.startswith("nu_e") else (0.0, 1.0, 1.0)), spectrum, ()


def _knots(mean: float) -> tuple[float, ...]:
    """Return energies between which a pinched spectrum is smooth, but for E^α at 0."""
    return tuple(mean * x for x in (0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, _ENDS))


def _fluences(name: str, table: Array) -> Mapping[str, Continuum]:
    """Return the spectra of a table."""
    _require_columns(name, table, 4)
    energies = tuple(table[:, 0].tolist())
    require_ascending(f"energies of {name}", energies)
    require(energies[0] >= 0, f"the first energy of {name}", energies[0], "0 or more")
    found = {}
    for column, species in enumerate(SPECIES, start=1):
        values = table[:, column]
        require(bool((values >= 0).all()), f"{species} of {name}", values.min(), "0 or more")
        spectrum = Tabulated(energies, tuple(values.tolist()))
        found[species] = Continuum(spectrum, spectrum.panels)
    emitted = sum(
        (4 if s == "nu_x" else 1) * np.trapezoid(table[:, 0] * table[:, c], table[:, 0]) / ERG
        for c, s in enumerate(SPECIES, start=1)
    )
    _require_plausible(name, float(emitted))
    return found


def _of_light_curve(
    name: str, table: Array, edges: tuple[float, ...] | None
) -> Iterator[Mapping[str, Continuum]]:
    """Yield the spectra of each bin of time: ∫dt of φ(E, t), which has straight lines between times."""
    _require_columns(name, table, 10)
    times = table[:, 0]
    require_ascending(f"times of {name}", tuple(times.tolist()))
    means, alphas, powers = table[:, 1:4], table[:, 4:7], table[:, 7:10]
    for what, values in (("mean energies", means), ("luminosities", powers)):
        require(bool((values >= 0).all()), f"{what} of {name}", values.min(), "0 or more")
    require(bool((alphas > -1).all()), f"α of {name}", alphas.min(), "above -1")
    edges = edges or (float(times[0]), float(times[-1]))
    inside = times[0] <= edges[0] and edges[-1] <= times[-1]
    require(inside, "times_s", edges, f"within {name}, from {times[0]:g} to {times[-1]:g} s")
    weights = [hats(times, low, high) for low, high in pairwise(edges)]
    _require_plausible(name, float((hats(times, times[0], times[-1]) @ powers) @ [1, 1, 4]))
    energies = _ENDS * float(means.max()) * (np.arange(_STEPS) + 0.5) / _STEPS
    numbers = np.divide(powers * ERG, means, out=np.zeros_like(means), where=means > 0)
    spectra = [
        pinched(energies[:, np.newaxis], np.maximum(means[:, k], 1e-3), alphas[:, k], numbers[:, k])
        for k in range(len(SPECIES))
    ]
    for of_bin in weights:
        found = {}
        for species, rows in zip(SPECIES, spectra, strict=True):
            spectrum = Tabulated(tuple(energies.tolist()), tuple((rows @ of_bin).tolist()))
            found[species] = Continuum(spectrum, spectrum.panels)
        yield found


def hats(times: Array, low: float, high: float) -> Array:
    """Return the weight of each time in the integral from low to high of straight lines between them."""
    ends = np.clip(times, low, high)
    half, middle = np.diff(ends), (ends[1:] + ends[:-1]) / 2
    later = (middle - times[:-1]) / np.diff(times)
    return np.asarray(np.append(half * (1 - later), 0.0) + np.insert(half * later, 0, 0.0))


def _require_columns(name: str, table: Array, columns: int) -> None:
    if table.shape[1] != columns:
        raise NurecoilError(f"{name} has {table.shape[1]} columns, not {columns}")


def _require_plausible(name: str, energy: float) -> None:
    """Refuse a file in other units, by the energy that all neutrinos have (erg)."""
    low, high = _PLAUSIBLE
    what = f"from {low:g} to {high:g} erg: are its units those that are asked for?"
    require(low <= energy <= high, f"the energy of all neutrinos of {name}", f"{energy:.3g} erg", what)
