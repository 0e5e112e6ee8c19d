"""Samples of posteriors that are known, and the diagnostics of chains that are known."""

import math
from dataclasses import replace

import numpy as np
import pytest

import asking
import nurecoil
from nurecoil.inference.density import Curve, curve, density_map, highest_density_intervals, threshold
from nurecoil.inference.diagnostics import bulk_size, effective_size, r_hat, rank_normalised, split, tail_size
from nurecoil.inference.nested import sample_nested
from nurecoil.inference.nuts import sample_nuts
from nurecoil.inference.priors import Prior, Target
from nurecoil.inference.sampling import annealed, sample_ensemble
from nurecoil.verbs.sample import _sampled_pulls
from nurecoil.verbs.sample import _target as posterior
from told import Told

MEAN = np.array([0.3, -1.0, 2.0])
COVARIANCE = np.array([[0.04, 0.03, 0.0], [0.03, 0.09, -0.05], [0.0, -0.05, 0.25]])
PRIORS = (Prior(-5.0, 5.0), Prior(-6.0, 6.0), Prior(-8.0, 8.0))
# ∫ L π with L = 1 at its maximum: (2π)^{3/2} |C|^{1/2} over the volume of the box, 10 · 12 · 16
LOG_EVIDENCE = 0.5 * math.log((2 * math.pi) ** 3 * np.linalg.det(COVARIANCE)) - math.log(1920)


def gaussian(x):
    away = x - MEAN
    return -0.5 * np.einsum("pi,ij,pj->p", away, np.linalg.inv(COVARIANCE), away)


def two_modes(x):
    """30 % around -2 ± 0.06, 70 % around 2 ± 0.05: far apart, and of different widths."""
    left = math.log(0.3 / 0.06) - 0.5 * ((x[:, 0] + 2) / 0.06) ** 2
    right = math.log(0.7 / 0.05) - 0.5 * ((x[:, 0] - 2) / 0.05) ** 2
    return np.logaddexp(left, right)


GAUSSIAN = Target(gaussian, PRIORS)
TWO_MODES = Target(two_modes, (Prior(-10.0, 10.0),))


def autoregressive(rho, draws, chains, seed=1):
    """x_t = ρ x_{t-1} + noise, with variance 1: the effective size is N (1 - ρ)/(1 + ρ)."""
    noise = np.random.default_rng(seed).normal(size=(draws, chains))
    x = np.empty_like(noise)
    x[0] = noise[0]
    for t in range(1, draws):
        x[t] = rho * x[t - 1] + math.sqrt(1 - rho**2) * noise[t]
    return x


def agrees(found):
    """Compare mean and covariance with the truth, within 4.5 Monte Carlo errors."""
    sizes = np.array([d.bulk_size for d in found.diagnostics])
    sigma = np.sqrt(np.diag(COVARIANCE))
    assert found.values.mean(axis=0) == pytest.approx(MEAN, abs=4.5 * np.max(sigma / np.sqrt(sizes)))
    error = 4.5 * np.outer(sigma, sigma) * np.sqrt(2 / sizes.min())
    assert (np.abs(np.cov(found.values.T) - COVARIANCE) < error).all()


# --- diagnostics --------------------------------------------------------------------------------------


def test_chains_that_agree_have_r_hat_one():
    x = np.random.default_rng(1).normal(size=(1000, 4))
    assert r_hat(x) == pytest.approx(1, abs=0.005)
    assert bulk_size(x) == pytest.approx(4000, rel=0.1)
    assert tail_size(x) == pytest.approx(4000, rel=0.15)


def test_chains_that_differ_in_place_or_width_do_not():
    x = np.random.default_rng(1).normal(size=(1000, 4))
    assert r_hat(x + np.array([0, 0, 0, 2])) > 1.1
    assert r_hat(x * [1, 1, 1, 5]) > 1.1  # same means: only the folded ranks see it
    assert r_hat(x + np.linspace(0, 2, 1000)[:, np.newaxis]) > 1.1  # a common drift: only halves see it


def test_r_hat_by_hand():
    """Two chains (0, 1, 0, 1) and (2, 3, 2, 3), in halves: ranks 1.5, 3.5, 5.5, 7.5, each twice."""
    x = np.array([[0.0, 2.0], [1.0, 3.0], [0.0, 2.0], [1.0, 3.0]])
    from scipy.special import ndtri

    a, b, c, d = (ndtri((rank - 0.375) / 8.25) for rank in (1.5, 3.5, 5.5, 7.5))
    assert rank_normalised(x)[:2].ravel() == pytest.approx([a, c, b, d])
    means, within = np.array([a + b, c + d, a + b, c + d]) / 2, ((a - b) ** 2 / 2 + (c - d) ** 2 / 2) / 2
    by_hand = math.sqrt(1 / 2 + means.var(ddof=1) / within)
    assert split(x).shape == (2, 4)
    assert r_hat(x) == pytest.approx(by_hand)


@pytest.mark.parametrize("rho", [0.9, 0.5, -0.3])
def test_effective_size_of_an_autoregression(rho):
    x = autoregressive(rho, 10_000, 16)
    assert effective_size(x) == pytest.approx(x.size * (1 - rho) / (1 + rho), rel=0.12)
    assert bulk_size(x) == pytest.approx(x.size * (1 - rho) / (1 + rho), rel=0.12)


def test_walkers_that_stay_in_their_modes_have_not_converged():
    """Each by itself looks like white noise: emcee's autocorrelation time would be 1."""
    x = np.random.default_rng(1).normal(size=(500, 64)) + np.where(np.arange(64) < 20, -20, 20)
    assert effective_size(x) < 100


def test_chains_that_do_not_move_have_no_diagnostics():
    assert np.isnan(effective_size(np.ones((100, 4))))
    assert np.isnan(r_hat(np.ones((100, 4))))


# --- priors -------------------------------------------------------------------------------------------


def test_priors_have_their_quantiles():
    z = np.array([-1.0, 0.0, 1.0])  # 15.87 %, 50 %, 84.13 %
    assert Prior(0.0, 10.0).value(z) == pytest.approx([1.58655, 5, 8.41345], abs=1e-4)
    assert Prior(1.0, 1e4, log=True).value(z) == pytest.approx(
        [10 ** (4 * p) for p in (0.158655, 0.5, 0.841345)], rel=1e-5
    )
    assert Prior(-math.inf, math.inf, centre=2.0, width=3.0).value(10 * z) == pytest.approx([-28, 2, 32])
    half = Prior(0.0, math.inf, width=1.0).value(z)  # |N(0, 1)|: quantiles ndtri(0.5 + p/2)
    assert half == pytest.approx([0.2001, 0.6745, 1.4096], abs=1e-4)


def test_a_gaussian_cut_far_away_is_not_cut():
    z = np.array([-7.0, 7.0])
    assert Prior(-1.0, 1.0, width=0.1).value(z) == pytest.approx([-0.7, 0.7])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"low": 0.0, "high": math.inf}, "must be finite, or the prior could not be normalised"),
        ({"low": 1.0, "high": 1.0}, "must be two ascending numbers"),
        ({"low": 0.0, "high": 1.0, "log": True}, "above 0"),
        ({"low": -1.0, "high": 1.0, "width": math.inf}, "width = inf is not allowed"),
        ({"low": 90.0, "high": 100.0, "width": 1.0}, "within 8 widths of its centre"),
    ],
)
def test_no_silent_infinite_prior(arguments, text):
    with pytest.raises(nurecoil.NurecoilError, match=text):
        Prior(**arguments)


# --- densities ----------------------------------------------------------------------------------------


def test_highest_density_of_a_gaussian_and_of_two_modes():
    rng = np.random.default_rng(1)
    ((low, high),) = highest_density_intervals(curve(rng.normal(size=20_000), -math.inf, math.inf), 0.68)
    assert (low, high) == pytest.approx((-0.9945, 0.9945), abs=0.06)
    x = np.concatenate([rng.normal(-2, 0.05, 3000), rng.normal(2, 0.05, 7000)])
    pieces = highest_density_intervals(curve(x, -10, 10), 0.95)
    assert np.array(pieces) == pytest.approx(np.array([[-2.09, -1.91], [1.89, 2.11]]), abs=0.03)


@pytest.mark.parametrize("level", [0.68, 0.9, 0.95])
@pytest.mark.parametrize("apart", [0.5, 1.5, 3.0])
def test_highest_density_intervals_hold_their_level(level, apart):
    rng = np.random.default_rng(8)
    x = np.concatenate([rng.normal(-apart, 1, 50_000), rng.normal(apart, 1, 50_000)])
    held = sum(((x >= a) & (x <= b)).mean() for a, b in highest_density_intervals(curve(x, -9, 9), level))
    assert held == pytest.approx(level, abs=0.012)


def test_a_density_need_not_vanish_at_a_bound():
    """Of e^{-x}, x > 0: the densest 90 % lie below ln 10."""
    found = curve(np.random.default_rng(1).exponential(size=20_000), 0.0, math.inf)
    ((low, high),) = highest_density_intervals(found, 0.9)
    assert low == 0
    assert high == pytest.approx(math.log(10), rel=0.04)
    assert found.density[0] == pytest.approx(1, abs=0.1)


def test_a_region_of_two_parameters_holds_its_part():
    samples = np.random.default_rng(1).normal(size=(20_000, 2))
    x, y = (curve(column, -math.inf, math.inf) for column in samples.T)
    found = density_map(x, y, samples, 20_000)
    area = (found.density >= threshold(found.density, 0.68)).sum() * np.diff(found.x)[0] * np.diff(found.y)[0]
    assert area == pytest.approx(math.pi * -2 * math.log(0.32), rel=0.08)  # r² = -2 ln(1 - p)


def test_a_flat_curve_has_all_of_it():
    assert highest_density_intervals(Curve(np.array([0.5, 1.5]), np.ones(2)), 0.9) == ((0.0, 2.0),)


# --- samplers -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ensemble():
    return sample_ensemble(GAUSSIAN, 1, 4000)


def test_the_ensemble_samples_a_gaussian(ensemble):
    agrees(ensemble)
    assert ensemble.problems == ()
    assert ensemble.steps in (1000, 2000)
    assert all(d.r_hat < 1.01 and min(d.bulk_size, d.tail_size) > 400 for d in ensemble.diagnostics)
    assert 0.2 < ensemble.acceptance < 0.6


def test_the_same_seed_gives_the_same_samples():
    again = [sample_ensemble(TWO_MODES, 1, 500).values for _ in range(2)]
    assert (again[0] == again[1]).all()


def test_both_modes_are_filled_by_their_weights():
    found = sample_ensemble(TWO_MODES, 1, 8000)
    left = found.values[:, 0] < 0
    assert found.problems == ()
    assert left.mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / found.diagnostics[0].bulk_size))
    assert found.values[left].std() == pytest.approx(0.06, rel=0.05)
    assert found.values[~left].std() == pytest.approx(0.05, rel=0.05)


def test_the_start_has_both_modes_too():
    z = annealed(TWO_MODES, 2000, np.random.RandomState(1))
    assert (z < 0).mean() == pytest.approx(0.3, abs=0.05)


def test_the_move_leaves_a_gaussian_as_it_is():
    """What emcee's DESnookerMove does not: there the variance becomes 0.61 in ten dimensions."""
    from emcee import EnsembleSampler

    from nurecoil.inference.moves import SubspaceMove

    sampler = EnsembleSampler(
        64, 6, lambda x: -0.5 * (x**2).sum(axis=1), moves=SubspaceMove(jumps=0.4), vectorize=True
    )
    sampler._random = np.random.RandomState(1)
    sampler.run_mcmc(np.random.RandomState(2).normal(size=(64, 6)), 3000)
    assert sampler.get_chain(flat=True).var(axis=0).mean() == pytest.approx(1, abs=0.04)


def test_too_few_steps_are_not_called_converged():
    ridge = Target(lambda x: -0.5 * ((x[:, 0] * x[:, 1] - 1) / 0.01) ** 2, (Prior(0.0, 10.0),) * 2)
    found = sample_ensemble(ridge, 1, 500)
    assert found.steps == 500
    assert any("autocorrelation times, and 50 are needed" in problem for problem in found.problems)


def test_steps_that_cannot_be():
    with pytest.raises(nurecoil.NurecoilError, match="499 steps are not allowed"):
        sample_ensemble(GAUSSIAN, 1, 499)


def test_a_likelihood_that_is_no_number_is_refused(capsys):
    with pytest.raises(nurecoil.NurecoilError, match=r"the likelihood at \(.*\) has the logarithm nan"):
        sample_ensemble(Target(lambda x: np.where(x[:, 0] > 0, np.nan, 0.0), (Prior(-1, 1),)), 1, 500)
    with pytest.raises(
        nurecoil.NurecoilError, match="none of 256 draws of the prior has a finite likelihood"
    ):
        sample_ensemble(Target(lambda x: np.full(len(x), -np.inf), (Prior(-1, 1),)), 1, 500)
    assert capsys.readouterr() == ("", "")


def test_a_flat_likelihood_gives_the_prior():
    found = sample_ensemble(Target(lambda x: np.zeros(len(x)), (Prior(1.0, 100.0, log=True),)), 1, 2000)
    assert found.problems == ()
    assert np.quantile(found.values, [0.25, 0.5, 0.75]) == pytest.approx([10**0.5, 10, 10**1.5], rel=0.1)


def test_where_nothing_is_possible_nobody_goes():
    found = sample_ensemble(
        Target(lambda x: np.where(x[:, 0] > 0.5, 0.0, -np.inf), (Prior(0.0, 1.0),)), 1, 1000
    )
    assert found.values.min() > 0.5
    assert found.values.mean() == pytest.approx(0.75, abs=0.01)


def test_nuts_agrees_on_the_gaussian(monkeypatch):
    jax = pytest.importorskip("jax")
    pytest.importorskip("numpyro")
    monkeypatch.setattr("nurecoil.inference.nuts.in_steps", told := Told())
    found = sample_nuts(GAUSSIAN, 1, 2000)
    agrees(found)
    assert told.promised == [5]
    assert told.said == [f"{n} of at most 2000 steps" for n in range(600, found.steps + 1, 300)]
    assert found.problems == ()
    assert not jax.config.jax_enable_x64


def test_nuts_has_the_posterior_of_a_counting_experiment(csi, model, counting):
    pytest.importorskip("numpyro")
    _, _, _, mean, deviation = counting
    ranges = {"signal_strength": (0.0, 2.0)}
    found = asking.sample(model, [csi], {}, ranges, widths={SIGNAL: 0.1}, sampler="nuts").values
    size = found.diagnostics["signal_strength"].bulk_size
    assert found.summaries["signal_strength"].mean == pytest.approx(mean, abs=4 * deviation / math.sqrt(size))
    assert found.summaries["signal_strength"].deviation == pytest.approx(deviation, rel=0.07)


def test_eighteen_ranges_are_read_at_once(csi, monkeypatch):
    asked = []
    monkeypatch.setattr(nurecoil.Study, "require_counts", lambda self, at: asked.append(at))
    ranges = {p.name: (-1.0, 1.0) for p in nurecoil.load_model("nsi").parameters[:18]}
    assert len(asking.study("nsi", [csi], {}).ranges(ranges)) == 18
    assert [set(at.values()) for at in asked] == [{-1.0}, {1.0}]


@pytest.mark.parametrize("profile", [False, True])
def test_slopes_of_a_posterior_are_its_differences(csi, profile):
    # Priors of every kind: flat, flat in the logarithm, of a free pull, and Gaussian
    free = {"eps_u_ee": (-1.0, 1.0), "sin2_theta_w": (0.1, 0.4), BACKGROUND: (-0.3, 0.8)}
    question = asking.study("nsi", [csi], {}).question(dict.fromkeys(free, 0.3))
    priors = tuple(Prior(*ends, log=name == "sin2_theta_w") for name, ends in free.items())
    known = posterior(question, priors, () if profile else _sampled_pulls(question), profile)
    z = np.random.default_rng(3).normal(size=(5, known.dimensions))
    value, slopes = known.log_posterior_slopes_at(z)
    plain = replace(known, slopes=None).log_posterior_slopes_at(z)
    np.testing.assert_allclose(value, known.log_posterior_at(z), rtol=1e-12)
    np.testing.assert_allclose(value, plain[0], rtol=1e-12)
    np.testing.assert_allclose(slopes, plain[1], rtol=1e-5, atol=1e-6)


def test_nested_sampling_agrees_on_the_gaussian(capsys, monkeypatch):
    pytest.importorskip("ultranest")
    before = np.random.get_state()[1]  # noqa: NPY002
    monkeypatch.setattr("nurecoil.inference.nested.in_steps", told := Told())
    found = sample_nested(GAUSSIAN, 1, 100_000)
    agrees(found)
    assert (told.promised, told.said) == ([1], ["nested sampling, at most 100000 iterations"])
    assert found.problems == ()
    value, error = found.log_evidence
    assert value == pytest.approx(LOG_EVIDENCE, abs=4 * error)
    assert 0 < error < 0.5
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("sampler", "package"), [(sample_nuts, "numpyro"), (sample_nested, "ultranest")])
def test_a_sampler_that_is_not_installed_says_how_to_get_it(monkeypatch, sampler, package):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    if package == "numpyro":
        monkeypatch.setitem(__import__("sys").modules, "numpyro.infer", None)
    with pytest.raises(nurecoil.NurecoilError, match=r"pip install 'nurecoil\[sampling\]'"):
        sampler(GAUSSIAN, 1, 2000)


# --- the question -------------------------------------------------------------------------------------

SIGNAL, BACKGROUND = "binh2021-csi_signal", "binh2021-csi_background"


@pytest.fixture(scope="module")
def model():
    return nurecoil.load_model("scaled-standard-model")


@pytest.fixture(scope="module")
def counting(csi, model):
    """Return the posterior, and the mean and standard deviation that it must have.

    With Gaussian pulls, marginalised exactly: n ~ N(s μ + B, V), V = σ² + (σ1 s μ)² + (σ2 B)².
    """
    widths = {SIGNAL: 0.1}
    result = asking.sample(model, [csi], {}, {"signal_strength": (0.0, 2.0)}, widths=widths)
    s = asking.predict(model, csi, {"signal_strength": 1.0}).values.total
    mu = np.linspace(0, 2, 20_001)
    variance = 134 + 816 + (0.1 * s * mu) ** 2 + (0.25 * 6) ** 2
    density = np.exp(-0.5 * (134 - s * mu - 6) ** 2 / variance) / np.sqrt(variance)
    mean = np.average(mu, weights=density)
    return result, mu, density, mean, math.sqrt(np.average((mu - mean) ** 2, weights=density))


def test_the_posterior_of_a_counting_experiment(counting):
    result, mu, density, mean, deviation = counting
    found, size = result.values.summaries["signal_strength"], result.values.diagnostics["signal_strength"]
    assert result.converged
    assert found.mean == pytest.approx(mean, abs=4 * deviation / math.sqrt(size.bulk_size))
    assert found.deviation == pytest.approx(deviation, rel=0.05)
    held = np.cumsum(density) / density.sum()
    for level, ends in found.intervals.items():
        wanted = np.interp([(1 - level) / 2, (1 + level) / 2], held, mu)
        assert ends == pytest.approx(tuple(wanted), abs=0.02)
    assert result.values.samples.shape[1] == 3
    assert [p.name for p in result.values.parameters] == ["signal_strength", SIGNAL, BACKGROUND]
    assert result.values.summaries[BACKGROUND].deviation == pytest.approx(0.25, rel=0.05)


def test_chi2_of_the_samples_is_that_of_the_likelihood(csi, model, counting):
    result = counting[0]
    mu, a, b = result.values.samples[0]
    s = asking.predict(model, csi, {"signal_strength": 1.0}).values.total
    by_hand = (134 - s * mu * (1 + a) - 6 * (1 + b)) ** 2 / 950 + (a / 0.1) ** 2 + (b / 0.25) ** 2
    assert result.values.chi2[0] == pytest.approx(by_hand)


def test_what_a_result_rests_on(counting):
    result = counting[0]
    assert result.conventions["priors"] == {"signal_strength": "flat, 0 to 2"}
    assert result.conventions["nuisances"] == "marginalised with their priors"
    assert result.provenance["settings"]["seed"] == 1


def test_profiled_pulls_give_a_profile_likelihood(csi, model):
    ranges = {"signal_strength": (0.0, 3.0)}
    result = asking.sample(model, [csi], {}, ranges, profile_pulls=True, max_steps=500)
    assert result.values.profiled
    assert "not a posterior" in result.conventions["nuisances"]
    s = asking.predict(model, csi, {"signal_strength": 1.0}).values.total
    mu = np.linspace(0, 3, 10_001)
    weights = np.exp(-0.5 * (128 - s * mu) ** 2 / (950 + (0.28 * s * mu) ** 2 + 2.25))
    mean = np.average(mu, weights=weights)
    assert result.values.summaries["signal_strength"].mean == pytest.approx(mean, abs=0.03)


def test_a_range_that_confines_is_noted(csi, model):
    held = {SIGNAL: 0.0, BACKGROUND: 0.0}
    narrow = asking.sample(model, [csi], {}, {"signal_strength": (0.5, 0.7)}, widths=held, max_steps=500)
    assert any("has not vanished at the end of its range" in note for note in narrow.notes)
    wide = asking.sample(
        model,
        [csi],
        {},
        {"signal_strength": (0.01, 5.0)},
        widths=held,
        flat_in_log=["signal_strength"],
        max_steps=500,
    )
    assert not any("vanished" in note for note in wide.notes)
    assert wide.conventions["priors"] == {"signal_strength": "flat in the logarithm, 0.01 to 5"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"ranges": {}}, "at least one free parameter"),
        ({"ranges": {"signal_strength": (0.0, math.inf)}}, "signal_strength = inf is not allowed"),
        ({"ranges": {"signal_strength": (2.0, 1.0)}}, "the range of signal_strength, 2 to 1, is reversed"),
        ({"ranges": {"signal_strength": (-1.0, 1.0)}}, "signal_strength = -1 is not allowed"),
        ({"ranges": {"nonsense": (0.0, 1.0)}}, "unknown parameter 'nonsense'"),
        ({"flat_in_log": ["signal_strength"]}, "cannot be flat in the logarithm from 0"),
        ({"flat_in_log": ["sin2_theta_w"]}, "unknown free parameter 'sin2_theta_w'"),
        ({"widths": {SIGNAL: math.inf}}, f"{SIGNAL} has an infinite prior width"),
        ({"sampler": "gibbs"}, "unknown sampler 'gibbs'"),
        ({"seed": -1}, "seed = -1 is not allowed"),
        ({"max_steps": 10}, "10 steps are not allowed"),
    ],
)
def test_bad_input_is_refused(csi, model, arguments, text):
    given = {"ranges": {"signal_strength": (0.0, 2.0)}, **arguments}
    with pytest.raises(nurecoil.NurecoilError, match=text):
        asking.sample(model, [csi], {}, given.pop("ranges"), **given)
