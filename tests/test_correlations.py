"""What a fit leaves open: the covariance of parameters and pulls, and what it makes of counts."""

import math

import numpy as np
import pytest

import nurecoil
from nurecoil.presentation import figures
from nurecoil.presentation.document import Figure, Matrix
from nurecoil.study.minima import box, minima, starting_points


def test_the_covariance_is_that_of_differences_of_chi2():
    study = nurecoil.Study(
        "scaled-standard-model", "binh2021-csi", constrain={"sin2_theta_w": "0.2386+-0.02"}
    )
    question = study.question({"signal_strength": 1.0})
    points = starting_points(question, ())
    low, high = box(question, points)
    best = minima(question, points, (low, high)).at(np.array([0]))
    names, covariance = question.covariance(best, low, high)
    assert names == ("signal_strength", "binh2021-csi_signal", "binh2021-csi_background", "sin2_theta_w")
    steps = np.diag(0.01 * np.sqrt(np.diag(covariance)))

    def chi2(move):
        return question.unprofiled(best.points + move[0], best.pulls + move[1:])[0]

    numeric = [
        [chi2(a + b) - chi2(a - b) - chi2(b - a) + chi2(-a - b) for b in steps] / (4 * a.sum() * steps.sum(1))
        for a in steps
    ]
    unit = np.outer(steps.sum(1), steps.sum(1))
    assert covariance / unit == pytest.approx(2 * np.linalg.inv(numeric) / unit, rel=1e-4, abs=0.1)


def test_an_impact_is_the_correlation_times_the_error():
    """Of a quadratic χ²: θ moves by ρ σ_θ if a pull moves by its own σ."""
    study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    found = study.fit({"signal_strength": 1.0}).record()
    names, matrix = found["correlations"]["names"], found["correlations"]["matrix"]
    assert matrix == pytest.approx(matrix.T)
    assert np.diag(matrix) == pytest.approx(1.0)
    rows = {row.pull.name: row for row in study.impact({"signal_strength": 1.0}).values.rows}
    background = rows["binh2021-csi_background"]
    expected = matrix[0, names.index(background.pull.name)] * found["best_fit"]["signal_strength"]["error"]
    assert background.post_fit == pytest.approx((-expected, expected), rel=1e-3)


def test_systematics_before_a_fit_are_those_of_the_priors(coherent):
    """A rate of width w changes the counts of the signal by ln(1 + w) of them."""
    pulls = [p.name for p in nurecoil.Study("standard-model", "coherent-csi-2021").pulls]
    fixed = [name for name in pulls if name != "sns_flux"]
    result = nurecoil.Study("standard-model", "coherent-csi-2021", fix=fixed).predict()
    (band,) = (s for s in result.figure.panels[0].series if s.style == "hatched")
    assert band.label == r"systematics, $\pm1\sigma$"
    assert band.y_error == pytest.approx(math.log(1.1) * result.values.parts[0].counts, rel=1e-6)


def test_a_rate_that_is_fitted_leaves_of_one_count_its_own_error():
    study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    shifts = study.fit({"signal_strength": 1.0}).values.shifts["binh2021-csi"]
    assert np.sqrt((shifts**2).sum()) == pytest.approx(np.sqrt(study.data["binh2021-csi"].variance), rel=1e-5)


def test_a_fit_shows_what_it_leaves_open(coherent):
    result = nurecoil.Study("scaled-standard-model", "coherent-csi-2021").fit({"signal_strength": 1.0})
    first, *_, last = result.figure.panels
    (band,) = (s for s in first.series if s.style == "hatched")
    (data,) = (s for s in first.series if s.label == "data")
    assert band.label == r"fit, $\pm1\sigma$"
    assert (band.y_error < data.y_error_up).all()
    total = np.sqrt((result.values.shifts["coherent-csi-2021"].sum(axis=1) ** 2).sum())
    assert 0.5 < total / np.sqrt(data.y.sum()) < 1  # less than of the counts: the background is known
    assert isinstance(last, Matrix)
    assert last.names[:2] == (r"$N/N_\mathrm{SM}$", "SNS flux")  # the most correlated first


def test_where_chi2_is_flat_nothing_is_correlated():
    found = nurecoil.Study("nsi", "binh2021-csi").fit({"eps_u_tautau": 0.1}).record()
    assert found["correlations"]["names"] == ()


def test_a_matrix_is_drawn_as_its_numbers():
    values = np.array([[1.0, -0.456], [-0.456, 1.0]])
    figure = Figure("m", "t", "", (Matrix(("one\ntwo", "b"), values),))
    for width in (None, 3.4):
        (ax,) = figures.draw(figure, width).axes
        assert [text.get_text() for text in ax.texts] == ["1", "−.46", "−.46", "1"]
        assert ax.images[0].get_array().tolist() == values.tolist()
    assert figures.numbers(figure).splitlines()[4] == '1,"one, two: b",,,-0.456,,'
