"""What a card may say about the signal: target, source, detector response, and where counts go in time."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, ValidationInfo, model_validator

from nurecoil.card.fields import (
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
    name_for,
    within,
)
from nurecoil.checks import require_ascending
from nurecoil.errors import NurecoilError
from nurecoil.fluxes import load_flux
from nurecoil.form_factors import form_factor
from nurecoil.nuclei import Material, material


def _ascending_steps(steps: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    require_ascending("steps", [start for start, _ in steps], at_least=0)
    return steps


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


class ConstantQ(Section):
    """E_ee = factor · T."""

    kind: Literal["constant"]
    factor: Positive


class LinearQ(Section):
    """E_ee = (a + b T) T, b per keV."""

    kind: Literal["linear"]
    a: Positive
    b_per_kev: Number


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
    x0: Number
    steps: Annotated[tuple[tuple[Number, Probability], ...], AfterValidator(_ascending_steps)] = ()


class ShiftedLogisticE(Section):
    """a/(1 + e^{-b(x - c)}) + d, not below zero."""

    kind: Literal["shifted-logistic"]
    a: Positive
    b: Positive
    c: Number
    d: Number


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
    edges: Annotated[tuple[NotNegative, ...], AfterValidator(ascending)]
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
    edges_us: TimeEdges
    pulse_mean: Microseconds
    pulse_width: Microseconds
    efficiency: Annotated[ConstantT | PlateauT, Field(discriminator="kind")] = ConstantT(kind="constant")


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
