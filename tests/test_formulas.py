"""Backgrounds given by a formula: against closed forms, differences, and a likelihood of a few lines."""

from contextlib import nullcontext

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtr

import nurecoil
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.experiment.formula import formula
from nurecoil.likelihood.problem import evaluate_joint
from nurecoil.models import STANDARD_MODEL
from nurecoil.parameters import Parameter
from nurecoil.progress import heard_by

CARD = """
name = "mine"
title = "A detector of my own"
reference = "none"

[target]
material = "Ge"
mass = "3 kg"
form_factor = "helm"

[source]
flux = "pion-decay-at-rest"
protons_on_target = 1e23
neutrinos_per_proton = 0.09
baseline = "20 m"

[cross_section]
vector_recoil_term = true
magnetic_recoil_term = false
magnetic_form_factor = true

[detector]
observable = "energy [keV]"
edges = [0.2, 0.4, 0.6, 0.8, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 2.0]
quenching = { kind = "constant", factor = 0.2 }
efficiency = { kind = "constant", value = 1 }

[data]
observed = { file = "seen.txt", columns = { energy = 0 }, weight = 1 }

[parameters]
A = { what = "the constant [1/keV]", value = 50, low = 0, high = 1000 }
B = { what = "the exponential at 0 [1/keV]", value = 300, low = 0, high = 1e5 }
C = { what = "its slope [1/keV]", value = 2, low = 0, high = 100 }
H = { what = "counts of the line", value = 30, low = 0, high = 1e4 }
x = { what = "its position [keV]", value = 1.27, low = 1.2, high = 1.4, width = 0.01 }

[[formulas]]
name = "continuum"
counts = "A + B * exp(-C * E)"

[[formulas]]
name = "line"
counts = "H / 0.08 * normal((E - x) / 0.08)"
"""
SEEN = np.array([86.0, 54, 44, 35, 10, 19, 25, 19, 17, 34])
EDGES = np.array([0.2, 0.4, 0.6, 0.8, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 2.0])
VALUES = {"A": 50.0, "B": 300.0, "C": 2.0, "H": 30.0, "x": 1.27, "w": 0.08}
TIME = """
[time]
kind = "pulse"
edges_us = [0, 2, 6]
pulse_mean = "0.5 us"
pulse_width = "0.1 us"
prompt = ["nu_mu"]
delayed = ["nu_mu_bar", "nu_e"]
"""


def closed_form(values):
    """Return the integrals over the bins."""
    A, B, C, H, x, w = values
    low, high = EDGES[:-1], EDGES[1:]
    exponential = B / C * (np.exp(-C * low) - np.exp(-C * high))
    return A * (high - low) + exponential + H * (ndtr((high - x) / w) - ndtr((low - x) / w))


@pytest.fixture
def mine(tmp_path):
    """Return a function that writes the card and its file, and loads it."""

    def load(*replacements, seen=SEEN, sigma="", more=""):
        text = CARD + more
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        rows = zip((EDGES[1:] + EDGES[:-1]) / 2, seen, strict=True)
        (tmp_path / "seen.txt").write_text("".join(f"{x} {n:g}{sigma}\n" for x, n in rows))
        (tmp_path / "mine.toml").write_text(text)
        return load_experiment(tmp_path / "mine.toml")

    return load


def parameters(**values):
    return {name: Parameter(name, name, name, value) for name, value in values.items()}


def test_counts_are_the_integrals_over_the_bins():
    text = "A + B * exp(-C * E) + H / w * normal((E - x) / w)"
    found = formula(text, parameters(**VALUES), EDGES, lambda weights: weights)
    assert found.symbols == tuple(VALUES)
    assert found.counts == pytest.approx(closed_form(VALUES.values()), rel=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "A + B * exp(-C * E) + H / w * normal((E - x) / w)",
        "A**2 * sqrt(B / E) - 3 * log(C + E) / pi * x",
        "(A - B * E)**2 / (+w * E + H) * exp(x * log(C)) + B**-1.5 + C / 2",
    ],
)
def test_derivatives_of_a_formula_are_exact(text):
    found = formula(text, parameters(**VALUES), EDGES, lambda weights: weights)
    points = np.array([[VALUES[s] for s in found.symbols]]) * [[1.0], [1.05], [0.97]]
    jet, step = found.at(list(points.T)), 1e-5
    for k in range(len(found.symbols)):
        ends = [
            found.at(list((points * (1 + sign * step * np.eye(points.shape[1])[k])).T)) for sign in (1, -1)
        ]
        size = 2 * step * points[:, k : k + 1]
        slope = (ends[0].value - ends[1].value) / size
        rounded = 2 * np.finfo(float).eps * np.abs(jet.value).max() / np.abs(size).min()
        assert jet.first[k] == pytest.approx(slope, rel=1e-6, abs=1e-7 * np.abs(slope).max() + rounded)
        for m in range(len(found.symbols)):
            curve = (ends[0].first[m] - ends[1].first[m]) / size
            found_curve = jet.second.get((max(k, m), min(k, m)), np.zeros(curve.shape))
            assert found_curve == pytest.approx(curve, rel=1e-6, abs=1e-6 * np.abs(curve).max() + 1e-9)


def test_sums_over_nodes_are_those_of_the_whole_matrix():
    names = parameters(**VALUES)
    found = formula("A + B * exp(-C * E)", names, EDGES, lambda weights: np.tile(weights, (2, 1)))
    A, B, C = (np.array([[1.0], [1.1]]) * VALUES[name] for name in "ABC")
    whole = (A + B * np.exp(-C * found.nodes)) @ found.spread.T
    assert found.at([A[:, 0], B[:, 0], C[:, 0]]).value == pytest.approx(whole, rel=1e-13)


@pytest.mark.parametrize("gaussian", [False, True])
def test_the_fit_is_that_of_a_likelihood_of_few_lines(mine, gaussian):
    data = ("weight = 1 }\n\n[p", "weight = 1 }\nsigma = 2\n\n[p") if gaussian else ("", "")
    compiled = compile_experiment(mine(data, sigma=" 6" if gaussian else ""))
    signal = compiled.counts(STANDARD_MODEL.couplings())

    def chi2(v):
        mu = v[0] * signal + closed_form([*v[1:], 0.08])
        fitted = (
            ((mu - SEEN) ** 2 / 36).sum() if gaussian else 2 * (mu - SEEN + SEEN * np.log(SEEN / mu)).sum()
        )
        return fitted + ((v[5] - 1.27) / 0.01) ** 2

    bounds = [(0, 20), (0, 1000), (0, 1e5), (0.01, 100), (0, 1e4), (1.2, 1.4)]
    start = [1.0, 50, 300, 2, 30, 1.27]
    scales = np.array([1, 100, 1000, 1, 10, 0.01])
    box, options = np.array(bounds) / scales[:, np.newaxis], {"maxiter": 20000, "maxfev": 20000}
    rough = minimize(lambda u: chi2(u * scales), start / scales, bounds=box, tol=1e-15)
    fine = minimize(lambda u: chi2(abs(u) * scales), rough.x, method="Nelder-Mead", options=options)
    expected = min(rough.fun, fine.fun)
    study = nurecoil.Study("scaled-standard-model", compiled, electroweak="tree")
    found = study.fit({"signal_strength": 1.0}, minos=False).values
    assert found.fit.minimum == pytest.approx(expected, abs=1e-4)
    assert found.fit.minimum <= expected + 1e-6
    pulls = [found.pulls[f"mine_{s}"] for s in "ABCHx"]
    assert chi2([found.fit.values["signal_strength"], *pulls]) == pytest.approx(found.fit.minimum, abs=1e-6)


@pytest.mark.parametrize("gaussian", [False, True])
def test_derivatives_of_chi2_are_exact(mine, gaussian):
    data = ("weight = 1 }\n\n[p", "weight = 1 }\nsigma = 2\n\n[p") if gaussian else ("", "")
    compiled = compile_experiment(mine(data, sigma=" 6" if gaussian else "", more=OTHERS))
    likelihood = nurecoil.Study("standard-model", compiled).question({}).likelihood
    free, strengths = likelihood._free(()), likelihood.basis.strengths(STANDARD_MODEL.couplings())
    layout = likelihood._layout(free, 0, ())
    base = likelihood.centre[np.newaxis]
    inputs = likelihood._inputs(slice(0, 1), strengths, None, base, free, ()).prepared(layout)
    x = np.array([0.5, 0.1, 40, 250, 2.2, 35, 0.4])
    names = [likelihood.pulls[j].name for j in free]
    assert names == ["flux", "mine_flat", *(f"mine_{s}" for s in "ABCHx")]
    x[2:6] -= likelihood.centre[free][2:6]  # from their centres
    _, gradient, hessian = evaluate_joint(layout, inputs, x[:, np.newaxis])
    for k, size in enumerate([0.1, 0.1, 1, 10, 0.1, 1, 0.1]):
        step = 1e-4 * size
        ends = np.tile(x[:, np.newaxis], (1, 2))
        ends[k] += [step, -step]
        value, slope, _ = evaluate_joint(layout, inputs, ends)
        assert gradient[k, 0] == pytest.approx((value[0] - value[1]) / (2 * step), rel=1e-5)
        row = np.array([hessian[max(i, k) * (max(i, k) + 1) // 2 + min(i, k), 0] for i in range(x.size)])
        np.testing.assert_allclose(row, (slope[:, 0] - slope[:, 1]) / (2 * step), rtol=1e-5, atol=1e-7)


OTHERS = """
[[backgrounds]]
name = "flat"
counts = 20
pull = "mine_flat"
width = 0.3
factors = [{ axes = ["energy"], table = { file = "seen.txt", columns = { energy = 0 }, weight = 1 } }]

[[signal_pulls]]
effect = "normalisation"
name = "flux"
width = 0.1
"""


def test_parameters_stay_inside_their_bounds(mine):
    """The signal takes the place of the constant, which is not below 0."""
    study = nurecoil.Study("scaled-standard-model", compile_experiment(mine()))
    fits = study.question({"signal_strength": 1.0}).profiled([[0.0], [500.0]])
    assert fits.converged.all()
    names = [pull.name for pull in study.question({"signal_strength": 1.0}).likelihood.pulls]
    assert fits.pulls[1, names.index("mine_A")] == 0.0
    assert fits.pulls[0, names.index("mine_A")] > 0.0


def test_the_engine_fast_says_that_numpy_computes(mine):
    pytest.importorskip("numba")
    said, compiled = [], compile_experiment(mine())

    def chi2(engine):
        study = nurecoil.Study("scaled-standard-model", compiled, engine=engine)
        return study.question({"signal_strength": 1.0}).chi2([[1.0], [2.0]])

    with heard_by(said.append, lambda report: nullcontext()):
        assert (chi2("fast") == chi2("numpy")).all()
    assert said == ["a background is a formula, for which the engine fast has no loops: NumPy computes"]


def test_the_other_axes_have_factors(mine, tmp_path):
    factors = 'factors = [{ axes = ["time"], exponential_rate_per_us = 0 }]\n'
    lines = [(f'counts = "{start}', f'{factors}counts = "{start}') for start in ("A", "H")]
    columns = ("columns = { energy = 0 }, weight = 1", "columns = { energy = 0, time = 1 }, weight = 2")
    rows = [f"{x} {t} 7\n" for x in (EDGES[1:] + EDGES[:-1]) / 2 for t in (1, 4)]
    (tmp_path / "two.txt").write_text("".join(rows))
    masked = ("[parameters]", "masked = { energy = [[0.4, 0.6]] }\n[parameters]")
    experiment = mine(*lines, columns, ("seen.txt", "two.txt"), masked, more=TIME)
    continuum, line = (b.nominal.reshape(10, 2) for b in experiment.statistics.backgrounds)
    expected = closed_form([50, 300, 2, 30, 1.27, 0.08]) * (np.arange(10) != 1)
    assert (continuum + line).sum(axis=1) == pytest.approx(expected, rel=1e-6)
    assert continuum[:, 1] == pytest.approx(2 * continuum[:, 0])
    with pytest.raises(
        NurecoilError, match=r"formulas\.line: the factors must cover each axis but the energy"
    ):
        mine(lines[0], columns, ("seen.txt", "two.txt"), more=TIME)


REFUSED = [
    (
        '"A + B * exp(-C * E)"',
        '"A + B * exp(-D * E)"',
        "unknown name in a formula 'D': known are E, pi, A, B, C, H, x",
    ),
    ('"A + B * exp(-C * E)"', '"A + B * sin(-C * E)"', "unknown function of a formula 'sin'"),
    (
        '"A + B * exp(-C * E)"',
        '"A + B E + C"',
        "'A + B E + C' is no formula: it must be made of numbers, E, pi",
    ),
    ('"A + B * exp(-C * E)"', '"A + B ** C"', "has a power that is no number"),
    ('"A + B * exp(-C * E)"', '"A + B * exp + C"', "'exp' of a formula is a function: write exp(…)"),
    ('"A + B * exp(-C * E)"', '"A - B * exp(-C * E)"', "formulas.continuum: 'A - B * exp(-C * E)' is -"),
    ('"A + B * exp(-C * E)"', '"A + log(-B * C)"', "in a bin: it must be 0 or more"),
    ('"A + B * exp(-C * E)"', '"A + B * exp(-E)"', "parameters.C is in none of the [[formulas]]"),
    (
        "x = {",
        "log = { what = 'no', value = 1, low = 0, high = 2 }\nx = {",
        "parameters: 'log' cannot be the name of a parameter of a formula",
    ),
    (
        "value = 2,",
        "value = 200,",
        "parameters.C: value = 200.0 is not allowed: it must be from 0.0 to 100.0",
    ),
    (
        "low = 0, high = 100",
        "low = 2, high = 2",
        "parameters.C: high = 2.0 is not allowed: it must be above low, 2.0",
    ),
    ("H / 0.08 * normal((E - x) / 0.08)", "H / (1 + exp((E - x) / 1e-6))", "changes too fast within a bin"),
    ('name = "line"', 'name = "continuum"', "there are two of that name"),
]


@pytest.mark.parametrize(("old", "new", "said"), REFUSED)
def test_what_is_no_formula_is_refused(mine, old, new, said):
    with pytest.raises(NurecoilError) as error:
        mine((old, new))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
