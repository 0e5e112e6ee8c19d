"""χ² of one experiment and of several together: plain loops, finite differences in pulls and parameters."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import plain_morph, plain_poisson
from nurecoil.likelihood.arrays import Background, SignalArrays, TermArrays
from nurecoil.likelihood.newton import triangle
from nurecoil.likelihood.objective import deviance, evaluate, expected, slopes
from nurecoil.likelihood.problem import Inputs, JointProblem, Layout
from nurecoil.likelihood.response import Expansion, respond, respond_and_return, respond_with_derivatives

BINS, STRENGTHS, PARAMETERS, PULLS = 6, 3, 2, 8
KINDS = [(gaussian, linear) for gaussian in (False, True) for linear in (False, True)]
IDS = [f"{'gaussian' if g else 'poisson'}, {'linear' if k else 'exponential'}" for g, k in KINDS]
RATES, SIGNAL_SHAPES, LOGARITHMS = (0, 1), (2, 3), (0.1, 0.25)
PAIRS = ((0, 1),)  # of the signal's shapes: pulls 2 and 3
# Backgrounds by name: the pull of the rate and those of the shape. Pulls 1, 3 and 7 act on two components,
# and pull 6 is the rate of two
LAYOUT = {"flat": (4, ()), "flux": (1, ()), "shaped": (6, (3, 7)), "shaped too": (6, (7,)), "last": (5, ())}


def ends_of(random, shape, counts):
    return random.uniform(0.5, 2.0, size=shape) * counts


def product(t, other):
    """t·t', half of a difference of squares that go on straight where a pull is beyond 1."""

    def square(x, end):
        return x * x if abs(x) <= end else end * (2 * abs(x) - end)

    return (square(t + other, 2) - square(t, 1) - square(other, 1)) / 2


class Random:
    """An experiment with every kind of pull, some bins empty in data, signal or background."""

    def __init__(self, seed, gaussian, linear):
        random = self.random = np.random.default_rng(seed)
        nominal = random.uniform(1, 9, (STRENGTHS, BINS)) * (np.arange(BINS) != 1)
        self.templates = np.concatenate([nominal[None], ends_of(random, (6, STRENGTHS, BINS), nominal)])
        self.counts = {name: random.uniform(5, 20, BINS) * (np.arange(BINS) != 2) for name in LAYOUT}
        self.ends = {name: ends_of(random, (2, len(k), BINS), self.counts[name])
                     for name, (_, k) in LAYOUT.items()}  # fmt: skip
        self.observed = random.poisson(60, BINS) * (np.arange(BINS) != 3).astype(float)
        self.linear, self.gaussian = linear, gaussian
        signal = SignalArrays(self.templates, RATES, None if linear else LOGARITHMS, SIGNAL_SHAPES, PAIRS)
        self.arrays = TermArrays(gaussian, signal, tuple(self.background(name) for name in LAYOUT))
        # q_s = (u_s + v_s·(θ - c))², which no θ makes negative
        self.u, self.v = random.uniform(0.5, 1.5, STRENGTHS), random.normal(size=(PARAMETERS, STRENGTHS))
        self.centre = random.normal(size=PARAMETERS)
        curvature = [2 * self.v[i] * self.v[j] for i, j in triangle(PARAMETERS)]
        parts = (self.centre, self.u**2, 2 * self.u * self.v, curvature)
        self.expansion = Expansion(*(np.array(part)[np.newaxis] for part in parts))

    def background(self, name):
        rate, shapes = LAYOUT[name]
        n = self.counts[name]
        with np.errstate(invalid="ignore"):
            high, low = (np.where(n > 0, np.log(end / n), 0.0) for end in self.ends[name])
        return Background(name, n, rate, shapes, (high - low) / 2, (high + low) / 2)

    def anywhere(self):
        """Return pulls off the kinks, on both sides, and parameters."""
        t = self.random.choice([-1.7, -0.6, -0.2, 0.4, 0.8, 1.3], PULLS)
        t += self.random.uniform(-0.1, 0.1, PULLS)
        t[[0, 1, 4, 5, 6]] *= 0.2
        return t, self.centre + 0.3 * self.random.normal(size=PARAMETERS)

    def strengths(self, theta):
        return (self.u + (theta - self.centre) @ self.v) ** 2

    def mean(self, t, theta):
        """The counts in plain loops, by component."""
        signal, *ends = (self.strengths(theta) @ block for block in self.templates)
        rate = 1 + t[0] + t[1] if self.linear else np.exp(0.1 * t[0] + 0.25 * t[1])
        # c = ln(up·down/s²)/2 of the pair, less those of its pulls
        bends = [np.sqrt(up * down) for up, down in zip(ends[::2], ends[1::2], strict=True)]
        parts = {"signal": [rate * signal[b] * self.morphs(t, SIGNAL_SHAPES, signal, ends[::2], ends[1::2], b)
                            * (bends[2][b] * signal[b] / (bends[0][b] * bends[1][b]) if signal[b] else 1)
                            ** product(t[2], t[3]) for b in range(BINS)]}  # fmt: skip
        for name, (number, shapes) in LAYOUT.items():
            n, (up, down) = self.counts[name], self.ends[name]
            morphs = [self.morphs(t, shapes, n, up, down, b) for b in range(BINS)]
            parts[name] = [(1 + t[number]) * n[b] * morphs[b] for b in range(BINS)]
        return parts

    @staticmethod
    def morphs(t, shapes, n, ups, downs, b):
        factors = [plain_morph(t[k], n[b], ups[i][b], downs[i][b]) for i, k in enumerate(shapes)]
        return float(np.prod(factors))

    def chi2(self, t, theta):
        mu = np.sum(list(self.mean(t, theta).values()), axis=0)
        if self.gaussian:
            return sum((n - m) ** 2 for n, m in zip(self.observed, mu, strict=True))
        return plain_poisson(self.observed, mu)

    def evaluated(self, t, theta):
        """Return the engine's value (), gradient (J,) and Hessian (J, J) in pulls and parameters."""
        signal, derivatives = respond_with_derivatives(self.arrays.signal, self.expansion, theta[None])
        pulls = [np.array([x]) for x in t]
        value, g, h = evaluate(self.arrays, signal, self.observed[None], pulls, derivatives)
        gradient, hessian = np.zeros(PULLS + PARAMETERS), np.zeros((PULLS + PARAMETERS,) * 2)
        for i, slope in g.items():
            gradient[i] = slope.item()
        for (i, j), curve in h.items():
            assert i >= j
            hessian[i, j] = hessian[j, i] = curve.item()
        return value.item(), gradient, hessian


def check_derivatives(evaluated, x, step=1e-5):
    """Compare gradient and Hessian at x (J,) with central differences of values and gradients."""
    _, gradient, hessian = evaluated(x)
    for j in range(x.size):
        shift = step * np.eye(x.size)[j]
        up, down = evaluated(x + shift), evaluated(x - shift)
        slope, curve = ((up[k] - down[k]) / (2 * step) for k in (0, 1))
        assert gradient[j] == pytest.approx(slope, abs=2e-7 * (1 + np.abs(gradient).max()))
        np.testing.assert_allclose(hessian[j], curve, rtol=0, atol=2e-7 * (1 + np.abs(hessian).max()))


# --- one experiment -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("gaussian", "linear"), KINDS, ids=IDS)
@pytest.mark.parametrize("seed", range(4))
def test_counts_and_chi2_are_those_of_plain_loops(seed, gaussian, linear):
    case = Random(seed, gaussian, linear)
    t, theta = case.anywhere()
    signal = respond(case.arrays.signal, case.strengths(theta)[None])
    found = expected(case.arrays, signal, [np.array([x]) for x in t])
    mean = case.mean(t, theta)
    assert set(found) == set(mean)
    for name, counts in mean.items():
        np.testing.assert_allclose(found[name][0], counts, rtol=1e-11)
    assert case.evaluated(t, theta)[0] == pytest.approx(case.chi2(t, theta), rel=1e-10)


@pytest.mark.parametrize(("gaussian", "linear"), KINDS, ids=IDS)
@pytest.mark.parametrize("seed", range(8))
def test_derivatives_in_pulls_and_parameters_are_finite_differences(seed, gaussian, linear):
    case = Random(seed, gaussian, linear)
    x = np.concatenate(case.anywhere())
    check_derivatives(lambda x: case.evaluated(x[:PULLS], x[PULLS:]), x)


@pytest.mark.parametrize(("gaussian", "linear"), KINDS, ids=IDS)
def test_points_are_one_by_one(gaussian, linear):
    case = Random(3, gaussian, linear)
    places = [case.anywhere() for _ in range(5)]
    t, theta = (np.array(part) for part in zip(*places, strict=True))
    signal, derivatives = respond_with_derivatives(case.arrays.signal, case.expansion, theta)
    value, g, h = evaluate(case.arrays, signal, case.observed[None], list(t.T), derivatives)
    for number, (pulls, parameters) in enumerate(places):
        one = case.evaluated(pulls, parameters)
        assert value[number] == pytest.approx(one[0], rel=1e-12)
        for i, slope in g.items():
            assert slope[number] == pytest.approx(one[1][i], rel=1e-10, abs=1e-10)
        for pair, curve in h.items():
            assert curve[number] == pytest.approx(one[2][pair], rel=1e-10, abs=1e-9)


@pytest.mark.parametrize(("gaussian", "linear"), KINDS, ids=IDS)
def test_slopes_are_the_gradient_and_in_strengths_finite_differences(gaussian, linear):
    case = Random(5, gaussian, linear)
    places = [case.anywhere() for _ in range(4)]
    t, theta = (np.array(part) for part in zip(*places, strict=True))

    def at(strengths):
        pulls = list(t.T)
        signal, back = respond_and_return(case.arrays.signal, strengths, [pulls[k] for k in SIGNAL_SHAPES])
        value, gradient, of_logarithm = slopes(case.arrays, signal, case.observed[None], pulls)
        return value, gradient, back(of_logarithm)

    q = np.array([case.strengths(x) for x in theta])
    value, gradient, of_strengths = at(q)
    for number, (pulls, parameters) in enumerate(places):
        chi2, whole, _ = case.evaluated(pulls, parameters)
        assert value[number] == pytest.approx(chi2, rel=1e-12)
        found = [gradient[k][number] for k in range(PULLS)]
        np.testing.assert_allclose(found, whole[:PULLS], rtol=1e-10, atol=1e-10)
    for j in range(STRENGTHS):
        step = 1e-6 * np.eye(STRENGTHS)[j]
        difference = (at(q + step)[0] - at(q - step)[0]) / 2e-6
        np.testing.assert_allclose(of_strengths[:, j], difference, rtol=1e-6)


def test_a_rate_of_zero_keeps_its_derivatives():
    # 1 + t = 0: the logarithmic derivative is infinite, the derivative itself is not: μ = (1 + t) 5 + 3
    signal = SignalArrays(np.full((1, 1, 1), 5.0), (0,), None, ())
    flat = Background("b", np.array([3.0]), 1, (), np.empty((0, 1)), np.empty((0, 1)))
    arrays = TermArrays(True, signal, (flat,))
    pulls = [np.array([-1.0]), np.array([0.0])]
    value, g, h = evaluate(arrays, respond(signal, np.ones((1, 1))), np.array([[7.0]]), pulls)
    assert value[0] == pytest.approx(16)
    assert (g[0].item(), g[1].item()) == pytest.approx((2 * -4 * 5, 2 * -4 * 3))
    assert (h[0, 0].item(), h[1, 0].item(), h[1, 1].item()) == pytest.approx((50, 30, 18), rel=1e-4)


def test_the_deviance_by_hand():
    # 2 [μ - n + n ln(n/μ)], 2 (1 - n/μ), 2 n/μ²; (μ - n)², 2 (μ - n), 2
    mu, n = np.array([[2.0, 3.0]]), np.array([[4.0, 0.0]])
    poisson = 2 * (2 - 4 + 4 * np.log(2)) + 6
    for gaussian, value, first, second in (
        (False, poisson, [-2, 2], [2, 0]),
        (True, 13.0, [-4, 6], [2, 2]),
    ):
        found = deviance(mu, n, gaussian)
        assert found[0][0] == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(found[1], [first], rtol=1e-14)
        np.testing.assert_allclose(found[2], [second], rtol=1e-14)


# --- several experiments ------------------------------------------------------------------------------

# Of two experiments with eight pulls each, among six free ones: shared across and (2, 3) within experiments
PLACES = ((0, 1, 2, 2, 3, -1, 4, 5), (0, -1, 3, 5, 3, 1, -1, 2))
FREE = 6


class Together:
    """Two experiments at three points: priors of a parameter and of six pulls, one of which floats."""

    def __init__(self, seed, kinds=((False, False), (True, True))):
        self.cases = [Random(seed + k, *kind) for k, kind in enumerate(kinds)]
        random = np.random.default_rng(seed)
        self.gains = 0.3 + random.random((2, PULLS))
        self.offsets = 0.05 * random.normal(size=(2, 3, PULLS))
        self.centres = 0.1 * random.normal(size=(3, FREE + PARAMETERS))
        self.weights = (1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 250.0, 0.0)
        self.rest = random.random(3)
        self.observed = [c.observed + random.poisson(5, (3, BINS)) for c in self.cases]
        layout = Layout(
            tuple(case.arrays for case in self.cases),
            PLACES,
            tuple(map(tuple, self.gains.tolist())),
            self.weights,
            PARAMETERS,
        )
        inputs = Inputs(
            np.empty((1, 0)),
            self.cases[0].expansion,
            tuple(self.observed),
            self.rest,
            tuple(self.offsets),
            self.centres,
        )
        self.problem = JointProblem(layout, inputs)
        scatter = random.choice([-0.5, 0.5], (FREE, 3)) * random.uniform(0.3, 0.8, (FREE, 3))
        theta = self.cases[0].centre[:, np.newaxis] + 0.1 * random.normal(size=(PARAMETERS, 3))
        self.x = np.concatenate([0.5 * scatter, theta])

    def by_hand(self, x, number):
        """χ² of point `number` at x (J,): one experiment and one prior after the other."""
        total = self.rest[number]
        for j, weight in enumerate(self.weights):
            total += weight * (x[j] - self.centres[number, j]) ** 2
        first = self.cases[0]
        for case, places, gains, offsets, observed in zip(
            self.cases, PLACES, self.gains, self.offsets, self.observed, strict=True
        ):
            t = [offsets[number, i] + (gains[i] * x[p] if p >= 0 else 0) for i, p in enumerate(places)]
            case.observed, case.u, case.v, case.centre = observed[number], first.u, first.v, first.centre
            total += case.chi2(np.array(t), x[FREE:])
        return total

    def one(self, number):
        """Return value, gradient and Hessian of point `number` as a function of x (J,)."""
        problem = self.problem.take(np.array([number]))

        def evaluated(x):
            value, gradient, packed = problem.evaluate(x[:, np.newaxis])
            hessian = np.zeros((x.size, x.size))
            for row, (i, j) in enumerate(triangle(x.size)):
                hessian[i, j] = hessian[j, i] = packed[row, 0]
            return value[0], gradient[:, 0], hessian

        return evaluated


@pytest.mark.parametrize("seed", range(4))
def test_a_joint_chi2_is_the_sum_by_hand(seed):
    together = Together(seed)
    value, _, _ = together.problem.evaluate(together.x)
    for number in range(3):
        assert value[number] == pytest.approx(together.by_hand(together.x[:, number], number), rel=1e-10)
        assert together.one(number)(together.x[:, number])[0] == pytest.approx(value[number], rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_derivatives_of_a_joint_chi2_are_finite_differences(seed):
    together = Together(seed)
    for number in range(3):
        check_derivatives(together.one(number), together.x[:, number])


def test_strengths_and_an_expansion_are_the_same_problem():
    together = Together(2)
    theta = together.x[FREE:]
    inputs = together.problem.inputs._replace(strengths=together.cases[0].strengths(theta.T), expansion=None)
    layout = replace(together.problem.layout, weights=together.weights[:FREE], parameters=0)
    fixed = JointProblem(layout, inputs.prepared(layout)).evaluate(together.x[:FREE])
    full = together.problem.evaluate(together.x)
    pulls, away = len(triangle(FREE)), theta.T - inputs.centres[:, FREE:]
    constraint = (np.array(together.weights[FREE:]) * away**2).sum(axis=1)
    np.testing.assert_allclose(fixed[0] + constraint, full[0], rtol=1e-12)
    np.testing.assert_allclose(fixed[1], full[1][:FREE], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(fixed[2], full[2][:pulls], rtol=1e-10, atol=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.lists(st.integers(0, 2), min_size=1, max_size=4))
def test_taking_points_is_looking_at_those(seed, which):
    together = Together(seed)
    everything = together.problem.evaluate(together.x)
    some = together.problem.take(np.array(which)).evaluate(together.x[:, which])
    for all_points, taken in zip(everything, some, strict=True):
        np.testing.assert_allclose(taken, all_points[..., which], rtol=1e-9, atol=1e-9)
