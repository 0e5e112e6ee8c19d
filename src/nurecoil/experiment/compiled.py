"""Experiments compiled once into templates of counts, which know nothing of a model."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.checks import Number, opened, require
from nurecoil.errors import NurecoilError
from nurecoil.experiment.experiment import Axis, Experiment, Statistics
from nurecoil.experiment.integrals import Integrals
from nurecoil.experiment.recoil import RecoilTemplates
from nurecoil.one_line import one_line
from nurecoil.physics.channels import CHANNELS
from nurecoil.physics.couplings import Couplings
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.nuclei import Material
from nurecoil.sources import Flux

T = TypeVar("T")

_KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys(("name", "title", "reference"), str),
    "target": Material,
    "flux": Flux,
    "conventions": Conventions,
    "statistics": Statistics,
}


@dataclass(frozen=True)
class CompiledExperiment:
    """An experiment as plain arrays: expected counts are linear in products of couplings.

    counts[bin] = Σ_channels Σ_α templates[bin, α] · products_α, for instance
    Σ_α [vector[bin, α] · (Σ|g_p|², 2 Re Σ g_p g_n*, Σ|g_n|²)_α + magnetic[bin, α] μ_α²]

    Attributes
    ----------
    experiment
        What was compiled.
    templates
        Of the signal.
    variations
        Of the signal at +1 and -1 of each pull that changes its shape, in the order of the statistics.
    integrals
        Of nuclei and of electrons, for more channels.

    Examples
    --------
    >>> from nurecoil import STANDARD_MODEL, load_experiment
    >>> csi = compile_experiment(load_experiment("binh2021-csi"))
    >>> round(float(csi.counts(STANDARD_MODEL.couplings(sin2_theta_w=0.23867)).sum()), 1)
    186.9
    >>> "axial" in csi.with_channels(["axial"]).templates.channels, csi.edits()
    (True, [])
    """

    experiment: Experiment
    templates: RecoilTemplates
    variations: tuple[tuple[RecoilTemplates, RecoilTemplates], ...] = ()
    as_compiled: "CompiledExperiment | None" = field(default=None, compare=False, repr=False)
    integrals: Mapping[bool, Integrals] = field(default_factory=dict, compare=False, repr=False)

    def __repr__(self) -> str:
        """Return what it is in a line."""
        return one_line(self, self.experiment.name, *self.experiment.facts)

    def edits(self) -> list[str]:
        """Return what is not as the card has it, or not as `compile_experiment` returned it."""
        return edits(self.experiment.as_read, self.experiment) + edits(self.as_compiled, self, "compiled")

    def counts(self, couplings: Couplings) -> Array:
        """Return the expected counts per bin, shape (..., bins), at couplings of shape (..., 3, 3)."""
        self.require_finite(couplings)
        if self.experiment.of_weak_charge and couplings.weak_p is None:
            raise NurecoilError(f"{self.experiment.name} is a weak charge, of which this model says nothing")
        needed = [name for name, channel in CHANNELS.items() if channel.products(couplings)]
        return self.with_channels(needed).templates.evaluate(couplings)

    def with_channels(self, channels: Sequence[str]) -> "CompiledExperiment":
        """Return the experiment with the templates of more channels, compiled when they are first asked for.

        Those of electrons are left out where the card does not count their recoils.
        """
        electrons = bool(self.experiment.signal.detector.electron_recoils)
        lacking = [
            name
            for name in channels
            if name not in self.templates.channels
            and not self.experiment.of_weak_charge
            and CHANNELS[name].interaction.kernels
            and (electrons or not CHANNELS[name].interaction.on_electrons)
            and (not CHANNELS[name].coherence or any(c.coherences for c in self.experiment.flux.components))
            and CHANNELS[name].concerns(n.symbol for n in self.experiment.target.nuclides)
        ]
        if not lacking:
            return self
        if lacking[0] not in self._extended:
            if changed := edits(self.as_compiled, self, "compiled"):
                raise NurecoilError(
                    f"experiment {self.experiment.name} was changed after it was compiled ({changed[0]}): the"
                    f" channel {lacking[0]} must be asked for before that"
                )
            self._extended[lacking[0]] = _extended(self, lacking[0])
        return self._extended[lacking[0]].with_channels(channels)

    @cached_property
    def _extended(self) -> "dict[str, CompiledExperiment]":
        """The experiment with one more channel, by its name."""
        return {}

    @property
    def blocks(self) -> tuple[RecoilTemplates, ...]:
        """The templates of the signal, then up and down of each variation."""
        return (self.templates, *(templates for pair in self.variations for templates in pair))

    def require_finite(self, couplings: Couplings) -> None:
        """Refuse magnetic moments whose counts are infinite."""
        moments = couplings.magnetic_moment[..., self.infinite]
        if np.any(moments):
            raise NurecoilError(
                f"experiment {self.experiment.name} counts infinitely many recoils of a magnetic moment of"
                f" {moments[moments != 0].flat[0]:.3g} μ_B: they go like 1/T, and it sees them down to T = 0"
                " (it needs a threshold)"
            )

    @property
    def infinite(self) -> NDArray[np.bool_]:
        """Which flavours' magnetic moments give infinitely many counts, at a pull's ±1 too, shape (3,)."""
        return np.asarray(np.isinf([block["magnetic"] for block in self.blocks]).any(axis=(0, 1, 3)))

    def with_templates(self, change: Callable[[RecoilTemplates], RecoilTemplates]) -> "CompiledExperiment":
        """Return the experiment with all templates changed alike."""
        variations = tuple((change(up), change(down)) for up, down in self.variations)
        return replace(self, templates=change(self.templates), variations=variations)


@undisturbed
def compile_experiment(experiment: Experiment) -> CompiledExperiment:
    """Return the experiment's templates: nuclei · fluence · ∫dT R[bin, T] dσ/dT (Binh et al. 2021, eq. 42).

    The integral, over √T, is split wherever the response or a spectrum ends or jumps, and refined until
    every bin is known to 1e-6 and, as a rule, far better; an error where that cannot be reached.

    Examples
    --------
    >>> from nurecoil import load_experiment
    >>> compile_experiment(load_experiment("binh2021-csi")).templates["vector"].shape[-2:]
    (3, 3)
    """
    _check_kinds(experiment)
    if experiment.of_weak_charge:
        nuclide = experiment.target.nuclides[0]
        charge = np.multiply.outer([[1.0, 0.0, 0.0]], [float(nuclide.Z), float(nuclide.N)])
        none = {"vector": np.zeros((1, 3, 3)), "magnetic": np.zeros((1, 3, 1))}
        return _compiled(experiment, [RecoilTemplates({**none, "weak-charge": charge})], {})
    _check_exposure(experiment)
    shapes = experiment.statistics.signal.shapes
    signals = [experiment.signal, *(signal for shape in shapes for signal in (shape.up, shape.down))]
    integrals = {electrons: Integrals(experiment, signals, electrons) for electrons in (False, True)}
    return _compiled(experiment, integrals[False].templates(), integrals)


@undisturbed
def _extended(compiled: CompiledExperiment, channel: str) -> CompiledExperiment:
    integrals = compiled.integrals[CHANNELS[channel].interaction.on_electrons]
    more = zip(compiled.blocks, integrals.templates((channel,)), strict=True)
    blocks = [RecoilTemplates({**a.channels, **b.channels}, {**a.nodes, **b.nodes}) for a, b in more]
    return _compiled(compiled.experiment, blocks, compiled.integrals)


def _compiled(
    experiment: Experiment, blocks: Sequence[RecoilTemplates], integrals: Mapping[bool, Integrals]
) -> CompiledExperiment:
    variations = tuple(zip(blocks[1::2], blocks[2::2], strict=True))
    compiled = read_only(CompiledExperiment(experiment, blocks[0], variations, integrals=integrals))
    return replace(compiled, as_compiled=compiled)


def _check_kinds(experiment: Experiment) -> None:
    """Refuse what an edit in Python can leave behind: a part of another kind, counts of other bins."""
    for name, kind in _KINDS.items():
        value = getattr(experiment, name)
        require(isinstance(value, kind), f"{name} of an experiment", repr(value), f"a {kind.__name__}")
    axes: Any = experiment.axes
    fine = isinstance(axes, tuple) and all(isinstance(axis, Axis) for axis in axes)
    require(fine, "axes of an experiment", repr(axes), "a tuple, each an Axis")
    fine, exposure = "fluence" in dir(experiment.exposure), repr(experiment.exposure)
    require(fine, "exposure of an experiment", exposure, "a source, such as PionDecayAtRest")
    seen, bins = experiment.statistics.observed, math.prod(experiment.shape)
    if not experiment.statistics.one_number:
        number = 0 if seen is None else seen.size
        require(
            number == bins, f"number of observed counts of {experiment.name}", number, f"{bins}, its bins"
        )


def _check_exposure(experiment: Experiment) -> None:
    """Refuse what an edit in Python can leave behind: a mass or an exposure that is no positive number."""
    exposure = experiment.exposure
    kinds = {f.name: opened(f.type) for f in fields(exposure)}
    numbers = {
        name: getattr(exposure, name)
        for name, (kind, marks) in kinds.items()
        if kind is float and not any(isinstance(mark, Number) and mark.allows(0.0) for mark in marks)
    }
    numbers = {"mass_kg": experiment.mass_kg, **{n: v for n, v in numbers.items() if v is not None}}
    for name, value in numbers.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and value > 0):
            raise NurecoilError(
                f"{name} = {value!r} of {experiment.name} is not allowed: it must be positive and finite"
            )


def edits(old: Any, new: Any, name: str = "") -> list[str]:
    """Return in words where a thing differs from what it was, field by field: "mass_kg = 100.0"."""
    if old is new:
        return []
    if is_dataclass(old) and type(old) is type(new):
        names = [f.name for f in fields(old) if f.compare]
        parts = [(getattr(old, n), getattr(new, n), f"{name}.{n}".lstrip(".")) for n in names]
    elif isinstance(old, Mapping) and isinstance(new, Mapping) and old.keys() == new.keys():
        parts = [(old[key], new[key], f"{name}[{key}]") for key in old]
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
    parts: Any = thing if isinstance(thing, tuple) else ()
    if is_dataclass(thing):
        parts = [getattr(thing, f.name) for f in fields(thing) if f.compare]
    elif isinstance(thing, Mapping):
        parts = thing.values()
    for part in parts:
        if not isinstance(part, float):  # of which there are thousands
            read_only(part)
    return thing
