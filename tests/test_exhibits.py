"""Results as figures: a limit."""

import numpy as np
import pytest

import nurecoil
from nurecoil import figures
from nurecoil.document import Area, Figure, Panel
from nurecoil.errors import NurecoilError


def test_a_limit_becomes_a_figure(csi):
    model = nurecoil.load_model("331-beta")
    result = nurecoil.limit(model, [csi], {"beta": -(3**0.5)}, ("m_zprime", 1e5, 1e8), points=51)
    figure = nurecoil.limit_figure(result)
    (panel,) = figure.panels
    curve, allowed = panel.series
    assert curve.x[[0, -1]] == pytest.approx([0.1, 100])  # TeV at the border, MeV inside
    assert [r.value for r in panel.references if r.axis == "x"] == pytest.approx(
        [result.values.profile.lower_limit / 1e6]
    )
    assert [r.value for r in panel.references if r.axis == "y"] == [result.values.profile.level]
    assert np.nanmax(allowed.y) == pytest.approx(result.values.profile.level)
    assert figure.title == "m_zprime at 90 % CL"


def test_a_limit_at_several_levels_becomes_a_figure(csi):
    model = nurecoil.load_model("331-beta")
    scan = ("m_zprime", 1e5, 1e8)
    result = nurecoil.limit(model, [csi], {"beta": -(3**0.5)}, scan, cl=(0.68, 0.9), points=51)
    assert (result.values.cl, list(result.values.profiles)) == (0.68, [0.68, 0.9])
    figure = nurecoil.limit_figure(result)
    (panel,) = figure.panels
    assert [s.label for s in panel.series[1:]] == ["90 % CL", "68 % CL"]
    levels = [profile.level for profile in result.values.profiles.values()]
    assert [np.nanmax(s.y) for s in panel.series[1:]] == pytest.approx(levels[::-1])
    assert [r.value for r in panel.references if r.axis == "y"] == levels[::-1]
    assert figure.title == "m_zprime at 68 %, 90 % CL"


def test_a_map_becomes_a_figure(csi):
    model = nurecoil.load_model("331-beta")
    scans = ("beta", -1.7, 1.7), ("m_zprime", 1e5, 1e7)
    result = nurecoil.profile_map(model, [csi], {}, scans, points=31)
    figure = nurecoil.map_figure(result)
    (panel,) = figure.panels
    assert figure.title == "beta and m_zprime at 68 %, 90 % CL"
    assert [area.label for area in panel.areas] == ["90 % CL", "68 % CL"]  # the smaller above the larger
    assert (panel.x_log, panel.y_log) == (False, True)
    assert (panel.x_range, panel.y_range) == ((-1.7, 1.7), (0.1, 10.0))  # TeV at the border
    assert panel.y_label == "$m_{Z'}$ [TeV]"
    largest = result.values.contours[0.9].regions[0]
    assert panel.areas[0].rings[0] == pytest.approx(largest.outer / [1, 1e6])
    (best,) = panel.series  # no Standard Model at a finite mass
    assert [best.x[0], best.y[0] * 1e6] == pytest.approx(result.values.best_fit)


def test_a_map_marks_the_standard_model(csi):
    model = nurecoil.load_model("nsi")
    scans = ("eps_u_ee", -1.0, 1.0), ("eps_d_ee", -1.0, 1.0)
    panel = nurecoil.map_figure(nurecoil.profile_map(model, [csi], {}, scans, points=21)).panels[0]
    assert [(s.label, s.x[0], s.y[0]) for s in panel.series[1:]] == [("Standard Model", 0, 0)]


SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
HOLE = [[1, 1], [1, 3], [3, 3], [3, 1], [1, 1]]


def test_an_area_is_filled_around_its_holes(tmp_path):
    area = Area([SQUARE, HOLE], [HOLE], "allowed", colour="#ff0000")
    panel = Panel("x", "y", (), areas=(area,), x_range=(0, 4), y_range=(0, 4))
    canvas = figures.draw(Figure("area", "an area", "", (panel,)))
    canvas.canvas.draw()
    pixels, (ax,) = np.asarray(canvas.canvas.buffer_rgba()), canvas.axes
    x, y = ax.transData.transform([[0.55, 0.55], [2.1, 2.3]]).round().astype(int).T
    inside, hole = pixels[pixels.shape[0] - 1 - y, x, :3].tolist()
    assert inside == [255, 191, 191]
    assert hole == [255, 255, 255]
    rows = figures.save(Figure("area", "an area", "", (panel,)), tmp_path)["csv"].read_text().splitlines()
    assert rows[3:5] == ["1,allowed,1.0,,1.0,", "1,allowed,1.0,,3.0,"]
    assert rows[8] == "1,allowed,,,,"  # the line ends


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([], [], "a"), "area 'a': has no rings"),
        (([SQUARE], [], " "), "an area needs a label"),
        (([[1, 2, 3]], [], "a"), r"area 'a': rings must be points \(x, y\)"),
        (([SQUARE], [[[0, 0], [0, np.nan]]], "a"), "area 'a': lines must be finite"),
    ],
)
def test_a_bad_area_is_refused(arguments, text):
    with pytest.raises(NurecoilError, match=text):
        Area(*arguments)
