"""Experiments: target, source, detector and exposure, compiled once into templates of counts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import partial
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
from nurecoil.quadrature import integrate
from nurecoil.recoil import (
    ComponentTemplates,
    RecoilTemplates,
    flux_kernels,
    nuclear_factors,
    recoil_energy_max,
)

Array = NDArray[np.float64]
T = TypeVar("T")


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
    """Coincidence minus anticoincidence counts in bins of the observable."""

    edges: tuple[float, ...]
    coincidence: tuple[float, ...]
    anticoincidence: tuple[float, ...]
    reference: str


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
        self.require_finite(couplings)
        return self.templates.evaluate(couplings)

    def require_finite(self, couplings: Couplings) -> None:
        """Refuse magnetic moments whose counts are infinite."""
        moments = couplings.magnetic_moment[..., self.infinite]
        if np.any(moments):
            raise NurecoilError(
                f"experiment {self.experiment.name} counts infinitely many recoils of a magnetic moment of"
                f" {moments[moments != 0].flat[0]:.3g} mu_B: they go like 1/T, and it sees them down to T = 0"
                " (it needs a threshold)"
            )

    @property
    def infinite(self) -> NDArray[np.bool_]:
        """Which flavours' magnetic moments give infinitely many counts, at a pull's ±1 too, shape (3,)."""
        blocks = (self.templates, *(t for pair in self.variations for t in pair))
        return np.asarray(np.isinf([block.magnetic for block in blocks]).any(axis=(0, 1)))

    def with_templates(self, change: Callable[[RecoilTemplates], RecoilTemplates]) -> "CompiledExperiment":
        """Return the experiment with all templates changed alike."""
        variations = tuple((change(up), change(down)) for up, down in self.variations)
        return replace(self, templates=change(self.templates), variations=variations)


@undisturbed
def compile_experiment(experiment: Experiment) -> CompiledExperiment:
    """Return the experiment's templates: nuclei · fluence · ∫dT R[bin, T] dσ/dT (seed, eq. 42).

    The integral, over √T, is split wherever the response or a spectrum ends or jumps, and refined until
    every bin is known to 1e-6 and, as a rule, far better; an error where that cannot be reached.
    """
    _check_exposure(experiment)
    statistics, signals = experiment.statistics, [experiment.signal]
    if isinstance(statistics, BinnedStatistics):
        signals += [signal for v in statistics.variations for signal in (v.up, v.down)]
    nominal, *ends = signal_templates(experiment, signals)
    variations = tuple(zip(ends[::2], ends[1::2], strict=True))
    compiled = read_only(CompiledExperiment(experiment, nominal, variations))
    return replace(compiled, as_compiled=compiled)


def _check_exposure(experiment: Experiment) -> None:
    """Refuse what an edit in Python can leave behind: a mass or an exposure that is no positive number."""
    numbers = {"mass_kg": experiment.mass_kg, **vars(experiment.exposure)}
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0):
            raise NurecoilError(
                f"{name} = {value} of {experiment.name} is not allowed: it must be positive and finite"
            )


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


def signal_templates(experiment: Experiment, signals: Sequence[Signal]) -> list[RecoilTemplates]:
    """Return the templates of each signal; those that differ by efficiency or form factor share integrals."""
    found: dict[int, RecoilTemplates] = {}
    for first in signals:
        shared = first.detector.but_efficiency()
        group = [s for s in signals if id(s) not in found and s.detector.but_efficiency() == shared]
        if group:
            try:
                found |= zip(map(id, group), _shared_templates(experiment, group), strict=True)
            except NurecoilError as error:
                raise NurecoilError(f"experiment {experiment.name}: {error}") from None
    return [found[id(signal)] for signal in signals]


def _shared_templates(experiment: Experiment, signals: Sequence[Signal]) -> list[RecoilTemplates]:
    detector, flux, target = signals[0].detector, experiment.flux, experiment.target
    efficiencies = _distinct([s.detector.efficiency for s in signals])
    form_factors = _distinct([s.form_factor for s in signals])
    components, exposure = len(flux.components), experiment.exposure.fluence * experiment.mass_kg

    def integrand(root: Array) -> tuple[slice, Array, Array]:
        T = root**2
        bins = detector.reached(T[0], T[-1])
        part = replace(detector, edges=detector.edges[bins.start : bins.stop + 1])
        spectra = np.zeros((T.size, len(form_factors), components, 4))
        for nuclide, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
            weight = 2 * root * exposure * per_kg
            vector, magnetic = (k.T for k in flux_kernels(nuclide, flux, experiment.conventions, T) * weight)
            for number, form_factor in enumerate(form_factors):
                nuclear, charge = nuclear_factors(nuclide, form_factor, experiment.conventions, T)
                spectra[:, number, :, :3] += vector[..., np.newaxis] * nuclear[:, np.newaxis]
                spectra[:, number, :, 3] += magnetic * charge[:, np.newaxis]
        return bins, part.responses(T, efficiencies), spectra.reshape(T.size, -1)

    ends = [end for n in target.nuclides for end in recoil_energy_max(n, flux)]
    splits = np.concatenate([*(s.detector.breakpoints() for s in signals), [0.0], ends])
    splits = np.sqrt(np.unique(splits[splits <= max(ends)]))
    shape = len(detector.edges) - 1, len(efficiencies), len(form_factors), components, 4
    counts = integrate(integrand, splits, (*shape[:2], math.prod(shape[2:]))).reshape(shape)
    found = []
    for s in signals:
        place = efficiencies.index(s.detector.efficiency), form_factors.index(s.form_factor)
        energy = counts[:, *place].swapaxes(0, 1)
        templates = ComponentTemplates(energy[..., :3], energy[..., 3]).spread(s.spread)
        found.append(templates.by_flavour(flux))
    return found


def _distinct(values: Sequence[T]) -> list[T]:
    return [value for number, value in enumerate(values) if value not in values[:number]]
