"""Draw the figures of a `document`: PNG, SVG and the numbers as CSV. Nothing is computed here.

Matplotlib is used through its objects (no pyplot, no global figure), with its own default style
and fonts, so a figure does not depend on the user's settings and its files have the same bytes
each time.
"""

import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import product
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from nurecoil.checks import require
from nurecoil.errors import NurecoilError
from nurecoil.presentation.document import BINNED, Area, Figure, Matrix, Panel, Reference, RowChart, Series
from nurecoil.presentation.staging import ending_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


def _pairs(text: str) -> dict[str, str]:
    return dict(item.split("=") for item in text.split())


# Okabe and Ito's palette, safe for colour-blind readers; its yellow is too pale for a line.
PALETTE = _pairs("""blue=#0072B2 vermillion=#D55E00 green=#009E73 purple=#CC79A7 orange=#E69F00
    sky=#56B4E9 black=#000000 grey=#5a6270""")
GREY = PALETTE["grey"]
MARGIN, TITLE_HEIGHT, LINE_HEIGHT = 0.08, 0.3, 0.19  # inches, of a heading
WIDTH, NARROWEST, WIDEST, NARROWEST_PANEL = 6.2, 2.5, 20.0, 3.0  # inches
FACT_SIZE, TITLE_LETTERS = 9, 10.5  # points; letters of a panel's title in an inch
MARKERS: dict[str, dict[str, Any]] = {
    "points": {"fmt": "o", "markersize": 4.5},
    "crosses": {"fmt": "x", "markersize": 7.5, "markeredgewidth": 2.0},
}
RULE: dict[str, Any] = {"color": GREY, "linewidth": 1.0, "linestyle": (0, (6, 3))}  # a straight line
DASHES = {
    "solid": "-",
    "steps": "-",
    "dashed steps": (0, (5, 2)),
    "dashed": (0, (5, 2)),
    "dash-dotted": (0, (6, 1.6, 1.2, 1.6)),
    "dotted": (0, (1.2, 1.6)),
}
STYLE = _pairs("""font.size=10 lines.linewidth=1.8 savefig.facecolor=white hatch.linewidth=0.8
    axes.titlesize=10.5 axes.titleweight=bold axes.titlelocation=left axes.labelsize=10.5
    axes.linewidth=0.8 axes.edgecolor=#30363d axes.axisbelow=True
    axes.grid=True grid.color=#e3e6ea grid.linewidth=0.6
    xtick.direction=in xtick.top=True xtick.minor.visible=True
    ytick.direction=in ytick.right=True ytick.minor.visible=True
    legend.frameon=False legend.fontsize=9.5 legend.borderaxespad=0 legend.borderpad=0.2
    legend.handlelength=2.2 svg.fonttype=none svg.hashsalt=nurecoil pdf.fonttype=42 ps.fonttype=42""")
METADATA: dict[str, dict[str, None]] = {  # no date, no version: the same figure has the same bytes
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}


def _import_matplotlib() -> None:
    """Import matplotlib, which fails at an MPLBACKEND that it does not know: files need none."""
    if "matplotlib" not in sys.modules:
        backend = os.environ.pop("MPLBACKEND", "")
        import matplotlib

        if backend:
            os.environ["MPLBACKEND"] = backend
            with suppress(ValueError):
                matplotlib.rcParams["backend"] = backend


def style(scale: float = 1.0) -> AbstractContextManager[None]:
    """Return a context in which figures look like ours, whatever the user's settings; letters scaled."""
    _import_matplotlib()
    from matplotlib import style as styles

    sizes = {name: float(size) * scale for name, size in STYLE.items() if name.endswith("size")}
    return styles.context(["default", STYLE | sizes])


def _colour(name: str | None, turn: int) -> str:
    return list(PALETTE.values())[turn % 7] if name is None else PALETTE.get(name, name)


def require_width(width: float) -> None:
    """Refuse a figure that is too narrow or too wide (inches)."""
    allowed = NARROWEST <= width <= WIDEST
    require(allowed, "width", width, f"{NARROWEST} to {WIDEST} inches")


def draw(figure: Figure, width: float | None = None) -> "Canvas":
    """Return the matplotlib figure, laid out, on an Agg canvas, so many inches wide.

    A column of a journal is about 3.4 wide: the letters are smaller there, not less than three quarters.

    >>> line = Series(x=[0.0, 1.0], y=[0.0, 1.0], label="line")
    >>> len(draw(Figure("fig1", "A line", "", (Panel("x", "y", (line,)),))).axes)
    1
    """
    canvas, lacking = _draw(figure, width, 0.0)
    return _draw(figure, width, lacking)[0] if width is not None and lacking > 0 else canvas


def _draw(figure: Figure, width: float | None, more: float) -> "tuple[Canvas, float]":
    """Return the figure, so many inches higher than usual, and how many inches of height its axes lack."""
    columns = min(figure.columns, len(figure.panels))
    if width is not None and width < NARROWEST_PANEL * columns:
        columns = 1
    rows = [figure.panels[i : i + columns] for i in range(0, len(figure.panels), columns)]
    heights = [max(_height(panel) for panel in row) for row in rows]
    usual, pads = (WIDTH if columns == 1 else 4.6 * columns), (0.06, 0.08, 0.06)
    scale, letters = scales(width, usual)
    size = usual * scale, sum(heights) * scale + more
    with style(letters):
        canvas = new_canvas(size, pads, figure.title, figure.subtitle)
        grid = canvas.add_gridspec(len(rows), columns, height_ratios=heights)
        pairs = [(add_axes(canvas, grid[divmod(i, columns)]), p) for i, p in enumerate(figure.panels)]
        for number, (ax, panel) in enumerate(pairs):
            if isinstance(panel, Panel):
                _draw_panel(ax, panel)
                continue
            if isinstance(panel, Matrix):
                _draw_matrix(ax, panel)
                continue
            _draw_rows(ax, panel)
            left = figure.panels[number - 1] if number % columns else None
            ax.tick_params(labelleft=not isinstance(left, RowChart) or left.rows != panel.rows)
        # What follows depends on sizes in pixels, known only once the page is laid out.
        canvas.draw_without_rendering()
        for ax, panel in pairs:
            _place_legend(ax, panel)
            if width is not None and ax.get_xscale() == "linear" and not isinstance(panel, Matrix):
                # Labels such as −0.75 are half an inch
                ax.locator_params(axis="x", nbins=max(2, int(2 * ax.bbox.width / canvas.dpi)))
        for _ in range(1 if width is None else 2):  # small axes may have other ticks when they have a legend
            canvas.draw_without_rendering()
        for ax, panel in pairs:
            if isinstance(panel, Panel):
                _label_references(ax, panel)
        canvas.set_layout_engine("none")  # laid out: to do so again at each save costs a third of the time
    wanted = sum(max(_axes_height(p, scale, letters) for p in row) for row in rows)
    found = sum(ax.get_position().height for ax, _ in pairs[::columns]) * canvas.get_figheight()
    return canvas, wanted - found


def add_axes(canvas: "Canvas", place: Any) -> "Axes":
    """Return axes whose ticks have a size of their own: they are as many when it is saved as laid out."""
    ax = canvas.add_subplot(place)
    ax.tick_params(labelsize=_letters())
    return ax


def scales(width: float | None, usual: float) -> tuple[float, float]:
    """Return the factors of all lengths and of letters in a figure that is not as wide as usual."""
    scale = 1.0 if width is None else float(width) / usual
    if width is not None:
        require_width(width)
    return scale, min(1.0, max(0.75, scale))


def draw_on(ax: "Axes", figure: Figure) -> "Axes":
    """Draw the one panel of a figure on axes that are there; what labels its lines has a place at once."""
    (panel, *others) = figure.panels
    if others or not isinstance(panel, Panel) or not hasattr(ax, "get_figure"):
        raise NurecoilError(
            f"the figure '{figure.name}' cannot be drawn on {ax!r}: it takes axes, and one panel"
        )
    _draw_panel(ax, panel)
    if canvas := ax.get_figure(root=True):
        canvas.draw_without_rendering()
    _place_legend(ax, panel)
    _label_references(ax, panel)
    return ax


def new_canvas(
    size: tuple[float, float], pads: tuple[float, float, float], title: str, facts: Sequence[str]
) -> "Canvas":
    """Return an empty figure of a size in inches, with pads (w, h, hspace) around axes, on an Agg canvas.

    If there are facts, it is higher, and the title and they stand above the axes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    (width, height), (w_pad, h_pad, hspace) = size, pads
    engine = ConstrainedLayoutEngine(w_pad=w_pad, h_pad=h_pad, hspace=hspace)
    canvas = Canvas(size, layout=engine)
    FigureCanvasAgg(canvas)
    if not facts:
        return canvas
    lines = _broken(canvas, facts, width - 2 * MARGIN)
    total = height + TITLE_HEIGHT + LINE_HEIGHT * len(lines)
    canvas.set_size_inches(width, total)
    engine.set(rect=(0.0, 0.0, 1.0, height / total))
    place: dict[str, Any] = {"ha": "left", "va": "top", "in_layout": False}
    y = total - MARGIN
    canvas.text(MARGIN / width, y / total, title, fontsize=10.5, fontweight="bold", **place)
    for number, line in enumerate(lines):
        below = y - TITLE_HEIGHT + MARGIN - LINE_HEIGHT * number
        canvas.text(MARGIN / width, below / total, line, fontsize=FACT_SIZE, color=GREY, **place)
    return canvas


def _broken(canvas: "Canvas", facts: Sequence[str], width: float) -> list[str]:
    """Return facts in lines no wider than a width in inches, broken between facts and after a plus sign."""
    pieces = "  ·\n".join(facts).replace(" + ", " +\n").split("\n")
    lines = pieces[:1]
    for piece in pieces[1:]:
        longer = f"{lines[-1]}  {piece}" if lines[-1].endswith("·") else f"{lines[-1]} {piece}"
        text = canvas.text(0, 0, longer, fontsize=FACT_SIZE)
        if text.get_window_extent().width <= width * canvas.dpi:
            lines[-1] = longer
        else:
            lines.append(piece)
        text.remove()
    return lines


def _height(panel: Panel | RowChart | Matrix) -> float:
    """Return the height of a panel in inches: a map is taller than a curve."""
    if isinstance(panel, Matrix):
        return 2.0 + 0.3 * len(panel.names)
    if not isinstance(panel, Panel):
        return 1.3 + 0.42 * len(panel.rows)
    return 1.6 if panel.low else 5.0 if panel.areas else 4.0


def _axes_height(panel: Panel | RowChart | Matrix, scale: float, letters: float) -> float:
    """Return how high axes are in inches, legends aside: rows as their letters, others as they are wide."""
    if isinstance(panel, Matrix):
        return 0.25 * len(panel.names) * letters
    return 0.4 * len(panel.rows) * letters if isinstance(panel, RowChart) else 0.7 * _height(panel) * scale


def _draw_panel(ax: "Axes", panel: Panel) -> None:
    ax.set(xlabel=panel.x_label, ylabel=panel.y_label)
    ax.set(xscale="log" if panel.x_log else "linear", yscale="log" if panel.y_log else "linear")
    if panel.areas:
        ax.tick_params(pad=6)
    ax.tick_params(labelbottom=bool(panel.x_label))  # none above a strip of residuals
    for turn, area in enumerate(panel.areas):
        _draw_area(ax, area, _colour(area.colour, turn))
    for turn, series in enumerate(panel.series):
        _draw_series(ax, series, _colour(series.colour, turn), clip=not panel.areas)
    ax.margins(x=0.05 if any(s.style in MARKERS for s in panel.series) else 0)
    for ref in panel.references:
        (ax.axvline if ref.axis == "x" else ax.axhline)(ref.value, zorder=1.5, **RULE)
    low, high = ax.dataLim.intervaly
    if not panel.y_log and 0 <= low < 0.4 * high:  # a spectrum is read from zero
        ax.set_ylim(bottom=0)
    ax.set(**{f"{a}lim": limits for a, limits in (("x", panel.x_range), ("y", panel.y_range)) if limits})
    for axis, log in ((ax.xaxis, panel.x_log), (ax.yaxis, panel.y_log)):
        if log:
            label_decades(axis)
        else:
            ax.ticklabel_format(axis="x" if axis is ax.xaxis else "y", useMathText=True)
    ax.yaxis.get_offset_text().set_x(-0.13)  # a power of ten: above the numbers, not in the legend


def _draw_area(ax: "Axes", area: Area, colour: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    pale = _pale(colour)
    outline = Outline.make_compound_path(*(Outline(ring, closed=True) for ring in area.rings))
    ax.add_patch(PathPatch(outline, facecolor=pale, edgecolor="none", zorder=0.4))  # below the ticks
    for line in area.lines:
        ax.plot(*line.T, color=colour, linewidth=1.3, zorder=1.5)
    ax.fill_between([], [], facecolor=pale, edgecolor=colour, linewidth=1.5, label=area.label)


def _draw_series(ax: "Axes", s: Series, colour: str, clip: bool) -> None:
    """Draw a series; the points of a map are whole at its edge, where a best fit may lie."""
    if s.style in MARKERS:
        marker = MARKERS[s.style] | {"color": colour, "label": s.label, "clip_on": clip, "zorder": 2.5}
        ax.errorbar(s.x, s.y, s.errors, elinewidth=1.2, **marker)
        return
    if s.style == "filled":
        paint: dict[str, Any] = {"facecolor": _pale(colour), "edgecolor": colour, "linewidth": 0.8}
        ax.stairs(s.y, s.x, fill=True, label=s.label, **paint)
        return
    if s.style == "hatched" and s.errors is not None:
        low, high = s.y - s.errors[0], s.y + s.errors[1]
        look: dict[str, Any] = {"hatch": "/////", "facecolor": "none", "edgecolor": colour, "linewidth": 0}
        ax.stairs(high, s.x, baseline=low, fill=True, label=s.label, zorder=1.4, **look)
        return
    line: dict[str, Any] = {"color": colour, "linestyle": DASHES[s.style], "label": s.label}
    band: dict[str, Any] = {"color": colour, "alpha": 0.18, "linewidth": 0}
    if s.style in BINNED:
        ax.stairs(s.y, s.x, baseline=None, linewidth=1.2 if "dashed" in s.style else 1.8, **line)
    else:
        ax.plot(s.x, s.y, **line)
    if s.errors is None:
        return
    down, up = s.errors
    if s.style in BINNED:
        ax.stairs(s.y + up, s.x, baseline=s.y - down, fill=True, **band)
    else:
        ax.fill_between(s.x, s.y - down, s.y + up, **band)


def _pale(colour: str) -> tuple[float, ...]:
    """Return a pale colour that is opaque: colours do not mix."""
    from matplotlib.colors import to_rgb

    return tuple(1 - 0.25 * (1 - part) for part in to_rgb(colour))


def label_decades(axis: Any) -> None:
    """Write 0.1, 1, 10 on a log axis as long as this is short, and 2 and 5 where decades are few."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_minor_formatter(NullFormatter())
    low, high = axis.get_view_interval()
    if low > 9e-4 and high < 2e4:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        decades = np.floor(np.log10(high)) - np.ceil(np.log10(low)) + 1  # whose labels are inside
        if high / low < 60 or decades < 2:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))


def _place_legend(ax: "Axes", panel: Panel | RowChart | Matrix) -> None:
    """Put the legend above the axes, in as many columns as fit, and the title above the legend."""
    if isinstance(panel, Panel) and panel.low:
        return
    if isinstance(panel, Matrix):
        ax.set_title(panel.title)
        return
    names = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))  # a group's bars share a name
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.015), "columnspacing": 1.4}
    for columns in range(min(len(names), 4), 0, -1):
        if columns > -(-len(names) // -(-len(names) // columns)):
            continue  # fewer columns need no more rows
        legend = ax.legend(handles=list(names.values()), ncols=columns, **place)
        if (box := legend.get_window_extent()).width <= ax.bbox.width:
            break
    if box.width > ax.bbox.width:  # above the names of rows, rather than cut
        legend.set_loc("lower right")
        legend.set_bbox_to_anchor((1.0, 1.015), ax.transAxes)
    if panel.title:
        letters = int(ax.bbox.width / ax.figure.dpi * TITLE_LETTERS * 10 / _letters())
        ax.set_title(fill(panel.title, letters), pad=box.height * 72 / ax.figure.dpi + 9)


def _label_references(ax: "Axes", panel: Panel) -> None:
    """Write each label along its line, at the end and on the side where it covers least."""
    (x0, x1), (y0, y1) = (x, y) = ax.get_xlim(), ax.get_ylim()
    refs = [r for r in panel.references if (x0 <= r.value <= x1 if r.axis == "x" else y0 <= r.value <= y1)]
    taken = [_pixels(ax, s.middles, s.y) for s in panel.series]
    taken += [_pixels(ax, *(([r.value] * 2, y) if r.axis == "x" else (x, [r.value] * 2))) for r in refs]
    for number, ref in enumerate(refs, start=len(panel.series)):
        others = np.concatenate(taken[:number] + taken[number + 1 :])
        texts = [_write(ax, ref, *place) for place in product(("right", "left", "center"), (1, -1))]
        boxes = [text.get_window_extent().expanded(1.02, 1.3) for text in texts]
        best = int(np.argmin([box.count_contains(others) for box in boxes]))
        for text in texts[:best] + texts[best + 1 :]:
            text.remove()
        low, high = boxes[best].get_points()
        taken.append(np.stack(np.meshgrid(*np.linspace(low, high, 20).T), axis=-1).reshape(-1, 2))


def _pixels(ax: "Axes", x: Any, y: Any) -> Any:
    """Return points on the page so dense along a line that no text can lie between them."""
    points = ax.transData.transform(np.column_stack([x, y]))
    points = points[np.isfinite(points).all(axis=1)]
    between = points[:-1] + np.linspace(0, 1, 50)[:, None, None] * np.diff(points, axis=0)
    return np.concatenate([points, between.reshape(-1, 2)])


def _write(ax: "Axes", ref: Reference, end: str, side: int) -> Any:
    """Write a label at one end of its line, above or below (right or left of) it."""
    from matplotlib.patheffects import withStroke

    along = {"right": 0.985, "left": 0.015, "center": 0.5}[end]
    look: dict[str, Any] = {"fontsize": 0.85 * _letters(), "color": GREY}
    look["path_effects"] = [withStroke(linewidth=2.5, foreground="white")]
    if ref.axis == "y":
        xy, offset, across = (along, ref.value), (0, 3 * side), ax.get_yaxis_transform()
        look |= {"ha": end, "va": "bottom" if side > 0 else "top"}
    else:
        xy, offset, across = (ref.value, along), (3 * side, 0), ax.get_xaxis_transform()
        look |= {"ha": "left" if side > 0 else "right", "rotation": 90}
        look["va"] = {"right": "top", "left": "bottom"}.get(end, end)
    return ax.annotate(ref.label, xy, offset, across, "offset points", **look)


def _letters() -> float:
    """Return the usual size of letters in points."""
    from matplotlib import rcParams

    return float(rcParams["font.size"])


def _draw_rows(ax: "Axes", chart: RowChart) -> None:
    """Draw bars as thick as half a row, points with errors over them, and the rows' names at the left."""
    ax.set(xlabel=chart.x_label, xscale="log" if chart.x_log else "linear")
    for turn, bars in enumerate(chart.bars):
        colour = _colour(bars.colour, turn)
        if bars.points is not None:
            errors = np.abs([bars.points - bars.low, bars.high - bars.points])
            marker = MARKERS["points"] | {"color": colour, "label": bars.label, "markeredgecolor": "black"}
            ax.errorbar(bars.points, bars.rows, xerr=errors, elinewidth=1.2, **marker)
        else:
            paint: dict[str, Any] = {"color": colour, "alpha": 0.75}
            if not bars.filled:
                paint = {"facecolor": "none", "edgecolor": colour}
            centre = bars.rows + {"upper": -0.16, "lower": 0.16, None: 0.0}[bars.half]
            height = 0.56 if bars.half is None else 0.3
            ax.barh(centre, bars.high - bars.low, height, bars.low, label=bars.label, **paint)
    for x in chart.lines:
        ax.axvline(x, zorder=0.5, **RULE)
    ax.set(ylim=(len(chart.rows) - 0.4, -0.6), yticks=range(len(chart.rows)), yticklabels=chart.rows)
    ax.tick_params(axis="y", which="both", left=False, right=False, labelsize=0.85 * _letters())
    ax.grid(visible=False, axis="y")
    if chart.x_range:
        ax.set_xlim(chart.x_range)
    if chart.x_log:
        label_decades(ax.xaxis)


def _draw_matrix(ax: "Axes", matrix: Matrix) -> None:
    """Draw numbers, .12 for 0.12, on their colours: blue below zero, red above, white where there is none."""
    places, size = range(len(matrix.names)), _letters() * min(0.85, 6.5 / max(1, len(matrix.names)))
    ax.imshow(matrix.values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    for i, j in product(places, places):
        if abs(value := matrix.values[i, j]) >= 0.005:
            look: dict[str, Any] = {"size": size, "color": "white" if abs(value) > 0.6 else "black"}
            text = f"{value:.2f}".replace("-", "−").replace("0.", ".").replace("1.00", "1")
            ax.text(j, i, text, ha="center", va="center", **look)
    ax.set_xticks(places, matrix.names, rotation=90)
    ax.set_yticks(places, matrix.names)
    ax.tick_params(which="both", length=0, labelsize=0.85 * _letters())
    ax.minorticks_off()
    ax.grid(visible=False)


def format_of(path: Path | str) -> str:
    """Return "png", "svg" or "pdf", as the suffix of a path says; another suffix is a NurecoilError."""
    return ending_of(path, METADATA, "draw")


def save_canvas(canvas: "Canvas", path: Path | str, dpi: int = 160) -> None:
    """Write a drawn figure to one .png, .svg or .pdf file, the same bytes each time."""
    kind = format_of(path)
    with style():
        canvas.savefig(path, format=kind, dpi=dpi, metadata=dict(METADATA[kind]))


def save(figure: Figure, directory: Path | str) -> dict[str, Path]:
    """Write NAME.png, NAME.svg and NAME.csv, the same bytes each time.

    The text of an SVG and a PDF stays text. The CSV file has comment
    lines (``#``) with the titles and axes, then one row a point in the columns ``panel, series,
    x, x_high, y, y_error, y_error_up``: `x_high` is the upper edge of a bin or the end of a bar and empty
    otherwise, `y_error_up` where it is not `y_error`; a row without x and y ends each line around an area.
    Returns the paths under "png", "svg" and "csv".
    """
    Path(directory).mkdir(parents=True, exist_ok=True)
    paths = {kind: Path(directory) / f"{figure.name}.{kind}" for kind in ("png", "svg", "csv")}
    canvas = draw(figure)
    for kind in ("png", "svg"):
        save_canvas(canvas, paths[kind])
    paths["csv"].write_text(numbers(figure), encoding="utf-8", newline="")
    return paths


def numbers(figure: Figure) -> str:
    """Return the numbers of a figure as CSV, see `save`."""
    out = io.StringIO()
    comments, rows = [figure.title], []
    for number, panel in enumerate(figure.panels, start=1):
        axes = "y of each pair of names"
        if not isinstance(panel, Matrix):
            y = panel.y_label if isinstance(panel, Panel) else "the point of a bar from x to x_high"
            axes = f"x = {panel.x_label}, y = {y}"
        comments.append(f"panel {number} ({panel.title or 'untitled'}): {axes}")
        rows += [(number, *row) for row in _points(panel)]
    out.writelines(f"# {' '.join(line.split())}\n" for line in comments)
    write = csv.writer(out, lineterminator="\n").writerow
    write(["panel", "series", "x", "x_high", "y", "y_error", "y_error_up"])
    for row in rows:
        write("" if c is None else repr(float(c)) if isinstance(c, float) else c for c in row)
    return out.getvalue()


def _points(panel: Panel | RowChart | Matrix) -> Iterator[tuple[Any, ...]]:
    if isinstance(panel, Matrix):
        names = [name.replace("\n", ", ") for name in panel.names]
        for (one, other), value in zip(product(names, names), panel.values.flat, strict=True):
            yield f"{one}: {other}", None, None, value, None, None
        return
    if isinstance(panel, RowChart):
        for bars in panel.bars:
            for i, number in enumerate(bars.rows):
                point = None if bars.points is None else bars.points[i]
                row = panel.rows[number].replace("\n", ", ")
                yield f"{bars.label}: {row}", bars.low[i], bars.high[i], point, None, None
        return
    for area in panel.areas:
        for line in area.lines:
            yield from ((area.label, x, None, y, None, None) for x, y in line)
            yield area.label, None, None, None, None, None  # a gap
    for s in panel.series:
        for i in range(s.y.size):
            high = s.x[i + 1] if s.style in BINNED else None
            errors = (None if error is None else error[i] for error in (s.y_error, s.y_error_up))
            yield s.label, s.x[i], high, s.y[i], *errors
