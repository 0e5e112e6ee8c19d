"""How the arguments of verbs are given on the command line, each said once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from nurecoil.study.study import Within

HOLDS = ("fix", "prior", "constrain", "form_factor", "engine")


@dataclass(frozen=True)
class Told:
    """An option of a command.

    Attributes
    ----------
    help, metavar
        What it is, and the form of its value. A form with "=" gives a mapping, or with one name its range.
    flag, many
        Its name where that is not the argument's, and whether it may be repeated.
    shown
        What the help says of the default; empty for nothing.
    """

    help: str
    metavar: str = "VALUE"
    flag: str = ""
    many: bool = False
    shown: str | None = None


@dataclass(frozen=True)
class Verb:
    """A verb as a command, and what it says of itself.

    Attributes
    ----------
    ask, holds
        The function: of a study, and of arguments whose annotations say how they are told. Which options of
        the study it takes besides the model, the experiments and what is set.
    plots, output, accepts
        Whether its answer has a figure; what else it can be written to, and what refuses a path for that.
    """

    ask: Callable[..., Any]
    help: str
    holds: Sequence[str] = HOLDS
    plots: bool = False
    output: str = ""
    accepts: Callable[[Path], object] | None = None


Scanned: TypeAlias = Annotated[
    str, Told("The parameter, and the range to look in.", "NAME=LOW..HIGH", "--scan")
]
Scans: TypeAlias = Annotated[
    Mapping[str, Within],
    Told("A parameter and its range; repeat for more.", "NAME=LOW..HIGH", "--scan", many=True),
]
Levels: TypeAlias = Annotated[
    float | str | Sequence[float | str],
    Told("Confidence level, such as 0.9 or 90%; repeat for more.", "CL", many=True),
]
Level: TypeAlias = Annotated[float | str, Told("Confidence level, such as 0.9 or 90%.", "CL")]
CurvePoints: TypeAlias = Annotated[int, Told("Points of the curve, at least 101.", "N")]
_FREE = Told("A parameter to fit, and where to start; repeat for more.", "NAME=START", many=True)
Free: TypeAlias = Annotated[Mapping[str, Any], _FREE]
MaybeFree: TypeAlias = Annotated[Mapping[str, Any] | None, _FREE]
Starts: TypeAlias = Annotated[int, Told("Starts in all; the others are spread around the first.", "N")]
Truth: TypeAlias = Annotated[
    Mapping[str, Any] | None,
    Told(
        "Where the data are expected; repeat for more parameters.",
        "NAME=VALUE",
        many=True,
        shown="the Standard Model",
    ),
]
Toys: TypeAlias = Annotated[int, Told("Simulated experiments.", "N")]
Seed: TypeAlias = Annotated[int, Told("Of the random numbers.", "N")]
