"""Draw the posterior of several parameters: each one by itself, and each pair."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nurecoil.exhibits.labels import axis_label, facts
from nurecoil.inference.density import Curve, Map, density_map, threshold
from nurecoil.presentation.figures import PALETTE, add_heading, label_decades, save_canvas, style
from nurecoil.study.result import Result
from nurecoil.verbs.sample import Posterior

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Array = NDArray[np.float64]

LEVELS = (0.68, 0.95)
_LINE, _PALE, _PALER = PALETTE["blue"], "#9cc8e4", "#dcebf5"


def draw_corner(result: Result[Posterior], pulls: bool = False) -> "Canvas":
    """Return a matplotlib figure of a posterior: the densities of all parameters and pairs.

    On the diagonal the density of one parameter, filled where it is highest (68 % and 95 %) and with a
    dashed line at the median; below it the 68 % and 95 % regions of highest density of pairs.

    Parameters
    ----------
    result
        From `nurecoil.sample`.
    pulls : bool
        Whether to draw nuisance parameters as well.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> ranges = {"signal_strength": (0.0, 5.0)}
    >>> result = nurecoil.sample(model, [csi], {}, ranges, profile=True, most_steps=500)
    >>> len(draw_corner(result).axes)
    1
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    posterior = result.values
    count = len(posterior.parameters) if pulls else posterior.free
    curves = [posterior.curve(number) for number in range(count)]
    title = "Profile likelihood × prior: " if posterior.profiled else "Posterior: "
    title += " and ".join(f"{100 * level:g} %" for level in LEVELS)
    side = 4.6 if count == 1 else max(2.3 * count, 5.2)
    with style():
        canvas = Canvas((side, side), layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
        FigureCanvasAgg(canvas)
        add_heading(canvas, title, facts(result))
        grid = canvas.add_gridspec(count, count)
        for row in range(count):
            for column in range(row + 1):
                ax = canvas.add_subplot(grid[row, column])
                if row == column:
                    _draw_curve(ax, curves[row], posterior, row)
                else:
                    _draw_pair(ax, curves[column], curves[row], posterior, (column, row))
                _label(ax, posterior, (column, row), count)
        canvas.draw_without_rendering()
        canvas.set_layout_engine("none")
    return canvas


def save_corner(result: Result[Posterior], path: Path | str, pulls: bool = False) -> None:
    """Write the figure to a .png, .svg or .pdf file, the same bytes each time."""
    save_canvas(draw_corner(result, pulls), path)


def _at_border(posterior: Posterior, number: int, x: Array) -> Array:
    """Return coordinates of a curve as values of its parameter, in its unit."""
    values = np.exp(x) if posterior.priors[number].log else x
    return values / posterior.parameters[number].inside


def _draw_curve(ax: "Axes", curve: Curve, posterior: Posterior, number: int) -> None:
    x, density = _at_border(posterior, number, curve.x), curve.density / curve.density.max()
    for level, colour in zip(reversed(LEVELS), (_PALER, _PALE), strict=True):
        within = density >= threshold(density, level)
        ax.fill_between(x, 0, density, where=within, color=colour, linewidth=0)
    ax.plot(x, density, color=_LINE, linewidth=1.5)
    parameter = posterior.parameters[number]
    median = posterior.summaries[parameter.name].median / parameter.inside
    ax.axvline(median, color=PALETTE["grey"], linewidth=1.0, linestyle=(0, (6, 3)))
    ax.set(ylim=(0, 1.08), yticks=[], xlim=(x[0], x[-1]))


def _draw_pair(ax: "Axes", x: Curve, y: Curve, posterior: Posterior, pair: tuple[int, int]) -> None:
    samples, names = posterior.samples[:, pair].copy(), [posterior.parameters[n].name for n in pair]
    for axis, number in enumerate(pair):
        if posterior.priors[number].log:
            samples[:, axis] = np.log(samples[:, axis])
    size = min(posterior.diagnostics[name].bulk_size for name in names)
    found: Map = density_map(x, y, samples, size)
    levels = [threshold(found.density, level) for level in reversed(LEVELS)]
    across, up = _at_border(posterior, pair[0], found.x), _at_border(posterior, pair[1], found.y)
    fill = [*levels, np.inf]
    ax.contourf(across, up, found.density.T, levels=fill, colors=[_PALER, _PALE])
    ax.contour(across, up, found.density.T, levels=levels, colors=_LINE, linewidths=[0.9, 1.4])
    ends = [_at_border(posterior, n, c.x[[0, -1]]) for n, c in zip(pair, (x, y), strict=True)]
    ax.set(xlim=tuple(ends[0]), ylim=tuple(ends[1]))


def _label(ax: "Axes", posterior: Posterior, pair: tuple[int, int], count: int) -> None:
    """Name the axes at the outside of the triangle, and make those of a logarithm logarithmic."""
    column, row = pair
    if posterior.priors[column].log:
        ax.set_xscale("log")
        label_decades(ax.xaxis)
    if row == count - 1:
        ax.set_xlabel(axis_label(posterior.parameters[column]))
    else:
        ax.tick_params(axis="x", which="both", labelbottom=False)
    if row == column:
        return
    if posterior.priors[row].log:
        ax.set_yscale("log")
        label_decades(ax.yaxis)
    if column == 0:
        ax.set_ylabel(axis_label(posterior.parameters[row]))
    else:
        ax.tick_params(axis="y", which="both", labelleft=False)
