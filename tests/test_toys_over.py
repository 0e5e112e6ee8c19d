"""Toys with more parameters profiled in data and toys: closed forms, brute force, any number of workers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from asking import feldman_cousins
from cases import gaussian_term
from few_counts import critical_values
from nurecoil.errors import NurecoilError
from nurecoil.likelihood import JointLikelihood
from nurecoil.models import NSI, Model
from nurecoil.parameters import Parameter
from nurecoil.physics.couplings import Couplings
from nurecoil.study.question import Question
from nurecoil.study.toys import ToyStatistic, minima_of

WILKS = 2.705543
SEED = np.random.SeedSequence(4)
COUNTS = np.array([[3.0, 5.0, 1.0], [2.0, 0.5, 4.0]])  # in three bins, of a and of b
SIGMA = np.array([4.0, 6.0, 5.0])
SLOPES = COUNTS / SIGMA


def couplings(values):
    """Moments squared a and b: strengths are linear in them."""
    a, b = np.broadcast_arrays(np.asarray(values["a"], dtype=float), np.asarray(values["b"], dtype=float))
    none = np.zeros((*a.shape, 3, 3))
    return Couplings(none, none, none, none, np.sqrt(np.stack([a, b, 0 * a], axis=-1)))


PARAMETERS = tuple(Parameter(name, "", name, 10.0, low=0.0) for name in ("a", "b"))
LINEAR = Model("linear", "", "", PARAMETERS, couplings)


def linear(a, b):
    """Return a question of a with b profiled from 0 to 60, whose data are those of a and b."""
    templates = np.zeros((12, 3))
    templates[9:11] = COUNTS
    likelihood = JointLikelihood((gaussian_term("bins", [a, b] @ COUNTS, SIGMA, templates),), {})
    return Question(LINEAR, likelihood, PARAMETERS[:1], {"b": 10.0}, {"a": 10.0}, {}, over={"b": (0.0, 60.0)})


def toys_of(question):
    return ToyStatistic(question, 0.0, 60.0, minima_of(question, 0.0, 60.0))


def chi2(n, a, b):
    """χ² of data (toys, 3) in units of σ."""
    return ((n - np.outer(a, SLOPES[0]) - np.outer(b, SLOPES[1])) ** 2).sum(axis=1)


def by_hand(question, x, toys):
    """t of the same toys: χ² is a parabola of a and b, and b is not negative."""
    b_at_x = question.profiled([[x]]).points[0, 0]
    data = question.whole.simulate([x, b_at_x], [], toys, np.random.default_rng(SEED))
    n, (of_a, of_b) = data.counts[0] / SIGMA, SLOPES
    b = np.maximum((n - x * of_a) @ of_b / (of_b @ of_b), 0.0)
    both = n @ np.linalg.pinv(SLOPES)
    without_b = n @ of_a / (of_a @ of_a)
    at_bound = both[:, 1] < 0
    best_a, best_b = np.where(at_bound, without_b, both[:, 0]), np.where(at_bound, 0.0, both[:, 1])
    return chi2(n, np.full(toys, x), b) - chi2(n, best_a, best_b), at_bound.mean()


def test_two_gaussian_parameters_are_those_of_wilks():
    question = linear(20.0, 25.0)
    t, failed = toys_of(question)(18.0, 2000, SEED)
    expected, at_bound = by_hand(question, 18.0, 2000)
    assert (failed, at_bound) == (0, 0)
    assert t == pytest.approx(expected, abs=1e-7)
    (value,), (error,), _ = critical_values(toys_of(question), [18.0], 0.9, toys=4000)
    assert value == pytest.approx(WILKS, abs=4 * error)


def test_a_bound_of_the_other_parameter_counts():
    question = linear(20.0, 0.0)
    t, failed = toys_of(question)(20.0, 2000, SEED)
    expected, at_bound = by_hand(question, 20.0, 2000)
    assert failed == 0
    assert at_bound == pytest.approx(0.5, abs=0.05)
    assert t == pytest.approx(expected, abs=1e-7)


def on_a_grid(question, x, toys, first, second):
    """t of the same toys: the least χ² on a grid, at x and in all."""
    best = question.profiled([[x]])
    data = question.whole.simulate([x, *best.points[0]], best.pulls[0], toys, np.random.default_rng(SEED))
    points = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    at_x = np.column_stack([np.full(second.size, x), second])
    each = [question.whole.with_data(data.at(np.array([number]))) for number in range(toys)]
    return np.array([one.chi2(at_x).min() - one.chi2(points).min() for one in each])


@pytest.mark.parametrize("x", [-0.1, 0.2, 0.5])
def test_couplings_of_four_solutions_as_on_a_fine_grid(compiled, x):
    pair = [compiled["binh2021-csi"], compiled["binh2021-ge"]]
    question = Question.of(NSI, pair, {}, {"eps_u_ee": -0.3}, over={"eps_u_mumu": (-0.4, 0.8)})
    t, failed = ToyStatistic(question, -0.3, 0.7, minima_of(question, -0.3, 0.7))(x, 40, SEED)
    expected = on_a_grid(question, x, 40, np.linspace(-0.3, 0.7, 201), np.linspace(-0.4, 0.8, 241))
    assert failed == 0
    assert t == pytest.approx(expected, abs=0.02)


def test_an_interval_with_another_coupling_profiled_is_wider_and_the_same_for_any_workers(csi):
    over = {"eps_u_mumu": (-0.2, 0.2)}

    def asked(**more):
        scan = ("eps_u_ee", -1.0, 1.0)
        options = {"toys": 300, "points": 5, "rounds": 1, "coverage": [0.0], "engine": "numpy", **more}
        return feldman_cousins(NSI, [csi], {}, scan, **options)

    alone, once = asked(), asked(over=over)
    with ThreadPoolExecutor(3) as pool:
        again = asked(over=over, executor=pool)
    found, other = once.values.calibration, alone.values.calibration
    assert once.converged
    assert once.conventions["profiled over"] == {"eps_u_mumu": [-0.2, 0.2]}
    assert found.intervals[0].low < other.intervals[0].low
    assert found.intervals[-1].high > other.intervals[-1].high
    assert found.intervals == again.values.calibration.intervals
    assert (found.critical == again.values.calibration.critical).all()
    assert (once.values.coverage.toys == again.values.coverage.toys).all()
    assert once.values.coverage.toys[0] > 0.86


def test_a_nuisance_parameter_is_scanned_while_a_coupling_is_profiled(csi):
    name = "binh2021-csi_signal"
    question = Question.of(NSI, [csi], {}, {name: -0.4}, over={"eps_u_ee": (-0.5, 1.0)})
    t, failed = ToyStatistic(question, -0.4, 0.4, minima_of(question, -0.4, 0.4))(0.1, 20, SEED)
    assert failed == 0
    expected = on_a_grid(question, 0.1, 20, np.linspace(-0.4, 0.4, 161), np.linspace(-0.5, 1.0, 201))
    assert t == pytest.approx(expected, abs=0.02)


def test_what_is_scanned_cannot_be_profiled_over_as_well(csi):
    with pytest.raises(NurecoilError, match="eps_u_ee is both scanned and profiled"):
        feldman_cousins(NSI, [csi], {}, ("eps_u_ee", -1.0, 1.0), over={"eps_u_ee": (-1.0, 1.0)})
