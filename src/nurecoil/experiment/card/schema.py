"""What an experiment card may say: its sections and keys, and what is allowed in each.

A section is a frozen dataclass, whose docstring and annotations are what errors and docs/cards.md are made
of; detectors and their parts are read as they are. Nothing is computed here and no data file is read. The
sections about the signal are in `signal_schema`, the rules of numbers in `nurecoil.checks`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from nurecoil.checks import Finite, Fraction, Microseconds, NotNegative, Number, Positive, require
from nurecoil.detector.efficiency import Efficiency
from nurecoil.detector.quenching import Quenching
from nurecoil.detector.response import Detector
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.signal_schema import (
    Column,
    CrossSection,
    PulsedTime,
    Table,
    TabulatedTime,
    Target,
    Template,
)
from nurecoil.experiment.card.toml import Read
from nurecoil.experiment.experiment import Axis, ResidualSpectrum
from nurecoil.physics.nuclei import Material, material
from nurecoil.sources import Source

_NAME = "a text of letters, digits and _ . -, a letter or digit first"


def checked_name(written: object, _: Mapping[str, Any] | None = None) -> str:
    """Return the name of an experiment, or refuse it."""
    if not isinstance(written, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", written):
        raise NurecoilError(f"the name {written!r} is not allowed: it must be {_NAME}")
    return written


Name = Annotated[str, Read(checked_name, _NAME)]
Counts = Annotated[float, Number(0, 1e12, "counts")]
Width = Annotated[float, Number(0, 3, "(a fraction: 0.1 is 10 %)")]


@dataclass(frozen=True)
class Statistics:
    """One number of counts."""

    observed: Annotated[Counts | Literal["standard-model"], '"standard-model": a projection']
    signal_pull_width: Annotated[Width, "how well the rate of the signal is known"]
    background: Annotated[Counts, "expected counts of the background"] = 0.0
    variance_counts: Annotated[Counts, "adds to the statistical variance"] = 0.0
    variance_fraction: Annotated[NotNegative, "times the expected counts, adds to it as well"] = 0.0
    background_pull_width: Annotated[Width | None, "how well the rate of the background is known"] = None


@dataclass(frozen=True)
class Data:
    """The observed bins."""

    observed: Annotated[Table, "the observed counts, or events"]
    sigma: Annotated[
        Column | None,
        "the column of the counts' standard deviations; with it counts are Gaussian, and may be negative",
    ] = None
    release: Annotated[str | None, "where all files are (`nurecoil data list`); else beside the card"] = None
    masked: Annotated[
        Mapping[str, tuple[tuple[Finite, Finite], ...]],
        "ranges of axes, from edge to edge, whose bins are left out; neither they nor what is in them counts",
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse standard deviations of events."""
        if self.sigma is not None and (self.observed.weight is None or self.observed.across):
            raise NurecoilError("'sigma' goes with counts: 'observed' needs a 'weight', their one column")


@dataclass(frozen=True)
class Factor:
    """One factor of a background's shape, over one axis or several."""

    axes: Annotated[tuple[str, ...], '"energy", "time", or the key of an axis of the template']
    table: Annotated[Table | None, "counts; summed over the axes that the factor is not on"] = None
    exponential_rate_per_us: Annotated[Finite | None, "e^(-rate t), on the axis time"] = None
    times_efficiency: Annotated[bool, "the signal's efficiency applies to the rows of the table"] = False

    def __post_init__(self) -> None:
        """Refuse what is no factor."""
        require(bool(self.axes), "axes", (), "one or more")
        if (self.table is None) == (self.exponential_rate_per_us is None):
            raise NurecoilError("a factor needs either a 'table' or an 'exponential_rate_per_us'")
        if self.table is None and (self.axes != ("time",) or self.times_efficiency):
            raise NurecoilError("an 'exponential_rate_per_us' is for the axis 'time' alone, as it stands")


@dataclass(frozen=True)
class ShapePull:
    """A pull of a background's shape."""

    name: str
    up: Annotated[Table, "the shape at +1"]
    down: Annotated[Table | None, "at -1; left out, the mirror of `up`"] = None


@dataclass(frozen=True)
class Background:
    """A background: expected counts, shape, and the pull of the rate."""

    name: str
    counts: Annotated[Counts | Literal["table"], '"table": the sum of the first factor\'s table']
    factors: Annotated[tuple[Factor, ...], "the shape is their product; they cover each axis once"]
    pull: Annotated[str, "the name of the pull of its rate"]
    width: Annotated[
        Width | Literal["poisson", "off-sample"],
        '"poisson": known as well as its counts, before `scale`; "off-sample": these are counts of a sample'
        " with this background alone, whose own Poisson likelihood is added, and the rate is free",
    ]
    scale: Annotated[Positive, "multiplies the counts, as the live time of another sample"] = 1.0
    each: Annotated[
        str | None,
        "an axis: in each of its bins the rate has a pull of its own, PULL_0, PULL_1, ..., as where another"
        " sample counted it",
    ] = None
    shape_pulls: tuple[ShapePull, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a width that is infinite, and shapes of what is in single bins."""
        if self.width == "poisson" and self.counts == 0:
            raise NurecoilError("the width 'poisson' needs counts above 0")
        if self.each and self.shape_pulls:
            raise NurecoilError(f"each = '{self.each}' goes without shape_pulls")
        counted = self.counts == "table" and self.factors and self.each in (None, *self.factors[0].axes)
        if self.width == "off-sample" and not counted:
            raise NurecoilError(
                "the width 'off-sample' needs counts = 'table', and a first factor on the axis of 'each'"
            )


@dataclass(frozen=True)
class Free:
    """A free parameter of formulas, EXPERIMENT_NAME among the nuisance parameters."""

    what: Annotated[str, "what it is, with its unit"]
    value: Annotated[Finite, "where fits begin, and of the counts that are predicted"]
    low: Annotated[Finite, "the least that is allowed"]
    high: Annotated[Finite, "the most"]
    width: Annotated[
        Positive | None, "of a Gaussian prior around the value; left out, it floats between low and high"
    ] = None

    def __post_init__(self) -> None:
        """Refuse bounds that leave no room, and a value outside of them."""
        require(self.low < self.high, "high", self.high, f"above low, {self.low}")
        require(self.low <= self.value <= self.high, "value", self.value, f"from {self.low} to {self.high}")


@dataclass(frozen=True)
class FormulaBackground:
    """A background given by a formula, integrated over the bins."""

    name: str
    counts: Annotated[
        str,
        "counts per unit of the energy axis: of E, numbers, pi and [parameters], with + - * / ** and the"
        " functions exp, log, sqrt and normal, the density of a standard normal number",
    ]
    factors: Annotated[tuple[Factor, ...], "the shape on all other axes, which they cover once"] = ()


@dataclass(frozen=True)
class NormalisationPull:
    """A fractional change of the signal."""

    effect: ClassVar = "normalisation"
    name: Annotated[str, "one name in several cards is one pull"]
    width: Annotated[float, Number(0, 3, "(a fraction: 0.1 is 10 %)", above=True)]


@dataclass(frozen=True)
class QuenchingPull:
    """The quenching at +1 and at -1."""

    effect: ClassVar = "quenching"
    name: str
    up: Quenching
    down: Quenching


@dataclass(frozen=True)
class EfficiencyPull:
    """The efficiency at +1 and at -1."""

    effect: ClassVar = "efficiency"
    name: str
    up: Efficiency
    down: Efficiency


@dataclass(frozen=True)
class RadiusPull:
    """The neutron rms radii of all nuclides, scaled together; the pull is their mean in fm."""

    effect: ClassVar = "neutron-radius"
    name: str
    width: Annotated[Fraction, "of the prior, as a fraction of the radius"]
    step: Annotated[Fraction, "where the signal is computed, as a fraction of the radius"] = 0.05


@dataclass(frozen=True)
class OnsetPull:
    """A shift of the beam pulse, for a [time] of the kind "pulse"."""

    effect: ClassVar = "onset"
    name: str
    shift_us: Annotated[Microseconds, "later at +1, earlier at -1"]


@dataclass(frozen=True)
class TemplatePull(ShapePull):
    """The signal's [template] at +1 and at -1."""

    effect: ClassVar = "template"


SignalPull: TypeAlias = (
    NormalisationPull | QuenchingPull | EfficiencyPull | RadiusPull | OnsetPull | TemplatePull
)


@dataclass(frozen=True)
class WeakCharge:
    """A weak charge, measured by parity violation with electrons."""

    nuclide: Annotated[Material, Read(lambda text, _: material(text), 'one, "133Cs"')]
    value: Finite
    width: Annotated[Positive, "one standard deviation, with that of the Standard Model's value"]

    def __post_init__(self) -> None:
        """Refuse a mixture."""
        require(len(self.nuclide.nuclides) == 1, "nuclide", self.nuclide.formula, "one nuclide")


@dataclass(frozen=True)
class WeakChargeCard:
    """A whole card of a weak charge."""

    name: Name
    title: Annotated[str, "what the experiment is"]
    reference: Annotated[str, "where its numbers are from"]
    weak_charge: WeakCharge


@dataclass(frozen=True)
class Card:
    """A whole card."""

    name: Name
    title: Annotated[str, "what the experiment is"]
    reference: Annotated[str, "where its numbers are from"]
    target: Target
    source: Source
    cross_section: CrossSection
    detector: Detector
    overlaps: Annotated[tuple[str, ...], "names of experiments that contain some of the same data"] = ()
    caution: Annotated[str | None, "what each result with it should say: a sentence without a full stop"] = (
        None
    )
    quenchings: Annotated[
        Mapping[str, Quenching], "other choices than [detector] has; with KEY the experiment is NAME+KEY"
    ] = field(default_factory=dict)
    time: PulsedTime | TabulatedTime | None = None
    template: Template | None = None
    statistics: Statistics | None = None
    data: Data | None = None
    backgrounds: tuple[Background, ...] = ()
    formulas: tuple[FormulaBackground, ...] = ()
    parameters: Mapping[str, Free] = field(default_factory=dict)
    signal_pulls: tuple[SignalPull, ...] = ()
    spectrum: ResidualSpectrum | None = None

    def __post_init__(self) -> None:
        """Refuse sections that do not go together."""
        if (self.statistics is None) == (self.data is None):
            raise NurecoilError("a card needs either [statistics], one number of counts, or [data], bins")
        if self.statistics and (self.all_backgrounds or self.signal_pulls or self.time or self.template):
            raise NurecoilError(
                "[statistics] goes without [time], [template], [[backgrounds]], [[formulas]],"
                " [[signal_pulls]]"
            )
        if getattr(self.source, "times_s", None) and (self.time or self.template or self.statistics):
            raise NurecoilError("source.times_s goes without [statistics], [time] and [template]")
        if self.time and self.template:
            raise NurecoilError("[time] and [template] exclude each other: both spread the signal over axes")
        lowest = self.detector.edges[0]
        require(lowest >= 0, "detector.edges.0", lowest, "0 or more")
        problems = [*_axis_problems(self), *_effect_problems(self), *_name_problems(self)]
        if problems:
            raise NurecoilError("; ".join(dict.fromkeys(problems)))

    @property
    def plain_name(self) -> str:
        """The name without a variant's: what pulls have in theirs."""
        return self.name.partition("+")[0]

    @property
    def all_backgrounds(self) -> tuple[Background | FormulaBackground, ...]:
        """The backgrounds, formulas last."""
        return (*self.backgrounds, *self.formulas)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the bins, energy first."""
        energy = Axis("energy", self.detector.observable, self.detector.edges)
        if self.time:
            return energy, Axis("time", "time [us]", self.time.edges_us)
        if edges := getattr(self.source, "times_s", None):
            return energy, Axis("time", "time [s]", edges)
        return energy, *(self.template.axes if self.template else ())

    @property
    def axis_keys(self) -> tuple[str, ...]:
        """Their keys."""
        return tuple(axis.key for axis in self.axes)


def _axis_problems(card: Card) -> Iterator[str]:
    """Say which tables and factors do not go with the axes of the card."""
    known = card.axis_keys
    listed = ", ".join(known)
    if len(set(known)) < len(known):
        yield f"the axes are {listed}: each needs a key of its own"
    whole = [("data.observed", card.data.observed)] if card.data else []
    if card.template:
        whole.append(("template.table", card.template.table))
    for pull in card.signal_pulls:
        if isinstance(pull, TemplatePull):
            whole += _ends(f"signal_pulls.{pull.name}", pull)
    tables = [(where, table, known) for where, table in whole]
    for background in card.backgrounds:
        where = f"backgrounds.{background.name}"
        for shape in background.shape_pulls:
            tables += [(place, table, known) for place, table in _ends(f"{where}.{shape.name}", shape)]
        named = [axis for factor in background.factors for axis in factor.axes]
        for axis in [*named, *([background.each] if background.each else [])]:
            if axis not in known:
                yield f"{where}: there is no axis '{axis}' (the card has {listed})"
        if set(named) <= set(known) and sorted(named) != sorted(known):
            yield f"{where}: the factors must cover each of {listed} once"
        tables += [(where, f.table, f.axes) for f in background.factors if f.table]
    for each in card.formulas:
        where = f"formulas.{each.name}"
        if sorted(axis for factor in each.factors for axis in factor.axes) != sorted(known[1:]):
            yield f"{where}: the factors must cover each axis but the energy once (the card has {listed})"
        tables += [(where, f.table, f.axes) for f in each.factors if f.table]
    edges = {axis.key: axis.edges for axis in card.axes}
    for axis, ranges in card.data.masked.items() if card.data else ():
        for low, high in ranges:
            if axis not in known:
                yield f"data.masked: there is no axis '{axis}' (the card has {listed})"
            elif not (low < high and {low, high} <= set(edges[axis])):
                shown = ", ".join(f"{edge:g}" for edge in edges[axis])
                yield f"data.masked.{axis} = [{low:g}, {high:g}] must go from one to another of {shown}"
    for where, table, needed in tables:
        for axis in table.axes:
            if axis not in known:
                yield f"{where}: {table.file}: there is no axis '{axis}' (the card has {listed})"
        for axis in needed:
            if axis in known and axis not in table.axes:
                yield f"{where}: {table.file}: the column of the axis '{axis}' is missing"


def _ends(where: str, pull: ShapePull) -> list[tuple[str, Table]]:
    """Return the tables of a pull."""
    down = [(f"{where}.down", pull.down)] if pull.down else []
    return [(f"{where}.up", pull.up), *down]


def _effect_problems(card: Card) -> Iterator[str]:
    """Say which parts of the card need a section that it has not."""
    for pull in card.signal_pulls:
        if isinstance(pull, OnsetPull) and not isinstance(card.time, PulsedTime):
            yield f"signal_pulls.{pull.name}: an onset needs a [time] of the kind 'pulse'"
        if isinstance(pull, TemplatePull) and not card.template:
            yield f"signal_pulls.{pull.name}: a template needs a [template]"


def _name_problems(card: Card) -> Iterator[str]:
    """Say which names stand for two things."""
    backgrounds = [background.name for background in card.all_backgrounds]
    for name in sorted({name for name in backgrounds if backgrounds.count(name) > 1}):
        yield f"backgrounds.{name}: there are two of that name"
    if "signal" in backgrounds:
        yield "backgrounds.signal: a background needs another name"
    pulls = [pull.name for pull in card.signal_pulls]
    pulls += [f"{card.plain_name}_{symbol}" for symbol in card.parameters]
    for background in card.backgrounds:
        pulls += [background.pull, *(pull.name for pull in background.shape_pulls)]
    for name in sorted({name for name in pulls if pulls.count(name) > 1}):
        yield f"the pull {name} is there twice: inside a card each needs a name of its own"
