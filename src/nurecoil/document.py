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
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError

FloatArray = NDArray[np.float64]
Style = Literal["solid", "dashed", "dotted", "steps", "points"]
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
    style : {"solid", "dashed", "dotted", "steps", "points"}
        How it is drawn.
    y_error : array, optional
        Symmetric error of y, shape (n,): error bars for points, a band for all else.

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
    """One pair of axes with its series (distinct labels) and reference lines."""

    x_label: str
    y_label: str
    series: tuple[Series, ...]
    references: tuple[Reference, ...] = ()
    title: str = ""
    x_log: bool = False
    y_log: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check that there is something to draw on these axes."""
        name = f"panel '{self.title or self.y_label}'"
        if not self.series:
            raise NurecoilError(f"{name}: has no series")
        _refuse_repeats((s.label for s in self.series), f"{name}: series")
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


@dataclass(frozen=True)
class Figure:
    """One or more panels under one name, which is also the stem of its files.

    Panels stand in `columns` side by side; one column is the most readable on a phone.
    `alt` describes the picture to those who do not see it; without it the title is used.
    """

    name: str
    title: str
    caption: str
    panels: tuple[Panel | LimitBars, ...]
    columns: int = 1
    alt: str = ""

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
    """A table of short Markdown cells; the cells of `status_column` are shown as coloured chips."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    align: tuple[Align, ...] | None = None
    status_column: int | None = None

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
