"""Experiment cards: one TOML file describes one experiment; read, checked, built.

`nurecoil.experiments` holds the cards that come with the package; a path to a card of one's own is
accepted wherever a name is.
"""

import math
import tomllib
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from nurecoil.cross_section import Conventions
from nurecoil.detector import (
    ConstantEfficiency,
    Detector,
    Efficiency,
    LogisticEfficiency,
    TabulatedEfficiency,
)
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import CountingStatistics, Experiment, Exposure, ResidualSpectrum
from nurecoil.fluxes import load_flux
from nurecoil.form_factors import form_factor
from nurecoil.nuclei import material
from nurecoil.parameters import Parameter
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
        raise NurecoilError(
            f"{[list(step) for step in steps]} is not allowed: the steps must be in ascending order"
        )
    return steps


def _name_for(load: Callable[[str], object]) -> Callable[[str], str]:
    def check(name: str) -> str:
        load(name)
        return name

    return check


def _counts_or_expectation(value: object) -> object:
    if isinstance(value, str) and value != "standard-model":
        raise NurecoilError("it must be a number of counts or 'standard-model'")
    return None if value == "standard-model" else value


Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Ascending = Annotated[tuple[float, ...], AfterValidator(_ascending)]
Kilograms = Annotated[Positive, BeforeValidator(_in("kg"))]
Metres = Annotated[Positive, BeforeValidator(_in("m"))]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Target(_Section):
    material: Annotated[str, AfterValidator(_name_for(material))]
    mass: Kilograms
    form_factor: Annotated[str, AfterValidator(_name_for(form_factor))]


class _Source(_Section):
    flux: Annotated[str, AfterValidator(_name_for(load_flux))]
    protons_on_target: Positive
    neutrinos_per_proton: Positive
    baseline: Metres


class _CrossSection(_Section):
    vector_recoil_term: bool
    magnetic_recoil_term: bool
    magnetic_form_factor: bool


class _Constant(_Section):
    kind: Literal["constant"]
    value: Probability

    def build(self) -> Efficiency:
        return ConstantEfficiency(self.value)


class _Logistic(_Section):
    kind: Literal["logistic"]
    a: Probability
    k: Positive
    x0: float
    steps: Annotated[tuple[tuple[float, Probability], ...], AfterValidator(_ascending_steps)] = ()

    def build(self) -> Efficiency:
        return LogisticEfficiency(self.a, self.k, self.x0, self.steps)


class _Tabulated(_Section):
    kind: Literal["tabulated"]
    x: Ascending
    efficiency: tuple[Probability, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "_Tabulated":
        if len(self.x) != len(self.efficiency):
            raise NurecoilError(f"{len(self.x)} points but {len(self.efficiency)} efficiencies")
        return self

    def build(self) -> Efficiency:
        return TabulatedEfficiency(self.x, self.efficiency)


class _Detector(_Section):
    observable: str
    quenching: Positive = 1.0
    light_yield_per_kev: Positive = 1.0
    edges: Annotated[tuple[NotNegative, ...], AfterValidator(_ascending)]
    efficiency: Annotated[_Constant | _Logistic | _Tabulated, Field(discriminator="kind")]


class _Statistics(_Section):
    observed: Annotated[NotNegative | None, BeforeValidator(_counts_or_expectation)]
    background: NotNegative = 0.0
    variance_counts: NotNegative = 0.0
    variance_fraction: NotNegative = 0.0
    signal_pull_width: NotNegative
    background_pull_width: NotNegative | None = None


class _Spectrum(_Section):
    edges: Ascending
    coincidence: tuple[NotNegative, ...]
    anticoincidence: tuple[NotNegative, ...]
    reference: str

    @model_validator(mode="after")
    def _one_count_a_bin(self) -> "_Spectrum":
        if not len(self.coincidence) == len(self.anticoincidence) == len(self.edges) - 1:
            raise NurecoilError(
                f"{len(self.edges) - 1} bins but {len(self.coincidence)} coincidence and"
                f" {len(self.anticoincidence)} anticoincidence counts"
            )
        return self


class _Card(_Section):
    name: str
    title: str
    reference: str
    target: _Target
    source: _Source
    cross_section: _CrossSection
    detector: _Detector
    statistics: _Statistics
    spectrum: _Spectrum | None = None


def experiment_names() -> tuple[str, ...]:
    """Return the names of the experiments that come with the package."""
    return tuple(sorted(path.stem for path in _cards()))


def load_experiment(name: str | Path) -> Experiment:
    """Return an experiment by name, or by the path of its card (a file that ends in .toml).

    Raises
    ------
    NurecoilError
        For an unknown name, a missing file, and, all at once, for every error of a card.
    """
    if str(name).endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise NurecoilError(f"there is no experiment card {path}")
    else:
        by_name = {card.stem: card for card in _cards()}
        if str(name) not in by_name:
            raise unknown_name("experiment", str(name), experiment_names())
        path = by_name[str(name)]
    try:
        text = path.read_text(encoding="utf-8")
        return _build(_Card.model_validate(tomllib.loads(text)))
    except OSError as error:
        raise NurecoilError(f"cannot read the experiment card {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NurecoilError(f"the experiment card {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise NurecoilError(f"the experiment card {path} is not TOML: {error}") from None
    except ValidationError as error:
        raise NurecoilError(f"the experiment card {path} has {_listing(error)}") from None


def _cards() -> Iterator[Path]:
    for entry in resources.files("nurecoil.experiments").iterdir():
        if entry.name.endswith(".toml") and isinstance(entry, Path):
            yield entry


def _listing(error: ValidationError) -> str:
    lines = []
    for item in error.errors(include_url=False):
        field = ".".join(str(part) for part in item["loc"]) or "card"
        message = item["msg"].removeprefix("Value error, ")
        given = item["input"]
        shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
        lines.append(f"[{field}] {message}{shown}")
    return f"{len(lines)} error{'s' if len(lines) > 1 else ''}: " + "; ".join(lines)


def _build(card: _Card) -> Experiment:
    target, source, detector, statistics = card.target, card.source, card.detector, card.statistics
    return Experiment(
        name=card.name,
        title=card.title,
        reference=card.reference,
        target=material(target.material),
        mass_kg=target.mass,
        flux=load_flux(source.flux),
        exposure=Exposure(source.protons_on_target, source.neutrinos_per_proton, source.baseline),
        detector=Detector(
            detector.observable,
            detector.quenching * detector.light_yield_per_kev,
            detector.edges,
            detector.efficiency.build(),
        ),
        form_factor=form_factor(target.form_factor),
        conventions=Conventions(**card.cross_section.model_dump()),
        statistics=_statistics(card.name, statistics),
        spectrum=ResidualSpectrum(**card.spectrum.model_dump()) if card.spectrum else None,
    )


def _statistics(experiment: str, card: _Statistics) -> CountingStatistics:
    width = card.background_pull_width
    return CountingStatistics(
        observed=card.observed,
        background=card.background,
        variance_counts=card.variance_counts,
        variance_fraction=card.variance_fraction,
        signal_pull=_pull(experiment, "signal", card.signal_pull_width),
        background_pull=_pull(experiment, "background", width) if width is not None else None,
    )


def _pull(experiment: str, effect: str, width: float) -> Parameter:
    return Parameter(
        name=f"{experiment}_{effect}",
        description=f"fractional change of the {effect} rate of {experiment}",
        latex=rf"a_\mathrm{{{effect}}}",
        default=0.0,
        low=-math.inf,
        prior_width=width,
    )
