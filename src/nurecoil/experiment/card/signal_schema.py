"""What a card may say about the signal: target, source, detector response, and where counts go in time."""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, ValidationInfo, model_validator

from nurecoil.checks import require_ascending
from nurecoil.detector.efficiency import (
    ConstantEfficiency,
    LogisticEfficiency,
    ShiftedLogisticEfficiency,
    TabulatedEfficiency,
)
from nurecoil.detector.quenching import (
    ConstantQuenching,
    LinearQuenching,
    PolynomialQuenching,
    TabulatedQuenching,
)
from nurecoil.detector.smearing import GammaSmearing, GaussianSmearing, NoSmearing, PoissonSmearing
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.fields import (
    Ascending,
    Column,
    Kilograms,
    Metres,
    Microseconds,
    NotNegative,
    Number,
    Positive,
    Probability,
    Section,
    TimeEdges,
    ascending,
    kind,
    name_for,
    one_of,
    within,
)
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.nuclei import Material, material
from nurecoil.sources import load_flux
from nurecoil.sources.timing import ConstantTimeEfficiency, PlateauThenExponential


def _ascending_steps(steps: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    require_ascending("steps", [start for start, _ in steps], at_least=0)
    return steps


def _one_for_each_x(efficiencies: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
    points = len(info.data.get("x", efficiencies))
    if points != len(efficiencies):
        raise NurecoilError(f"{points} points but {len(efficiencies)} efficiencies")
    return efficiencies


def _material(value: object, info: ValidationInfo) -> Material:
    numbers = value.values() if isinstance(value, dict) else ()
    if not isinstance(value, str | dict) or any(type(number) not in (int, float) for number in numbers):
        raise NurecoilError("it must be a formula, or a table of formulas and their fractions")
    return material(value, info.data.get("fractions"))


class Target(Section):
    """[target]: what the neutrinos hit: a formula, or fractions of several, of moles or of the mass."""

    fractions: Literal["mole", "mass"] | None = None  # before the material, which needs it
    material: Annotated[InstanceOf[Material], BeforeValidator(_material)]
    mass: Kilograms
    form_factor: Annotated[str, AfterValidator(name_for(form_factor))]


class Source(Section):
    """[source]: a stopped-pion source and its exposure."""

    flux: Annotated[str, AfterValidator(name_for(load_flux))]
    protons_on_target: Annotated[float, within(1e12, 1e28, "protons")]
    neutrinos_per_proton: Annotated[float, within(1e-4, 1, "neutrinos of each flavour per proton")]
    baseline: Metres


class CrossSection(Section):
    """[cross_section]: which terms are kept."""

    vector_recoil_term: bool
    magnetic_recoil_term: bool
    magnetic_form_factor: bool


# --- quenching, smearing, efficiency ------------------------------------------------------------------

Coefficients = Annotated[tuple[float, ...], Field(min_length=1)]
Quenching = Annotated[
    partial[Any],
    one_of(
        kind("constant", ConstantQuenching, factor=Positive),
        kind("linear", LinearQuenching, a=Positive, b_per_kev=Number),
        kind(
            "polynomial", PolynomialQuenching, coefficients=Annotated[tuple[float, ...], Field(min_length=1)]
        ),
        kind("tabulated", TabulatedQuenching, recoil_kev=Ascending, factor=tuple[Positive, ...]),
    ),
]
Smearing = Annotated[
    partial[Any],
    one_of(
        kind("none", NoSmearing),
        kind("gaussian", GaussianSmearing, a=NotNegative, b=NotNegative, at=Literal["true", "reconstructed"]),
        kind("poisson", PoissonSmearing),
        kind("gamma", GammaSmearing, a=Positive, b=Positive),
    ),
]
Steps = Annotated[tuple[tuple[Number, Probability], ...], AfterValidator(_ascending_steps)]
Efficiencies = Annotated[tuple[Probability, ...], AfterValidator(_one_for_each_x)]


class FileE(Section):
    """A table in a data file."""

    kind: Literal["file"]
    file: str
    x: Column
    efficiency: Column


Efficiency = Annotated[
    partial[Any] | FileE,
    one_of(
        kind("constant", ConstantEfficiency, value=Probability),
        kind("logistic", LogisticEfficiency, a=Probability, k=Positive, x0=Number, steps=Steps),
        kind("shifted-logistic", ShiftedLogisticEfficiency, a=Positive, b=Positive, c=Number, d=Number),
        kind("tabulated", TabulatedEfficiency, x=Ascending, efficiency=Efficiencies),
        FileE,
    ),
]


class Detector(Section):
    """[detector]: from recoil energies to bins of an observable."""

    observable: str
    light_yield_per_kev: Positive = 1.0
    edges: Annotated[tuple[NotNegative, ...], AfterValidator(ascending)]
    quenching: Quenching = partial(ConstantQuenching, 1.0)
    smearing: Smearing = partial(NoSmearing)
    step: Positive | None = None
    efficiency: Efficiency
    efficiency_at: Literal["observable", "true"] = "observable"
    electron_recoils: bool = False

    @model_validator(mode="after")
    def _step_with_smearing(self) -> "Detector":
        if self.smearing.func is not NoSmearing and self.step is None:
            raise NurecoilError("smearing needs a 'step', the width of its sub-bins in the observable")
        return self


# --- other axes ---------------------------------------------------------------------------------------


Start = Annotated[Microseconds, Field(alias="start")]
TimeEfficiency = Annotated[
    partial[Any],
    one_of(
        kind("constant", ConstantTimeEfficiency, value=Probability),
        kind("plateau-then-exponential", PlateauThenExponential, start_us=Start, rate_per_us=NotNegative),
    ),
]


class Arrivals(Section):
    """Which components of the source arrive with the pulse, and which after the muon's decay."""

    prompt: tuple[str, ...]
    delayed: tuple[str, ...]


class PulsedTime(Arrivals):
    """[time]: arrival times from a Gaussian beam pulse and the decays of pion and muon."""

    kind: Literal["pulse"]
    edges_us: TimeEdges
    pulse_mean: Microseconds
    pulse_width: Microseconds
    efficiency: TimeEfficiency = partial(ConstantTimeEfficiency)


class TabulatedTime(Arrivals):
    """[time]: arrival times as fractions per bin, one file each."""

    kind: Literal["tabulated"]
    edges_us: TimeEdges
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
    columns: Annotated[dict[str, Column], Field(min_length=1)]
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
