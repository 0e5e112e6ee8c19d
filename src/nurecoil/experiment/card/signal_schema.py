"""What a card may say about the signal: target, source, conventions, and where counts go on other axes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from nurecoil.checks import Ascending, Microseconds, Number, require
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.toml import Read
from nurecoil.experiment.experiment import Axis
from nurecoil.physics.form_factors import FORM_FACTOR_NAMES, FormFactor, form_factor
from nurecoil.physics.nuclei import Material, material
from nurecoil.sources.timing import ConstantTimeEfficiency, PulsedSource, TimeEfficiency


def _named(load: Callable[[str], object], words: str) -> Read:
    """Return what reads the name of a thing."""

    def read(name: object, _: Mapping[str, Any]) -> object:
        if not isinstance(name, str):
            raise NurecoilError(f"{name} is not allowed: it must be {words}")
        return load(name)

    return Read(read, words)


_FORMULA = "a formula, or a table of formulas and their fractions"


def _material(value: object, section: Mapping[str, Any]) -> Material:
    numbers = value.values() if isinstance(value, dict) else ()
    if not isinstance(value, str | dict) or any(type(number) not in (int, float) for number in numbers):
        raise NurecoilError(f"it must be {_FORMULA}")
    fractions = section.get("fractions")
    return material(value, fractions if fractions in ("mole", "mass") else None)


ALWAYS = ConstantTimeEfficiency()
Column = Annotated[int, Number(0)]
TimeEdges = Annotated[
    tuple[Annotated[float, Number(-1e5, 1e5, "us")], ...], Ascending(), "edges of the time bins"
]


@dataclass(frozen=True)
class Target:
    """What the neutrinos hit."""

    material: Annotated[Material, Read(_material, _FORMULA)]
    mass_kg: Annotated[float, Number(1e-6, 1e9, "kg", written=True)]
    form_factor: Annotated[FormFactor, _named(form_factor, f"one of {', '.join(FORM_FACTOR_NAMES)}")]
    fractions: Annotated[
        Literal["mole", "mass"] | None, "needed for a mixture, unless its parts differ in isotopes alone"
    ] = None


@dataclass(frozen=True)
class CrossSection:
    """Which terms of the cross sections are kept."""

    vector_recoil_term: Annotated[bool, "keep -T/E in the vector cross section"]
    magnetic_recoil_term: Annotated[bool, "keep +T/4E² in the magnetic one"]
    magnetic_form_factor: Annotated[bool, "multiply the magnetic one by F_p²"]


# --- other axes ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrivals:
    """Which components of the source arrive with the pulse, and which after the muon's decay: each once."""

    prompt: Annotated[tuple[str, ...], "components of the source that arrive with the pulse"]
    delayed: Annotated[tuple[str, ...], "those after the muon's decay; each component stands once"]


@dataclass(frozen=True)
class Window(Arrivals):
    """The beam pulse, whose arrivals outside the time axis are lost."""

    pulse_mean_us: Annotated[Microseconds, "mean of the Gaussian beam pulse"]
    pulse_width_us: Annotated[float, Number(0, 1e5, "us", above=True, written=True), "its standard deviation"]

    def pulse(self, later_us: float = 0.0) -> PulsedSource:
        """Return the source, its pulse moved in time."""
        return PulsedSource(self.pulse_mean_us + later_us, self.pulse_width_us)


@dataclass(frozen=True)
class PulsedTime(Window):
    """Arrival times from a Gaussian beam pulse and the decays of pion and muon."""

    kind: ClassVar = "pulse"
    edges_us: TimeEdges
    efficiency: Annotated[TimeEfficiency, "as a function of time"] = ALWAYS


@dataclass(frozen=True)
class TabulatedTime(Arrivals):
    """Arrival times as fractions per bin, from two files with times and fractions as columns."""

    kind: ClassVar = "tabulated"
    edges_us: TimeEdges
    prompt_file: str
    delayed_file: str


@dataclass(frozen=True)
class Table:
    """A data file of numbers in columns."""

    file: Annotated[str, "its name, in the release or beside the card"]
    columns: Annotated[Mapping[str, Column], "the column of each axis, the first being 0"]
    weight: Annotated[Column | None, "the column of the counts; left out, each row is an event"] = None
    across: Annotated[str | None, "an axis whose bins are columns of counts, from `weight` to the last"] = (
        None
    )

    def __post_init__(self) -> None:
        """Refuse a table that is on no axis, or twice on one."""
        require(bool(self.columns), "columns", dict(self.columns), "one or more axes and their columns")
        if self.across and (self.weight is None or self.across in self.columns):
            raise NurecoilError(f"across = '{self.across}' needs a 'weight', and no column of its own")

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that it is on."""
        return (*self.columns, *([self.across] if self.across else []))


@dataclass(frozen=True)
class Template:
    """The signal's spread over other axes at each energy."""

    axes: Annotated[tuple[Axis, ...], "those after the energy"]
    table: Annotated[Table, "one row for each bin"]
    window: Annotated[Window | None, "what is lost outside the time axis"] = None

    def __post_init__(self) -> None:
        """Refuse a window without time."""
        require(bool(self.axes), "axes", (), "one or more")
        if self.window and "time" not in [axis.key for axis in self.axes]:
            raise NurecoilError("a window needs an axis with the key 'time'")
