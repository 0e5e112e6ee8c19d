"""From strengths to counts: expansions, templates in plain loops, and derivatives as finite differences."""

import numpy as np
import pytest

from nurecoil.likelihood.arrays import SignalArrays
from nurecoil.likelihood.morphing import bent, bent_curvature, bent_slope, morphing
from nurecoil.likelihood.newton import triangle
from nurecoil.likelihood.response import Expansion, respond, respond_with_derivatives

STRENGTHS, BINS, SHAPES = 4, 5, 2


def expansion(parameters, points=1, seed=0):
    """Return q_s = (u_s + v_s·(θ - c))² as an expansion, and as a function of θ (P, d)."""
    random = np.random.default_rng(seed)
    u, v = random.uniform(0.5, 1.5, STRENGTHS), random.normal(size=(parameters, STRENGTHS))
    c = random.normal(size=(points, parameters))

    def exact(theta):
        return (u + (theta - c) @ v) ** 2

    curvature = [2 * v[i] * v[j] for i, j in triangle(parameters)]
    parts = (u**2, 2 * u * v, curvature)
    return Expansion(c, *(np.array([part] * points) for part in parts)), exact


def templates(seed=1):
    random = np.random.default_rng(seed)
    nominal = random.uniform(1, 9, (1, STRENGTHS, BINS)) * (np.arange(BINS) != 2)
    return np.concatenate([nominal, random.uniform(0.5, 2, (2 * SHAPES, STRENGTHS, BINS)) * nominal])


# --- expansions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [1, 2, 3])
@pytest.mark.parametrize("points", [1, 7])
def test_strengths_and_slopes_of_an_expansion(parameters, points):
    found, exact = expansion(parameters, points)
    theta = np.random.default_rng(9).normal(size=(7, parameters))
    value, slope = found.strengths(theta)
    np.testing.assert_allclose(value, exact(theta), rtol=1e-11, atol=1e-12)
    for i in range(parameters):
        shift = 1e-3 * np.eye(parameters)[i]
        difference = (exact(theta + shift) - exact(theta - shift)) / 2e-3  # exact for a quadratic
        np.testing.assert_allclose(slope[:, i], difference, rtol=1e-8, atol=1e-8)


def test_points_of_an_expansion_are_taken_and_one_stands_for_all():
    many, exact = expansion(2, 7)
    which = np.array([5, 1])
    theta = np.random.default_rng(9).normal(size=(7, 2))
    np.testing.assert_allclose(many.at(which).strengths(theta[which])[0], exact(theta)[which], rtol=1e-11)
    one, _ = expansion(2, 1)
    assert one.at(which) is one


# --- morphing -----------------------------------------------------------------------------------------


def test_the_parabola_of_a_shape_goes_on_straight():
    t = np.array([-2.5, -1.0, -0.5, 0.0, 0.3, 1.0, 4.0])
    np.testing.assert_allclose(bent(t), [4, 1, 0.25, 0, 0.09, 1, 7], rtol=1e-14)
    np.testing.assert_allclose(bent_slope(t), [-2, -2, -1, 0, 0.6, 2, 2], rtol=1e-14)
    np.testing.assert_allclose(bent_curvature(t), [0, 2, 2, 2, 2, 2, 0], rtol=1e-14)


def test_morphing_goes_through_its_ends_by_hand():
    # a = ln(up/down)/2, b = ln(up down/s²)/2; a thousandfold at most, nothing where there is nothing
    up, down = np.array([[[8.0, 0.0, 5.0]]]), np.array([[[1.0, 3e9, 0.0]]])
    found = morphing(np.array([[2.0, 3.0, 0.0]]), up, down)
    most = np.log(1e3)
    np.testing.assert_allclose(found.a[0, 0], [np.log(8) / 2, -most, 0], rtol=1e-14)
    np.testing.assert_allclose(found.b[0, 0], [np.log(2) / 2, 0, 0], rtol=1e-14)


# --- the signal ---------------------------------------------------------------------------------------


def test_the_signal_is_linear_in_the_strengths():
    blocks, q = templates(), np.random.default_rng(2).uniform(0, 2, (6, STRENGTHS))
    signal = SignalArrays(blocks, (), (), (0, 1))
    found = respond(signal, q)
    for p in range(6):
        s, up1, down1, up2, down2 = (sum(q[p, m] * block[m] for m in range(STRENGTHS)) for block in blocks)
        np.testing.assert_allclose(found.counts[p], s, rtol=1e-13)
        full = s > 0
        for k, (up, down) in enumerate(((up1, down1), (up2, down2))):
            high, low = np.log(up[full] / s[full]), np.log(down[full] / s[full])
            np.testing.assert_allclose(found.a[p, k, full], (high - low) / 2, rtol=1e-10, atol=1e-13)
            np.testing.assert_allclose(found.b[p, k, full], (high + low) / 2, rtol=1e-10, atol=1e-13)
            assert found.a[p, k, ~full].tolist() == found.b[p, k, ~full].tolist() == [0]


@pytest.mark.parametrize("parameters", [1, 2, 3])
def test_derivatives_of_counts_and_logarithms_are_finite_differences(parameters):
    found, _ = expansion(parameters, 4)
    signal = SignalArrays(templates(), (), (), (0, 1))
    theta = np.random.default_rng(7).normal(scale=0.3, size=(4, parameters)) + found.centre

    def at(theta):
        morphed, derivatives = respond_with_derivatives(signal, found, theta)
        up, down = morphed.a + morphed.b, morphed.b - morphed.a
        logs = np.stack([up[:, 0], down[:, 0], up[:, 1], down[:, 1]], axis=1)
        return morphed.counts, logs, derivatives

    _, _, derivatives = at(theta)
    assert derivatives.parameters == parameters
    step = 1e-5
    for i in range(parameters):
        shift = step * np.eye(parameters)[i]
        up, down = at(theta + shift), at(theta - shift)
        for number, first in ((0, derivatives.counts), (1, derivatives.logs)):
            slope = (up[number] - down[number]) / (2 * step)
            np.testing.assert_allclose(first[:, i], slope, rtol=1e-6, atol=1e-6)
        for pair, (k, m) in enumerate(triangle(parameters)):
            if i in (k, m):
                other = m if i == k else k
                for name in ("counts", "logs"):
                    ends = (getattr(end[2], name)[:, other] for end in (up, down))
                    curve = np.subtract(*ends) / (2 * step)
                    second = getattr(derivatives, f"{name}2")[:, pair]
                    np.testing.assert_allclose(second, curve, rtol=1e-6, atol=1e-6)


def test_a_shape_beyond_a_thousandfold_does_not_move_with_the_parameters():
    # up is 10⁴ times the signal of one strength: its logarithm is held at ln 10³, so its derivative is 0
    blocks = np.array([[[1.0], [1.0]], [[1e4], [2e4]], [[0.5], [0.25]]])
    signal = SignalArrays(blocks, (), (), (0,))
    one = Expansion(np.zeros((1, 1)), np.array([[1.0, 0.3]]), np.array([[[0.2, 0.1]]]), np.zeros((1, 1, 2)))
    morphed, derivatives = respond_with_derivatives(signal, one, np.zeros((1, 1)))
    assert (morphed.a + morphed.b).item() == pytest.approx(np.log(1e3))
    assert derivatives.logs[0, 0, 0, 0] == 0
    by_hand = (0.1 + 0.025) / (0.5 + 0.25 * 0.3) - 0.3 / 1.3
    assert derivatives.logs[0, 0, 1, 0] == pytest.approx(by_hand, rel=1e-12)
