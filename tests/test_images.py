"""Figures as they are drawn: what their CSV twins say, in the colours that they should have.

No image or hash is kept to compare with: pixels differ with each version of matplotlib and FreeType.
"""

import csv
import io
import math

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.container import BarContainer

import nurecoil
from nurecoil.presentation import figures

CSI = ("nsi", "binh2021-csi")
RESULTS = {
    "limit": lambda: nurecoil.Study(*CSI).limit("eps_u_ee", "-0.5..1", cl=[0.68, 0.9]),
    "map": lambda: nurecoil.Study(*CSI).map({"eps_u_ee": "-1..1", "eps_d_ee": "-1..1"}, points=21),
    "predict": lambda: nurecoil.Study("standard-model", "coherent-csi-2021").predict(),
    "spectrum": lambda: nurecoil.Study("standard-model", "binh2021-ge").spectrum(),
    "impact": lambda: nurecoil.Study("scaled-standard-model", "binh2021-csi").impact({"signal_strength": 1}),
}


@pytest.fixture(scope="module", params=RESULTS)
def figure(request):
    return RESULTS[request.param]().figure


def number(text):
    return float(text) if text else math.nan


def twin(figure):
    """Return {(panel, series): rows of x, x_high, y} of the CSV twin."""
    lines = [line for line in figures.numbers(figure).splitlines() if not line.startswith("#")]
    found = {}
    for row in csv.DictReader(io.StringIO("\n".join(lines))):
        key = int(row["panel"]) - 1, row["series"]
        found.setdefault(key, []).append([number(row[name]) for name in ("x", "x_high", "y")])
    return {key: np.array(rows) for key, rows in found.items()}


def drawn(ax):
    """Return {label: rows of x, x_high, y} of what is on axes."""
    found = {line.get_label(): line.get_xydata() for line in ax.lines}
    points = [each for each in ax.containers if not isinstance(each, BarContainer)]
    found |= {each.get_label(): each.lines[0].get_xydata() for each in points}
    found = {label: np.insert(xy, 1, np.nan, axis=1) for label, xy in found.items()}
    for patch in ax.patches:
        if hasattr(patch, "get_data"):  # a histogram
            y, edges, base = patch.get_data()
            y = (y + base) / 2 if patch.get_hatch() else y  # the middle of a band
            found[patch.get_label()] = np.column_stack([edges[:-1], edges[1:], y])
    return found


def test_what_is_drawn_is_in_the_csv_twin(figure):
    canvas, numbers = figures.draw(figure), twin(figure)
    assert numbers
    for (panel, label), rows in numbers.items():
        ax, axes = canvas.axes[panel], drawn(canvas.axes[panel])
        if label in axes:
            np.testing.assert_allclose(axes[label], rows, rtol=1e-14)
        elif ": " in label:  # the bars of a row
            ends = [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches]
            points = {row[0] for each in axes.values() for row in each.tolist()}
            for low, high, point in rows:
                assert any(np.allclose((low, high), end) for end in ends) or point in points
        else:  # an area: its lines, parted by gaps
            lines = [line.get_xydata() for line in ax.lines]
            pieces = np.split(rows[:, [0, 2]], np.flatnonzero(np.isnan(rows[:, 0])))
            for piece in pieces:
                known = piece[~np.isnan(piece[:, 0])]
                assert not known.size or any(np.array_equal(known, line) for line in lines)


def test_axes_and_legends_name_all_and_hold_all(figure):
    canvas = figures.draw(figure)
    for ax, panel in zip(canvas.axes, figure.panels, strict=True):
        assert ax.get_xlabel() == panel.x_label
        if not hasattr(panel, "series"):
            named = [label.get_text() for label in ax.get_yticklabels()]
            assert named == list(panel.rows) or (ax is not canvas.axes[0] and not named)
            continue
        assert ax.get_ylabel() == panel.y_label
        if not panel.low:
            labels = {text.get_text() for text in ax.get_legend().get_texts()}
            assert labels == {each.label for each in (*panel.series, *panel.areas)}
        for limits, ends in ((ax.get_xlim(), panel.x_range), (ax.get_ylim(), panel.y_range)):
            assert ends is None or limits == pytest.approx(ends)


def test_lines_are_seen_where_they_should_be(figure):
    canvas = figures.draw(figure)
    canvas.canvas.draw()
    image = np.asarray(canvas.canvas.buffer_rgba())[::-1, :, :3] / 255
    checked = 0
    for ax, panel in zip(canvas.axes, figure.panels, strict=True):
        colours = [to_rgb(line.get_color()) for line in ax.lines]
        for line, series in zip(ax.lines, getattr(panel, "series", ()), strict=False):
            if series.style != "solid" or len(figure.panels) > 1 or panel.areas:
                continue
            seen, inside = 0, 0
            for x, y in ax.transData.transform(line.get_xydata()):
                if not ax.bbox.padded(-4).contains(x, y):
                    continue
                near = image[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].reshape(-1, 3)
                inside += 1
                seen += min(np.abs(near - colour).max(axis=1).min() for colour in colours) < 0.15
            assert seen >= 0.95 * inside  # it, or another that lies over it
            checked += inside
    assert checked > 20 or figure.name not in ("limit", "spectrum")
