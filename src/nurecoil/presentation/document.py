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

Style = Literal["solid", "dashed", "dotted", "steps", "points", "crosses"]


@dataclass(frozen=True, eq=False)
class Series:
    """One curve, histogram or set of data points.

    Parameters
    ----------
    x : array
        Abscissae, shape (n,); with style "steps" the bin edges, shape (n + 1,).
    y : array
        Ordinates, shape (n,); NaN leaves a gap.
    label : str
        Name in the legend and in the CSV file.
    colour : str, optional
        A colour of the palette ("blue", "vermillion", "green", "purple", "orange", "sky",
        "black", "grey") or any matplotlib colour; without it the palette is used in turn.
    style : {"solid", "dashed", "dotted", "steps", "points", "crosses"}
        How it is drawn.
    y_error : array, optional
        Symmetric error of y, shape (n,): error bars for points and crosses, a band for all else.

    Raises
    ------
    NurecoilError
        If lengths do not match or a number is infinite; the message names the series.

    Examples
    --------
    >>> Series(x=[0.0, 1.0, 2.0], y=[3.0, 5.0], label="counts", style="steps").y
    array([3., 5.])
    """

    x: Array
    y: Array
    label: str
    colour: str | None = None
    style: Style = "solid"
    y_error: Array | None = None

    def __post_init__(self) -> None:
        """Make arrays, and check them: bad data is refused where it arises and by name."""
        size = len(self.y)
        for field, length in (("x", size + (self.style == "steps")), ("y", size), ("y_error", size)):
            if (given := getattr(self, field)) is None:
                continue
            values = np.asarray(given, dtype=np.float64)
            if len(values) != length:
                raise NurecoilError(f"series '{self.label}': has {len(values)} {field}, not {length}")
            if np.isinf(values).any():
                raise NurecoilError(f"series '{self.label}': {field} must be finite")
            object.__setattr__(self, field, values)


@dataclass(frozen=True, eq=False)
class Area:
    """A filled region of the plane, of one piece or more, and the lines that bound it.

    Parameters
    ----------
    rings : sequence of arrays, shapes (k, 2)
        Closed boundaries: an outer one runs counterclockwise, a hole clockwise.
    lines : sequence of arrays, shapes (k, 2)
        What is drawn as a line; where a ring runs along the edge of the axes there need not be one.
    label : str
        Name in the legend and in the CSV file.
    colour : str, optional
        As of a `Series`.
    """

    rings: tuple[Array, ...]
    lines: tuple[Array, ...]
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


@dataclass(frozen=True, eq=False)
class Bars:
    """Horizontal bars from `low` to `high` in the rows of a `RowChart`, or points with such errors.

    Parameters
    ----------
    rows : array of int
        In which row each lies, counted from 0 at the top; a row may have several, or none.
    low, high : arrays
        The ends, of the shape of `rows`; in either order.
    label : str
        Name in the legend and in the CSV file.
    points : array, optional
        Where a marker stands on each; the bars are then thin lines.
    colour : str, optional
        As of a `Series`.
    filled : bool
        Whether bars are filled or only outlined.
    half : {"upper", "lower"}, optional
        In which half of its row a bar lies, so that two can be compared; it has the whole row otherwise.
    """

    rows: NDArray[np.intp]
    low: Array
    high: Array
    label: str
    points: Array | None = None
    colour: str | None = None
    filled: bool = True
    half: Literal["upper", "lower"] | None = None


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


@dataclass(frozen=True)
class Figure:
    """One or more panels under one name, which is also the stem of its files.

    Panels stand in `columns` side by side; one column is the most readable on a phone.
    `alt` describes the picture to those who do not see it; without it the title is used.
    A picture that has to stand alone has facts, such as the model and the experiments, as its `subtitle`: it
    shows the title and them itself, in matplotlib text.
    """

    name: str
    title: str
    caption: str
    panels: tuple[Panel | RowChart, ...]
    columns: int = 1
    alt: str = ""
    subtitle: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of short Markdown cells; the cells of `status_column` are shown as coloured chips.

    A narrow terminal leaves out the columns named in `prose`, and no others.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    right: tuple[int, ...] = ()
    status_column: int | None = None
    prose: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Grid:
    """A table in plain text; columns in `right` hold numbers, those in `whole` do not wrap either."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()
    caption: str = ""


Block: TypeAlias = Pairs | Grid
"""What an answer is shown as, in a terminal or a notebook."""
