"""What an experiment card may say: its sections and fields, and what is allowed in each.

The sections are pydantic models, so that a bad card gets all its errors listed at once, each with its
field. Nothing is computed here and no data file is read. The sections about the signal are in
`signal_schema`, the kinds of fields in `fields`.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.fields import (
    Ascending,
    Counts,
    Microseconds,
    NotNegative,
    Number,
    Positive,
    Probability,
    Section,
    Width,
)
from nurecoil.experiment.card.signal_schema import (
    CrossSection,
    Detector,
    Efficiency,
    FileE,
    PulsedTime,
    Quenching,
    Source,
    Table,
    TabulatedTime,
    Target,
    Template,
)


def _counts_or_expectation(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and value != "standard-model"):
        raise NurecoilError("it must be a number of counts or 'standard-model'")
    return None if value == "standard-model" else value


class Factor(Section):
    """[[backgrounds.factors]]: one factor of a background's shape, over one axis or several."""

    axes: Annotated[tuple[str, ...], Field(min_length=1)]
    table: Table | None = None
    exponential_rate_per_us: Number | None = None
    times_efficiency: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> "Factor":
        if (self.table is None) == (self.exponential_rate_per_us is None):
            raise NurecoilError("a factor needs either a 'table' or an 'exponential_rate_per_us'")
        if self.table is None and (self.axes != ("time",) or self.times_efficiency):
            raise NurecoilError("an 'exponential_rate_per_us' is for the axis 'time' alone, as it stands")
        return self


class ShapePull(Section):
    """A pull of a background's shape; without `down` the shape at -1 is the mirror of `up`."""

    name: str
    up: Table
    down: Table | None = None


class Background(Section):
    """[[backgrounds]]: expected counts, shape, and the pull of the rate."""

    name: str
    counts: Counts | Literal["table"]
    scale: Positive = 1.0
    factors: Annotated[tuple[Factor, ...], Field(min_length=1)]
    pull: str
    width: Width | Literal["poisson"]
    shape_pulls: tuple[ShapePull, ...] = ()

    @model_validator(mode="after")
    def _counts_for_poisson(self) -> "Background":
        if self.width == "poisson" and self.counts == 0:
            raise NurecoilError("the width 'poisson' needs counts above 0")
        return self


class NormalisationPull(Section):
    """A fractional change of the signal."""

    effect: Literal["normalisation"]
    name: str
    width: Annotated[Width, Field(gt=0)]


class QuenchingPull(Section):
    """The quenching at +1 and at -1."""

    effect: Literal["quenching"]
    name: str
    up: Quenching
    down: Quenching


class EfficiencyPull(Section):
    """The efficiency at +1 and at -1."""

    effect: Literal["efficiency"]
    name: str
    up: Efficiency
    down: Efficiency


class RadiusPull(Section):
    """The neutron rms radii of all nuclides, scaled together; the pull is their mean in fm.

    `width` of the prior and `step` of the templates are fractions of the radius.
    """

    effect: Literal["neutron-radius"]
    name: str
    width: Annotated[Probability, Field(gt=0)]
    step: Annotated[Probability, Field(gt=0)] = 0.05


class OnsetPull(Section):
    """A shift of the beam pulse."""

    effect: Literal["onset"]
    name: str
    shift: Microseconds


class TemplatePull(ShapePull):
    """The signal's template at +1 and -1; without `down` it is mirrored."""

    effect: Literal["template"]


SignalPull = Annotated[
    NormalisationPull | QuenchingPull | EfficiencyPull | RadiusPull | OnsetPull | TemplatePull,
    Field(discriminator="effect"),
]


class Data(Section):
    """[data]: the release whose files the card names, and the observed counts."""

    release: str
    observed: Table


class Statistics(Section):
    """[statistics]: one number of counts (Binh et al. 2021, eqs. 43-45)."""

    observed: Annotated[Counts | None, BeforeValidator(_counts_or_expectation)]
    background: Counts = 0.0
    variance_counts: Counts = 0.0
    variance_fraction: NotNegative = 0.0
    signal_pull_width: Width
    background_pull_width: Width | None = None


class Spectrum(Section):
    """[spectrum]: residual counts to show beside a prediction."""

    edges: Ascending
    coincidence: tuple[Counts, ...]
    anticoincidence: tuple[Counts, ...]
    reference: str

    @model_validator(mode="after")
    def _one_count_a_bin(self) -> "Spectrum":
        if not len(self.coincidence) == len(self.anticoincidence) == len(self.edges) - 1:
            raise NurecoilError(
                f"{len(self.edges) - 1} bins but {len(self.coincidence)} coincidence and"
                f" {len(self.anticoincidence)} anticoincidence counts"
            )
        return self


class Card(Section):
    """A whole card."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]
    title: str
    reference: str
    overlaps: tuple[str, ...] = ()  # cards that contain data of this one
    target: Target
    source: Source
    cross_section: CrossSection
    detector: Detector
    time: Annotated[PulsedTime | TabulatedTime, Field(discriminator="kind")] | None = None
    template: Template | None = None
    statistics: Statistics | None = None
    data: Data | None = None
    backgrounds: tuple[Background, ...] = ()
    signal_pulls: tuple[SignalPull, ...] = ()
    spectrum: Spectrum | None = None

    @model_validator(mode="after")
    def _one_kind_of_statistics(self) -> "Card":
        if (self.statistics is None) == (self.data is None):
            raise NurecoilError("a card needs either [statistics], one number of counts, or [data], bins")
        if self.statistics and (self.backgrounds or self.signal_pulls or self.time or self.template):
            raise NurecoilError(
                "[statistics] goes without [time], [template], [[backgrounds]], [[signal_pulls]]"
            )
        if self.time and self.template:
            raise NurecoilError("[time] and [template] exclude each other: both spread the signal over axes")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> "Card":
        problems = [*_axis_problems(self), *_effect_problems(self), *_name_problems(self)]
        if problems:
            raise NurecoilError("; ".join(dict.fromkeys(problems)))
        return self

    @property
    def axis_keys(self) -> tuple[str, ...]:
        """The keys of the axes, energy first."""
        if self.time:
            return ("energy", "time")
        return ("energy", *(axis.key for axis in (self.template.axes if self.template else ())))


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
        for axis in named:
            if axis not in known:
                yield f"{where}: there is no axis '{axis}' (the card has {listed})"
        if set(named) <= set(known) and sorted(named) != sorted(known):
            yield f"{where}: the factors must cover each of {listed} once"
        tables += [(where, f.table, f.axes) for f in background.factors if f.table]
    for where, table, needed in tables:
        for axis in table.columns:
            if axis not in known:
                yield f"{where}: {table.file}: there is no axis '{axis}' (the card has {listed})"
        for axis in needed:
            if axis in known and axis not in table.columns:
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
    if isinstance(card.detector.efficiency, FileE) and not card.data:
        yield "detector.efficiency: a data file needs a [data] that names its release"


def _name_problems(card: Card) -> Iterator[str]:
    """Say which names stand for two things."""
    backgrounds = [background.name for background in card.backgrounds]
    for name in sorted({name for name in backgrounds if backgrounds.count(name) > 1}):
        yield f"backgrounds.{name}: there are two of that name"
    if "signal" in backgrounds:
        yield "backgrounds.signal: a background needs another name"
    pulls = [pull.name for pull in card.signal_pulls]
    for background in card.backgrounds:
        pulls += [background.pull, *(pull.name for pull in background.shape_pulls)]
    for name in sorted({name for name in pulls if pulls.count(name) > 1}):
        yield f"the pull {name} is there twice: inside a card each needs a name of its own"
