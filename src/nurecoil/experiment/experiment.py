"""Experiments as their cards describe them: target, source, detector, exposure, data and pulls."""

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from nurecoil.checks import Ascending, Finite, Number, check_fields
from nurecoil.detector.response import Detector
from nurecoil.errors import NurecoilError
from nurecoil.one_line import one_line
from nurecoil.parameters import Parameter
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import FormFactor
from nurecoil.physics.nuclei import Material
from nurecoil.sources import Flux

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Exposure:
    """Neutrinos that a stopped-pion source sends through a detector.

    Attributes
    ----------
    protons_on_target, neutrinos_per_proton
        Protons, and neutrinos of each component per proton.
    baseline_m
        Distance from source to detector in metres.
    """

    protons_on_target: Annotated[float, Number(1e12, 1e28, "protons")]
    neutrinos_per_proton: Annotated[float, Number(1e-4, 1, "neutrinos of each flavour per proton")]
    baseline_m: Annotated[float, Number(1, 1e4, "m", written=True)]

    @property
    def fluence(self) -> float:
        """Neutrinos of each component per cm²: r N_POT/(4πL²)."""
        area = 4 * math.pi * (self.baseline_m * 100) ** 2
        return self.neutrinos_per_proton * self.protons_on_target / area


@dataclass(frozen=True)
class CountingStatistics:
    """What a counting experiment saw and how well it knows its rates (Binh et al. 2021, eqs. 43-45).

    Attributes
    ----------
    observed
        Observed counts; None for a projection, which "observes" the Standard Model's expectation.
    background
        Expected counts of the background that is fitted along.
    variance_counts, variance_fraction
        What background fluctuations add to the statistical variance: σ² = n + counts + fraction · n.
    pulls
        Nuisance parameters, each a fractional change of the "signal" or of the "background".
    """

    observed: float | None
    background: float
    variance_counts: float
    variance_fraction: float
    signal_pull: Parameter
    background_pull: Parameter | None

    @property
    def pulls(self) -> tuple[Parameter, ...]:
        """All nuisance parameters."""
        return (self.signal_pull,) + ((self.background_pull,) if self.background_pull else ())


@dataclass(frozen=True)
class Axis:
    """One axis of the bins: its name, with the unit, and the edges."""

    name: str
    edges: tuple[float, ...]


@dataclass(frozen=True)
class Signal:
    """How recoils become counts: all that a systematic uncertainty can change but for a factor.

    Attributes
    ----------
    detector, form_factor
        The response in energy, and the nuclear form factor.
    spread : ndarray, shape (components, energy bins, cells), optional
        Where the counts of an energy bin go on the other axes (time, pulse shape), per component of the
        source; a sum below one loses the rest. None for experiments that have only an energy axis.
    """

    detector: Detector
    form_factor: FormFactor
    spread: Array | None = None


@dataclass(frozen=True)
class Variation:
    """A pull that changes the signal's shape: the signal at `step` above and below the pull's default.

    The step is the prior's width unless given. `down` is mirrored where only `up` is known.
    """

    pull: Parameter
    up: Signal
    down: Signal
    step: float | None = None
    mirrored: bool = False


@dataclass(frozen=True)
class BackgroundVariation:
    """A pull that changes a background's shape: its counts at +1, and at -1 where `mirrored` from those."""

    pull: Parameter
    up: Array
    down: Array
    mirrored: bool = False


@dataclass(frozen=True)
class Background:
    """A background: expected counts per bin, the pull of its rate, and pulls of its shape."""

    name: str
    counts: Array
    pull: Parameter
    variations: tuple[BackgroundVariation, ...] = ()


@dataclass(frozen=True)
class BinnedStatistics:
    """What a binned experiment saw, its backgrounds, and the pulls of its signal.

    Attributes
    ----------
    observed : ndarray, shape (bins,)
    backgrounds
        Each with its own pulls.
    normalisations
        Pulls that are fractional changes of the signal.
    variations
        Pulls that change its shape.
    """

    observed: Array
    backgrounds: tuple[Background, ...]
    normalisations: tuple[Parameter, ...]
    variations: tuple[Variation, ...]

    @property
    def pulls(self) -> tuple[Parameter, ...]:
        """All nuisance parameters, each once."""
        found = [*self.normalisations, *(v.pull for v in self.variations)]
        for background in self.backgrounds:
            found += [background.pull, *(v.pull for v in background.variations)]
        return tuple({pull.name: pull for pull in found}.values())


@dataclass(frozen=True)
class ResidualSpectrum:
    """Coincidence minus anticoincidence counts in bins of the observable, shown beside a prediction."""

    edges: Annotated[tuple[Finite, ...], Ascending()]
    coincidence: tuple[Annotated[float, Number(0, 1e12, "counts")], ...]
    anticoincidence: tuple[Annotated[float, Number(0, 1e12, "counts")], ...]
    reference: str

    def __post_init__(self) -> None:
        """Refuse bins without counts."""
        check_fields(self, "spectrum")
        if not len(self.coincidence) == len(self.anticoincidence) == len(self.edges) - 1:
            raise NurecoilError(
                f"{len(self.edges) - 1} bins but {len(self.coincidence)} coincidence and"
                f" {len(self.anticoincidence)} anticoincidence counts"
            )


@dataclass(frozen=True)
class Experiment:
    """One experiment, as its card describes it; bins run over `axes` in C order, energy first.

    Where the signal has one distribution of times for all, `spread_per_component` has that of each component.
    """

    name: str
    title: str
    reference: str
    target: Material
    mass_kg: float
    flux: Flux
    exposure: Exposure
    conventions: Conventions
    signal: Signal
    axes: tuple[Axis, ...]
    statistics: CountingStatistics | BinnedStatistics
    spectrum: ResidualSpectrum | None = None
    data_hashes: tuple[tuple[str, str], ...] = ()
    overlaps: tuple[str, ...] = ()  # names of experiments that contain some of the same data
    card_hash: str = ""  # SHA-256 of the card
    observed_in: tuple[str, int | None] | None = None  # SHA-256 and column of the observed counts
    as_read: "Experiment | None" = field(default=None, compare=False, repr=False)  # from the card
    spread_per_component: Array | None = None

    def __repr__(self) -> str:
        """Return what it is in a line."""
        return one_line(self, self.name, *self.facts)

    @property
    def facts(self) -> tuple[str, ...]:
        """Its target, bins and pulls, in words."""
        counting = isinstance(self.statistics, CountingStatistics)
        bins = "one number of counts" if counting else f"{' x '.join(map(str, self.shape))} bins"
        return f"{self.target.formula} {self.mass_kg:g} kg", bins, f"{len(self.statistics.pulls)} pulls"

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of bins on each axis."""
        return tuple(len(axis.edges) - 1 for axis in self.axes)

    def with_form_factor(self, form_factor: FormFactor) -> "Experiment":
        """Return the experiment with another form factor, in its systematic variations too."""
        statistics, changed = self.statistics, partial(replace, form_factor=form_factor)
        if isinstance(statistics, BinnedStatistics):
            fixed = [v for v in statistics.variations if v.up.form_factor is not self.signal.form_factor]
            if fixed:
                raise NurecoilError(
                    f"experiment {self.name} cannot take another form factor: its pull {fixed[0].pull.name}"
                    " changes the form factor of its card; copy the card and change it there"
                )
            variations = tuple(
                replace(v, up=changed(v.up), down=changed(v.down)) for v in statistics.variations
            )
            statistics = replace(statistics, variations=variations)
        as_read = self.as_read and self.as_read.with_form_factor(form_factor)
        return replace(self, signal=changed(self.signal), statistics=statistics, as_read=as_read)
