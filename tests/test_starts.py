"""Where the search for the best pulls begins: local minima found, and no start without use."""

from dataclasses import replace

import numpy as np
import pytest

import nurecoil
from cases import pull
from nurecoil import newton
from nurecoil.analysis import Question, joint_likelihood
from nurecoil.experiment import Background, BinnedStatistics, Variation
from nurecoil.likelihood import JointLikelihood, binned_term, with_useful_starts
from nurecoil.likelihood.starts import starts_beside, useful
from nurecoil.models import SCALED_STANDARD_MODEL, load_model


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
    assert with_useful_starts(likelihood, np.ones((1, 12))) is likelihood


def test_no_point_of_an_nsi_map_ends_in_a_local_minimum(coherent):
    # from one start a third of these points miss their minimum, by up to 10
    question = Question.of(
        load_model("nsi"), [coherent["coherent-lar-2020"]], {}, {"eps_u_ee": 0.0, "eps_u_mumu": 0.0}
    )
    points = np.random.default_rng(3).uniform(-0.3, 0.3, (40, 2))
    likelihood, strengths = question.likelihood, question.strengths(points)
    found = likelihood.profiled(strengths).chi2
    for seed in range(4):
        random = np.random.default_rng(seed).normal(size=len(likelihood.centre))
        start = tuple((likelihood.centre + 1.5 * likelihood.width * random).tolist())
        assert (found <= replace(likelihood, starts=(start,)).profiled(strengths).chi2 + 1e-3).all()
    alone = replace(likelihood, starts=likelihood.starts[:1]).profiled(strengths).chi2
    assert (alone - found).max() > 1


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
