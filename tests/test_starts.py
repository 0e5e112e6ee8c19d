"""The search for the lowest of several minima in the pulls: what it finds, and where it does not look."""

import numpy as np
import pytest

import asking
from nurecoil.likelihood import Fitted, JointLikelihood, lowest, newton
from nurecoil.likelihood.newton import Minimum
from nurecoil.likelihood.search import Hop, search
from nurecoil.models import NSI, SCALED_STANDARD_MODEL
from nurecoil.study.question import Question, joint_likelihood

NEAR = 25.0  # in χ² above the lowest: where no minimum may be missed


def test_gaussian_counts_and_mirrored_shapes_need_no_hop(csi, coherent):
    assert joint_likelihood([csi], {}).starts == 1
    (term,) = joint_likelihood([coherent["coherent-lar-2020"]], {}).terms
    bends = {term.pulls[k].name for k in term.bends}
    assert "coherent-lar-2020_f90" in bends  # given at +1 and at -1
    assert not bends & {
        "coherent-lar-2020_signal_time_mean",
        "coherent-lar-2020_neutron_time_width",
    }  # mirrored


def missed(likelihood, strengths, starts):
    """How far χ² near the data lies above the lowest from random starts: searched, and from one start."""
    found = likelihood.profiled(strengths).chi2
    one = likelihood.profiled(strengths, reach=-1.0).chi2
    best = found
    for seed in range(starts):
        random = np.random.default_rng(seed).uniform(-3, 3, likelihood.centre.size)
        pulls = likelihood.centre + random * likelihood.width
        best = np.minimum(best, likelihood.profiled(strengths, pulls=pulls).chi2)
    near = best < best.min() + NEAR
    return (found - best)[near], (one - best)[near]


def nsi(coherent, names):
    """All 18 parameters of the NSI model are free."""
    free = {p.name: 0.0 for p in NSI.parameters if p.name.startswith("eps")}
    return Question.of(NSI, [coherent[name] for name in names], {}, free)


@pytest.mark.parametrize(
    ("names", "reach", "points"),
    [
        (["coherent-lar-2020"], 0.1, 20),
        (["coherent-lar-2020"], 1.0, 100),
        (["coherent-csi-2021"], 0.1, 100),
        (["coherent-csi-2021"], 0.3, 100),
        (["coherent-csi-2021", "coherent-lar-2020"], 0.1, 12),
    ],
)
def test_no_point_of_nsi_near_the_data_misses_its_minimum(coherent, names, reach, points):
    question = nsi(coherent, names)
    at = np.random.default_rng(3).uniform(-reach, reach, (points, len(question.names)))
    found, _ = missed(question.likelihood, question.strengths(at), 4)
    assert found.max() < 1e-3


def test_the_valleys_of_the_onset_are_found_and_one_start_misses_them(coherent):
    """Points between valleys are rare among random ones; far above the lowest nothing is searched."""
    question = nsi(coherent, ["coherent-csi-2021"])
    points = np.random.default_rng(5).uniform(-1, 1, (1000, len(question.names)))
    strengths = question.strengths(points[[355, 472, 835, 873, 938, 998]])
    likelihood = question.likelihood
    searched, one = (likelihood.profiled(strengths, reach=reach).chi2 for reach in (np.inf, -1.0))
    assert (one - searched > 1e-3).sum() >= 4
    near = likelihood.profiled(strengths, reach=1.0).chi2
    far = one > one.min() + 1.0
    np.testing.assert_array_equal(near[far], one[far])


@pytest.mark.parametrize(("seed", "reach"), [(77, 0.1), (8, 0.05), (16, 0.1)])
def test_a_valley_on_the_other_side_of_a_bend_is_found(coherent, seed, reach):
    """One point in 10⁴ near the data has minima on both sides of t = 1 of the efficiency, some 1e-3 apart."""
    question = nsi(coherent, ["coherent-csi-2021"])
    strengths = question.strengths(np.random.default_rng(seed).uniform(-reach, reach, (800, 18)))
    likelihood = question.likelihood
    found = likelihood.profiled(strengths)
    number = [p.name for p in likelihood.pulls].index("coherent-csi-2021_efficiency")
    for efficiency in (0.8, 1.1):
        pulls = found.pulls.copy()
        pulls[:, number] = efficiency
        beside = likelihood.profiled(strengths, pulls=pulls).chi2
        assert (found.chi2 - beside)[found.chi2 < found.chi2.min() + NEAR].max() < 1e-5


def test_hops_are_in_the_pulls_own_units_and_only_of_free_ones(coherent):
    likelihood = nsi(coherent, ["coherent-csi-2021"]).likelihood
    names = [p.name for p in likelihood.pulls]
    (term,) = likelihood.terms
    assert [term.pulls[k].name for k in term.bends] == [
        "coherent-csi-2021_efficiency",
        "coherent-csi-2021_onset",
    ]
    efficiency, onset = (names.index(f"coherent-csi-2021_{name}") for name in ("efficiency", "onset"))
    assert likelihood._hops(likelihood._free(())) == [
        Hop(pull, 1.5 * side, 0.5 * side) for pull in (efficiency, onset) for side in (-1, 1)
    ]  # fmt: skip
    held = JointLikelihood((term,), {names[efficiency]: 0.0, names[onset]: 0.5})
    assert held._hops(held._free(())) == [Hop(onset - 1, -3.0, -1.0), Hop(onset - 1, 3.0, 1.0)]


def test_a_point_has_the_same_minimum_alone_and_among_others(coherent):
    question = nsi(coherent, ["coherent-csi-2021"])
    strengths = question.strengths(np.random.default_rng(3).uniform(-0.3, 0.3, (100, len(question.names))))
    together = question.likelihood.profiled(strengths, reach=np.inf).chi2
    by_one = [question.likelihood.profiled(strengths[i : i + 1]).chi2[0] for i in range(0, 100, 8)]
    np.testing.assert_allclose(by_one, together[::8], rtol=1e-8)


def asked_of(depths, valleys):
    """Return a minimiser of problems with valleys of the first variable, and what it was asked."""
    asked = []

    def minimise(start, which):
        asked.append(start.copy())
        rows = np.arange(len(depths)) if which is None else which
        number = np.abs(start[0] - valleys[:, np.newaxis]).argmin(axis=0)
        return Minimum(depths[rows, number], np.stack([valleys[number], start[1]]), number >= 0)

    return minimise, asked


VALLEYS, DEPTHS = np.array([-3.0, 0.0, 4.0]), np.array([[0.0, -1.0, -1.0], [-2.0, 0.0, 0.0]])


def test_a_search_tries_all_hops_at_once_and_goes_on_from_what_is_lower():
    """Valleys of the first variable at -3, 0 and 4, as low as each problem says; the second goes along."""
    minimise, asked = asked_of(DEPTHS, VALLEYS)
    start = np.array([[0.5, 0.5], [7.0, 8.0]])
    found = search(minimise, start, [Hop(0, 2.5, 0.5), Hop(0, -2.0, -0.5)], 1)
    np.testing.assert_array_equal(found.chi2, [-1.0, -2.0])
    np.testing.assert_array_equal(found.pulls, [[0.0], [-3.0]])
    np.testing.assert_array_equal(found.points, [[7.0], [8.0]])
    assert [x[0].tolist() for x in asked] == [[0.5, 0.5], [2.5, 2.5, -2.0, -2.0], [2.5, -3.0]]


def test_a_search_looks_only_where_it_can_change_the_answer():
    depths = np.array([[-9.0, 0.0, 0.0], [-9.0, 5.0, 5.0]])
    minimise, asked = asked_of(depths, VALLEYS)
    found = search(minimise, np.zeros((2, 2)), [Hop(0, -2.0, -0.5)], 1, reach=4.0)
    np.testing.assert_array_equal(found.chi2, [-9.0, 5.0])
    assert asked[1].shape == (2, 1)


def test_of_many_points_a_few_decide_which_hops_are_worth_it():
    depths = np.tile([0.5, 0.0, 30.0], (500, 1))  # the one at 4 is no other valley to mind, that at -3 is
    depths[7, 0] = -1.0
    minimise, asked = asked_of(depths, VALLEYS)
    found = search(minimise, np.zeros((2, 500)), [Hop(0, 3.0, 1.0), Hop(0, -2.0, -0.5)], 1)
    assert (found.chi2[7], found.chi2[8]) == (-1.0, 0.0)
    assert [x.shape[1] for x in asked] == [500, 124, 500, 1]


def test_of_equal_fits_the_first_is_taken_and_one_as_low_vouches_for_it():
    def fit(chi2, number, converged):
        rows = np.full((3, 1), float(number))
        return Fitted(np.array(chi2), rows, 10 * rows, np.full(3, converged))

    found = lowest(
        [fit([1.0, 2.0, 3.0], 0, True), fit([1.0, 1.0, 4.0], 1, False), fit([2.0, 1.5, 1.0], 2, True)]
    )
    np.testing.assert_array_equal(found.chi2, [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(found.points[:, 0], [0, 1, 2])
    np.testing.assert_array_equal(found.pulls[:, 0], [0, 10, 20])
    np.testing.assert_array_equal(found.converged, [True, False, True])
    near = [fit([1.0, 1.0, 1.0], 0, False), fit([1.0 + 1e-7, 1.0 + 1e-5, 1.0 - 1e-7], 1, True)]
    np.testing.assert_array_equal(lowest(near).points[:, 0], [0, 0, 1])
    np.testing.assert_array_equal(lowest(near).converged, [True, False, True])


def test_a_limit_says_where_pulls_did_not_settle(coherent, monkeypatch):
    experiment = coherent["coherent-csi-2021"]
    monkeypatch.setattr(newton, "MOST_STEPS", 0)  # of two, fits go on from where they are until they settle
    scan = ("signal_strength", 0.5, 1.5)
    for question in (asking.limit, asking.sensitivity):
        result = question(SCALED_STANDARD_MODEL, [experiment], {}, scan, points=101, engine="numpy")
        assert not result.converged
        assert any("the nuisance parameters did not converge at" in note for note in result.notes)


@pytest.mark.parametrize("width", [0.01, 0.1, 0.5])
def test_a_prior_of_another_width_is_log_normal_with_that_width(coherent, width):
    likelihood = joint_likelihood([coherent["coherent-csi-2021"]], {}, {"sns_flux": width})
    strengths = np.ones((1, 12))

    def signal(flux):
        pulls = likelihood.centre.copy()
        pulls[[p.name for p in likelihood.pulls].index("sns_flux")] = flux
        return likelihood.components(strengths, pulls)["coherent-csi-2021"]["signal"].sum()

    assert signal(width) / signal(0.0) == pytest.approx(1 + width, rel=1e-12)
    assert signal(-width) / signal(0.0) == pytest.approx(1 / (1 + width), rel=1e-12)
