"""What a report shows, as pure data: recipes fill these classes, `figures` and `report` draw them.

Nothing here draws or computes. Every class checks itself when it is made, so that bad data is
refused where it arises and by name.

Text comes in two kinds. Titles, captions, paragraphs and table cells are Markdown, with Unicode
for mathematics (β, √3, χ²) and ``<sub>``/``<sup>``: *m*<sub>Z′</sub>. Labels inside a figure (axes,
series, references, limit rows, panel titles) are matplotlib text, where mathtext such as
``r"$m_{Z'}$ [TeV]"`` is understood.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError

FloatArray = NDArray[np.float64]
Style = Literal["solid", "dashed", "dotted", "steps", "points", "crosses"]
Align = Literal["left", "right", "center"]


def _numbers(values: object, what: str, gaps: bool = False) -> FloatArray:
    """Return a read-only copy of `values`; NaN passes only where it marks a gap."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise NurecoilError(f"{what} must be numbers, not {values!r}") from None
    if array.ndim != 1:
        raise NurecoilError(f"{what} must have one dimension, not {array.ndim}")
    if np.isinf(array).any() or (not gaps and np.isnan(array).any()):
        raise NurecoilError(f"{what} must be finite")
    array.setflags(write=False)
    return array


def _refuse_repeats(names: Iterable[str], what: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise NurecoilError(f"{what} '{name}' appears {count} times: each needs its own name")


def _check_range(limits: tuple[float, float] | None, log: bool, what: str) -> None:
    if limits is None:
        return
    low, high = limits
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise NurecoilError(f"{what} must be two finite ascending numbers, not {limits}")
    if log and low <= 0:
        raise NurecoilError(f"{what} of a logarithmic axis must be positive, not {limits}")


@dataclass(frozen=True, eq=False)
class Series:
    """One curve, histogram or set of data points.

    Parameters
    ----------
    x : array
        Abscissae, shape (n,); with style "steps" the ascending bin edges, shape (n + 1,).
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
        If lengths do not match or a number is not finite; the message names the series.

    Examples
    --------
    >>> Series(x=[0.0, 1.0, 2.0], y=[3.0, 5.0], label="counts", style="steps").y
    array([3., 5.])
    """

    x: FloatArray
    y: FloatArray
    label: str
    colour: str | None = None
    style: Style = "solid"
    y_error: FloatArray | None = None

    def __post_init__(self) -> None:
        """Copy the arrays and check them."""
        if not self.label.strip():
            raise NurecoilError("a series needs a label")
        name = f"series '{self.label}'"
        if self.style not in get_args(Style):
            raise NurecoilError(f"{name}: style is one of {', '.join(get_args(Style))}, not '{self.style}'")
        x, y = _numbers(self.x, f"{name}: x"), _numbers(self.y, f"{name}: y", gaps=True)
        if not y.size:
            raise NurecoilError(f"{name}: has no points")
        steps = self.style == "steps"
        if x.size != y.size + steps:
            need = "n + 1 bin edges x for n values y" if steps else "as many x as y"
            raise NurecoilError(f"{name}: needs {need}, but has {x.size} x and {y.size} y")
        if steps and not (np.diff(x) > 0).all():
            raise NurecoilError(f"{name}: bin edges must ascend")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)
        if self.y_error is not None:
            error = _numbers(self.y_error, f"{name}: y_error", gaps=True)
            if error.size != y.size:
                raise NurecoilError(f"{name}: needs as many y_error as y, but has {error.size} and {y.size}")
            if (error < 0).any():
                raise NurecoilError(f"{name}: y_error must not be negative")
            object.__setattr__(self, "y_error", error)


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

    Raises
    ------
    NurecoilError
        If there is no ring, or an array is not of points (x, y), all finite.

    Examples
    --------
    >>> square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    >>> len(Area(rings=[square], lines=[square], label="90 % CL").rings[0])
    4
    """

    rings: tuple[FloatArray, ...]
    lines: tuple[FloatArray, ...]
    label: str
    colour: str | None = None

    def __post_init__(self) -> None:
        """Copy the arrays and check them."""
        if not self.label.strip():
            raise NurecoilError("an area needs a label")
        if not len(self.rings):
            raise NurecoilError(f"area '{self.label}': has no rings")
        for field in ("rings", "lines"):
            paths = tuple(_path(path, f"area '{self.label}': {field}") for path in getattr(self, field))
            object.__setattr__(self, field, paths)


def _path(points: object, what: str) -> FloatArray:
    """Return a read-only copy of points (k, 2)."""
    path = np.array(points, dtype=np.float64)
    if path.ndim != 2 or path.shape[1] != 2 or len(path) < 2:
        raise NurecoilError(f"{what} must be points (x, y), at least two, not of shape {path.shape}")
    if not np.isfinite(path).all():
        raise NurecoilError(f"{what} must be finite")
    path.setflags(write=False)
    return path


@dataclass(frozen=True)
class Reference:
    """A straight reference line at `value` on the x or y `axis`, with its label beside it."""

    value: float
    axis: Literal["x", "y"]
    label: str

    def __post_init__(self) -> None:
        """Check the axis and the value."""
        if self.axis not in ("x", "y"):
            raise NurecoilError(f"reference '{self.label}': axis is x or y, not '{self.axis}'")
        if not np.isfinite(self.value):
            raise NurecoilError(f"reference '{self.label}': value must be finite, not {self.value}")


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

    def __post_init__(self) -> None:
        """Check that there is something to draw on these axes."""
        name = f"panel '{self.title or self.y_label}'"
        if not (self.series or self.areas):
            raise NurecoilError(f"{name}: has no series")
        labels = [*(area.label for area in self.areas), *(s.label for s in self.series)]
        _refuse_repeats(labels, f"{name}: series")
        _check_range(self.x_range, self.x_log, f"{name}: x_range")
        _check_range(self.y_range, self.y_log, f"{name}: y_range")
        for s in self.series:
            for axis, log, values in (("x", self.x_log, s.x), ("y", self.y_log, s.y)):
                if log and not (values > 0).any():
                    raise NurecoilError(f"series '{s.label}': no {axis} is positive, as a log axis needs")


@dataclass(frozen=True)
class LimitBar:
    """One row of a limits chart: all masses are excluded but those in the `allowed` intervals.

    `value` is the limit that is printed and must be the lower end of an allowed interval (to 1 %);
    None says "no limit". An interval (low, None) has no upper end. Without `allowed` everything
    above `value` is allowed.

    Examples
    --------
    >>> LimitBar("CsI", 0.8, "COHERENT").intervals
    ((0.8, None),)
    """

    label: str
    value: float | None
    group: str
    note: str = ""
    allowed: tuple[tuple[float, float | None], ...] = ()

    def __post_init__(self) -> None:
        """Check the limit and its intervals."""
        name = f"limit '{self.label}'"
        if self.value is not None and not (np.isfinite(self.value) and self.value > 0):
            raise NurecoilError(f"{name}: must be positive and finite, not {self.value}")
        end = -1.0
        for low, high in self.allowed:
            top = np.inf if high is None else high
            if not (max(end, 0.0) <= low < top) or end == low:
                raise NurecoilError(f"{name}: allowed intervals must ascend without overlap: {self.allowed}")
            end = top
        lows = np.array([low for low, _ in self.allowed])
        if self.value is not None and lows.size and not np.isclose(lows, self.value, rtol=0.01).any():
            raise NurecoilError(f"{name}: {self.value} is no lower end of {self.allowed}")

    @property
    def intervals(self) -> tuple[tuple[float, float | None], ...]:
        """The allowed intervals, also where only a limit or nothing at all was given."""
        return self.allowed or ((self.value or 0.0, None),)


@dataclass(frozen=True)
class LimitBars:
    """A chart of lower limits on a log axis: one bar a row, coloured by group, value at its end.

    The axis is longer than `x_range` where a printed value needs the room.
    """

    x_label: str
    rows: tuple[LimitBar, ...]
    title: str = ""
    unit: str = "TeV"
    x_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check that there is a limit to show."""
        if not self.rows:
            raise NurecoilError(f"limits '{self.title or self.x_label}': have no rows")
        _check_range(self.x_range, True, f"limits '{self.title or self.x_label}': x_range")


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

    Examples
    --------
    >>> Bars(rows=[0, 1], low=[-1.0, -0.5], high=[1.0, 0.5], label="pull").high
    array([1. , 0.5])
    """

    rows: NDArray[np.intp]
    low: FloatArray
    high: FloatArray
    label: str
    points: FloatArray | None = None
    colour: str | None = None
    filled: bool = True
    half: Literal["upper", "lower"] | None = None

    def __post_init__(self) -> None:
        """Copy the arrays and check them."""
        if not self.label.strip():
            raise NurecoilError("bars need a label")
        name = f"bars '{self.label}'"
        rows = np.array(self.rows, dtype=np.intp)
        object.__setattr__(self, "rows", rows)
        for field in ("low", "high", *(["points"] if self.points is not None else [])):
            numbers = _numbers(getattr(self, field), f"{name}: {field}")
            if numbers.size != rows.size:
                raise NurecoilError(f"{name}: needs as many {field} as rows, not {numbers.size}")
            object.__setattr__(self, field, numbers)


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

    def __post_init__(self) -> None:
        """Check that there is something to draw, and that each bar has its row."""
        name = f"chart '{self.title or self.x_label}'"
        if not (self.rows and self.bars):
            raise NurecoilError(f"{name}: has no rows or no bars")
        _refuse_repeats((bars.label for bars in self.bars), f"{name}: bars")
        _check_range(self.x_range, self.x_log, f"{name}: x_range")
        for bars in self.bars:
            if bars.rows.size and not (bars.rows.min() >= 0 and bars.rows.max() < len(self.rows)):
                raise NurecoilError(f"{name}: bars '{bars.label}' lie outside its {len(self.rows)} rows")


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
    panels: tuple[Panel | LimitBars | RowChart, ...]
    columns: int = 1
    alt: str = ""
    subtitle: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the name and that there are panels."""
        if not re.fullmatch(r"[A-Za-z0-9][\w-]*", self.name, re.ASCII):
            raise NurecoilError(f"figure name '{self.name}' must be letters, digits, '-' and '_'")
        if not self.panels:
            raise NurecoilError(f"figure '{self.name}': has no panels")
        if not 1 <= self.columns <= 3:
            raise NurecoilError(f"figure '{self.name}': columns must be 1, 2 or 3, not {self.columns}")


@dataclass(frozen=True)
class Table:
    """A table of short Markdown cells; the cells of `status_column` are shown as coloured chips.

    A narrow terminal leaves out the columns named in `prose`, and no others.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    align: tuple[Align, ...] | None = None
    status_column: int | None = None
    prose: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the table is rectangular."""
        width = len(self.columns)
        for number, row in enumerate(self.rows, start=1):
            if len(row) != width:
                raise NurecoilError(f"table '{self.title}': row {number} has {len(row)} cells, not {width}")
        if self.align is not None:
            unknown = [a for a in self.align if a not in get_args(Align)]
            if unknown or len(self.align) != width:
                raise NurecoilError(f"table '{self.title}': align needs {width} of left, right, center")
        if self.status_column is not None and not 0 <= self.status_column < width:
            raise NurecoilError(f"table '{self.title}': there is no column {self.status_column} of {width}")


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

    def __post_init__(self) -> None:
        """Check that no two figures share a file."""
        _refuse_repeats((f.name for f in self.figures), "figure")

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
