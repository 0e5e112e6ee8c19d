"""One likelihood in two programs: ours and pyhf's, on one workspace.

What equals what: a pull of our signal's rate, (1 + w)^t, is pyhf's `normsys` with hi = 1 + w, lo = 1/(1 + w),
interpolated exponentially (code 1); a background's rate 1 + w t is a `histosys` with templates (1 ± w) B,
interpolated piecewise linearly (code 0); both have the auxiliary measurement of a normal distribution of
width 1. Constants of the densities cancel in differences.
"""

import numpy as np
import pyhf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from cases import pull, signal_of
from nurecoil.experiment import Component, Statistics
from nurecoil.likelihood import JointLikelihood, binned_term
from nurecoil.study.strengths import Coordinates, fit_strengths

SIGNAL = [12.0, 25.0, 18.0, 4.0, 1.0]
BACKGROUNDS = {"flat": ([30.0] * 5, 0.05), "falling": ([40.0, 20.0, 10.0, 5.0, 2.5], 0.25)}
RATES = {"flux": 0.10, "efficiency": 0.20}
OBSERVED = [90.0, 71.0, 66.0, 35.0, 38.0]
PULLS = (*RATES, *BACKGROUNDS)
WIDTHS = np.array([*RATES.values(), *(w for _, w in BACKGROUNDS.values())])
POINTS = st.tuples(st.floats(0.05, 3), *[st.floats(-2.5, 2.5)] * len(PULLS))


def workspace():
    """Return pyhf's specification: a normfactor, two normsys of the signal, a histosys of a background."""
    rates = [{"name": name, "type": "normsys", "data": {"hi": 1 + w, "lo": 1 / (1 + w)}}
             for name, w in RATES.items()]  # fmt: skip
    samples = [{"name": "signal", "data": SIGNAL,
                "modifiers": [{"name": "mu", "type": "normfactor", "data": None}, *rates]}]  # fmt: skip
    for name, (counts, w) in BACKGROUNDS.items():
        ends = {f"{end}_data": [(1 + sign * w) * n for n in counts] for end, sign in (("hi", 1), ("lo", -1))}
        modifier = {"name": name, "type": "histosys", "data": ends}
        samples.append({"name": name, "data": counts, "modifiers": [modifier]})
    return {"channels": [{"name": "bins", "samples": samples}]}


class Theirs:
    """-2 ln L of pyhf at (μ, pulls in units of their widths)."""

    def __init__(self, observed=OBSERVED):
        self.model = pyhf.Model(
            workspace(),
            poi_name="mu",
            validate=False,
            modifier_settings={"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code0"}},
        )
        self.data = [*observed, *self.model.config.auxdata]
        order = self.model.config.par_order
        self.order = [("mu", *PULLS).index(name) for name in order]

    def __call__(self, x):
        parameters = np.asarray(x)[self.order]
        return -2 * self.model.logpdf(parameters.tolist(), self.data).item()

    def mean(self, x):
        return self.model.expected_actualdata(np.asarray(x)[self.order].tolist())


def ours(observed=OBSERVED):
    """Return our likelihood, whose one strength is μ."""
    statistics = Statistics(
        np.array(observed),
        signal_of(pull(name, w) for name, w in RATES.items()),
        tuple(Component(n, np.array(counts), (pull(n, w),)) for n, (counts, w) in BACKGROUNDS.items()),
    )
    likelihood = JointLikelihood((binned_term("bins", statistics, np.array([[SIGNAL]])),), {})
    assert tuple(p.name for p in likelihood.pulls) == PULLS
    return likelihood


def our_chi2(x):
    return ours().chi2(np.array([[x[0]]]), WIDTHS * np.array(x[1:]))[0]


REFERENCE = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
THEIRS = Theirs()


def test_the_expected_counts_are_the_same():
    x = np.array([1.3, 0.4, -1.2, 0.7, -0.3])
    parts = ours().components(np.array([[x[0]]]), WIDTHS * x[1:])["bins"]
    np.testing.assert_allclose(sum(parts.values()), THEIRS.mean(x), rtol=1e-12)
    by_hand = 1.3 * 1.1**0.4 * 1.2**-1.2 * 12 + (1 + 0.05 * 0.7) * 30 + (1 - 0.25 * 0.3) * 40
    assert THEIRS.mean(x)[0] == pytest.approx(by_hand, rel=1e-12)


@settings(max_examples=50)
@given(POINTS)
def test_chi2_differs_from_pyhf_by_a_constant(x):
    assert our_chi2(x) - our_chi2(REFERENCE) == pytest.approx(THEIRS(x) - THEIRS(REFERENCE), abs=1e-6)


def best_of_theirs(free_mu, mu=1.0):
    """Return the lowest -2 ln L of pyhf and where, μ free or held."""

    def function(z):
        return THEIRS(z if free_mu else [mu, *z])

    start = REFERENCE if free_mu else REFERENCE[1:]
    simplex = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 40_000, "maxfev": 40_000, "adaptive": True}
    found = minimize(function, start, method="BFGS", options={"gtol": 1e-7})
    found = minimize(function, found.x, method="Nelder-Mead", options=simplex)
    return found.fun, found.x


@pytest.mark.parametrize("mu", [0.0, 0.6, 2.0])
def test_profiled_pulls_are_those_that_minimise_pyhfs_likelihood(mu):
    found = ours().profiled(np.array([[mu]]))
    value, x = best_of_theirs(free_mu=False, mu=mu)
    assert found.chi2[0] - our_chi2(REFERENCE) == pytest.approx(value - THEIRS(REFERENCE), abs=1e-6)
    np.testing.assert_allclose(found.pulls[0] / WIDTHS, x, atol=1e-4)


def test_the_best_fit_is_the_same():
    value, x = best_of_theirs(free_mu=True)
    box = Coordinates((False,), np.array([0.0]), np.array([10.0]))
    found = fit_strengths(ours(), lambda mu, rows=None: mu, box, np.array([[1.0]]))
    assert found.converged.all()
    assert found.chi2[0] - our_chi2(REFERENCE) == pytest.approx(value - THEIRS(REFERENCE), abs=1e-6)
    assert found.points[0, 0] == pytest.approx(x[0], abs=1e-4)
    np.testing.assert_allclose(found.pulls[0] / WIDTHS, x[1:], atol=1e-4)
