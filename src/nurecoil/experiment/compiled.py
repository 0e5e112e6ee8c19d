"""Experiments compiled once into templates of counts, which know nothing of a model."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment.experiment import BinnedStatistics, Experiment, Signal
from nurecoil.experiment.quadrature import integrate
from nurecoil.experiment.recoil import (
    ComponentTemplates,
    RecoilTemplates,
    flux_kernels,
    nuclear_factors,
    recoil_energy_max,
)
from nurecoil.one_line import one_line
from nurecoil.physics.couplings import Couplings

Array = NDArray[np.float64]
T = TypeVar("T")


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

    def __repr__(self) -> str:
        """Return what it is in a line."""
        return one_line(self, self.experiment.name, *self.experiment.facts)

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
    """Return the experiment's templates: nuclei · fluence · ∫dT R[bin, T] dσ/dT (Binh et al. 2021, eq. 42).

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
