"""Parameters of the model that are fitted at each point: against brute force on a grid."""

import numpy as np
import pytest

import asking
from nurecoil.errors import NurecoilError
from nurecoil.models import STANDARD_MODEL, ZPRIME_331, load_model
from nurecoil.study.question import Question

NSI = load_model("nsi")
FINE = np.linspace(-1, 1, 2001)


def brute_force(question, first, second):
    """Return the least χ² over the second parameter at each value of the first."""
    points = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1)
    return question.chi2(points.reshape(-1, 2)).reshape(len(first), len(second)).min(axis=1)


def test_a_quadratic_parameter_is_fitted_at_each_point(csi):
    x = np.linspace(-0.9, 0.9, 13)
    over = Question.of(NSI, [csi], {}, {"eps_u_ee": 0.0}, over={"eps_u_mumu": (-1.0, 1.0)})
    both = Question.of(NSI, [csi], {}, {"eps_u_ee": 0.0, "eps_u_mumu": 0.0})
    found, lowest = over.profiled(x[:, np.newaxis]), brute_force(both, x, FINE)
    assert found.converged.all()
    assert (found.chi2 <= lowest + 1e-9).all()
    np.testing.assert_allclose(found.chi2, lowest, atol=2e-3)
    alone = Question.of(NSI, [csi], {}, {"eps_u_ee": 0.0}).chi2(x[:, np.newaxis])
    assert (alone - found.chi2).max() > 1  # it matters


def test_the_minimum_may_lie_at_the_end_of_the_range(csi):
    x = np.array([[-0.8], [0.9]])
    over = Question.of(NSI, [csi], {}, {"eps_u_ee": 0.0}, over={"eps_u_mumu": (0.05, 0.1)})
    both = Question.of(NSI, [csi], {}, {"eps_u_ee": 0.0, "eps_u_mumu": 0.0})
    lowest = brute_force(both, x[:, 0], np.linspace(0.05, 0.1, 101))
    np.testing.assert_allclose(over.chi2(x), lowest, rtol=1e-6)


def test_another_parameter_by_repeated_expansion(csi):
    masses = np.geomspace(4e5, 1e7, 5)
    over = Question.of(
        ZPRIME_331, [csi], {"beta": -(3**0.5)}, {"m_zprime": 1e6}, over={"sin2_theta_w": (0.20, 0.249)}
    )
    both = Question.of(ZPRIME_331, [csi], {"beta": -(3**0.5)}, {"m_zprime": 1e6, "sin2_theta_w": 0.23})
    lowest = brute_force(both, masses, np.linspace(0.20, 0.249, 2001))
    found = over.profiled(masses[:, np.newaxis])
    assert found.converged.all()
    assert (found.chi2 <= lowest + 1e-7).all()
    np.testing.assert_allclose(found.chi2, lowest, atol=1e-3)


def test_a_scanned_pull_stays_held(csi):
    name = "binh2021-csi_signal"
    over = Question.of(STANDARD_MODEL, [csi], {}, {name: 0.0}, over={"sin2_theta_w": (0.1, 0.4)})
    both = Question.of(STANDARD_MODEL, [csi], {}, {name: 0.0, "sin2_theta_w": 0.2})
    x = np.array([-0.4, 0.0, 0.3])
    lowest = brute_force(both, x, np.linspace(0.1, 0.4, 3001))
    found = over.profiled(x[:, np.newaxis])
    np.testing.assert_allclose(found.chi2, lowest, atol=1e-6)
    assert found.pulls[:, 0].tolist() == x.tolist()


def test_a_limit_widens_and_says_so(csi):
    scan = ("eps_u_ee", -1.0, 1.0)
    alone = asking.limit(NSI, [csi], {}, scan, points=101)
    over = asking.limit(NSI, [csi], {}, scan, points=101, over={"eps_u_mumu": (-0.2, 0.2)})

    def extent(result):
        return result.values.profile.intervals[0].low, result.values.profile.intervals[-1].high

    assert extent(over)[0] < extent(alone)[0]
    assert extent(over)[1] > extent(alone)[1]
    assert over.conventions["profiled over"] == {"eps_u_mumu": [-0.2, 0.2]}
    assert "eps_u_mumu" in alone.fixed
    assert "eps_u_mumu" not in over.fixed


@pytest.mark.parametrize(
    ("fixed", "over", "sentence"),
    [
        (
            {"eps_u_mumu": 0.1},
            {"eps_u_mumu": (-1, 1)},
            "eps_u_mumu is profiled over, and set or free as well",
        ),
        ({}, {"eps_u_ee": (-1, 1)}, "eps_u_ee is profiled over, and set or free as well"),
        ({}, {"electroweak": (0, 1)}, "electroweak cannot be profiled over: it is a choice"),
        ({}, {"eps_u_mumu": (1, -1)}, "the range of eps_u_mumu, 1 to -1, is reversed or empty"),
        ({}, {"eps_u_mumu": (-99, 1)}, "eps_u_mumu = -99 is not allowed"),
        ({}, {"eps_u_mum": (-1, 1)}, "unknown parameter 'eps_u_mum'"),
    ],
)
def test_refusals(csi, fixed, over, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        asking.study(NSI, [csi], fixed, over=over).question({"eps_u_ee": 0.0})


def test_pulls_cannot_be_frozen_meanwhile(csi):
    with pytest.raises(NurecoilError, match="cannot be frozen while eps_u_mumu is profiled over"):
        asking.limit(NSI, [csi], {}, ("eps_u_ee", -1.0, 1.0), freeze_at=0.0, over={"eps_u_mumu": (-1.0, 1.0)})


@pytest.mark.parametrize("other", ["eps_d_ee", "eps_d_mumu"])
def test_no_valley_of_the_profiled_parameter_is_missed(compiled, other):
    """The lowest of a fine grid, which three starts missed by up to 0.5 at some of these points."""
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    x, y = np.linspace(-0.6, 1.2, 91), np.linspace(-0.8, 0.8, 1601)
    profiled = Question.of(NSI, pair, {}, {"eps_u_ee": 0.0}, over={other: (-0.8, 0.8)})
    grid = Question.of(NSI, pair, {}, {"eps_u_ee": 0.0, other: 0.0})
    lowest, found = brute_force(grid, x, y), profiled.chi2(x[:, np.newaxis])
    assert (found <= lowest + 1e-6).all()
    assert (lowest - found).max() < 0.01  # of the grid's step
