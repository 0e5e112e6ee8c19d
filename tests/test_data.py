"""Data sets: picked, refused, expected (Asimov) and simulated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import BINS, Case, gaussian_term, pull
from nurecoil.errors import NurecoilError
from nurecoil.likelihood import Data, JointLikelihood

SEEDS = st.integers(0, 10_000)


def two(seed=0, **widths):
    """Return a Poisson and a Gaussian experiment together, the strengths and the Poisson one by itself."""
    case = Case(seed)
    sigma = np.array([3.0, 5.0, 2.0])
    templates = np.array([[20.0, 10.0, 5.0]])
    gaussian = gaussian_term("gaussian", np.array([22.0, 9.0, 6.0]), sigma, templates, pull("rate2", 0.2))
    return JointLikelihood((case.term, gaussian), widths), case


# --- sets ---------------------------------------------------------------------------------------------


def test_sets_are_counted_and_picked_and_what_is_the_same_stays():
    many = Data((np.arange(6.0).reshape(3, 2), np.array([7.0])), np.zeros((1, 4)))
    assert many.sets == 3
    picked = many.at(np.array([2, 0]))
    np.testing.assert_array_equal(picked.counts[0], [[4, 5], [0, 1]])
    np.testing.assert_array_equal(picked.counts[1], [7])
    assert picked.centres.shape == (1, 4)
    assert Data((np.zeros(3),), np.zeros(2)).sets == 1
    assert Data((np.zeros(3),), np.zeros((5, 2))).sets == 5
    assert many.at(slice(1, 2)).sets == 1


@pytest.mark.parametrize(
    ("counts", "centres", "sentence"),
    [
        ((np.zeros(4), np.zeros(3)), np.zeros(9), "data need 5 finite counts a set"),
        ((np.zeros(5), np.full(3, np.nan)), np.zeros(9), "data need 3 finite counts a set"),
        ((np.zeros(5), np.zeros((2, 3))), np.zeros(8), "data need 9 finite centres"),
        ((np.zeros(5), np.zeros(3)), np.full(9, np.inf), "data need 9 finite centres"),
    ],
)
def test_data_of_another_shape_are_refused(counts, centres, sentence):
    likelihood, _ = two()
    assert len(likelihood.pulls) == 9
    with pytest.raises(NurecoilError, match=sentence):
        likelihood.with_data(Data(counts, centres))


def test_the_data_of_the_experiments_are_what_is_observed():
    likelihood, case = two()
    np.testing.assert_array_equal(likelihood.observed.counts[0], case.observed)
    np.testing.assert_array_equal(likelihood.observed.centres, likelihood.centre)
    assert likelihood.observed.centres[[p.name for p in likelihood.pulls].index("radius")] == 5


# --- expected -----------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(SEEDS, st.booleans())
def test_expected_data_fit_with_chi2_zero_where_they_were_made(seed, elsewhere):
    likelihood, case = two(seed)
    x = None
    if elsewhere:  # not so far that another minimum is as near
        x = likelihood.centre + 0.3 * (np.append(case.anywhere()[0], 0.1) - likelihood.centre)
    data = likelihood.expected(case.one, x)
    found = likelihood.with_data(data).profiled(case.one)
    assert found.chi2[0] == pytest.approx(0, abs=1e-8)
    assert found.converged.all()
    centre = likelihood.centre if x is None else x
    np.testing.assert_array_equal(data.centres, centre)
    np.testing.assert_allclose((found.pulls[0] - centre) / likelihood.width, 0, atol=2e-4)
    mean = np.sum(list(case.expected(centre[:-1]).values()), axis=0)
    np.testing.assert_allclose(data.counts[0], mean, rtol=1e-11)


# --- simulated ----------------------------------------------------------------------------------------


def test_simulated_counts_and_centres_have_their_mean_and_variance():
    likelihood, case = two(3)
    truth, toys = np.append(case.anywhere()[0], 0.1), 20_000
    data = likelihood.simulate(case.one, truth, toys, np.random.default_rng(1))
    assert data.sets == toys
    poisson = np.sum(list(case.expected(truth[:-1]).values()), axis=0)
    gaussian, sigma = 1.1 * np.array([20.0, 10.0, 5.0]), np.array([3.0, 5.0, 2.0])
    for found, mean, variance in (
        (data.counts[0], poisson, poisson),
        (data.counts[1], gaussian, sigma**2),
        (data.centres, truth, likelihood.width**2),
    ):
        error = np.sqrt(variance / toys)
        np.testing.assert_array_less(np.abs(found.mean(axis=0) - mean), 4 * error + 1e-12)
        # of a variance: 2 σ⁴/N, and a little more for a Poisson count
        np.testing.assert_allclose(found.var(axis=0), variance, rtol=4.5 * np.sqrt(2.5 / toys))
        correlation = np.corrcoef(found[:, np.array(mean) != 0].T)
        assert np.abs(correlation - np.eye(len(correlation))).max() < 4.5 / np.sqrt(toys)
    assert (data.counts[0] == data.counts[0].round()).all()


def test_one_seed_is_one_simulation():
    likelihood, case = two(3)
    first, same, other = (
        likelihood.simulate(case.one, likelihood.centre, 5, np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    for a, b, c in zip((*first.counts, first.centres), (*same.counts, same.centres),
                       (*other.counts, other.centres), strict=True):  # fmt: skip
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()


def test_pulls_without_an_auxiliary_measurement_keep_their_centres():
    likelihood, case = two(3, light=0.0, own=np.inf)
    truth = np.append(case.anywhere()[0], 0.1)
    data = likelihood.simulate(case.one, truth, 4, np.random.default_rng(1))
    for number, name in enumerate(p.name for p in likelihood.pulls):
        moved = data.centres[:, number] != likelihood.centre[number]
        assert moved.all() if name not in ("light", "own") else not moved.any()


# --- χ² of data ---------------------------------------------------------------------------------------


@given(SEEDS)
def test_chi2_of_many_sets_is_that_of_plain_loops_for_each(seed):
    likelihood, case = two(seed)
    toys = likelihood.simulate(case.one, likelihood.centre, 3, np.random.default_rng(seed))
    (x,) = np.column_stack([case.anywhere(), [0.1]])
    found = likelihood.with_data(toys).chi2(case.one, x)
    assert found.shape == (3,)
    for number in range(3):
        case.observed, centres = toys.counts[0][number], toys.centres[number].tolist()
        mean, sigma = 1.1 * np.array([20.0, 10.0, 5.0]), np.array([3.0, 5.0, 2.0])
        expected = case.chi2(x[:-1]) + case.prior(x[:-1], centres[:-1])
        expected += (((toys.counts[1][number] - mean) / sigma) ** 2).sum() + ((0.1 - centres[-1]) / 0.2) ** 2
        assert found[number] == pytest.approx(expected, rel=1e-9)


@settings(max_examples=15)
@given(SEEDS)
def test_profiled_is_never_above_chi2_at_any_pulls(seed):
    likelihood, case = two(seed)
    toys = likelihood.simulate(case.one, likelihood.centre, 4, np.random.default_rng(seed))
    with_toys = likelihood.with_data(toys)
    found = with_toys.profiled(case.one)
    at_best = with_toys.chi2(case.one, found.pulls)
    np.testing.assert_allclose(at_best, found.chi2, rtol=1e-9, atol=1e-9)
    for x in np.column_stack([case.anywhere(4), np.full(4, 0.1)]):
        between = found.pulls + 0.01 * (x - found.pulls)
        assert (with_toys.chi2(case.one, between) >= found.chi2 - 1e-7)[found.converged].all()


@pytest.mark.parametrize("seed", range(3))
def test_each_set_is_profiled_as_if_it_were_alone(seed):
    likelihood, case = two(seed)
    toys = likelihood.simulate(case.one, likelihood.centre, 15, np.random.default_rng(seed))
    together = likelihood.with_data(toys).profiled(case.one)
    for number in range(15):
        alone = likelihood.with_data(toys.at(np.array([number]))).profiled(case.one)
        assert together.chi2[number] == pytest.approx(alone.chi2[0], abs=1e-8)
    assert toys.counts[0].shape[1] == BINS


def test_rough_shapes_are_profiled_within_the_steps_allowed():
    likelihood, case = two(20)
    toys = likelihood.simulate(case.one, likelihood.centre, 200, np.random.default_rng(20))
    assert likelihood.with_data(toys).profiled(case.one).converged.all()
