"""Toy-calibrated intervals: Feldman and Cousins' own tables, Wilks where it holds, coverage, NSI."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2 as chi2_of
from scipy.stats import norm, poisson

from asking import feldman_cousins, figure_of, sensitivity, significance
from few_counts import critical_values
from lines import calibrate
from nurecoil import cli
from nurecoil.errors import NurecoilError
from nurecoil.inference.calibration import coverage
from nurecoil.inference.critical import critical_value, fewest_toys
from nurecoil.models import NSI, SCALED_STANDARD_MODEL, ZPRIME_331
from nurecoil.study.bands import _ends
from nurecoil.study.question import Question
from nurecoil.study.toys import ToyStatistic, minima_of

B = 3.0
WILKS = 2.705543
SCAN = ("signal_strength", 0.0, 4.0)
SEED = np.random.SeedSequence(1)


def bounded_mean(mean, toys, seed):
    """Δχ² of measurements ± 1 of a mean that is not negative."""
    x = np.random.default_rng(seed).normal(mean, 1.0, toys)
    return (x - mean) ** 2 - np.minimum(x, 0.0) ** 2, 0


def poisson_chi2(n, signal):
    mu = np.asarray(signal + B)
    return 2 * (mu - n + np.where(n > 0, n * np.log(np.where(n > 0, n, 1.0) / mu), 0.0))


def counts(signal, toys, seed):
    """Δχ² of counts on a background of 3."""
    n = np.random.default_rng(seed).poisson(signal + B, toys)
    best = np.maximum(n - B, 0.0)
    return np.maximum(poisson_chi2(n, signal) - poisson_chi2(n, best), 0.0), 0


# --- the tables of the paper --------------------------------------------------------------------------


def exact_bounded_mean(x, cl=0.9):
    """The construction without toys: accept around each mean by the ratio of likelihoods."""

    def accepted(mean):
        def ends(c):
            low = mean - np.sqrt(c)
            return low if low >= 0 else (mean**2 - c) / (2 * mean), mean + np.sqrt(c)

        def excess(c):
            low, high = ends(c)
            return norm.cdf(high - mean) - norm.cdf(low - mean) - cl

        return ends(brentq(excess, 1e-9, 20))

    means = np.linspace(1e-6, 8, 1601)
    inside = [mean for mean in means if np.subtract(x, accepted(mean)).prod() <= 0]
    return min(inside), max(inside)


@pytest.mark.parametrize(
    ("x", "low", "high"), [(-1.0, 0.0, 0.81), (0.0, 0.0, 1.64), (1.0, 0.0, 2.64), (3.0, 1.37, 4.64)]
)
def test_a_gaussian_mean_that_cannot_be_negative(x, low, high):  # table X of the paper
    assert exact_bounded_mean(x) == pytest.approx((low, high), abs=0.01)
    found = calibrate(lambda mean: (x - mean) ** 2, bounded_mean, 0.0, 8.0, 0.9, toys=20_000)
    (interval,) = found.intervals
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.03)
    assert interval.open_low == (low == 0.0)
    assert all(0 < e < 0.03 for e in found.errors[0][-1:])


@pytest.mark.parametrize(("n", "low", "high"), [(1, 0.0, 1.88), (2, 0.0, 3.04), (6, 0.15, 8.47)])
def test_poisson_counts_on_a_background(n, low, high):  # table IV of the paper
    found = calibrate(lambda s: poisson_chi2(n, s), counts, 0.0, 16.0, 0.9, toys=20_000, points=41, rounds=6)
    (interval,) = found.intervals
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.05)


def test_discrete_counts_are_covered_too_often():
    found = calibrate(lambda s: poisson_chi2(4, s), counts, 0.0, 16.0, 0.9, toys=10_000, points=33, rounds=0)
    signals = [0.0, 1.0, 2.5, 5.0]
    exact = []
    for signal in signals:
        n = np.arange(80)
        t = poisson_chi2(n, signal) - poisson_chi2(n, np.maximum(n - B, 0.0))
        order, p = np.argsort(t), poisson.pmf(n, signal + B)
        total = np.cumsum(p[order])
        exact.append(total[np.searchsorted(total, 0.9)])
    assert min(exact) > 0.915
    seen = coverage(found, counts, signals, toys=20_000)
    assert seen.toys == pytest.approx(exact, abs=0.008)
    assert (seen.toys > 0.905).all()


def test_the_tables_are_covered_as_they_should():
    found = calibrate(lambda m: (0.5 - m) ** 2, bounded_mean, 0.0, 6.0, 0.9, toys=20_000, points=25)
    seen = coverage(found, bounded_mean, [0.25, 0.5, 1.0, 2.0], toys=20_000)
    assert seen.toys == pytest.approx([0.9] * 4, abs=4 * float(seen.toys_error.max()) + 0.003)
    exact = [norm.cdf(np.sqrt(WILKS)) - norm.cdf(-(WILKS + m * m) / (2 * m)) for m in (0.25, 0.5, 1.0)]
    assert seen.wilks[:3] == pytest.approx(exact, abs=5 * float(seen.wilks_error.max()))
    assert seen.wilks[0] > 0.93


# --- critical values ----------------------------------------------------------------------------------


def test_the_critical_value_is_that_of_wilks_for_a_gaussian():
    def draw(mean, toys, seed):
        return np.random.default_rng(seed).normal(0.0, 1.0, toys) ** 2, 0

    for cl, level in ((0.6827, 1.0), (0.9, WILKS), (0.99, 6.634897)):
        value, error, failed = critical_values(draw, [0.0, 7.0], cl, toys=40_000, seed=3)
        assert value == pytest.approx([level] * 2, abs=4 * error.max())
        assert not failed.any()
        # the error of a quantile is √(p q/n)/f, f the density of χ² there
        density = 2 * norm.pdf(np.sqrt(level)) / (2 * np.sqrt(level))
        assert error == pytest.approx([np.sqrt(cl * (1 - cl) / 40_000) / density] * 2, rel=0.3)


def test_the_same_seed_gives_the_same_numbers_on_any_executor():
    def chi2(mean):
        return (1.0 - mean) ** 2

    once = calibrate(chi2, bounded_mean, 0.0, 6.0, 0.9, toys=1500, seed=5)
    with ThreadPoolExecutor(3) as pool:
        again = calibrate(chi2, bounded_mean, 0.0, 6.0, 0.9, toys=1500, seed=5, executor=pool)
    other = calibrate(chi2, bounded_mean, 0.0, 6.0, 0.9, toys=1500, seed=6)
    assert once.intervals == again.intervals
    assert (once.critical == again.critical).all()
    assert (once.toys == again.toys).all()
    assert once.intervals != other.intervals


def test_toys_go_where_the_answer_is_decided():
    found = calibrate(lambda m: (3.0 - m) ** 2, bounded_mean, 0.0, 20.0, 0.9, toys=500, points=11, rounds=4)
    near = np.abs(np.abs(found.values - 3.0) - 1.6449) < 1.0
    assert found.toys[near].sum() > found.toys[~near].sum()
    assert near.sum() >= 8


def test_intervals_in_the_logarithm():
    def draw(x, toys, seed):
        return np.random.default_rng(seed).normal(0.0, 1.0, toys) ** 2, 0

    found = calibrate(lambda x: (np.log(x) / 0.3) ** 2, draw, 0.1, 10.0, 0.9, log=True, toys=5000, points=11)
    (interval,) = found.intervals
    expected = np.exp(0.3 * np.sqrt(WILKS))
    assert (1 / interval.low, interval.high) == pytest.approx((expected, expected), rel=0.03)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cl": 1.0}, "confidence level = 1.0 is not allowed"),
        ({"cl": 90.0}, "confidence level = 90.0 is not allowed"),
        ({"toys": 99}, "toys = 99 is not allowed: a confidence level of 90 % needs 100 or more"),
        ({"cl": 0.9973, "toys": 1000}, "99.73 % needs 3704 or more"),
        ({"points": 4}, "points = 4 is not allowed"),
        ({"seed": -1}, "seed = -1 is not allowed"),
        ({"rounds": 0.5}, "rounds = 0.5 is not allowed"),
        ({"low": 9.0}, "low < high"),
    ],
)
def test_bad_arguments_are_refused(change, sentence):
    arguments = {"low": 0.0, "high": 8.0, "cl": 0.9, "toys": 200, **change}
    with pytest.raises(NurecoilError, match=sentence):
        calibrate(lambda m: m**2, bounded_mean, **arguments)


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_toys_without_a_number_are_refused(bad):
    with pytest.raises(NurecoilError, match=f"a toy at 0.0 has Δχ² = {bad}"):
        calibrate(lambda m: m**2, lambda m, n, seed: (np.full(n, bad), 0), 0.0, 8.0, 0.9, toys=200)


def test_a_flat_likelihood_allows_everything():
    found = calibrate(lambda m: 0 * m, lambda m, n, seed: (np.zeros(n), 0), 0.0, 8.0, 0.9, toys=200)
    (interval,) = found.intervals
    assert (interval.open_low, interval.open_high) == (True, True)
    with pytest.raises(NurecoilError, match="chi2 is nan"):
        calibrate(lambda m: np.nan * m, bounded_mean, 0.0, 8.0, 0.9, toys=200)


def test_few_toys_say_how_many_are_needed():
    assert (fewest_toys(0.9), fewest_toys(0.68), fewest_toys(0.99)) == (100, 32, 1000)
    with pytest.raises(NurecoilError, match="toys = 31 is not allowed: a confidence level of 68 % needs 32"):
        critical_value(np.arange(31.0), 0.68)


# --- experiments --------------------------------------------------------------------------------------


def toy_statistic(compiled, model, name, low, high, fixed=None):
    question = Question.of(model, [compiled], fixed or {}, {name: low})
    return ToyStatistic(question, low, high, tuple(minima_of(question, low, high)))


def test_a_gaussian_count_has_the_critical_value_of_wilks(csi):
    draw = toy_statistic(csi, SCALED_STANDARD_MODEL, *SCAN)
    (value,), (error,), (failed,) = critical_values(draw, [1.0], 0.9, toys=4000)
    # the error grows with the signal: not quite a parabola
    assert value == pytest.approx(WILKS, abs=4 * error)
    assert failed == 0


def test_wilks_holds_for_the_signal_of_csi_2021(coherent):
    question = Question.of(
        SCALED_STANDARD_MODEL, [coherent["coherent-csi-2021"]], {"electroweak": "radiative"},
        {"signal_strength": 1.0},
    )  # fmt: skip
    draw = ToyStatistic(question, 0.0, 3.0, tuple(minima_of(question, 0.0, 3.0)))
    (value,), (error,), (failed,) = critical_values(draw, [1.0], 0.9, toys=800, seed=2)
    assert value == pytest.approx(WILKS, abs=3.5 * error)
    assert failed == 0


def test_a_search_finds_the_minima_that_one_start_misses(coherent):
    question = Question.of(
        SCALED_STANDARD_MODEL, [coherent["coherent-csi-2021"]], {"electroweak": "radiative"},
        {"signal_strength": 1.0},
    )  # fmt: skip
    pulls = question.profiled([[1.0]]).pulls[0]
    toys = question.with_data(question.simulate([1.0], pulls, 500, np.random.default_rng(77)))
    searched = toys.likelihood.profiled(toys.strengths([[1.0]])).chi2
    one = toys.likelihood.profiled(toys.strengths([[1.0]]), pulls=toys.likelihood.start).chi2
    best = searched
    for seed in range(8):
        random = np.random.default_rng(seed).uniform(-3, 3, pulls.size)
        start = toys.likelihood.centre + random * toys.likelihood.width
        best = np.minimum(best, toys.likelihood.profiled(toys.strengths([[1.0]]), pulls=start).chi2)
    assert (searched <= one + 1e-9).all()
    assert 0.003 < (one - best > 1e-3).mean() < 0.05
    assert (searched - best > 1e-3).mean() < 0.003


def test_toys_between_two_solutions_are_not_wilks(csi):
    """ε_u_ee: halfway between the solutions both are near for every toy, and t_c is far below 2.71."""
    draw = toy_statistic(csi, NSI, "eps_u_ee", -0.6, 1.0)
    question = draw.question
    low, high = sorted(float(point[0]) for point in minima_of(question, -0.6, 1.0))
    middle = 0.5 * (low + high)
    pulls = question.profiled([[middle]]).pulls[0]
    expected = question.with_data(question.expected([middle], pulls))
    assert len(draw._starts(np.array([middle]), expected)) == 3
    t, failed = draw(middle, 500, SEED)
    # by hand: the least χ² of each toy on a fine grid
    toys = question.with_data(question.simulate([middle], pulls, 500, np.random.default_rng(SEED)))
    grid = np.linspace(-0.6, 1.0, 801)
    curves = np.array([toys.chi2([[x]]) for x in grid])
    assert t == pytest.approx(toys.chi2([[middle]]) - curves.min(axis=0), abs=2e-3)
    assert (t.min() >= 0, failed) == (True, 0)


def test_the_minimum_at_an_edge_is_found(coherent):
    fixed = {"electroweak": "radiative"}
    draw = toy_statistic(
        coherent["coherent-csi-2021"], SCALED_STANDARD_MODEL, "signal_strength", 0.0, 3.0, fixed
    )
    t, failed = draw(0.0, 400, SEED)
    assert failed == 0
    # no signal: half of all toys fit best there, at the bound
    assert (t < 1e-6).mean() == pytest.approx(0.5, abs=0.1)
    assert critical_value(t, 0.9)[0] == pytest.approx(norm.ppf(0.9) ** 2, abs=0.6)


def test_the_radius_of_a_nucleus_is_scanned_too(coherent):
    compiled = coherent["coherent-csi-2021"]
    draw = toy_statistic(compiled, SCALED_STANDARD_MODEL, "neutron_radius_csi", 3.0, 8.0)
    t, failed = draw(5.0, 100, SEED)
    assert (t >= 0).all()
    assert failed == 0
    assert 0.3 < t.mean() < 2.0


def test_both_kinds_of_interval_stand_side_by_side(csi):
    result = feldman_cousins(
        SCALED_STANDARD_MODEL, [csi], {}, SCAN, toys=300, points=7, rounds=1, coverage=[1.0]
    )
    found = result.values.calibration
    assert (result.question, result.converged, result.values.starts) == ("feldman_cousins", True, 1)
    (wilks,), (toys,) = found.wilks.intervals, found.intervals
    assert (toys.low, toys.high) == pytest.approx((wilks.low, wilks.high), abs=0.2)
    assert result.values.coverage.number == 300
    assert "best fit to the data" in result.conventions["nuisances"]
    figure = figure_of(result)
    assert [s.label for s in figure.panels[0].series] == [
        "data", "critical value, toys (band: error)", "allowed by toys", "allowed by Wilks",
    ]  # fmt: skip


def test_a_parameter_that_does_nothing_allows_everything(csi):
    fixed = {"beta": 0.0}
    result = feldman_cousins(ZPRIME_331, [csi], fixed, ("m_zprime", 1e12, 1e13), toys=100, points=5, rounds=0)
    (interval,) = result.values.calibration.intervals
    assert (interval.open_low, interval.open_high) == (True, True)
    assert any("does not depend on m_zprime" in note for note in result.notes)


def test_steps_of_the_fast_engine_agree(csi):
    pytest.importorskip("numba")
    t = []
    for engine in ("numpy", "fast"):
        question = Question.of(ZPRIME_331, [csi], {"beta": -(3**0.5)}, {"m_zprime": 1e5}, None, engine)
        t.append(ToyStatistic(question, 1e5, 1e8, minima_of(question, 1e5, 1e8))(2e6, 100, SEED)[0])
    assert t[0] == pytest.approx(t[1], abs=1e-6)
    assert t[0].max() > 1


@pytest.mark.parametrize(
    ("scan", "change", "sentence"),
    [
        (("signal", 0.0, 4.0), {}, "unknown parameter 'signal'"),
        (("signal_strength", 4.0, 0.0), {}, "reversed"),
        (("signal_strength", -1.0, 4.0), {}, "signal_strength = -1 is not allowed"),
        (SCAN, {"cl": 1.5}, "confidence level 1.5 is not allowed"),
        (SCAN, {"toys": 50}, "toys = 50 is not allowed"),
        (SCAN, {"coverage": [-1.0]}, "signal_strength = -1 is not allowed"),
        (SCAN, {"engine": "quick"}, "quick"),
    ],
)
def test_bad_questions_are_refused(csi, scan, change, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        feldman_cousins(SCALED_STANDARD_MODEL, [csi], {}, scan, **{"toys": 100, **change})


# --- toys of other questions --------------------------------------------------------------------------


def test_the_bands_of_a_gaussian_count_are_its_quantiles(csi):
    result = sensitivity(SCALED_STANDARD_MODEL, [csi], {}, ("signal_strength", 0.0, 4.0), toys=4000, seed=3)
    bands, expected = result.values.bands, result.values.expected.profile
    (interval,) = expected.intervals
    assert (bands.low[2], bands.high[2]) == pytest.approx((interval.low, interval.high), abs=0.04)
    # one parameter, Gaussian: Δχ² at the truth follows χ² of one degree of freedom
    at_truth = int(np.abs(bands.values - 1.0).argmin())
    assert bands.values[at_truth] == pytest.approx(1.0)
    quantiles = [chi2_of.ppf(p, 1) for p in (0.02275, 0.15866, 0.5, 0.84134, 0.97725)]
    assert bands.delta_chi2[:, at_truth] == pytest.approx(quantiles, rel=0.12, abs=0.02)
    assert (np.diff(bands.low) >= 0).all()
    assert (np.diff(bands.high) >= 0).all()
    assert (bands.toys, bands.converged, result.converged) == (4000, 4000, True)
    labels = [area.label for area in figure_of(result).panels[0].areas]
    assert labels == ["95 % of toys", "68 % of toys"]
    with pytest.raises(NurecoilError, match="toys = 99 is not allowed: bands to 2σ need 100 or more"):
        sensitivity(SCALED_STANDARD_MODEL, [csi], {}, ("signal_strength", 0.0, 4.0), toys=99)


def test_limits_of_toys_end_at_the_edge_of_the_scan():
    u, curve = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 2.0, 4.0, 8.0])
    assert _ends(u, curve, 3.0) == (0.0, 1.5)
    assert _ends(u, curve, 9.0) == (0.0, 3.0)
    assert _ends(u, curve[::-1], 6.0) == (0.5, 3.0)


def test_toys_agree_with_the_asymptotic_significance(csi):
    arguments = ({"signal_strength": 1.0}, {"signal_strength": 0.3})
    result = significance(SCALED_STANDARD_MODEL, [csi], {}, *arguments, toys=3000)
    toys, observed = result.values.toys, result.values.observed
    assert toys.p_value == pytest.approx(10**observed.log10_p_value, abs=4 * toys.error)
    assert toys.error == pytest.approx(np.sqrt(toys.p_value * (1 - toys.p_value) / 3000), rel=0.05)
    assert (toys.converged, result.converged) == (3000, True)
    assert (toys.statistic >= 0).all()
    again = significance(SCALED_STANDARD_MODEL, [csi], {}, *arguments, toys=3000)
    assert (again.values.toys.statistic == toys.statistic).all()
    assert not any("toys can check" in note for note in result.notes)


def test_toys_of_a_null_hypothesis_of_a_nuisance_parameter(csi):
    pull = "binh2021-csi_signal"
    start = {"signal_strength": 1.0, pull: 0.0}
    # the signal's rate and its pull are one: no value of the pull is rejected
    result = significance(SCALED_STANDARD_MODEL, [csi], {}, start, {pull: 0.1}, toys=50)
    assert result.values.toys.p_value == pytest.approx(1.0, abs=0.1)
    assert result.values.toys.statistic == pytest.approx(np.zeros(50), abs=1e-6)


def test_toys_of_the_commands(capsys):
    base = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi", "--toys", "200", "--json")
    for verb, more in (
        ("sensitivity", ("--scan", "signal_strength=0..4")),
        ("significance", ("--free", "signal_strength=1", "--null", "signal_strength=0.3")),
    ):
        with pytest.raises(SystemExit) as ending:
            cli.main([verb, *base, *more])
        assert not ending.value.code
        found = json.loads(capsys.readouterr().out)
        if verb == "sensitivity":
            assert found["bands"]["toys"] == 200
            assert len(found["bands"]["lowest_allowed"]) == 5
            assert np.shape(found["bands"]["curve"]["delta_chi2"]) == (5, 81)
        else:
            assert found["toys"]["number"] == 200
            assert 0 <= found["toys"]["p_value"] < 0.2
