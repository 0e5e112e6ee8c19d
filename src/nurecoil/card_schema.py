"""What an experiment card may say: its sections and fields, and what is allowed in each.

The sections are pydantic models, so that a bad card gets all its errors listed at once, each with its
field. Nothing is computed here and no data file is read; `card` builds the experiment.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nurecoil.errors import NurecoilError
from nurecoil.fluxes import load_flux
from nurecoil.form_factors import form_factor
from nurecoil.nuclei import material
from nurecoil.quantities import parse_quantity


def _in(unit: str) -> Callable[[object], float]:
    def read(value: object) -> float:
        if not isinstance(value, str):
            raise NurecoilError(f"{value} needs a unit: write it as a text, for example '{value} {unit}'")
        return parse_quantity(value, unit)

    return read


def _ascending(numbers: tuple[float, ...]) -> tuple[float, ...]:
    if len(numbers) < 2 or any(low >= high for low, high in pairwise(numbers)):
        raise NurecoilError(
            f"{list(numbers)} is not allowed: it must be two or more numbers in ascending order"
        )
    return numbers


def _ascending_steps(steps: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if any(low >= high for (low, _), (high, _) in pairwise(steps)):
        shown = [list(step) for step in steps]
        raise NurecoilError(f"{shown} is not allowed: the steps must be in ascending order")
    return steps


def _name_for(load: Callable[[str], object]) -> Callable[[str], str]:
    def check(name: str) -> str:
        load(name)
        return name

    return check


def _counts_or_expectation(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and value != "standard-model"):
        raise NurecoilError("it must be a number of counts or 'standard-model'")
    return None if value == "standard-model" else value


Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Ascending = Annotated[tuple[float, ...], AfterValidator(_ascending)]
Kilograms = Annotated[Positive, BeforeValidator(_in("kg"))]
Metres = Annotated[Positive, BeforeValidator(_in("m"))]
Microseconds = Annotated[float, BeforeValidator(_in("us"))]
Column = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A section of a card: unknown fields are errors, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=False)


class Target(Section):
    """[target]: what the neutrinos hit."""

    material: Annotated[str, AfterValidator(_name_for(material))]
    mass: Kilograms
    form_factor: Annotated[str, AfterValidator(_name_for(form_factor))]


class Source(Section):
    """[source]: a stopped-pion source and its exposure."""

    flux: Annotated[str, AfterValidator(_name_for(load_flux))]
    protons_on_target: Positive
    neutrinos_per_proton: Positive
    baseline: Metres


class CrossSection(Section):
    """[cross_section]: which terms are kept."""

    vector_recoil_term: bool
    magnetic_recoil_term: bool
    magnetic_form_factor: bool


# --- quenching, smearing, efficiency ------------------------------------------------------------------


class ConstantQ(Section):
    """E_ee = factor · T."""

    kind: Literal["constant"]
    factor: Positive


class LinearQ(Section):
    """E_ee = (a + b T) T, b per keV."""

    kind: Literal["linear"]
    a: Positive
    b_per_kev: float


class PolynomialQ(Section):
    """E_ee = Σ c_k T^k from k = 1, in MeV."""

    kind: Literal["polynomial"]
    coefficients: Annotated[tuple[float, ...], Field(min_length=1)]


class TabulatedQ(Section):
    """Quenching factors at recoil energies in keV."""

    kind: Literal["tabulated"]
    recoil_kev: Ascending
    factor: tuple[Positive, ...]


Quenching = Annotated[ConstantQ | LinearQ | PolynomialQ | TabulatedQ, Field(discriminator="kind")]


class NoS(Section):
    """No smearing."""

    kind: Literal["none"]


class GaussianS(Section):
    """σ² = a² E + b²."""

    kind: Literal["gaussian"]
    a: NotNegative
    b: NotNegative = 0.0
    at: Literal["true", "reconstructed"] = "true"


class PoissonS(Section):
    """Poisson statistics of photoelectrons."""

    kind: Literal["poisson"]


class GammaS(Section):
    """The gamma distribution of CsI 2021: shape 1 + b E_ee, mean E_ee/a."""

    kind: Literal["gamma"]
    a: Positive
    b: Positive


Smearing = Annotated[NoS | GaussianS | PoissonS | GammaS, Field(discriminator="kind")]


class ConstantE(Section):
    """The same efficiency everywhere."""

    kind: Literal["constant"]
    value: Probability


class LogisticE(Section):
    """a/(1 + e^{-k(x - x0)}), times a staircase."""

    kind: Literal["logistic"]
    a: Probability
    k: Positive
    x0: float
    steps: Annotated[tuple[tuple[float, Probability], ...], AfterValidator(_ascending_steps)] = ()


class ShiftedLogisticE(Section):
    """a/(1 + e^{-b(x - c)}) + d, not below zero."""

    kind: Literal["shifted-logistic"]
    a: Positive
    b: Positive
    c: float
    d: float


class TabulatedE(Section):
    """A table in the card."""

    kind: Literal["tabulated"]
    x: Ascending
    efficiency: tuple[Probability, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "TabulatedE":
        if len(self.x) != len(self.efficiency):
            raise NurecoilError(f"{len(self.x)} points but {len(self.efficiency)} efficiencies")
        return self


class FileE(Section):
    """A table in a data file."""

    kind: Literal["file"]
    file: str
    x: Column
    efficiency: Column


Efficiency = Annotated[
    ConstantE | LogisticE | ShiftedLogisticE | TabulatedE | FileE, Field(discriminator="kind")
]


class Detector(Section):
    """[detector]: from recoil energies to bins of an observable."""

    observable: str
    light_yield_per_kev: Positive = 1.0
    edges: Annotated[tuple[NotNegative, ...], AfterValidator(_ascending)]
    quenching: Quenching = ConstantQ(kind="constant", factor=1.0)
    smearing: Smearing = NoS(kind="none")
    step: Positive | None = None
    efficiency: Efficiency
    efficiency_at: Literal["observable", "true"] = "observable"

    @model_validator(mode="after")
    def _step_with_smearing(self) -> "Detector":
        if self.smearing.kind != "none" and self.step is None:
            raise NurecoilError("smearing needs a 'step', the width of its sub-bins in the observable")
        return self


# --- other axes ---------------------------------------------------------------------------------------


class ConstantT(Section):
    """The same efficiency at all times."""

    kind: Literal["constant"]
    value: Probability = 1.0


class PlateauT(Section):
    """1 until `start`, then e^{-rate (t - start)}."""

    kind: Literal["plateau-then-exponential"]
    start: Microseconds
    rate_per_us: NotNegative


class Arrivals(Section):
    """Which components of the source arrive with the pulse, and which after the muon's decay."""

    prompt: tuple[str, ...]
    delayed: tuple[str, ...]


class PulsedTime(Arrivals):
    """[time]: arrival times from a Gaussian beam pulse and the decays of pion and muon."""

    kind: Literal["pulse"]
    edges_us: Ascending
    pulse_mean: Microseconds
    pulse_width: Microseconds
    efficiency: Annotated[ConstantT | PlateauT, Field(discriminator="kind")] = ConstantT(kind="constant")


class TabulatedTime(Arrivals):
    """[time]: arrival times as fractions per bin, one file each."""

    kind: Literal["tabulated"]
    edges_us: Ascending
    prompt_file: str
    delayed_file: str


class TemplateAxis(Section):
    """[[template.axes]]: an axis after the energy."""

    key: str
    name: str
    edges: Ascending


class Table(Section):
    """A data file: which column is which axis, which holds the counts (none: one event a row)."""

    file: str
    columns: dict[str, Column]
    weight: Column | None = None


class Window(Arrivals):
    """[template.window]: the beam pulse, whose arrivals outside the time axis are lost."""

    pulse_mean: Microseconds
    pulse_width: Microseconds


class Template(Section):
    """[template]: the signal's spread over the other axes at each energy, from a template of the release."""

    axes: Annotated[tuple[TemplateAxis, ...], Field(min_length=1)]
    table: Table
    window: Window | None = None

    @model_validator(mode="after")
    def _window_on_time(self) -> "Template":
        if self.window and "time" not in [axis.key for axis in self.axes]:
            raise NurecoilError("a window needs an axis with the key 'time'")
        return self


# --- data, backgrounds, pulls -------------------------------------------------------------------------


class Factor(Section):
    """[[backgrounds.factors]]: one factor of a background's shape, over one axis or several."""

    axes: Annotated[tuple[str, ...], Field(min_length=1)]
    table: Table | None = None
    exponential_rate_per_us: float | None = None
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
    counts: NotNegative | Literal["table"]
    scale: Positive = 1.0
    factors: Annotated[tuple[Factor, ...], Field(min_length=1)]
    pull: str
    width: NotNegative | Literal["poisson"]
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
    width: Positive


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
    """The neutron rms radii of all nuclides, scaled together; the pull is their mean in fm."""

    effect: Literal["neutron-radius"]
    name: str
    width: Annotated[Probability, Field(gt=0)]


class OnsetPull(Section):
    """A shift of the beam pulse."""

    effect: Literal["onset"]
    name: str
    shift: Microseconds


class TemplatePull(Section):
    """The signal's template at +1 and -1; without `down` it is mirrored."""

    effect: Literal["template"]
    name: str
    up: Table
    down: Table | None = None


SignalPull = Annotated[
    NormalisationPull | QuenchingPull | EfficiencyPull | RadiusPull | OnsetPull | TemplatePull,
    Field(discriminator="effect"),
]


class Data(Section):
    """[data]: the release whose files the card names, and the observed counts."""

    release: str
    observed: Table


class Statistics(Section):
    """[statistics]: one number of counts (seed, eqs. 43-45)."""

    observed: Annotated[NotNegative | None, BeforeValidator(_counts_or_expectation)]
    background: NotNegative = 0.0
    variance_counts: NotNegative = 0.0
    variance_fraction: NotNegative = 0.0
    signal_pull_width: NotNegative
    background_pull_width: NotNegative | None = None


class Spectrum(Section):
    """[spectrum]: residual counts to show beside a prediction."""

    edges: Ascending
    coincidence: tuple[NotNegative, ...]
    anticoincidence: tuple[NotNegative, ...]
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


def _ends(where: str, pull: TemplatePull | ShapePull) -> list[tuple[str, Table]]:
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
