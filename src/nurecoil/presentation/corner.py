"""Draw densities of several parameters: each one by itself, and each pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.inference.density import Curve, density_map, threshold
from nurecoil.presentation.figures import PALETTE, RULE, add_axes, label_decades, new_canvas, scales, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

LEVELS = (0.68, 0.95)
_LINE, _PALE, _PALER = PALETTE["blue"], "#9cc8e4", "#dcebf5"


@dataclass(frozen=True, eq=False)
class Axis:
    """One parameter of a corner plot."""

    label: str
    unit: float  # by which its values are divided
    log: bool  # is its axis, and the x of its density
    curve: Curve  # its density
    samples: Array  # shape (S,)
    size: float  # so many independent samples are they worth
    median: float

    def values(self, x: Array) -> Array:
        """Return coordinates of the curve as values, in the unit."""
        return (np.exp(x) if self.log else x) / self.unit


def draw_corner(
    what: str, facts: Sequence[str], axes: Sequence[Axis], width: float | None = None
) -> "Canvas":
    """Return a matplotlib figure of the densities of all parameters and pairs.

    On the diagonal the density of one parameter, filled where it is highest (68 % and 95 %) and with a
    dashed line at the median; below it the 68 % and 95 % regions of highest density of pairs.

    They are densities of `what`, and rest on the facts; the figure is so many inches wide.

    >>> from nurecoil.inference.density import curve
    >>> x = np.random.default_rng(1).normal(size=500)
    >>> axis = Axis("$x$", 1.0, False, curve(x, -5.0, 5.0), x, 500.0, 0.0)
    >>> len(draw_corner("Posterior", ["a model"], [axis, axis]).axes)
    3
    """
    levels, count = " and ".join(f"{100 * level:g} %" for level in LEVELS), len(axes)
    side = 4.6 if count == 1 else max(2.3 * count, 5.2)
    scale, letters = scales(width, side)
    side *= scale
    with style(letters):
        canvas = new_canvas((side, side), (0.03, 0.03, 0.02), f"{what}: {levels}", facts)
        grid = canvas.add_gridspec(count, count)
        for row in range(count):
            for column in range(row + 1):
                ax = add_axes(canvas, grid[row, column])
                if row == column:
                    _draw_curve(ax, axes[row])
                else:
                    _draw_pair(ax, axes[column], axes[row])
                _label(ax, axes, (column, row))
        _add_legend(canvas, pairs=count > 1)
        canvas.draw_without_rendering()
        canvas.set_layout_engine("none")
    return canvas


def _add_legend(canvas: "Canvas", pairs: bool) -> None:
    """Say below the axes what lines and colours are; the regions of pairs have an outline."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    edge = _LINE if pairs else "none"
    names = [f"{100 * level:g} % of highest density" for level in LEVELS]
    handles = [
        Line2D([], [], color=_LINE, linewidth=1.5, label="density"),
        Line2D([], [], **RULE, label="median"),
        *(Patch(fc=c, ec=edge, label=name) for c, name in zip((_PALE, _PALER), names, strict=True)),
    ]
    canvas.legend(handles=handles, loc="outside lower center", ncols=2)


def _draw_curve(ax: "Axes", axis: Axis) -> None:
    x, density = axis.values(axis.curve.x), axis.curve.density / axis.curve.density.max()
    for level, colour in zip(reversed(LEVELS), (_PALER, _PALE), strict=True):
        within = density >= threshold(density, level)
        ax.fill_between(x, 0, density, where=within, color=colour, linewidth=0)
    ax.plot(x, density, color=_LINE, linewidth=1.5)
    ax.axvline(axis.median / axis.unit, **RULE)
    ax.set(ylim=(0, 1.08), yticks=[], xlim=(x[0], x[-1]))


def _draw_pair(ax: "Axes", x: Axis, y: Axis) -> None:
    samples = np.column_stack([np.log(axis.samples) if axis.log else axis.samples for axis in (x, y)])
    found = density_map(x.curve, y.curve, samples, min(x.size, y.size))
    levels = [threshold(found.density, level) for level in reversed(LEVELS)]
    across, up = x.values(found.x), y.values(found.y)
    ax.contourf(across, up, found.density.T, levels=[*levels, np.inf], colors=[_PALER, _PALE])
    ax.contour(across, up, found.density.T, levels=levels, colors=_LINE, linewidths=[0.9, 1.4])
    ends = [axis.values(axis.curve.x[[0, -1]]) for axis in (x, y)]
    ax.set(xlim=tuple(ends[0]), ylim=tuple(ends[1]))


def _label(ax: "Axes", axes: Sequence[Axis], pair: tuple[int, int]) -> None:
    """Name the axes at the outside of the triangle, and make those of a logarithm logarithmic."""
    column, row = pair
    places: list[tuple[Any, Axis, bool]] = [("x", axes[column], row == len(axes) - 1)]
    if row != column:  # on the diagonal, up is the density
        places.append(("y", axes[row], column == 0))
    for name, axis, outside in places:
        if axis.log:
            ax.set(**{f"{name}scale": "log"})
            label_decades(getattr(ax, f"{name}axis"))
        if outside:
            ax.set(**{f"{name}label": axis.label})
        else:
            ax.tick_params(axis=name, which="both", labelbottom=False, labelleft=False)
