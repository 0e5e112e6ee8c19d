"""What it would take: the exposure, and knowledge of the rate, with which CEvNS excludes a mass of the Z'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, sqrt

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import CompiledExperiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import STANDARD_MODEL, ZPRIME_331
from nurecoil.papers.binh2021.paper import BETA_OF, BETA_TEXT, DETECTORS
from nurecoil.papers.binh2021.pictures import BETA_COLOUR, BETA_LABEL, BETA_STYLE
from nurecoil.presentation.document import Figure, Panel, Series, Table

PROJECTED = {
    "future-csi-cryogenic": "CsI, 10 t yr",
    "future-lar-610": "LAr, 610 kg",
    "future-ge-18": "Ge, 18 kg",
    "future-ess-xe": "Xe, ESS",
    "future-reactor-ge": "Ge, 1 t, reactor",
}
NAMES = {**DETECTORS, **PROJECTED}
_EXPOSURES = (1e-5, 1e7)  # that are drawn
_OF_FLOOR = 1 - np.geomspace(0.999, 1e-12, 400)


@dataclass(frozen=True)
class Need:
    """What one set-up needs for one β: `change` δ is that of its counts, as a fraction of them.

    Attributes
    ----------
    counts, noise
        N, of the Standard Model in the exposure of the card, and its variance, over N.
    sigma
        How well the card knows the rate.
    level
        Δχ² that excludes.
    """

    change: float
    counts: float
    noise: float
    sigma: float
    level: float

    @property
    def floor(self) -> float:
        """The σ of the rate from which on no exposure helps: |δ|/[(1 + δ) √Δχ²]."""
        return abs(self.change) / (1 + self.change) / sqrt(self.level)

    def exposure(self, sigma: float | Array) -> Array:
        """Return the exposure, in that of the card, at which a rate known to σ excludes; NaN where none does.

        Δχ² = x² N² δ²/[noise x N + σ² x² N² (1 + δ)²]: the pull of the rate profiled, as in eq. 45.
        """
        left = 1 - np.square(sigma / self.floor)
        least = self.noise * self.level / (self.counts * self.change**2)
        return np.where(left > 0, least / np.where(left > 0, left, 1.0), np.nan)


@dataclass(frozen=True)
class Needs:
    """Those of all set-ups and all β, at one mass of the Z' (TeV)."""

    tev: float
    level: float

    @cached_property
    def all(self) -> Mapping[str, Mapping[str, Need]]:
        """What is needed, by name of the card and by β."""
        setups = {name: compile_experiment(load_experiment(name)) for name in NAMES}
        return {
            name: {beta: self.of(setup, BETA_OF[beta]) for beta in BETA_OF} for name, setup in setups.items()
        }

    def of(self, compiled: CompiledExperiment, beta: float) -> Need:
        """Return what one experiment needs."""
        counts = float(compiled.counts(STANDARD_MODEL.couplings()).sum())
        new = float(compiled.counts(ZPRIME_331.couplings(beta=beta, m_zprime=1e6 * self.tev)).sum())
        statistics = compiled.experiment.statistics
        assert statistics.variance is not None
        noise = statistics.variance.per_count + float(np.sum(statistics.variance.counts)) / counts
        (rate,) = statistics.signal.rates
        assert rate.prior_width is not None
        return Need(new / counts - 1, counts, noise, rate.prior_width, self.level)

    def by_beta(self) -> Table:
        """Return by how much the counts change, and how well the rate must be known."""
        rows = []
        for beta, text in BETA_TEXT.items():
            needs = [of[beta] for of in self.all.values()]
            changes, floors = [100 * n.change for n in needs], [100 * n.floor for n in needs]
            rows.append((text, _range(changes, 2), _range(floors, 2)))
        columns = ("β", "change of counts, %", "floor: rate known to, %")
        return Table("The floor, whatever the exposure", columns, tuple(rows), right=(1, 2))

    def by_setup(self) -> Table:
        """Return the exposure for each β with a rate known exactly; for the strongest also as it is known."""
        rows = []
        for name, of in self.all.items():
            one = of["-sqrt3"]
            own = _times(float(one.exposure(one.sigma)))
            exact = (_times(float(need.exposure(0.0))) for need in of.values())
            rows.append(
                (NAMES[name], f"{one.counts:.3g}", f"{one.noise:.2g}", *exact, f"{100 * one.sigma:.2g}", own)
            )
        betas = (f"β = {text}" for text in BETA_TEXT.values())
        columns = ("", "counts", "σ²/counts", *betas, "rate now known to, %", "with that, β = −√3")
        return Table(
            "The exposure, in that of each set-up, of a rate known exactly",
            columns,
            tuple(rows),
            right=tuple(range(1, len(columns))),
        )

    def figure(self, caption: str) -> Figure:
        """Return the map of exposure against σ of the rate: a line for each β, and the set-up as it is."""
        panels = [
            Panel(
                r"$\sigma$ of the rate [%]",
                "exposure, in that of the set-up",
                (
                    *(
                        Series(
                            100 * sigmas,
                            need.exposure(sigmas),
                            BETA_LABEL[beta],
                            BETA_COLOUR[beta],
                            BETA_STYLE[beta],
                        )
                        for beta, need in of.items()
                        for sigmas in (need.floor * _OF_FLOOR,)
                    ),
                    Series(np.array([100 * of["0"].sigma]), np.ones(1), "the set-up", "grey", "points"),
                ),
                title=NAMES[name],
                x_log=True,
                y_log=True,
                x_range=(0.01, 40),
                y_range=_EXPOSURES,
            )
            for name, of in self.all.items()
        ]
        title = f"Exposure that reaches {self.tev} TeV at 90 % CL"
        return Figure("331-beta-needs", title, caption, tuple(panels), columns=2)

    def record(self) -> dict[str, object]:
        """Return all as plain data."""
        return {
            name: {
                "counts": of["0"].counts,
                "variance_over_counts": of["0"].noise,
                "sigma": of["0"].sigma,
                "change": {beta: need.change for beta, need in of.items()},
                "floor": {beta: need.floor for beta, need in of.items()},
                "exposure": {beta: float(need.exposure(0.0)) for beta, need in of.items()},
            }
            for name, of in self.all.items()
        }


def _range(values: Sequence[float], digits: int) -> str:
    low, high = (f"{x:.{digits}g}" for x in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _times(exposure: float) -> str:
    if not isfinite(exposure):
        return "none"
    return f"{exposure:.2g}" if exposure < 100 else f"{exposure:.0f}"
