"""Experiments as their cards describe them: target, source, detector, exposure, data and pulls."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Generic, TypeVar

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import Ascending, Finite, Number, check_fields
from nurecoil.detector.response import Response
from nurecoil.errors import NurecoilError
from nurecoil.experiment.formula import Formula
from nurecoil.one_line import one_line
from nurecoil.parameters import Parameter
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import FormFactor
from nurecoil.physics.nuclei import Material
from nurecoil.sources import Flux, Source

T = TypeVar("T")
_LEAST = 1e-9  # counts of a Gaussian: of fewer, χ² is all rounding


@dataclass(frozen=True)
class Axis:
    """One axis of the bins."""

    key: Annotated[str, 'what columns and factors call it; "time" for a time']
    name: Annotated[str, "what is printed, with the unit"]
    edges: Annotated[tuple[Finite, ...], Ascending()]


@dataclass(frozen=True)
class Signal:
    """How recoils become counts: all that a systematic uncertainty can change but for a factor.

    Attributes
    ----------
    detector, form_factor
        The response (of all bins, if it has no spread), and the nuclear form factor.
    spread : ndarray, shape (components, energy bins, cells), optional
        Where the counts of an energy bin go on the other axes (time, pulse shape), per component of the
        source; a sum below one loses the rest. None for experiments that have only an energy axis.
    """

    detector: Response
    form_factor: FormFactor
    spread: Array | None = None


@dataclass(frozen=True)
class Shape(Generic[T]):
    """A pull that changes a component's shape: what it is at `step` above and below the pull's default.

    The step is the prior's width unless given. `down` is mirrored where only `up` is known. With `also`, the
    shape of two pulls together, after those of each, which adds what they bend beyond what each does alone.
    """

    pull: Parameter
    up: T
    down: T
    step: float | None = None
    mirrored: bool = False
    also: Parameter | None = None


@dataclass(frozen=True)
class Component(Generic[T]):
    """What adds counts: the signal, whose counts hang on the model, or a background.

    Attributes
    ----------
    nominal
        Of the signal a `Signal`, of a background its expected counts, shape (bins,).
    rates
        Pulls that are fractional changes of it. A background has one, or none if its rate is known exactly.
    shapes
        Pulls that change its shape.
    off
        Of a background that an off sample measures, where it is alone: how many counts are expected there at
        its nominal rate, and how many were observed.
    formula
        Of a background that is one: its parameters are the pulls, there are no others.
    """

    name: str
    nominal: T
    rates: tuple[Parameter, ...] = ()
    shapes: tuple[Shape[T], ...] = ()
    off: tuple[float, float] | None = None
    formula: Formula | None = None

    @property
    def pulls(self) -> tuple[Parameter, ...]:
        """All nuisance parameters."""
        own = self.formula.parameters if self.formula else ()
        return (*self.rates, *(shape.pull for shape in self.shapes), *own)


@dataclass(frozen=True)
class Variance:
    """σ² of Gaussian counts n: counts + per_count n (Binh et al. 2021, eqs. 43-45)."""

    counts: float | Array
    per_count: float

    def of(self, observed: Array) -> Array:
        """Return σ², shape (bins,)."""
        variance = observed * self.per_count + self.counts
        enough = variance > _LEAST * self.per_count
        if not enough.all():
            raise NurecoilError(
                f"observed = {observed[~enough][0]:g} without variance_counts is not allowed: a"
                " Gaussian needs a variance; give variance_counts, or the counts as bins of [data], which"
                " are Poisson"
            )
        return np.asarray(variance)


@dataclass(frozen=True)
class Statistics:
    """What an experiment saw in bins, and the components of its counts.

    Attributes
    ----------
    observed : ndarray, shape (bins,)
        Of one bin: counts of all bins of the signal together. None for a projection, which has one bin and
        "observes" the Standard Model's expectation.
    signal, backgrounds
        The components.
    variance
        Of Gaussian counts; None for Poisson counts.
    """

    observed: Array | None
    signal: Component[Signal]
    backgrounds: tuple[Component[Array], ...] = ()
    variance: Variance | None = None

    def __post_init__(self) -> None:
        """Refuse a background whose rate is not one pull."""
        for b in self.backgrounds:
            if len(b.rates) != 1 and not b.formula and (b.pulls or not self.variance):
                raise NurecoilError(
                    f"background {b.name} has {len(b.rates)} pulls of its rate: it must have one, or none at"
                    " all where counts are Gaussian"
                )
            if any(v.also for v in b.shapes):
                raise NurecoilError(f"background {b.name} must not have a shape of two pulls together")

    @property
    def one_number(self) -> bool:
        """Whether one number of counts is observed, or to be observed, and no bins."""
        return self.variance is not None and (self.observed is None or self.observed.size == 1)

    @property
    def components(self) -> tuple[Component[Any], ...]:
        """The signal and the backgrounds."""
        return self.signal, *self.backgrounds

    @property
    def pulls(self) -> tuple[Parameter, ...]:
        """All nuisance parameters, each once."""
        return tuple({pull.name: pull for c in self.components for pull in c.pulls}.values())


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

    Examples
    --------
    >>> from nurecoil import load_experiment
    >>> csi = load_experiment("binh2021-csi")
    >>> csi.target.formula, csi.mass_kg
    ('CsI', 14.6)
    >>> csi.facts, len(csi.shape), csi.of_weak_charge
    (('CsI 14.6 kg', 'one number of counts', '2 pulls'), 1, False)
    >>> argon = csi.with_signal(load_experiment("binh2021-lar").signal)
    >>> argon.signal.form_factor == csi.with_form_factor(argon.signal.form_factor).signal.form_factor
    True
    """

    name: str
    title: str
    reference: str
    target: Material
    mass_kg: float
    flux: Flux
    exposure: Source
    conventions: Conventions
    axes: tuple[Axis, ...]
    statistics: Statistics
    spectrum: ResidualSpectrum | None = None
    data_hashes: tuple[tuple[str, str], ...] = ()
    overlaps: tuple[str, ...] = ()  # names of experiments that contain some of the same data
    caution: str | None = None  # what each result with it should say
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
        if self.of_weak_charge:
            return (f"weak charge of {self.target.formula}",)
        bins = (
            "one number of counts"
            if self.statistics.one_number
            else f"{' x '.join(map(str, self.shape))} bins"
        )
        return f"{self.target.formula} {self.mass_kg:g} kg", bins, f"{len(self.statistics.pulls)} pulls"

    @property
    def of_weak_charge(self) -> bool:
        """Whether it has seen no neutrinos but the weak charge of its target's first nuclide."""
        return not self.flux.components

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of bins on each axis."""
        return tuple(len(axis.edges) - 1 for axis in self.axes)

    @property
    def signal(self) -> Signal:
        """How recoils become counts."""
        return self.statistics.signal.nominal

    def with_signal(self, signal: Signal, shapes: tuple[Shape[Signal], ...] | None = None) -> "Experiment":
        """Return the experiment with another signal, and other pulls of its shape where those are given."""
        before = self.statistics.signal
        after = replace(before, nominal=signal, shapes=before.shapes if shapes is None else shapes)
        return replace(self, statistics=replace(self.statistics, signal=after))

    def with_form_factor(self, form_factor: FormFactor) -> "Experiment":
        """Return the experiment with another form factor, in its systematic variations too."""
        shapes, changed = self.statistics.signal.shapes, partial(replace, form_factor=form_factor)
        fixed = [v for v in shapes if v.up.form_factor is not self.signal.form_factor]
        if fixed:
            raise NurecoilError(
                f"experiment {self.name} cannot take another form factor: its pull {fixed[0].pull.name}"
                " changes the form factor of its card; copy the card and change it there"
            )
        shapes = tuple(replace(v, up=changed(v.up), down=changed(v.down)) for v in shapes)
        as_read = self.as_read and self.as_read.with_form_factor(form_factor)
        return replace(self.with_signal(changed(self.signal), shapes), as_read=as_read)
