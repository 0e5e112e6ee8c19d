import csv
import itertools
import sys

import numpy as np
import pytest

import asking
import nurecoil
from nurecoil.errors import NurecoilError
from nurecoil.inference import density
from nurecoil.papers.binh2021.compute import LimitResult
from nurecoil.papers.binh2021.pictures import limits_chart, profile_figure, weak_charge_figure
from nurecoil.presentation.corner import Axis, draw_corner
from nurecoil.presentation.document import Area, Bars, Figure, Matrix, Panel, Reference, RowChart, Series
from nurecoil.presentation.figures import PALETTE, draw, save, save_canvas
from nurecoil.presentation.look import Look
from nurecoil.study.data import poisson_errors

T = np.linspace(0.1, 50, 120)
EDGES = np.linspace(5, 55, 11)


def spectrum():
    expected = 40 * np.exp(-EDGES[:-1] / 17)
    return Panel(
        x_label=r"nuclear recoil energy $T$ [keV]",
        y_label="counts per bin",
        title="CsI, 14.6 kg",
        series=(
            Series(EDGES, expected, "Standard Model", style="steps", y_error=0.1 * expected),
            Series(EDGES, 0.7 * expected, r"$m_{Z'} = 1.0$ TeV, β = √3", style="steps", colour="green"),
            Series(
                0.5 * (EDGES[1:] + EDGES[:-1]),
                expected + np.tile([2.0, -2.5], 5),
                "data",
                style="points",
                colour="black",
                y_error=np.sqrt(expected) + 1,
            ),
        ),
        references=(Reference(8.0, "x", "threshold"),),
        x_range=(5, 55),
    )


def profile(y_log=False):
    m = np.geomspace(0.2, 20, 200)
    names = ("β = −√3", "β = −1/√3", "β = 1/√3", "β = √3")
    curves = [
        Series(m, 0.05 + 4 / (k * m**2 + 0.2), f"{name}, all pulls profiled", style=style)
        for k, name, style in zip((0.3, 1, 2, 4), names, ("solid", "dashed", "dotted", "solid"), strict=True)
    ]
    return Panel(
        x_label=r"$m_{Z'}$ [TeV]",
        y_label=r"$\Delta\chi^2$",
        series=tuple(curves),
        references=(
            Reference(2.706, "y", "90 % CL, two-sided"),
            Reference(3.841, "y", "95 % CL"),
            Reference(5.1, "x", "ATLAS 139 fb⁻¹"),
        ),
        x_log=True,
        y_log=y_log,
        title="Profile of the mass",
    )


def limits():
    """Return a chart of rows: two bars in the second, none in the third, and the halves of the last."""
    bars = (
        Bars(np.array([0, 1, 1]), np.array([0.84, 0.31, 1.37]), np.array([9.0, 0.52, 9.0]), "equations"),
        Bars(np.array([3]), np.array([1.4]), np.array([9.0]), "printed", np.array([2.0]), half="upper"),
    )
    names = ("CsI, β = −√3", "CsI, β = √3", "Ar, β = √3", "LHC dilepton")
    return RowChart("allowed $m_{Z'}$ [TeV]", names, bars, x_log=True, x_range=(0.1, 9.0))


def figures():
    """Every kind of panel, alone and together."""
    return (
        Figure("fig1", "Recoil spectrum", "A histogram, its band and data.", (spectrum(),)),
        Figure("fig2", "Profiles", "Four curves.", (profile(), profile(y_log=True)), columns=2),
        Figure("fig3", "Limits on *m*<sub>Z′</sub>", "All limits together.", (limits(),), alt="Six bars."),
        Figure("fig4", "Two kinds", "Stacked.", (profile(), limits())),
    )


def rows(path):
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


@pytest.mark.parametrize("figure", figures(), ids=lambda f: f.name)
def test_save_writes_the_same_three_files_each_time(figure, tmp_path):
    first, second = save(figure, tmp_path / "a"), save(figure, tmp_path / "b")
    assert {kind: path.name for kind, path in first.items()} == {
        kind: f"{figure.name}.{kind}" for kind in ("png", "svg", "csv")
    }
    for kind, path in first.items():
        assert path.read_bytes() == second[kind].read_bytes()
    assert first["png"].read_bytes().startswith(b"\x89PNG\r\n")
    svg = first["svg"].read_text("utf-8")
    assert "<svg" in svg
    assert "<text" in svg  # letters are paths
    assert "<dc:date>" not in svg
    assert first["csv"].read_text("utf-8").startswith(f"# {figure.title}\n")


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".SVG", b"<?xml"), (".pdf", b"%PDF")])
def test_save_canvas_writes_one_file_the_same_each_time(suffix, start, tmp_path):
    figure = Figure("f", "t", "c", (limits(),))
    for name in ("a", "b"):
        save_canvas(draw(figure), tmp_path / (name + suffix))
    first, second = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert first == second
    assert first.startswith(start)


def test_save_and_save_canvas_write_the_same_image(tmp_path):
    figure = Figure("f", "t", "c", (profile(),))
    save_canvas(draw(figure), tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes() == save(figure, tmp_path)["png"].read_bytes()


@pytest.mark.parametrize("name", ["a.jpg", "a", ".png"])
def test_save_canvas_refuses_an_unknown_suffix(name, tmp_path):
    with pytest.raises(NurecoilError, match=r"must end in \.png, \.svg, \.pdf"):
        save_canvas(draw(Figure("f", "t", "c", (limits(),))), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_csv_gives_the_curves_back_exactly(tmp_path):
    panels = (spectrum(), profile())
    table = rows(save(Figure("f", "t", "c", panels), tmp_path)["csv"])
    assert list(table[0]) == ["panel", "series", "x", "x_high", "y", "y_error", "y_error_up"]
    for number, panel in enumerate(panels, start=1):
        for s in panel.series:
            mine = [r for r in table if r["panel"] == str(number) and r["series"] == s.label]
            assert [float(r["y"]) for r in mine] == s.y.tolist()
            if s.style == "steps":
                assert [float(r["x"]) for r in mine] == s.x[:-1].tolist()
                assert [float(r["x_high"]) for r in mine] == s.x[1:].tolist()
            else:
                assert [float(r["x"]) for r in mine] == s.x.tolist()
                assert {r["x_high"] for r in mine} == {""}
            errors = [""] * s.y.size if s.y_error is None else [repr(float(e)) for e in s.y_error]
            assert [r["y_error"] for r in mine] == errors


def test_csv_gives_the_bars_back(tmp_path):
    table = rows(save(Figure("f", "t", "c", (profile(), limits())), tmp_path)["csv"])
    bars = [r for r in table if r["panel"] == "2"]
    assert [r["series"] for r in bars[1:]] == [*2 * ["equations: CsI, β = √3"], "printed: LHC dilepton"]
    assert [(r["x"], r["x_high"], r["y"]) for r in bars[2:]] == [("1.37", "9.0", ""), ("1.4", "9.0", "2.0")]


def test_the_limits_of_the_paper_are_bars_with_their_numbers_in_their_names():
    groups = {"ours": {"CsI": ((0.31, 0.52), (1.37, None)), "Ar": ()}, "theirs": {"CsI": ((1.4, None),)}}
    chart = limits_chart(groups, (0.1, 20.0))
    assert chart.rows == (
        "CsI: 0.31 to 0.52; ≥\u00a01.37",
        "Ar: none",
        "CsI: ≥\u00a01.4",
    )
    assert [bars.rows.tolist() for bars in chart.bars] == [[0, 0], [2]]
    assert chart.bars[0].low.tolist() == [0.31, 1.37]
    assert chart.bars[0].high.tolist() == [0.52, 20.0]


def test_profiles_of_the_paper_show_where_delta_chi2_is_negative():
    model = nurecoil.load_model("331-beta")
    csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    result = asking.limit(model, [csi], {"beta": 3**0.5}, ("m_zprime", 1e5, 1e8), freeze_at=3e6)
    assert result.values.profile.delta_chi2.min() < 0
    limits = [
        LimitResult("binh2021-csi", "+sqrt3", variant, "frozen", None, result.values.profile)
        for variant in ("equations", "numbers")
    ]
    for panel in profile_figure("fig5", ["binh2021-csi"], limits).panels:
        assert panel.y_range[0] <= result.values.profile.delta_chi2.min()


def test_legend_lies_outside_the_axes_and_the_title_above_it():
    canvas = draw(figures()[1])
    canvas.draw_without_rendering()
    page = canvas.bbox
    for ax in canvas.axes:
        legend = ax.get_legend().get_window_extent()
        assert legend.y0 >= ax.get_window_extent().y1
        title = next(t for t in (ax._left_title,) if t.get_text()).get_window_extent()
        assert title.y0 >= legend.y1
        assert title.y1 <= page.y1
        assert legend.x1 <= page.x1


def test_curves_of_the_paper_differ_without_colour_and_their_legend_is_in_rows():
    figure = weak_charge_figure("fig1")
    canvas = draw(figure)
    for panel, ax in zip(figure.panels, canvas.axes, strict=True):
        positive, negative = panel.series[:4], panel.series[3:]  # with β = 0: of one sign
        assert len({s.style for s in positive}) == len({s.style for s in negative}) == 4
        rows = {round(text.get_window_extent().y0) for text in ax.get_legend().get_texts()}
        assert len(rows) == 2


def test_reference_labels_cover_neither_one_another_nor_a_curve():
    ax = draw(Figure("f", "t", "c", (profile(),))).axes[0]
    assert [t.get_text() for t in ax.texts] == ["90 % CL, two-sided", "95 % CL", "ATLAS 139 fb⁻¹"]
    boxes = [t.get_window_extent() for t in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    for curve in ax.lines[:4]:
        points = ax.transData.transform(curve.get_xydata())
        assert not any(box.count_contains(points) for box in boxes)


def test_palette_names_are_understood():
    panel = Panel("x", "y", (Series([0, 1], [1, 2], "a", colour="blue"),))
    ax = draw(Figure("f", "t", "c", (panel,))).axes[0]
    assert ax.lines[0].get_color() == PALETTE["blue"]


def test_no_pyplot_and_no_trace_in_the_settings():
    import matplotlib

    before = dict(matplotlib.rcParams)
    pyplot = "matplotlib.pyplot" in sys.modules
    draw(figures()[0])
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == pyplot


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"x": [0, 1, 2]}, "series 'rate': has 3 x, not 2"),
        ({"style": "steps"}, "series 'rate': has 2 x, not 3"),
        ({"y_error": [1.0]}, "series 'rate': has 1 y_error, not 2"),
        ({"y": [1.0, np.inf]}, "series 'rate': y must be finite"),
    ],
)
def test_bad_series_is_refused_by_name(bad, message):
    with pytest.raises(NurecoilError, match=message):
        Series(**{"x": [0.0, 1.0], "y": [1.0, 2.0], "label": "rate", **bad})


def test_gaps_in_a_curve_are_drawn():
    drawn = draw(Figure("f", "t", "c", (Panel("x", "y", (Series([0, 1, 2], [1, np.nan, 2], "a"),)),)))
    (line,) = drawn.axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), [1, np.nan, 2])


@pytest.mark.parametrize(
    ("ends", "labels"),
    [
        ((0.1, 10), ["0.1", "1", "10"]),
        ((0.12, 9.9), ["0.2", "0.5", "1", "2", "5"]),
        ((0.3, 2), ["0.5", "1", "2"]),
    ],
)
def test_a_log_axis_has_labels_enough(ends, labels):
    panel = Panel("x", "y", (Series(ends, [0, 1], "a"),), x_log=True, x_range=ends)
    (ax,) = draw(Figure("f", "t", "c", (panel,))).axes
    low, high = ax.get_xlim()
    shown = [t.get_text() for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high]
    assert shown == labels


def test_the_best_fit_at_the_edge_of_a_map_is_whole():
    square = [[0, 0], [1, 0], [1, 1], [0, 0]]
    best = Series([1.0], [0.5], "best fit", colour="#ff0000", style="points")
    panel = Panel("x", "y", (best,), areas=(Area([square], [], "a"),), x_range=(0, 1), y_range=(0, 1))
    canvas = draw(Figure("f", "t", "c", (panel,)))
    canvas.canvas.draw()
    pixels, (ax,) = np.asarray(canvas.canvas.buffer_rgba()), canvas.axes
    x, y = ax.transData.transform([1.0, 0.5]).round().astype(int)
    row = pixels[pixels.shape[0] - 1 - y]
    assert row[x + 2, :3].tolist() == [255, 0, 0]  # outside of the axes


@pytest.mark.parametrize("count", [1, 2])
def test_a_corner_plot_says_what_its_lines_and_colours_are(count):
    x = np.random.default_rng(1).normal(size=500)
    axes = [Axis("$x$", 1.0, False, density.curve(x, -5.0, 5.0), x, 500.0, 0.0)] * count
    (legend,) = draw_corner("Posterior", ["a model"], axes).legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["density", "median", "68 % of highest density", "95 % of highest density"]
    box, panels = legend.get_window_extent(), [ax.get_tightbbox() for ax in legend.figure.axes]
    assert legend.figure.bbox.y0 <= box.y0 < box.y1 <= min(panel.y0 for panel in panels)
    assert legend.figure.bbox.x0 <= box.x0 < box.x1 <= legend.figure.bbox.x1
    faces = {collection.get_facecolor().tobytes() for collection in legend.figure.axes[0].collections}
    assert {np.array([patch.get_facecolor()]).tobytes() for patch in legend.get_patches()} == faces


# --- for papers ---------------------------------------------------------------------------------------


def test_a_pdf_embeds_truetype_and_an_svg_keeps_its_text(tmp_path):
    canvas = draw(
        Figure("line", "A line", "", (Panel("$x$ [TeV]", "y", (Series([0.0, 1.0], [0.0, 1.0], "line"),)),))
    )
    for kind in ("pdf", "svg"):
        save_canvas(canvas, tmp_path / f"figure.{kind}")
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType
    assert b"/Subtype /Type3" not in pdf
    assert "<text" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [3.4, 7.0])
def test_a_figure_has_the_width_that_is_asked_for(width, tmp_path):
    result = nurecoil.Study("nsi", "binh2021-csi").limit("eps_u_ee", (-1, 1))
    result.save(tmp_path / "limit.png", width=width, title=False)
    header = (tmp_path / "limit.png").read_bytes()[16:24]
    pixels = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
    assert pixels[0] == pytest.approx(600 * width, abs=1)  # 600 dpi
    assert pixels[1] == pytest.approx(600 * width * 4.0 / 6.2, rel=0.03)  # letters shrink less
    with pytest.raises(NurecoilError, match=r"width = 0\.5 is not allowed"):
        result.save(tmp_path / "narrow.png", width=0.5)
    assert not (tmp_path / "narrow.png").exists()


def boxes(texts):
    return [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]


@pytest.mark.parametrize("figure", figures(), ids=lambda f: f.name)
def test_a_figure_of_a_columns_width_has_no_text_cut_or_upon_another(figure):
    canvas = draw(figure, 3.4)
    assert len({ax.get_position().x1 for ax in canvas.axes}) == 1  # one below the other
    canvas.draw_without_rendering()  # outside our style, as when it is saved
    for ax in canvas.axes:
        ticks = boxes(ax.get_yticklabels())
        inside = [box for box in ticks if ax.bbox.y0 - 1 <= (box.y0 + box.y1) / 2 <= ax.bbox.y1 + 1]
        names = boxes([ax.xaxis.label, ax.yaxis.label, *ax.get_legend().get_texts()])
        for box in (*inside, *names):
            assert box.x0 > -1
            assert box.x1 < canvas.bbox.x1 + 1
        for one, other in itertools.pairwise(sorted(inside, key=lambda box: box.y0)):
            assert one.y1 < other.y0 + 2
        high = 0.4 * 0.75 * 4 if ax.get_xlabel().startswith("allowed") else 0.65 * 4.0 * 3.4 / 6.2
        assert ax.bbox.height / canvas.dpi > 0.8 * high  # a legend takes nothing from it


def test_numbers_of_a_matrix_stay_in_their_cells_in_a_column():
    names = (*(f"pull {n}" for n in range(9)), "neutrino induced neutrons")
    values = np.where(np.eye(10) > 0, 1.0, -0.18)
    canvas = draw(Figure("matrix", "Correlations", "", (Matrix(names, values),)), 3.4)
    (ax,) = canvas.axes
    assert {text.get_text() for text in ax.texts} == {"1", "−.18"}
    canvas.draw_without_rendering()
    for box in boxes(ax.texts):
        assert box.width < ax.bbox.width / 10


def test_ends_of_a_limit_have_a_minus_sign():
    result = nurecoil.Study("nsi", "binh2021-csi").limit("eps_u_ee", (-1, 1))
    labels = [each.label for each in result.figure.panels[0].references if each.axis == "x"]
    assert labels[0].startswith("−0.0")
    assert not any("-" in label for label in labels)


def test_a_figure_without_a_title_keeps_those_that_tell_panels_apart():
    one, two = Look(title=False).on(figures()[0]), Look(title=False).on(figures()[1])
    assert [panel.title for panel in one.panels] == [""]
    assert [panel.title for panel in two.panels] == ["Profile of the mass"] * 2


def test_counts_are_stacked_beside_data_with_errors_of_both_sides():
    result = nurecoil.Study("scaled-standard-model", "coherent-csi-2021").fit({"signal_strength": 1.0})
    spectrum, residuals, _ = result.figure.panels
    *stack, _, data = spectrum.series
    top = stack[0].y
    components = result.values.components["coherent-csi-2021"]
    total = sum(counts.reshape(9, -1).sum(axis=1) for counts in components.values())
    assert top == pytest.approx(total, rel=1e-12)
    assert len(stack) == len(components)
    assert data.y.sum() == result.values.observed["coherent-csi-2021"].sum()
    n = np.array([0.0, 1.0, 100.0])
    down, up = poisson_errors(n)
    assert down == pytest.approx([0, 0.827, 9.983], abs=1e-3)  # Garwood; PDG's table of Poisson means
    assert up == pytest.approx([1.841, 2.300, 11.033], abs=1e-3)
    pulls = residuals.series[0].y
    error = np.where(data.y < top, data.y_error_up, data.y_error)
    assert pulls * error == pytest.approx(data.y - top, rel=1e-12)


def test_curves_of_others_are_laid_over_a_figure(tmp_path):
    result = nurecoil.Study("nsi", "binh2021-csi").limit("eps_u_ee", (-1, 1))
    (tmp_path / "other_bound.csv").write_text("# digitised\n-0.5,1\n0.5,2\n\n0.6,3\n", encoding="utf-8")
    (tmp_path / "named.csv").write_text("epsilon,CMS 2021\n0,1\n1,4\n", encoding="utf-8")
    axes = result.plot(overlay=[tmp_path / "other_bound.csv", tmp_path / "named.csv"])
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    assert lines["other bound"][[0, 1, 3]].tolist() == [[-0.5, 1], [0.5, 2], [0.6, 3]]
    assert np.isnan(lines["other bound"][2]).all()
    assert lines["CMS 2021"].tolist() == [[0, 1], [1, 4]]
    result.save(tmp_path / "figure.pdf", overlay=str(tmp_path / "named.csv"))
    assert (tmp_path / "figure.pdf").stat().st_size > 1000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no points"),
        ("x,y\n1,nan\n", "no points"),
        ("x,y\n1,2\n1;2\n", "'1;2' is no point"),
        ("x,y\n1,2,3\n", "'1,2,3' is no point"),
    ],
)
def test_a_curve_that_is_none_is_refused(text, said, tmp_path):
    (tmp_path / "curve.csv").write_text(text, encoding="utf-8")
    result = nurecoil.Study("nsi", "binh2021-csi").limit("eps_u_ee", (-1, 1))
    with pytest.raises(NurecoilError, match=said):
        result.plot(overlay=tmp_path / "curve.csv")
    with pytest.raises(NurecoilError, match="cannot read"):
        result.plot(overlay=tmp_path / "none.csv")
    twice = tmp_path / "twice.csv"
    twice.write_text("x,twice\n1,2\n", encoding="utf-8")
    with pytest.raises(NurecoilError, match="two curves are called 'twice'"):
        result.plot(overlay=[twice, twice])
