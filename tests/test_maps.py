"""Maps of two parameters of models and experiments."""

import numpy as np
import pytest
from matplotlib.path import Path as Outline

import asking
import nurecoil
from nurecoil.errors import NurecoilError
from nurecoil.inference import threshold
from nurecoil.study.question import Question

EPSILONS = ("eps_u_ee", -0.5, 1.0), ("eps_u_mumu", -0.5, 1.0)


@pytest.fixture(scope="module")
def nsi(coherent):
    """Return a map with two islands, and its question."""
    model, experiments = nurecoil.load_model("nsi"), [coherent["coherent-csi-2021"]]
    result = asking.profile_map(model, experiments, {}, EPSILONS, cl=(0.68, 0.9), points=61)
    return result, Question.of(model, experiments, {}, {"eps_u_ee": 0.0, "eps_u_mumu": 0.0})


def test_every_vertex_lies_on_its_level(nsi):
    result, question = nsi
    assert result.converged
    for cl, contours in result.values.contours.items():
        assert contours.level == threshold(cl, dof=2)
        vertices = np.concatenate(contours.polygons)
        assert question.chi2(vertices) - result.values.surface.minimum == pytest.approx(
            np.full(len(vertices), contours.level), abs=1e-6
        )


def test_points_are_inside_where_they_are_allowed(nsi):
    result, question = nsi
    points = np.random.default_rng(3).uniform([-0.2, -0.2], [0.6, 0.6], (400, 2))
    delta = question.chi2(points) - result.values.surface.minimum
    assert delta.min() >= 0
    for contours in result.values.contours.values():
        rings = [ring for region in contours.regions for ring in (region.outer, *region.holes)]
        inside = np.sum([Outline(ring).contains_points(points) for ring in rings], axis=0) % 2 == 1
        clear = np.abs(delta - contours.level) > 0.05  # off the chords between vertices
        assert (inside == (delta <= contours.level))[clear].all()
        assert 20 < inside.sum() < 200


def test_the_solutions_of_the_opposite_sign_are_islands(nsi):
    """Q_mumu → -Q_mumu changes nothing: the second island is as deep, and lies at ε = 0.36 to 0.39."""
    result, _ = nsi
    below, above = result.values.contours[0.9].regions
    assert below.bounds[1, 1] < 0.1 < 0.3 < above.bounds[1, 0]
    assert len(result.values.contours[0.68].regions) == 3
    assert not any(region.open for region in (below, above))


def test_an_extent_is_the_profile_over_the_other_parameter(nsi, coherent):
    result, _ = nsi
    below, _ = result.values.contours[0.9].regions
    for end in below.bounds[0]:
        profile = asking.limit(
            nurecoil.load_model("nsi"),
            [coherent["coherent-csi-2021"]],
            {"eps_u_ee": float(end)},
            ("eps_u_mumu", -0.2, 0.2),
            points=101,
        ).values.profile
        rise = profile.minimum - result.values.surface.minimum
        assert rise == pytest.approx(threshold(0.9, dof=2), abs=1e-5)


def test_the_grid_is_the_profile(nsi):
    result, question = nsi
    found = result.values.surface
    i, j = 20, 31
    point = [[found.values[0][i], found.values[1][j]]]
    assert found.delta_chi2[i, j] == pytest.approx(question.chi2(point)[0] - found.minimum, abs=1e-6)
    assert found.converged.all()
    assert question.chi2([found.best_fit])[0] == pytest.approx(found.minimum, abs=1e-7)
    assert found.minimum < question.chi2([[0.0, 0.0]])[0]


def test_the_standard_model_is_marked_where_it_lies_in_the_plane(csi):
    def marked(model, fixed, *scans):
        found = asking.profile_map(nurecoil.load_model(model), [csi], fixed, scans, cl=[0.9], points=21)
        return found.values.standard_model

    ee, mumu = EPSILONS
    assert marked("nsi", {}, ee, mumu).tolist() == [0, 0]
    assert marked("nsi", {"sin2_theta_w": 0.23867}, ee, mumu).tolist() == [0, 0]
    assert marked("nsi", {"eps_d_ee": 0.1}, ee, mumu) is None
    assert marked("nsi", {}, ("eps_u_ee", 0.1, 1.0), mumu) is None
    assert marked("331-beta", {"beta": 0.0}, ("m_zprime", 1e6, 1e7), ("sin2_theta_w", 0.2, 0.3)) is None


def test_a_nuisance_parameter_is_free_of_its_prior_and_stays_in_range(csi):
    """One count against two parameters: the best fit is a line, on which χ² is that of all other pulls."""
    model = nurecoil.load_model("scaled-standard-model")
    scans = ("signal_strength", 0.0, 2.0), ("binh2021-csi_background", -0.5, 0.5)
    result = asking.profile_map(model, [csi], {}, scans, cl=[0.9], points=31)
    assert result.converged
    assert result.values.surface.minimum == pytest.approx(0, abs=1e-6)
    (region,) = result.values.contours[0.9].regions
    assert region.open
    assert region.bounds[1].tolist() == [-0.5, 0.5]


def test_a_best_fit_that_is_not_unique_is_noted(csi, nsi):
    """Two couplings and one count: a line fits. Two flavours and a spectrum in time: a point."""
    scans = ("eps_u_ee", -1.0, 1.0), ("eps_d_ee", -1.0, 1.0)
    result = asking.profile_map(nurecoil.load_model("nsi"), [csi], {}, scans, points=21)
    assert any("not the only one" in note for note in result.notes)
    assert not any("not the only one" in note for note in nsi[0].notes)


def test_spacing_follows_the_parameter_unless_told(csi):
    model, fixed = nurecoil.load_model("331-beta"), {}
    scans = ("m_zprime", 1e5, 1e7), ("beta", -1.0, 1.0)
    linear_in_m = {"cl": [0.9], "points": 21, "spacing": {"m_zprime": "linear"}}
    usual = asking.profile_map(model, [csi], fixed, scans, cl=[0.9], points=21).values.surface
    linear = asking.profile_map(model, [csi], fixed, scans, **linear_in_m).values.surface
    assert [axis.log for axis in (*usual.axes, *linear.axes)] == [True, False, False, False]
    assert usual.values[0] == pytest.approx(np.geomspace(1e5, 1e7, 21))
    assert linear.values[0] == pytest.approx(np.linspace(1e5, 1e7, 21))
    assert linear.best_fit == pytest.approx(usual.best_fit, rel=1e-2) or linear.minimum == pytest.approx(
        usual.minimum, abs=1e-5
    )


@pytest.mark.parametrize("points", ["21x31", (21, 31)])
def test_each_axis_may_have_its_own_number_of_points(csi, points):
    scans = ("beta", -1.0, 1.0), ("m_zprime", 1e5, 1e7)
    found = asking.profile_map(nurecoil.load_model("331-beta"), [csi], {}, scans, cl=[0.9], points=points)
    assert found.values.surface.delta_chi2.shape == (21, 31)


def test_a_best_fit_at_the_edge_is_noted(csi):
    model = nurecoil.load_model("scaled-standard-model")
    scans = ("signal_strength", 0.1, 0.3), ("sin2_theta_w", 0.2, 0.21)
    result = asking.profile_map(model, [csi], {}, scans, cl=[0.9], points=21)
    assert result.converged
    told = "signal_strength = 0.3, lies at the edge of the scanned range: the regions are relative"
    assert any(told in note for note in result.notes)


@pytest.mark.parametrize(
    ("scans", "options", "text"),
    [
        (
            (("eps_u_ee", 0, 1),),
            {},
            "a map has two different parameters, not eps_u_ee: give --scan twice, or",
        ),
        ((("eps_u_ee", 0, 1), ("eps_u_ee", 0, 1)), {}, "two different parameters, not eps_u_ee"),
        ((("eps_u_ee", 1, 0), ("eps_d_ee", 0, 1)), {}, "eps_u_ee, 1 to 0, is reversed or empty"),
        ((("eps_u_ee", 0, 1), ("eps_d_ee", 0, 99)), {}, "eps_d_ee = 99 is not allowed"),
        ((("eps_u_ee", 0, 1), ("nothing", 0, 1)), {}, "unknown parameter 'nothing'"),
        ((("eps_u_ee", 0, 1), ("electroweak", 0, 1)), {}, "electroweak cannot be scanned"),
        (EPSILONS, {"cl": [1.0]}, "confidence level 1.0 is not allowed"),
        (EPSILONS, {"cl": []}, "at least one confidence level"),
        (EPSILONS, {"points": 3}, "points = 3 is not allowed: it must be between 21 and 1001"),
        (EPSILONS, {"points": "31x20"}, "points = 20 is not allowed: it must be between 21 and 1001"),
        (EPSILONS, {"points": "few"}, "points = few is not allowed: write one number, or two as in 300x1000"),
        (EPSILONS, {"points": (21, 21, 21)}, "write one number, or two as in 300x1000"),
        (EPSILONS, {"spacing": {"eps_u_ee": "log"}}, "a logarithmic scan from -0.5"),
    ],
)
def test_bad_input_is_refused(csi, scans, options, text):
    with pytest.raises(NurecoilError, match=text):
        asking.profile_map(nurecoil.load_model("nsi"), [csi], {}, scans, **options)


def test_couplings_far_beyond_what_is_allowed_change_nothing(coherent):
    """There, pulls are fifty widths out, and those of a neighbour may forbid what was seen."""
    model = nurecoil.load_model("light-vector")
    experiments = [coherent["coherent-csi-2021"], coherent["coherent-lar-2020"]]
    near, far = (
        asking.profile_map(
            model,
            experiments,
            {},
            (("m_mediator", 0.1, 20.0), ("g_mediator", 1e-6, high)),
            cl=0.9,
            points=21,
        )
        for high in (1e-3, 1e-1)
    )
    assert near.converged
    assert far.converged
    assert np.isfinite(far.values.surface.delta_chi2).all()
    (below, *_), (same, *_) = (each.values.contours[0.9].regions for each in (near, far))
    assert same.bounds == pytest.approx(below.bounds, rel=1e-3)
