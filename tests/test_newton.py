"""Newton's method for many problems: minima known by hand, saddles, walls, and what counts as converged."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.likelihood.newton import (
    Minimum,
    accept,
    begin,
    minimise_batch,
    propose,
    triangle,
)


class Problem:
    """P functions f(x (P, J), which (P,)) -> values (P,), gradients (P, J), Hessians (P, J, J)."""

    def __init__(self, function, which):
        self.function, self.which = function, which

    def evaluate(self, x):
        value, gradient, hessian = self.function(x.T, self.which)
        packed = [hessian[:, i, j] for i, j in triangle(len(x))]
        return value, gradient.T, np.reshape(packed, (len(packed), value.size))

    def take(self, which):
        return Problem(self.function, self.which[which])


def minimise(function, start, low=None, high=None, **options):
    """Minimise from starts (P, J) inside a box (J,) or (P, J)."""
    problem = Problem(function, np.arange(len(start)))
    low, high = (None if edge is None else np.asarray(edge, dtype=float).T for edge in (low, high))
    found = minimise_batch(problem, np.array(start).T, low=low, high=high, **options)
    return Minimum(found.value, found.x.T, found.converged)


def rosenbrock(x, _):
    """(1 - a)² + 100 (b - a²)²: minimum 0 at (1, 1), in a bent valley; its Hessian is indefinite above it."""
    a, b = x.T
    value = (1 - a) ** 2 + 100 * (b - a**2) ** 2
    gradient = np.stack([-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)], axis=-1)
    mixed = -400 * a
    hessian = np.array([[2 - 400 * b + 1200 * a**2, mixed], [mixed, np.full_like(a, 200.0)]])
    return value, gradient, np.moveaxis(hessian, -1, 0)


class Quartics:
    """Σ_i (r_i² + w_i r_i⁴) with r = R (x - c), one R, c, w for each problem: minimum 0 at c."""

    def __init__(self, problems, variables, seed):
        random = np.random.default_rng(seed)
        self.R = random.normal(size=(problems, variables, variables)) + 3 * np.eye(variables)
        self.c = random.normal(scale=3, size=(problems, variables))
        self.w = random.uniform(0, 5, size=(problems, variables))

    def __call__(self, x, which):
        R, c, w = self.R[which], self.c[which], self.w[which]
        r = np.einsum("pij,pj->pi", R, x - c)
        slope, bend = 2 * r + 4 * w * r**3, 2 + 12 * w * r**2
        value = (r**2 + w * r**4).sum(axis=1)
        return value, np.einsum("pij,pi->pj", R, slope), np.einsum("pij,pi,pik->pjk", R, bend, R)


def double_well(x, _):
    """(a² - 1)² + b²: minima 0 at (±1, 0), a saddle of height 1 at (0, 0)."""
    a, b = x.T
    zero = np.zeros_like(a)
    hessian = np.array([[12 * a**2 - 4, zero], [zero, zero + 2]])
    gradient = np.stack([4 * a * (a**2 - 1), 2 * b], axis=-1)
    return (a**2 - 1) ** 2 + b**2, gradient, np.moveaxis(hessian, -1, 0)


# --- minima -------------------------------------------------------------------------------------------


def test_the_valley_of_rosenbrock_is_followed_to_its_end():
    start = [(-1.2, 1.0), (2.0, -3.0), (0.0, 3.0), (-2.0, 2.0), (1.0, 1.0)]
    found = minimise(rosenbrock, np.array(start))
    assert found.converged.all()
    np.testing.assert_allclose(found.x, np.ones((5, 2)), atol=2e-3)
    np.testing.assert_allclose(found.value, 0, atol=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_convex_quartics_end_in_their_minima(seed, variables):
    quartics = Quartics(5, variables, seed)
    found = minimise(quartics, np.zeros((5, variables)), tolerance=1e-12)
    assert found.converged.all()
    np.testing.assert_allclose(found.value, 0, atol=1e-11)
    r = np.einsum("pij,pj->pi", quartics.R, found.x - quartics.c)
    np.testing.assert_allclose(r, 0, atol=1e-5)


@pytest.mark.parametrize("problems", [40, 400])  # solved by LAPACK, or all at once
def test_the_tolerance_bounds_what_is_left_to_gain(problems):
    quartics = Quartics(problems, 4, seed=1)
    for tolerance in (1e-2, 1e-7):
        found = minimise(quartics, np.zeros((problems, 4)), tolerance=tolerance)
        assert found.converged.all()
        assert found.value.max() < 2 * tolerance  # the minimum is 0; near it a step gains what is left


@pytest.mark.parametrize("problems", [1, 400])
def test_a_step_should_bring_what_the_parabola_says(problems):
    # g·H⁻¹·g/2
    value, gradient, hessian = Quartics(problems, 3, seed=2)(np.zeros((problems, 3)), np.arange(problems))
    problem = Problem(lambda x, _: (value, gradient, hessian), np.arange(problems))
    edge = np.full((3, problems), np.inf)
    _, decrease, _ = propose(begin(problem, np.zeros((3, problems))), -edge, edge, 1e-10)
    by_hand = [g @ np.linalg.solve(H, g) / 2 for g, H in zip(gradient, hessian, strict=True)]
    np.testing.assert_allclose(decrease, by_hand, rtol=1e-8)


def test_the_fused_step_should_bring_the_same():
    steps = pytest.importorskip("nurecoil.likelihood.fused.steps", exc_type=ImportError)
    _, gradient, hessian = Quartics(5, 3, seed=2)(np.zeros((5, 3)), np.arange(5))
    far = np.full(3, np.inf)
    for g, H in zip(gradient, hessian, strict=True):
        vectors, matrices = np.zeros((6, 3)), np.zeros((3, 3, 3))
        vectors[1], matrices[0] = g, H
        decrease = steps._propose.py_func(0, 0.0, 1e-10, -far, far, np.zeros(3), vectors, matrices)
        assert decrease == pytest.approx(g @ np.linalg.solve(H, g) / 2, rel=1e-8)


def test_a_quadratic_takes_one_step():
    calls = []

    def parabola(x, which):
        calls.append(which.size)
        return ((x - 3) ** 2).sum(axis=1), 2 * (x - 3), np.tile(2 * np.eye(2), (len(x), 1, 1))

    found = minimise(parabola, np.zeros((3, 2)))
    np.testing.assert_allclose(found.x, 3.0, rtol=1e-9)
    assert calls == [3, 3]


def test_a_batch_is_its_problems_one_by_one():
    quartics = Quartics(30, 3, seed=7)
    start = np.random.default_rng(8).normal(size=(30, 3))
    together = minimise(quartics, start)
    for number in range(30):
        one = minimise(lambda x, _, n=number: quartics(x, np.full(len(x), n)), start[[number]])
        np.testing.assert_allclose(one.x[0], together.x[number], rtol=1e-9, atol=1e-12)
        assert one.value[0] == pytest.approx(together.value[number], rel=1e-9, abs=1e-12)


def test_the_start_is_left_as_it_was():
    start = np.zeros((2, 2))
    minimise(Quartics(2, 2, seed=3), start)
    np.testing.assert_array_equal(start, 0)


def test_parallel_directions_do_not_stop_it():
    # (a + b - 2)² has no minimum in a - b: any point of the line is one
    def valley(x, _):
        s = x.sum(axis=1) - 2
        return s**2, 2 * s[:, np.newaxis] * np.ones(2), np.tile(np.full((2, 2), 2.0), (len(x), 1, 1))

    found = minimise(valley, np.zeros((1, 2)))
    assert found.converged.all()
    assert found.x.sum() == pytest.approx(2)


def test_variables_of_very_different_size():
    scale = np.array([1e-6, 1.0, 1e6])

    def parabola(x, _):
        hessian = np.tile(np.diag(2 / scale**2), (len(x), 1, 1))
        return ((x / scale - 1) ** 2).sum(axis=1), 2 * (x / scale - 1) / scale, hessian

    found = minimise(parabola, np.zeros((1, 3)))
    assert found.converged.all()
    np.testing.assert_allclose(found.x[0], scale, rtol=1e-9)


# --- indefinite Hessians, saddles, walls --------------------------------------------------------------


@pytest.mark.parametrize("a", [0.5, 0.1, 1e-3, 1e-9, -1e-9, -0.3])
def test_from_the_hill_between_two_wells_it_goes_down(a):
    found = minimise(double_well, np.array([[a, 0.7]]))
    assert found.converged.all()
    assert found.value[0] == pytest.approx(0, abs=1e-6)
    assert abs(found.x[0, 0]) == pytest.approx(1, abs=1e-3)


def test_a_hill_is_left_in_few_steps():
    calls = []

    def counted(x, which):
        calls.append(len(x))
        return double_well(x, which)

    minimise(counted, np.array([[0.1, 0.7]]))
    assert len(calls) < 15


def test_a_saddle_is_no_minimum():
    found = minimise(double_well, np.zeros((1, 2)))
    assert found.converged.all()
    assert found.value[0] == pytest.approx(0, abs=1e-6)
    # turned by 45°, so that no variable alone leads down
    turn = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)

    def turned(x, which):
        value, gradient, hessian = double_well(x @ turn, which)
        return value, gradient @ turn.T, turn @ hessian @ turn.T

    found = minimise(turned, np.zeros((1, 2)))
    assert found.converged.all()
    assert found.value[0] == pytest.approx(0, abs=1e-6)


def test_the_value_never_rises():
    values = []

    def watched(x, which):
        result = rosenbrock(x, which)
        values.append(result[0][0])
        return result

    found = minimise(watched, np.array([[-1.2, 1.0]]))
    assert found.value[0] == min(values)
    assert max(values) > values[0]  # some step was refused on the way


def test_the_value_never_rises_on_the_way_however_small_it_is():
    def small(x, which):
        return tuple(1e-6 * part for part in rosenbrock(x, which))

    start = np.random.default_rng(3).uniform(-2, 2, (2, 200))
    problem, edge = Problem(small, np.arange(200)), np.full((2, 200), np.inf)
    state = begin(problem, start)
    refused = 0
    for _ in range(60):
        trial, decrease, state = propose(state, -edge, edge, 1e-20)
        after = accept(state, trial, decrease, problem.evaluate(trial))
        assert (after.value <= state.value).all()
        refused += int((after.damping > state.damping).sum())
        state = after
    assert refused > 0


def walled(x, _):
    """X - ln x, infinite for x <= 0: minimum 1 at 1; a full step from x = 5 leads to -15."""
    a = x[:, 0]
    safe = np.where(a > 0, a, 1.0)
    value = np.where(a > 0, safe - np.log(safe), np.inf)
    return value, (1 - 1 / safe)[:, np.newaxis], (1 / safe**2)[:, np.newaxis, np.newaxis]


def test_infinite_values_are_walls():
    found = minimise(walled, np.array([[5.0], [0.01], [1.0], [60.0]]))
    assert found.converged.all()
    np.testing.assert_allclose(found.x[:, 0], 1, atol=1e-3)
    np.testing.assert_allclose(found.value, 1, atol=1e-6)


# --- converged ----------------------------------------------------------------------------------------


def test_what_falls_for_ever_has_not_converged_and_the_others_have():
    def cliff(x, which):
        value, gradient, hessian = walled(x, which)
        falls = which == 1
        value[falls], gradient[falls], hessian[falls] = -x[falls, 0], -1.0, 1e-3
        return value, gradient, hessian

    found = minimise(cliff, np.full((3, 1), 2.0))
    assert found.converged.tolist() == [True, False, True]
    np.testing.assert_allclose(found.x[[0, 2], 0], 1, atol=1e-3)


def test_an_infinite_start_has_not_converged():
    def nowhere(x, _):
        return np.full(len(x), np.inf), np.ones_like(x), np.tile(np.eye(2), (len(x), 1, 1))

    assert not minimise(nowhere, np.zeros((1, 2))).converged.any()


def test_without_variables_there_is_nothing_to_do():
    found = minimise(lambda x, _: (np.array([4.0, 5.0]), x, np.zeros((2, 0, 0))), np.zeros((2, 0)))
    assert found.value.tolist() == [4, 5]
    assert found.converged.all()


def test_the_same_minima_as_scipy_finds():
    quartics = Quartics(10, 3, seed=11)
    tilt = np.array([5.0, -2.0, 1.0])  # moves the minima to where no formula gives them

    def tilted(x, which):
        value, gradient, hessian = quartics(x, which)
        return value + x @ tilt, gradient + tilt, hessian

    found = minimise(tilted, np.zeros((10, 3)))
    for number in range(10):
        which = np.array([number])
        scipy_found = scipy.optimize.minimize(
            lambda x, which=which: tilted(x[np.newaxis], which)[0][0], np.zeros(3), method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000},
        )  # fmt: skip
        assert found.value[number] == pytest.approx(scipy_found.fun, abs=1e-6)


# --- in a box -----------------------------------------------------------------------------------------


def test_a_parabola_in_a_box_is_bounded_least_squares():
    # the minimum of |A x - b|² with l <= x <= u, by SciPy's active sets
    random = np.random.default_rng(5)
    A, b = random.normal(size=(200, 6, 4)), random.normal(scale=3, size=(200, 6))

    def squares(x, which):
        r = np.einsum("pij,pj->pi", A[which], x) - b[which]
        hessian = 2 * np.einsum("pij,pik->pjk", A[which], A[which])
        return (r**2).sum(axis=1), 2 * np.einsum("pij,pi->pj", A[which], r), hessian

    low, high = np.array([-0.5, -np.inf, 0.1, -1.0]), np.array([0.5, 0.3, np.inf, 1.0])
    found = minimise(squares, np.tile([0.0, 0.0, 0.5, 0.0], (200, 1)), low, high)
    assert found.converged.all()
    at_bound = 0
    for number in range(200):
        expected = scipy.optimize.lsq_linear(A[number], b[number], (low, high), tol=1e-14)
        assert found.value[number] == pytest.approx(2 * expected.cost, rel=1e-8, abs=1e-9)
        np.testing.assert_allclose(found.x[number], expected.x, atol=1e-4)
        at_bound += (expected.active_mask != 0).sum()
    assert at_bound > 200  # the bounds are what is tested
    assert (found.x >= low).all()
    assert (found.x <= high).all()


def test_each_problem_may_have_its_own_box():
    def parabola(x, _):
        return ((x - 3) ** 2).sum(axis=1), 2 * (x - 3), np.tile(2 * np.eye(2), (len(x), 1, 1))

    low = [[-np.inf, -np.inf], [0, 4], [0, 0]]
    high = [[np.inf, np.inf], [1, 9], [2, 2]]
    found = minimise(parabola, [[0.0, 0.0], [0.5, 5.0], [2.0, 0.0]], low, high)
    assert found.converged.all()
    np.testing.assert_allclose(found.x, [[3, 3], [1, 4], [2, 2]], rtol=1e-9)
    np.testing.assert_allclose(found.value, [0, 5, 2], atol=1e-12)


def test_a_bound_is_left_when_the_function_falls_inwards():
    found = minimise(rosenbrock, [[-2.0, -2.0], [2.0, 2.0], [-2.0, 2.0]], [-2, -2], [2, 2])
    assert found.converged.all()
    np.testing.assert_allclose(found.x, 1, atol=2e-3)


def test_a_narrow_valley_ends_at_the_wall():
    # a <= 0.5: then b = a² and (1 - 0.5)²
    found = minimise(rosenbrock, [[-1.2, 1.0], [0.5, -3.0]], [-np.inf, -np.inf], [0.5, np.inf])
    assert found.converged.all()
    np.testing.assert_allclose(found.x, [[0.5, 0.25]] * 2, atol=1e-4)
    np.testing.assert_allclose(found.value, 0.25, rtol=1e-8)


def test_a_box_keeps_each_well_apart():
    found = minimise(double_well, [[-0.5, 0.7], [0.5, 0.7]], [[-2, -2], [0.2, -2]], [[-0.2, 2], [2, 2]])
    np.testing.assert_allclose(found.x, [[-1, 0], [1, 0]], atol=1e-4)
