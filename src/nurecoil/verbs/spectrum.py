"""`spectrum`: rates of recoils by nuclide and flavour, and what the detector makes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.experiment.recoil import rates, recoil_energy_max
from nurecoil.parameters import Values
from nurecoil.physics.couplings import FLAVOURS, Couplings
from nurecoil.presentation.document import Block, Figure, Panel, Series, Table
from nurecoil.presentation.labels import isotope, spelled
from nurecoil.study.data import on_axis
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study
from nurecoil.verbs.options import Verb
from nurecoil.verbs.predict import at_point

HELP = """Print the rate of recoils by nuclide and flavour, dR/dT for the whole exposure, and the counts that
the detector makes of them, bin by bin. Electron recoils are in the counts where the detector sees them.

\b
Examples:
  nurecoil spectrum --model standard-model --experiment binh2021-csi
  nurecoil spectrum --model light-vector --experiment coherent-lar-2020 --set m_mediator=10MeV \\
    --set g_mediator=5e-5 --plot recoils.png
  nurecoil spectrum --model nsi --experiment binh2021-ge --set eps_u_ee=0.2 --json"""
_POINTS = 200  # recoil energies
_LOWEST = 1e-3  # of the largest recoil energy
_SHOWN = 12  # rows of the table
_FAINT = 1e-6  # of the largest rate: not drawn
_KEV = 1e3  # in an MeV


@dataclass(frozen=True)
class Recoils:
    """Recoils in one experiment.

    Attributes
    ----------
    name
        Of the experiment.
    energies : ndarray, shape (n,)
        T in keV.
    rates : dict of ndarray, shape (3, n)
        dR/dT in 1/keV for the whole exposure, by nuclide, of each incoming flavour (e, mu, tau).
    observable, edges
        What the detector sees, with its unit, and the bins; counts are summed over the other axes.
    counts : ndarray, shape (3, bins)
        Expected counts of each flavour.
    """

    name: str
    energies: Array
    rates: dict[str, Array]
    observable: str
    edges: tuple[float, ...]
    counts: Array

    @property
    def rate(self) -> Array:
        """The sum over nuclides and flavours, shape (n,)."""
        return np.asarray(sum(each.sum(axis=0) for each in self.rates.values()))

    def record(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "recoil_energy": self.energies,
            "recoil_energy_unit": "keV",
            "rates": {name: dict(zip(FLAVOURS, each, strict=True)) for name, each in self.rates.items()},
            "rates_unit": "1/keV",
            "observable": self.observable,
            "bin_edges": self.edges,
            "counts": dict(zip(FLAVOURS, self.counts, strict=True)),
        }


@dataclass(frozen=True, repr=False)
class Spectrum(Shown):
    """Recoils in each experiment at one point of a model."""

    parts: tuple[Recoils, ...]

    def record(self, result: Result["Spectrum"]) -> dict[str, object]:
        return {"spectra": {part.name: part.record() for part in self.parts}}

    def blocks(self, result: Result["Spectrum"]) -> Iterator[Block]:
        for part in self.parts:
            some = np.unique(np.linspace(0, part.energies.size - 1, _SHOWN).astype(int))
            sums = {name: each.sum(axis=0) for name, each in part.rates.items()}
            rows = [
                (f"{part.energies[k]:.4g}", *(f"{each[k]:.4g}" for each in (*sums.values(), part.rate)))
                for k in some
            ]
            heads = ("T [keV]", *sums, "all")
            right = tuple(range(len(heads)))
            yield Table(f"Recoils per keV, whole exposure: {part.name}", heads, tuple(rows), right=right)
            names = [f"{a:g} to {b:g}" for a, b in zip(part.edges[:-1], part.edges[1:], strict=True)]
            cells = np.vstack([part.counts, part.counts.sum(axis=0)]).T
            cells = np.vstack([cells, cells.sum(axis=0)])
            counts = [
                (name, *(f"{x:.2f}" for x in row)) for name, row in zip([*names, "total"], cells, strict=True)
            ]
            heads = (part.observable, *(f"nu_{flavour}" for flavour in FLAVOURS), "all")
            yield Table(
                f"Counts by flavour: {part.name}", heads, tuple(counts), right=(1, 2, 3, 4), whole=(0,)
            )

    def figure(self, result: Result["Spectrum"]) -> Figure:
        panels = [
            Panel(
                x_label="recoil energy $T$ [keV]",
                y_label=r"$dR/dT$ [1/keV]",
                series=(
                    *(
                        _curve(p, each.sum(0), isotope(name), style="solid" if turn < 7 else "dash-dotted")
                        for turn, (name, each) in enumerate(p.rates.items())  # there are seven colours
                    ),
                    _curve(p, p.rate, "all", colour="black", style="dashed"),
                ),
                title=spelled(p.name),
                x_log=True,
                y_log=True,
            )
            for p in self.parts
        ]
        return Figure("spectrum", "Recoils in the whole exposure", "", tuple(panels), subtitle=result.facts)


@undisturbed
def spectrum(study: Study, energies: ArrayLike | None = None) -> Result[Spectrum]:
    """Return the rates of recoils, and the counts that the detectors make of them.

    dR/dT = nuclei · fluence · Σ_components ∫ dE φ(E) dσ/dT

    Parameters
    ----------
    energies : array-like, shape (n,), optional
        Recoil energies T > 0 in keV; by default 200 up to the largest, evenly spaced in the logarithm.

    Examples
    --------
    >>> import nurecoil
    >>> (csi,) = nurecoil.Study("standard-model", "binh2021-csi").spectrum([5.0, 10.0]).values.parts
    >>> csi.rates["Cs133"].shape, csi.rate.round(1).tolist()
    ((3, 2), [87.0, 41.0])
    """

    def recoils(values: Values) -> Spectrum:
        couplings, channels = study.model.evaluate(values), study.model.channels
        return Spectrum(tuple(_recoils(each, couplings, channels, energies) for each in study.experiments))

    return at_point(study, "spectrum", recoils)


def _recoils(
    compiled: CompiledExperiment, couplings: Couplings, channels: tuple[str, ...], energies: ArrayLike | None
) -> Recoils:
    experiment, target = compiled.experiment, compiled.experiment.target
    if experiment.of_weak_charge:
        raise NurecoilError(f"experiment {experiment.name} is a weak charge and has no recoils")
    T = _energies(experiment.flux, target.nuclides, energies)
    exposure = experiment.exposure.fluence * experiment.mass_kg / _KEV
    found = {
        nuclide.name: exposure
        * per_kg
        * rates(
            nuclide,
            experiment.flux,
            experiment.signal.form_factor,
            experiment.conventions,
            couplings,
            T / _KEV,
            channels,
            experiment.exposure.baseline_m or 0.0,
        )
        for nuclide, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True)
    }
    templates, shape = compiled.with_channels(channels).templates, experiment.shape
    counts = []
    for flavour in np.eye(len(FLAVOURS)):
        own = templates.each(lambda a, f=flavour: a * f.reshape(-1, *(1,) * (a.ndim - 2)))  # type: ignore[misc]
        counts.append(on_axis(own.evaluate(couplings).reshape(shape), 0))
    axis = experiment.axes[0]
    return Recoils(experiment.name, T, found, axis.name, axis.edges, np.array(counts))


def _energies(flux: Any, nuclides: Sequence[Any], given: ArrayLike | None) -> Array:
    """Return recoil energies in keV."""
    if given is None:
        largest = _KEV * max(max(recoil_energy_max(nuclide.mass, flux)) for nuclide in nuclides)
        return np.geomspace(_LOWEST * largest, largest, _POINTS)
    try:
        T = np.atleast_1d(np.asarray(given, dtype=float))
    except ValueError:
        raise NurecoilError(f"recoil energies = {given!r} are not numbers") from None
    if T.ndim != 1 or not (np.isfinite(T) & (T > 0)).all():
        raise NurecoilError(f"recoil energies = {given} are not allowed: they must be positive, in keV")
    return T


def _curve(part: Recoils, rate: Array, label: str, **how: Any) -> Series:
    """Return a rate as a curve, with gaps where it is next to nothing."""
    return Series(part.energies, np.where(rate > _FAINT * part.rate.max(), rate, np.nan), label, **how)


COMMAND = Verb(spectrum, HELP, holds=("form_factor",), plots=True)
