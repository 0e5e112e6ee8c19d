"""Where the search for the best pulls begins: local minima found, and no start without use."""

from dataclasses import replace

import numpy as np
import pytest

import nurecoil
from cases import pull
from nurecoil import newton
from nurecoil.analysis import Question, joint_likelihood
from nurecoil.analysis.robust_starts import starts_beside, useful
from nurecoil.experiment import Background, BinnedStatistics, Variation
from nurecoil.likelihood import Fitted, JointLikelihood, binned_term, lowest, with_useful_hops
from nurecoil.likelihood.search import Hop, search
from nurecoil.models import NSI, SCALED_STANDARD_MODEL
from nurecoil.newton import Minimum


def test_only_starts_that_pay_are_kept_the_best_first():
    # three problems; from b the second and third are lower, from c the third alone and no more than from b
    found = {"a": [5, 5, 5], "b": [5, 3, 2], "c": [6, 5, 2], "d": [4, 9, 9]}
    kept = useful(["a"], ["c", "b", "d"], lambda start: np.array(found[start], dtype=float))
    assert kept == ["a", "b", "d"]
    often = useful(["a"], ["c", "b", "d"], lambda start: np.array(found[start], dtype=float), often=0.4)
    assert often == ["a", "b"]


def test_only_pulls_that_change_a_shape_are_moved():
    ups = np.array([1.0, 2.0, 40.0])
    statistics = BinnedStatistics(
        np.array([33.0, 20.0, 35.0]),
        (Background("b", np.ones(3), pull("b", 0.1)),),
        (),
        (Variation(pull("shift", 0.2), None, None),),
    )
    templates = np.stack([np.full(3, 12.0), ups, ups[::-1]])[:, np.newaxis]
    likelihood = JointLikelihood((binned_term("mine", statistics, templates),), {})
    assert starts_beside(likelihood, (0.1, 0.2)) == [(pytest.approx(-0.3), 0.2), (pytest.approx(0.3), 0.2)]
    assert starts_beside(replace(likelihood, widths={"shift": 0.0}), (0.0, 0.0)) == []


def test_gaussian_counts_keep_their_one_start(csi):
    likelihood = joint_likelihood([csi], {})
    assert with_useful_hops(likelihood, np.ones((1, 12))).hops == ()


def missed(likelihood, strengths, starts):
    """How far the χ² of each point lies above the lowest from random starts, and with no hop."""
    lowest = likelihood.profiled(strengths).chi2
    one = replace(likelihood, hops=()).profiled(strengths).chi2
    best = lowest
    for seed in range(starts):
        random = np.random.default_rng(seed).uniform(-3, 3, likelihood.centre.size)
        pulls = likelihood.centre + random * likelihood.width
        best = np.minimum(best, likelihood.profiled(strengths, pulls=pulls).chi2)
    return lowest - best, one - best


def nsi(coherent, names):
    """All 18 parameters of the NSI model are free."""
    free = {p.name: 0.0 for p in NSI.parameters if p.name.startswith("eps")}
    return Question.of(NSI, [coherent[name] for name in names], {}, free)


@pytest.mark.parametrize(("reach", "alone"), [(0.1, 0.05), (1.0, 10.0), (3.0, 10.0)])
def test_no_point_of_nsi_of_any_size_misses_its_minimum(coherent, reach, alone):
    question = nsi(coherent, ["coherent-lar-2020"])
    points = np.random.default_rng(3).uniform(-reach, reach, (20, len(question.names)))
    found, one = missed(question.likelihood, question.strengths(points), 4)
    assert found.max() < 1e-3
    assert one.max() > alone


@pytest.mark.parametrize(
    ("name", "rare", "left"),
    [
        ("coherent-csi-2021", [355, 472, 835, 873, 938, 998], 1),
        ("coherent-lar-2020", [18, 36, 66, 97, 150], 0),
    ],
)
def test_rare_valleys_are_found_too(coherent, name, rare, left):
    """Few of 1000 random points lie between valleys of the onset, or of F90 far from data; one is missed."""
    question = nsi(coherent, [name])
    points = np.random.default_rng(5).uniform(-1, 1, (1000, len(question.names)))
    found, one = missed(question.likelihood, question.strengths(points[rare]), 12)
    assert found.max() < 3e-3
    assert (found > 1e-3).sum() <= left
    assert (one > 1e-3).sum() >= 5


def test_several_experiments_together_miss_no_minimum(coherent):
    question = nsi(coherent, ["coherent-csi-2021", "coherent-lar-2020"])
    points = np.random.default_rng(4).uniform(-1, 1, (12, len(question.names)))
    found, one = missed(question.likelihood, question.strengths(points), 5)
    assert found.max() < 1e-3
    assert one.max() > 1
    alone = [
        joint_likelihood([coherent[name]], {}).hops for name in ("coherent-csi-2021", "coherent-lar-2020")
    ]
    assert question.likelihood.hops == alone[0] + alone[1]


def test_a_hop_is_in_the_pulls_own_unit_and_only_of_a_free_one(coherent):
    (term,) = nsi(coherent, ["coherent-lar-2020"]).likelihood.terms
    names = [p.name for p in term.pulls]
    hops = (Hop("neutron_radius_ar", 1.0), Hop("sns_flux", -0.3))
    likelihood = JointLikelihood((term,), {"sns_flux": 0.0, "neutron_radius_ar": 0.25}, hops=hops)
    centre = likelihood.centre[names.index("neutron_radius_ar")]
    place = names.index("neutron_radius_ar") - 1  # among the free ones, without the flux
    assert likelihood._hops(likelihood._free(())) == [(place, pytest.approx((1.0 - centre) / 0.25))]


def test_hops_depend_on_no_other_point(coherent):
    question = nsi(coherent, ["coherent-lar-2020"])
    strengths = question.strengths(np.random.default_rng(3).uniform(-1, 1, (40, len(question.names))))
    together = question.likelihood.profiled(strengths).chi2
    by_one = [question.likelihood.profiled(strengths[i : i + 1]).chi2[0] for i in range(0, 40, 8)]
    np.testing.assert_allclose(by_one, together[::8], rtol=1e-12)


def test_a_search_goes_on_from_the_lowest_minimum_at_least_as_far_as_a_hop():
    """Valleys of the first variable at -3, 0 and 4, as low as each problem says; the second goes along."""
    valleys, depths = np.array([-3.0, 0.0, 4.0]), np.array([[0.0, -1.0, -1.0], [-2.0, 0.0, 0.0]])
    asked = []

    def minimise(start):
        asked.append(start.copy())
        number = np.abs(start[0] - valleys[:, np.newaxis]).argmin(axis=0)
        return Minimum(depths[np.arange(2), number], np.stack([valleys[number], start[1]]), number >= 0)

    starts = [np.array([[0.5, 0.5], [7.0, 8.0]])]
    found = search(minimise, starts, [(0, 2.5), (0, -2.0), (0, -1.0)], 1)
    np.testing.assert_array_equal(found.chi2, [-1.0, -2.0])
    np.testing.assert_array_equal(found.pulls, [[0.0], [-3.0]])
    np.testing.assert_array_equal(found.points, [[7.0], [8.0]])
    assert [x[0].tolist() for x in asked] == [[0.5, 0.5], [2.5, 2.5], [-2.0, -2.0], [-1.0, -3.0]]


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
    monkeypatch.setattr(newton, "MOST_STEPS", 2)
    for question in (nurecoil.limit, nurecoil.sensitivity):
        result = question(SCALED_STANDARD_MODEL, [experiment], {}, ("signal_strength", 0.5, 1.5), points=101)
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
