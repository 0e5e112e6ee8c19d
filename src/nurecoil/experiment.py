"""Experiments: target, source, detector and exposure, compiled once into templates of counts."""

import math
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.couplings import Couplings
from nurecoil.cross_section import Conventions
from nurecoil.detector import Detector
from nurecoil.errors import NurecoilError
from nurecoil.fluxes import Flux
from nurecoil.form_factors import FormFactor
from nurecoil.nuclei import Material
from nurecoil.parameters import Parameter
from nurecoil.recoil import (
    ComponentTemplates,
    RecoilTemplates,
    flux_kernels,
    nuclear_factors,
    recoil_energy_max,
)

Array = NDArray[np.float64]
T = TypeVar("T")

_SEGMENTS = 24  # at least, so that form factors and smearing are smooth inside each
_POINTS_PER_SEGMENT = 8


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

    protons_on_target: float
    neutrinos_per_proton: float
    baseline_m: float

    @property
    def fluence(self) -> float:
        """Neutrinos of each component per cm²: r N_POT/(4πL²)."""
        area = 4 * math.pi * (self.baseline_m * 100) ** 2
        return self.neutrinos_per_proton * self.protons_on_target / area


@dataclass(frozen=True)
class CountingStatistics:
    """What a counting experiment saw and how well it knows its rates (seed, eqs. 43-45).

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

    The step is the prior's width unless given.
    """

    pull: Parameter
    up: Signal
    down: Signal
    step: float | None = None


@dataclass(frozen=True)
class BackgroundVariation:
    """A pull that changes a background's shape: its counts at +1 and at -1."""

    pull: Parameter
    up: Array
    down: Array


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
    """Coincidence minus anticoincidence counts in bins of the observable."""

    edges: tuple[float, ...]
    coincidence: tuple[float, ...]
    anticoincidence: tuple[float, ...]
    reference: str


@dataclass(frozen=True)
class Experiment:
    """One experiment, as its card describes it; bins run over `axes` in C order, energy first."""

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

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of bins on each axis."""
        return tuple(len(axis.edges) - 1 for axis in self.axes)

    def with_form_factor(self, form_factor: FormFactor) -> "Experiment":
        """Return the experiment with another form factor, in its systematic variations too."""
        statistics = self.statistics
        if isinstance(statistics, BinnedStatistics):
            fixed = [v for v in statistics.variations if v.up.form_factor is not self.signal.form_factor]
            if fixed:
                raise NurecoilError(
                    f"experiment {self.name} cannot take another form factor: its pull {fixed[0].pull.name}"
                    " changes the form factor of its card; copy the card and change it there"
                )
            variations = tuple(
                replace(
                    v,
                    up=replace(v.up, form_factor=form_factor),
                    down=replace(v.down, form_factor=form_factor),
                )
                for v in statistics.variations
            )
            statistics = replace(statistics, variations=variations)
        signal = replace(self.signal, form_factor=form_factor)
        as_read = self.as_read and self.as_read.with_form_factor(form_factor)
        return replace(self, signal=signal, statistics=statistics, as_read=as_read)


@dataclass(frozen=True)
class CompiledExperiment:
    """An experiment as plain arrays: expected counts are a quadratic form in the couplings.

    counts[bin] = Σ_α [vector[bin, α] · strengths_α + magnetic[bin, α] μ_α²]

    Attributes
    ----------
    experiment
        What was compiled.
    templates
        Of the signal.
    variations
        Of the signal at +1 and -1 of each pull that changes its shape, in the order of the statistics.
    """

    experiment: Experiment
    templates: RecoilTemplates
    variations: tuple[tuple[RecoilTemplates, RecoilTemplates], ...] = ()
    as_compiled: "CompiledExperiment | None" = field(default=None, compare=False, repr=False)

    def edits(self) -> list[str]:
        """Return what is not as the card has it, or not as `compile_experiment` returned it."""
        return edits(self.experiment.as_read, self.experiment) + edits(self.as_compiled, self, "compiled")

    def counts(self, couplings: Couplings) -> Array:
        """Return the expected counts per bin, shape (..., bins), at couplings of shape (..., 3, 3)."""
        return self.templates.evaluate(couplings)


@undisturbed
def compile_experiment(experiment: Experiment) -> CompiledExperiment:
    """Return the experiment's templates: nuclei · fluence · ∫dT R[bin, T] dσ/dT (seed, eq. 42).

    The integral is split wherever the response or a spectrum ends or jumps, and Gauss-Legendre in
    between, so that bins and thresholds are exact.
    """
    compiler, statistics = _Compiler(experiment), experiment.statistics
    varied = statistics.variations if isinstance(statistics, BinnedStatistics) else ()
    try:
        nominal = compiler.templates(experiment.signal)
        variations = tuple((compiler.templates(v.up), compiler.templates(v.down)) for v in varied)
    except NurecoilError as error:
        raise NurecoilError(f"experiment {experiment.name}: {error}") from None
    compiled = read_only(CompiledExperiment(experiment, nominal, variations))
    return replace(compiled, as_compiled=compiled)


def edits(old: Any, new: Any, name: str = "") -> list[str]:
    """Return in words where a thing differs from what it was, field by field: "mass_kg = 100.0"."""
    if old is new:
        return []
    if is_dataclass(old) and type(old) is type(new):
        names = [f.name for f in fields(old) if f.compare]
        parts = [(getattr(old, n), getattr(new, n), f"{name}.{n}".lstrip(".")) for n in names]
    elif isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        parts = [(*pair, f"{name}[{n}]") for n, pair in enumerate(zip(old, new, strict=True))]
    elif (
        np.array_equal(old, new) if isinstance(old, np.ndarray) or isinstance(new, np.ndarray) else old == new
    ):
        return []
    else:
        return [f"{name} = {new}" if isinstance(new, str | int | float) else name]
    return [text for part in parts for text in edits(*part)]


def read_only(thing: T) -> T:
    """Return a thing whose arrays are made read-only, so that none can be edited without a trace."""
    if isinstance(thing, np.ndarray):
        thing.setflags(write=False)
    parts = [getattr(thing, f.name) for f in fields(thing)] if is_dataclass(thing) else []
    for part in thing if isinstance(thing, tuple) else parts:
        read_only(part)
    return thing


class _Compiler:
    """Templates of one experiment for several signals, which share what they have in common."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.energy: dict[tuple[int, int], ComponentTemplates] = {}

    def templates(self, signal: Signal) -> RecoilTemplates:
        """Return the templates of one signal in all bins."""
        key = (id(signal.detector), id(signal.form_factor))
        if key not in self.energy:
            self.energy[key] = self._energy_templates(signal)
        energy = self.energy[key]
        if signal.spread is None:
            return energy.by_flavour(self.experiment.flux)
        components, _, terms = energy.vector.shape
        vector = energy.vector[:, :, np.newaxis, :] * signal.spread[..., np.newaxis]
        magnetic = energy.magnetic[:, :, np.newaxis] * signal.spread
        spread = ComponentTemplates(vector.reshape(components, -1, terms), magnetic.reshape(components, -1))
        return spread.by_flavour(self.experiment.flux)

    def _energy_templates(self, signal: Signal) -> ComponentTemplates:
        """Return the templates in the energy bins alone, per component of the source."""
        experiment, target = self.experiment, self.experiment.target
        T, weights = _recoil_grid(experiment, signal.detector)
        response = experiment.exposure.fluence * weights * signal.detector.response(T)
        components, bins = len(experiment.flux.components), len(response)
        total_vector, total_magnetic = np.zeros((components, bins, 3)), np.zeros((components, bins))
        for nuclide, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
            vector, magnetic = flux_kernels(nuclide, experiment.flux, experiment.conventions, T)
            nuclear, charge = nuclear_factors(nuclide, signal.form_factor, experiment.conventions, T)
            counted = per_kg * experiment.mass_kg * response
            total_vector += counted @ (vector[:, :, np.newaxis] * nuclear)
            total_magnetic += (magnetic * charge) @ counted.T
        return ComponentTemplates(total_vector, total_magnetic)


def _recoil_grid(experiment: Experiment, detector: Detector) -> tuple[Array, Array]:
    """Return recoil energies (MeV) and weights of a piecewise Gauss-Legendre rule, for all nuclides."""
    ends = [end for n in experiment.target.nuclides for end in recoil_energy_max(n, experiment.flux)]
    splits = np.concatenate([detector.breakpoints(), np.linspace(0, max(ends), _SEGMENTS + 1), ends])
    splits = np.unique(splits[(splits >= detector.lowest()) & (splits <= max(ends))])
    x, w = np.polynomial.legendre.leggauss(_POINTS_PER_SEGMENT)
    half = np.diff(splits)[:, np.newaxis] / 2
    middle = (splits[1:] + splits[:-1])[:, np.newaxis] / 2
    return (middle + half * x).ravel(), (half * w).ravel()
