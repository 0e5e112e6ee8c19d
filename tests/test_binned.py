"""The binned likelihood: a plain loop, finite differences, templates at ±1, and data that fit exactly."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.experiment import Background, BackgroundVariation, BinnedStatistics, Variation
from nurecoil.likelihood import BinnedTerm
from nurecoil.likelihood.component import Component, morphing
from nurecoil.parameters import Parameter

BINS = 5
SEEDS = st.integers(0, 100_000)


def pull(name, width=1.0, centre=0.0):
    return Parameter(name=name, description="", latex="", default=centre, prior_width=width)


def shapes(random, count, counts):
    """Return `count` ups and downs within a factor of 2 of the counts."""
    factors = random.uniform(0.5, 2.0, size=(2, count, BINS))
    return factors * counts


class Case:
    """A random likelihood: two rates and two shapes of the signal, two backgrounds that share a shape."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.signal_counts = random.uniform(1, 30, BINS) * (random.random(BINS) > 0.2)
        self.signal_up, self.signal_down = shapes(random, 2, self.signal_counts)
        self.background_counts = random.uniform(1, 50, (2, BINS))
        ups, downs = shapes(random, 3, self.background_counts[[0, 0, 1]])
        self.background_ups, self.background_downs = ups, downs
        observed = random.poisson(self.signal_counts + self.background_counts.sum(axis=0)).astype(float)
        observed[random.random(BINS) < 0.2] = 0.0
        self.widths = {"flux": 0.1, "rate": 0.3}
        variations = [
            BackgroundVariation(pull(name), up, down)
            for name, up, down in zip(("own", "shared", "shared"), ups, downs, strict=True)
        ]
        statistics = BinnedStatistics(
            observed=observed,
            backgrounds=(
                Background("first", self.background_counts[0], pull("a1", 0.2), tuple(variations[:2])),
                Background("second", self.background_counts[1], pull("a2", 0.5), (variations[2],)),
            ),
            normalisations=tuple(pull(name, width) for name, width in self.widths.items()),
            variations=(
                Variation(pull("light"), None, None),
                Variation(pull("radius", 0.25, 5.0), None, None),
            ),
        )
        compiled = SimpleNamespace(experiment=SimpleNamespace(name="mine"))
        self.term = BinnedTerm(compiled, statistics)
        plain = morphing(
            self.signal_counts[np.newaxis], self.signal_up[np.newaxis], self.signal_down[np.newaxis]
        )
        self.signal = plain.scaled(np.log1p(list(self.widths.values())))
        self.names = [p.name for p in self.term.pulls]
        self.random = random

    def anywhere(self, points=1):
        """Return random pulls, shapes on both sides of |t| = 1, rates that keep counts positive."""
        x = self.random.uniform(-2.5, 2.5, size=(points, len(self.names)))
        x[:, [self.names.index(n) for n in ("flux", "rate")]] *= 0.2
        x[:, [self.names.index(n) for n in ("a1", "a2")]] *= 0.3
        x[:, self.names.index("radius")] = 5 + 0.25 * self.random.uniform(-2.5, 2.5, points)
        return x

    def expected(self, x):
        """The counts of signal and backgrounds in a plain loop over bins."""
        at = dict(zip(self.names, x, strict=True))
        at["radius"] = (at["radius"] - 5) / 0.25
        parts = {"signal": [], "first": [], "second": []}
        for b in range(BINS):
            s = self.signal_counts[b] * 1.1 ** (at["flux"] / 0.1) * 1.3 ** (at["rate"] / 0.3)
            for k, name in enumerate(("light", "radius")):
                s *= plain_morph(
                    at[name], self.signal_counts[b], self.signal_up[k, b], self.signal_down[k, b]
                )
            parts["signal"].append(s)
            first, second = self.background_counts[:, b]
            up, down = self.background_ups[:, b], self.background_downs[:, b]
            parts["first"].append(
                first * (1 + at["a1"]) * plain_morph(at["own"], first, up[0], down[0])
                * plain_morph(at["shared"], first, up[1], down[1])
            )  # fmt: skip
            parts["second"].append(
                second * (1 + at["a2"]) * plain_morph(at["shared"], second, up[2], down[2])
            )
        return parts


def plain_morph(t, nominal, up, down):
    """The factor of a bin: `up` at +1, `down` at -1, a parabola in the log between, straight beyond."""
    if nominal == 0:
        return 1.0
    high, low = math.log(up / nominal), math.log(down / nominal)
    if abs(t) <= 1:
        return math.exp((high - low) / 2 * t + (high + low) / 2 * t * t)
    slope = (high - low) / 2 + math.copysign(1, t) * (high + low)  # at the end, t = ±1
    return math.exp((high if t > 0 else low) + slope * (t - math.copysign(1, t)))


def poisson(observed, mu):
    """-2 ln of the likelihood ratio, a plain loop."""
    total = 0.0
    for n, m in zip(observed, mu, strict=True):
        total += 2 * (m - n + (n * math.log(n / m) if n else 0.0))
    return total


# --- values -------------------------------------------------------------------------------------------


@given(SEEDS)
def test_counts_and_likelihood_are_those_of_a_plain_loop(seed):
    case = Case(seed)
    x = case.anywhere(points=3)
    found = case.term.components(case.signal, x)
    value, _, _ = case.term.evaluate(case.signal, x)
    for number in range(3):
        expected = case.expected(x[number])
        for name, counts in expected.items():
            np.testing.assert_allclose(found[name][number], counts, rtol=1e-11)
        mu = np.sum(list(expected.values()), axis=0)
        assert value[number] == pytest.approx(poisson(case.term.observed, mu), rel=1e-9, abs=1e-9)


@given(SEEDS)
def test_ups_and_downs_are_reproduced_exactly_at_one_standard_deviation(seed):
    case = Case(seed)
    rest = np.array([[p.default for p in case.term.pulls]], dtype=float)

    def counts(component, **pulls):
        x = rest.copy()
        for name, value in pulls.items():
            x[0, case.names.index(name)] = value
        return case.term.components(case.signal, x)[component][0]

    np.testing.assert_array_equal(counts("signal"), case.signal_counts)
    for ends, sign in ((case.signal_up, 1), (case.signal_down, -1)):
        np.testing.assert_allclose(counts("signal", light=sign), ends[0], rtol=1e-13)
        np.testing.assert_allclose(counts("signal", radius=5 + 0.25 * sign), ends[1], rtol=1e-13)
    for ends, sign in ((case.background_ups, 1), (case.background_downs, -1)):
        np.testing.assert_allclose(counts("first", own=sign), ends[0], rtol=1e-13)
        np.testing.assert_allclose(counts("second", shared=sign), ends[2], rtol=1e-13)
    # rates: a factor 1 + w at +1 for the signal, where the pull is in fractions, and fractions for others
    np.testing.assert_allclose(counts("signal", flux=0.1), 1.1 * case.signal_counts, rtol=1e-13)
    np.testing.assert_allclose(counts("signal", flux=-0.1), case.signal_counts / 1.1, rtol=1e-13)
    np.testing.assert_allclose(counts("first", a1=-0.4), 0.6 * case.background_counts[0], rtol=1e-13)


@given(SEEDS, st.floats(-50, 50), st.floats(-50, 50))
def test_no_shape_or_signal_rate_makes_counts_negative(seed, light, flux):
    case = Case(seed)
    x = np.array([[p.default for p in case.term.pulls]], dtype=float)
    for name, value in (("light", light), ("flux", flux), ("own", light), ("shared", -light)):
        x[0, case.names.index(name)] = value
    for counts in case.term.components(case.signal, x).values():
        assert np.isfinite(counts).all()
        assert (counts >= 0).all()


# --- derivatives --------------------------------------------------------------------------------------


def off_the_kinks(case, x):
    """Move shape pulls away from t = ±1, where the second derivative jumps."""
    for name in ("light", "own", "shared", "radius"):
        j = case.names.index(name)
        scale, centre = (0.25, 5.0) if name == "radius" else (1.0, 0.0)
        t = (x[:, j] - centre) / scale
        near = np.abs(np.abs(t) - 1) < 1e-2
        x[:, j] = np.where(near, centre + scale * 1.5 * np.sign(t), x[:, j])
    return x


@given(SEEDS)
def test_gradient_and_hessian_are_finite_differences(seed):
    case = Case(seed)
    x = off_the_kinks(case, case.anywhere())
    _, gradient, hessian = case.term.evaluate(case.signal, x)
    step = 1e-5
    sizes = 1 + np.abs(gradient).max(), 1 + np.abs(hessian).max()
    for j in range(len(case.names)):
        shift = np.zeros_like(x)
        shift[0, j] = step
        up, down = (case.term.evaluate(case.signal, x + sign * shift) for sign in (1, -1))
        assert gradient[0, j] == pytest.approx((up[0][0] - down[0][0]) / (2 * step), abs=1e-6 * sizes[0])
        np.testing.assert_allclose(
            hessian[0, j], (up[1][0] - down[1][0]) / (2 * step), rtol=0, atol=1e-6 * sizes[1]
        )
    np.testing.assert_allclose(hessian[0], hessian[0].T, rtol=1e-12, atol=1e-12 * sizes[1])


@pytest.mark.parametrize("t", [-1.0, 1.0])
def test_value_and_slope_are_continuous_where_the_parabola_ends(t):
    case = Case(4)
    x = case.anywhere()
    j = case.names.index("light")
    found = []
    for inside in (1 - 1e-9, 1 + 1e-9):
        x[0, j] = t * inside
        found.append(case.term.evaluate(case.signal, x))
    assert found[0][0][0] == pytest.approx(found[1][0][0], rel=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)


def test_a_component_adds_its_derivatives_to_those_of_others():
    # μ = (1 + t0)·s·e^{a t1}, s = 2, up/down = e, 1/e: slopes s and s·t-independent a = 1, all by hand at 0
    ends = np.array([[[2 * math.e]]]), np.array([[[2 / math.e]]])
    part = Component((0,), (1,)).at(morphing(np.array([[2.0]]), *ends), np.zeros((1, 2)))
    slopes = np.ones((1, 2, 1))
    hessian = np.zeros((1, 2, 2))
    part.add_slopes_to(slopes)
    part.add_curvature_to(hessian, np.array([[10.0]]))
    np.testing.assert_allclose(slopes[0, :, 0], [3, 3])
    np.testing.assert_allclose(hessian[0], [[0, 20], [20, 20]])


# --- empty bins ---------------------------------------------------------------------------------------


def simple(observed, background):
    """Return a likelihood without signal systematics and one background."""
    statistics = BinnedStatistics(
        np.asarray(observed, dtype=float),
        (Background("b", np.asarray(background, dtype=float), pull("a", 0.1)),),
        (),
        (),
    )
    term = BinnedTerm(SimpleNamespace(experiment=SimpleNamespace(name="mine")), statistics)

    def signal(*counts):
        none = np.zeros((1, 0, len(counts)))
        return morphing(np.array([counts], dtype=float), none, none)

    return term, signal


def test_a_bin_without_counts_costs_its_expectation():
    # -2 ln L = 2 μ for n = 0; n = 3, μ = 4: 2(4 - 3 + 3 ln(3/4))
    term, signal = simple([0, 3], [0.5, 3.0])
    value = term.evaluate(signal(0.2, 1.0), np.zeros((1, 1)))[0][0]
    assert value == pytest.approx(2 * 0.7 + 2 * (1 + 3 * math.log(0.75)), rel=1e-12)


def test_counts_where_none_are_expected_are_impossible_and_nothing_where_nothing_is_expected_is_free():
    term, signal = simple([1, 3], [0.0, 3.0])
    assert term.evaluate(signal(0.0, 0.0), np.zeros((1, 1)))[0][0] == np.inf
    term, signal = simple([0, 3], [0.0, 3.0])
    value, gradient, hessian = term.evaluate(signal(0.0, 0.0), np.zeros((1, 1)))
    assert value[0] == pytest.approx(0, abs=1e-14)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()


def test_a_negative_expectation_is_impossible():
    term, signal = simple([0, 3], [1.0, 3.0])
    assert term.evaluate(signal(0.0, 5.0), np.array([[-1.2]]))[0][0] == np.inf
    assert np.isfinite(term.evaluate(signal(0.0, 5.0), np.array([[-1.0]]))[0][0])


def test_a_bin_that_a_shape_empties_keeps_a_thousandth():
    part = Component((), (0,)).at(
        morphing(np.array([[5.0, 0.0]]), np.array([[[0.0, 3.0]]]), np.array([[[10.0, 0.0]]])),
        np.array([[1.0]]),
    )
    # up is 0: e^(ln(1e-3)) of 5; a bin that is empty stays so, whatever up says
    np.testing.assert_allclose(part.counts[0], [5e-3, 0.0], rtol=1e-12)


# --- data that fit ------------------------------------------------------------------------------------


@given(SEEDS)
def test_data_equal_to_the_expectation_give_zero_with_zero_slope(seed):
    case = Case(seed)
    x = np.array([[p.default for p in case.term.pulls]], dtype=float)
    truth = np.sum(list(case.term.components(case.signal, x).values()), axis=0)[0]
    asimov = replace(case.term, statistics=replace(case.term.statistics, observed=truth))
    value, gradient, hessian = asimov.evaluate(case.signal, x)
    assert value[0] == pytest.approx(0, abs=1e-11)
    np.testing.assert_allclose(gradient, 0, atol=1e-11)
    assert np.linalg.eigvalsh(hessian[0]).min() > -1e-9
    elsewhere = off_the_kinks(case, case.anywhere())
    assert asimov.evaluate(case.signal, elsewhere)[0][0] > 0
