"""What a report shows, as pure data: recipes fill these classes, `figures` and `report` draw them.

Nothing here draws or computes.

Text comes in two kinds. Titles, captions, paragraphs and table cells are Markdown, with Unicode
for mathematics (β, √3, χ²) and ``<sub>``/``<sup>``: *m*<sub>Z′</sub>. Labels inside a figure (axes,
series, references, rows, panel titles) are matplotlib text, where mathtext such as
``r"$m_{Z'}$ [TeV]"`` is understood.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError

Style = Literal[
    "solid", "dashed", "dash-dotted", "dotted", "points", "crosses",
    "steps", "dashed steps", "filled", "hatched",
]  # fmt: skip
BINNED = ("steps", "dashed steps", "filled", "hatched")  # styles of histograms; hatched are its errors alone


@dataclass(frozen=True, eq=False)
class Series:
    """One curve, histogram or set of data points; lengths that do not match or infinity are an error.

    >>> Series(x=[0.0, 1.0, 2.0], y=[3.0, 5.0], label="counts", style="steps").y
    array([3., 5.])
    """

    x: Array  # shape (n,); of a histogram (BINNED) the bin edges, (n + 1,)
    y: Array  # shape (n,); NaN leaves a gap
    label: str  # in the legend and in the CSV file
    colour: str | None = None  # of the palette, or any of matplotlib; else the palette is used in turn
    style: Style = "solid"
    y_error: Array | None = None  # error bars for points and crosses, a band for all else
    y_error_up: Array | None = None  # where it is another

    def __post_init__(self) -> None:
        """Make arrays, and check them: bad data is refused where it arises and by name."""
        size = len(self.y)
        lengths = {"x": size + (self.style in BINNED), "y": size, "y_error": size, "y_error_up": size}
        for field, length in lengths.items():
            if (given := getattr(self, field)) is None:
                continue
            values = np.asarray(given, dtype=np.float64)
            if len(values) != length:
                raise NurecoilError(f"series '{self.label}': has {len(values)} {field}, not {length}")
            if np.isinf(values).any():
                raise NurecoilError(f"series '{self.label}': {field} must be finite")
            object.__setattr__(self, field, values)

    @property
    def errors(self) -> Array | None:
        """Errors down and up, shape (2, n)."""
        if self.y_error is None:
            return None
        return np.stack([self.y_error, self.y_error if self.y_error_up is None else self.y_error_up])

    @property
    def middles(self) -> Array:
        """Where the points are, or the middles of bins, shape (n,)."""
        return (self.x[1:] + self.x[:-1]) / 2 if self.style in BINNED else self.x


@dataclass(frozen=True, eq=False)
class Area:
    """A filled region of the plane, of one piece or more, and the lines that bound it; shapes (k, 2)."""

    rings: tuple[Array, ...]  # closed: an outer one runs counterclockwise, a hole clockwise
    lines: tuple[Array, ...]  # there need not be one where a ring runs along the edge of the axes
    label: str
    colour: str | None = None


@dataclass(frozen=True)
class Reference:
    """A straight reference line at `value` on the x or y `axis`, with its label beside it."""

    value: float
    axis: Literal["x", "y"]
    label: str


@dataclass(frozen=True)
class Panel:
    """One pair of axes with its areas, the series above them (distinct labels) and reference lines."""

    x_label: str
    y_label: str
    series: tuple[Series, ...]
    references: tuple[Reference, ...] = ()
    title: str = ""
    x_log: bool = False
    y_log: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    areas: tuple[Area, ...] = ()
    low: bool = False  # a strip, such as of residuals below a spectrum


@dataclass(frozen=True, eq=False)
class Bars:
    """Horizontal bars in the rows of a `RowChart`, or points with such errors; arrays of one shape."""

    rows: NDArray[np.intp]  # in which row each lies, from 0 at the top; a row may have several, or none
    low: Array
    high: Array  # or the lower end
    label: str
    points: Array | None = None  # where a marker stands on each; the bars are then thin lines
    colour: str | None = None
    filled: bool = True  # or only outlined
    half: Literal["upper", "lower"] | None = None  # of its row, so that two can be compared; else all of it


@dataclass(frozen=True)
class RowChart:
    """Names below one another, and beside each the bars and points of its row; `lines` are vertical."""

    x_label: str
    rows: tuple[str, ...]
    bars: tuple[Bars, ...]
    lines: tuple[float, ...] = ()
    title: str = ""
    x_log: bool = False
    x_range: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers from -1 to 1, such as correlations, of each name with each."""

    names: tuple[str, ...]
    values: Array  # shape (n, n)
    title: str = ""


@dataclass(frozen=True)
class Figure:
    """One or more panels under one name, which is also the stem of its files."""

    name: str
    title: str
    caption: str
    panels: tuple[Panel | RowChart | Matrix, ...]
    columns: int = 1  # side by side; one is the most readable on a phone
    alt: str = ""  # describes the picture to those who do not see it; else the title
    subtitle: tuple[str, ...] = ()  # facts: a picture that stands alone shows them and the title itself


@dataclass(frozen=True)
class Table:
    """A table of short cells: Markdown in a report, plain text in an answer."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    right: tuple[int, ...] = ()  # columns of numbers, which do not wrap
    whole: tuple[int, ...] = ()  # others that do not wrap
    status_column: int | None = None  # its cells are shown as coloured chips
    prose: tuple[str, ...] = ()  # the columns, by name, that a narrow terminal leaves out


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; a str is a Markdown paragraph."""

    title: str
    blocks: tuple[str | Table | Figure, ...]


@dataclass(frozen=True)
class Document:
    """A whole report; `lead` is the Markdown that says in a few sentences what was found."""

    title: str
    subtitle: str
    lead: str
    sections: tuple[Section, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order in which they appear."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Figure))


@dataclass(frozen=True)
class Pairs:
    """Names and what stands beside each, in plain text."""

    title: str
    rows: tuple[tuple[str, str], ...]


Block: TypeAlias = Pairs | Table
"""What an answer is shown as, in a terminal or a notebook."""
