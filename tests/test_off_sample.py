"""Backgrounds that an off sample measures, with its own Poisson likelihood: against closed forms."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

import nurecoil
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.likelihood.problem import evaluate_joint
from nurecoil.models import STANDARD_MODEL

CARD = """
name = "mine"
title = "A detector of my own"
reference = "none"

[target]
material = "Ge"
mass = "10 kg"
form_factor = "helm"

[source]
flux = "pion-decay-at-rest"
protons_on_target = 2e22
neutrinos_per_proton = 0.09
baseline = "20 m"

[cross_section]
vector_recoil_term = true
magnetic_recoil_term = false
magnetic_form_factor = true

[detector]
observable = "energy [keV]"
edges = [1, 2, 4, 10]
quenching = { kind = "constant", factor = 0.2 }
efficiency = { kind = "tabulated", x = [0, 2], efficiency = [0.5, 0.9] }

[data]
observed = { file = "on.txt", columns = { energy = 0 }, weight = 1 }

[[backgrounds]]
name = "reactor-off"
counts = "table"
scale = 0.25 # the off sample lasts four times as long
each = "energy"
pull = "mine_off"
width = "off-sample"

[[backgrounds.factors]]
axes = ["energy"]
table = { file = "off.txt", columns = { energy = 0 }, weight = 1 }
"""
ON, OFF = "1.5 12\n3 7\n7 1\n", "1.5 20\n3 31\n7 2\n"
NAMES = [f"mine_off_{k}" for k in range(3)]


@pytest.fixture
def mine(tmp_path):
    """Return a function that writes the card and its files, and loads it."""

    def load(*replacements, on=ON, off=OFF):
        text = CARD
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        for name, content in (("mine.toml", text), ("on.txt", on), ("off.txt", off)):
            (tmp_path / name).write_text(content)
        return load_experiment(tmp_path / "mine.toml")

    return load


def study(experiment, **options):
    compiled = compile_experiment(experiment)
    asked = nurecoil.Study("scaled-standard-model", compiled, electroweak="tree", **options)
    return asked, compiled.counts(STANDARD_MODEL.couplings())


def profiled(s, on, off, scale):
    """χ² of both samples, b of each bin where scale n/(s + scale b) + N/b = 1 + scale: a quadratic."""
    a, half, c = (1 + scale) * scale, ((1 + scale) * s - scale * (on + off)) / 2, -off * s
    b = (-half + math.sqrt(half**2 - a * c)) / a
    parts = [(s + scale * b, on), (b, off)]
    return 2 * sum(mu - n + (n * math.log(n / mu) if n else 0.0) for mu, n in parts), b


@pytest.mark.parametrize("engine", ["numpy", "fast"])
@pytest.mark.parametrize("off", [(20, 31, 2), (20, 31, 0), (0, 0, 0)])
def test_chi2_is_that_of_both_samples(mine, engine, off):
    if engine == "fast":
        pytest.importorskip("numba")
    rows = "".join(f"{x} {n}\n" for x, n in zip((1.5, 3, 7), off, strict=True))
    asked, signal = study(mine(off=rows), engine=engine)
    strengths = [0.1, 1.0, 3.0]
    found = asked.question({"signal_strength": 1.0}).profiled([[x] for x in strengths])
    assert found.converged.all()
    for x, chi2, pulls in zip(strengths, found.chi2, found.pulls, strict=True):
        known = zip(x * signal, (12, 7, 1), off, strict=True)
        expected = [profiled(s, n, N, 0.25) for s, n, N in known]
        assert chi2 == pytest.approx(sum(part for part, _ in expected), abs=1e-9)
        b = [max(n, 0.5) * (1 + t) for n, t in zip(off, pulls, strict=True)]
        assert b == pytest.approx([b for _, b in expected], abs=1e-5)


def test_derivatives_are_exact(mine):
    """Of the joint χ², against differences."""
    likelihood = study(mine())[0].question({"signal_strength": 1.0}).likelihood
    strengths = likelihood.basis.strengths(STANDARD_MODEL.couplings())
    free = likelihood._free(())
    layout = likelihood._layout(free, 0, ())
    inputs = likelihood._inputs(slice(0, 1), strengths, None, likelihood.centre[np.newaxis], free, ())
    inputs = inputs.prepared(layout)
    x, step = np.array([0.3, -0.2, 0.6]), 1e-5
    ends = x[:, np.newaxis, np.newaxis] + step * np.multiply.outer(np.eye(3), [1.0, -1.0])
    _, gradient, hessian = evaluate_joint(layout, inputs, x[:, np.newaxis])
    for k in range(3):
        value, slope, _ = evaluate_joint(layout, inputs, ends[:, k])
        assert gradient[k, 0] == pytest.approx((value[0] - value[1]) / (2 * step), rel=1e-7)
        row = [hessian[max(i, k) * (max(i, k) + 1) // 2 + min(i, k), 0] for i in range(3)]
        assert row == pytest.approx(((slope[:, 0] - slope[:, 1]) / (2 * step)).tolist(), rel=1e-7, abs=1e-9)


def test_one_rate_of_all_bins(mine):
    """Without `each` the off sample is one number, and its distribution is taken as it is."""
    asked, signal = study(mine(('each = "energy"\n', "")))
    shape, on = np.array([20, 31, 2]) / 53, np.array([12, 7, 1])

    def chi2(b):
        mu = signal + 0.25 * b[0] * shape
        return 2 * (mu - on + on * np.log(on / mu)).sum() + 2 * (b[0] - 53 + 53 * math.log(53 / b[0]))

    found = asked.goodness().values
    assert found.chi2 == pytest.approx(minimize(chi2, [53.0], tol=1e-12).fun, abs=1e-6)
    assert (found.bins, found.fitted) == (4, 1)
    assert found.contributions.keys() == {"mine", "mine off"}


def test_toys_throw_both_samples_and_a_projection_expects_both(mine):
    question = study(mine())[0].question({"signal_strength": 1.0})
    toys = question.simulate([1.0], question.likelihood.centre, 4000, np.random.default_rng(1))
    on, off = toys.counts
    assert off.mean(axis=0) == pytest.approx([20, 31, 2], rel=0.05)
    assert off.var(axis=0) == pytest.approx([20, 31, 2], rel=0.1)
    assert question.expected([1.0]).counts[1].tolist() == [20, 31, 2]
    assert on.shape == (4000, 3)


def test_errors_are_found_where_a_rate_is_at_its_bound(mine):
    """Nothing off, and in the last bin nothing on: its rate is 0, which takes no part in the errors."""
    asked, _ = study(mine(off="1.5 20\n3 31\n7 0\n", on="1.5 120\n3 90\n7 0\n"))
    fit = asked.fit({"signal_strength": 1.0}).values
    assert fit.pulls["mine_off_2"] == -1.0
    low, high = fit.fit.minos["signal_strength"]
    assert low < fit.fit.errors["signal_strength"] < high


def test_the_posterior_of_a_rate_is_a_gamma_distribution(mine):
    """Without signal, flat in b: of n + N counts, b (1 + scale) is Γ(n + N + 1)."""
    asked, _ = study(mine(('each = "energy"\n', "")))
    found = asked.sample({"signal_strength": (0.0, 1e-6)}, seed=2).values.summaries["mine_off"]
    counts = 53 + 20 + 1
    assert found.mean == pytest.approx(counts / 1.25 / 53 - 1, abs=4e-3)
    assert found.deviation == pytest.approx(math.sqrt(counts) / 1.25 / 53, rel=0.05)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"off": "1.5 20\n3 -1\n7 2\n"}, "off.txt: counts must not be negative, but one is -1"),
        ({"off": "1.5 20\n3 3.5\n7 2\n"}, "off.txt: 3.5 is not a whole number of counts"),
        ({"off": "1.5 20\n3 3\n"}, "off.txt: there is no row in the bin 4 to 10"),
        (
            {"off": "1.2 9\n1.7 11\n3 31\n7 2\n"},
            "off.txt: its rows are at other places on the axis energy than those of on.txt, first at 1.2",
        ),
    ],
)
def test_an_off_sample_of_other_bins_is_refused(mine, change, said):
    with pytest.raises(NurecoilError) as error:
        mine(**change)
    assert f"backgrounds.reactor-off: {said}" in str(error.value)


def test_what_is_no_off_sample_is_refused(mine):
    with pytest.raises(NurecoilError, match=r"backgrounds\.reactor-off: the width 'off-sample' needs counts"):
        mine(('counts = "table"', "counts = 50"))
