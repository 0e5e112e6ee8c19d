"""Results as figures: a limit, a map, and what they say of themselves."""

import dataclasses
import itertools

import numpy as np
import pytest

import asking
import nurecoil
from asking import figure_of
from nurecoil.presentation import figures
from nurecoil.presentation.document import Area, Figure, Panel, Series


def test_a_limit_becomes_a_figure(csi):
    model = nurecoil.load_model("331-beta")
    result = asking.limit(model, [csi], {"beta": -(3**0.5)}, ("m_zprime", 1e5, 1e8), points=101)
    figure = figure_of(result)
    (panel,) = figure.panels
    curve, allowed = panel.series
    assert curve.x[[0, -1]] == pytest.approx([0.1, 100])  # TeV at the border, MeV inside
    assert [r.value for r in panel.references if r.axis == "x"] == pytest.approx(
        [result.values.profile.lower_limit / 1e6]
    )
    assert [r.value for r in panel.references if r.axis == "y"] == [result.values.profile.level]
    assert np.nanmax(allowed.y) == pytest.approx(result.values.profile.level)
    assert figure.title == "$m_{Z'}$ at 90 % CL"


def test_a_limit_at_several_levels_becomes_a_figure(csi):
    model = nurecoil.load_model("331-beta")
    scan = ("m_zprime", 1e5, 1e8)
    result = asking.limit(model, [csi], {"beta": -(3**0.5)}, scan, cl=(0.68, 0.9), points=101)
    assert (result.values.cl, list(result.values.profiles)) == (0.68, [0.68, 0.9])
    figure = figure_of(result)
    (panel,) = figure.panels
    assert [s.label for s in panel.series[1:]] == ["90 % CL", "68 % CL"]
    levels = [profile.level for profile in result.values.profiles.values()]
    assert [np.nanmax(s.y) for s in panel.series[1:]] == pytest.approx(levels[::-1])
    assert [r.value for r in panel.references if r.axis == "y"] == levels[::-1]
    assert figure.title == "$m_{Z'}$ at 68 %, 90 % CL"


def test_a_map_becomes_a_figure(csi):
    model = nurecoil.load_model("331-beta")
    scans = ("beta", -1.7, 1.7), ("m_zprime", 1e5, 1e7)
    result = asking.profile_map(model, [csi], {}, scans, points=31)
    figure = figure_of(result)
    (panel,) = figure.panels
    assert figure.title == r"$\beta$ and $m_{Z'}$ at 68 %, 90 % CL"
    assert [area.label for area in panel.areas] == [f"allowed at {cl} % CL, 2 d.o.f." for cl in (90, 68)]
    assert (panel.x_log, panel.y_log) == (False, True)
    assert (panel.x_range, panel.y_range) == ((-1.7, 1.7), (0.1, 10.0))  # TeV at the border
    assert panel.y_label == "$m_{Z'}$ [TeV]"
    largest = result.values.contours[0.9].regions[0]
    assert panel.areas[0].rings[0] == pytest.approx(largest.outer / [1, 1e6])
    (best,) = panel.series  # no Standard Model at a finite mass
    assert [best.x[0], best.y[0] * 1e6] == pytest.approx(result.values.surface.best_fit)
    assert figures.draw(figure).axes[0].get_yscale() == "log"  # asked from Python, without `log`


def test_a_map_marks_the_standard_model(csi):
    model = nurecoil.load_model("nsi")
    scans = ("eps_u_ee", -1.0, 1.0), ("eps_d_ee", -1.0, 1.0)
    panel = figure_of(asking.profile_map(model, [csi], {}, scans, points=21)).panels[0]
    assert [(s.label, s.x[0], s.y[0]) for s in panel.series[1:]] == [("Standard Model", 0, 0)]


# --- what a figure says of itself ---------------------------------------------------------------------


def test_a_figure_names_what_it_rests_on(compiled):
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    point = {"beta": -(3**0.5), "mu_nu": 1e-11, "variant": "numbers", "sin2_theta_w": 0.23857}  # its default
    result = asking.limit(
        *(nurecoil.load_model("331-beta"), pair, point, ("m_zprime", 1e5, 1e8)),
        widths={"binh2021-csi_signal": 0.0, "binh2021-lar_signal": 0.1},
        points=101,
    )
    assert figure_of(result).subtitle == (
        *(
            "331β",
            "Binh 2021 CsI + Binh 2021 LAr",
            r"$\beta$ = −√3",
            r"$\mu_\nu$ = 10⁻¹¹ $\mu_\mathrm{B}$",
        ),
        *("variant = numbers", "Binh 2021 CsI signal fixed"),
    )


def test_a_model_that_is_not_ours_has_a_figure_too(csi):
    model = dataclasses.replace(nurecoil.load_model("scaled-standard-model"), name="mine")
    result = asking.limit(model, [csi], {"sin2_theta_w": 0.2}, ("signal_strength", 0, 4), points=101)
    assert figure_of(result).subtitle == ("mine", "Binh 2021 CsI", r"$\sin^2\theta_W$ = 0.2")


def test_every_figure_of_a_result_has_its_facts(compiled):
    model, start = nurecoil.load_model("scaled-standard-model"), {"signal_strength": 1.0}
    one, scan = [compiled["binh2021-csi"]], ("signal_strength", 0.0, 4.0)
    two, both = [*one, compiled["binh2021-lar"]], "Binh 2021 CsI + Binh 2021 LAr"
    alone = [
        figure_of(asking.limit(model, one, {}, scan, points=101)),
        figure_of(asking.profile_map(model, one, {}, [scan, ("sin2_theta_w", 0.1, 0.3)], points=21)),
        figure_of(asking.sensitivity(model, one, {}, scan, points=101)),
        figure_of(asking.impact(model, one, {}, start)),
        figure_of(asking.feldman_cousins(model, one, {}, scan, toys=100, points=5, rounds=0)),
    ]
    assert {figure.subtitle for figure in alone} == {("scaled Standard Model", "Binh 2021 CsI")}
    combined = figure_of(asking.combine(model, two, {}, scan))
    assert combined.subtitle == ("scaled Standard Model", both)


def test_a_combination_shows_all_intervals_and_little_else(compiled):
    model, scan = nurecoil.load_model("scaled-standard-model"), ("signal_strength", 0.0, 20.0)
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    (chart,) = figure_of(asking.combine(model, pair, {}, scan, cl=0.68)).panels
    low, high = chart.x_range
    assert 0 < low < min(bars.low.min() for bars in chart.bars)
    assert max(bars.high.max() for bars in chart.bars) < high < 2


def heading(figure):
    canvas = figures.draw(figure)
    return canvas, [text.get_text() for text in canvas.texts]


LINE = Panel("x", "y", (Series([0, 1], [0, 1], "a"),))


def test_a_heading_stands_above_the_axes_and_breaks_where_it_may():
    plain, none = heading(Figure("f", "A title", "", (LINE,)))
    assert none == []
    long = " + ".join(["experiment"] * 12)
    canvas, (title, *lines) = heading(Figure("f", "A title", "", (LINE,), subtitle=("model", long, "x = 1")))
    assert title == "A title"
    assert " ".join(lines).replace("  ·", " ·").split() == ["model", "·", *long.split(), "·", "x", "=", "1"]
    assert len(lines) > 1
    assert all(line.endswith(("+", "·")) for line in lines[:-1])
    boxes = [text.get_window_extent() for text in canvas.texts]
    assert all(box.x1 <= canvas.bbox.x1 for box in boxes)
    assert all(above.y0 >= below.y1 - 1 for above, below in itertools.pairwise(boxes))
    (ax,) = canvas.axes
    assert boxes[-1].y0 > ax.get_tightbbox().y1
    size, same = plain.axes[0].get_window_extent().size, ax.get_window_extent().size
    assert same == pytest.approx(size, rel=0.02)  # the picture is higher, not the axes smaller


def test_few_names_stand_in_columns_of_equal_height():
    names = ["a long name of a curve", "another long name", "a third long name", "and a fourth, too"]
    series = tuple(Series([0, 1], [0, n], name) for n, name in enumerate(names))
    canvas, _ = heading(Figure("f", "A title", "", (Panel("x", "y", series),)))
    legend = canvas.axes[0].get_legend()
    assert legend._ncols == 2


SQUARE = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4], [0, 0]])
HOLE = np.array([[1.0, 1], [1, 3], [3, 3], [3, 1], [1, 1]])


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
    assert rows[3:5] == ["1,allowed,1.0,,1.0,,", "1,allowed,1.0,,3.0,,"]
    assert rows[8] == "1,allowed,,,,,"  # the line ends
