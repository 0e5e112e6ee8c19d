"""Few counts: the tables of Feldman and Cousins, steps of discrete toys, χ² that is infinite."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2 as chi2_of
from scipy.stats import poisson

import command_line
from asking import feldman_cousins, goodness, predict
from command_line import result
from few_counts import accepted, one_event
from lines import calibrate
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.inference.belt import Belt
from nurecoil.inference.calibration import coverage
from nurecoil.inference.significance import log_p_value, standard_deviations
from nurecoil.models import NSI, SCALED_STANDARD_MODEL, STANDARD_MODEL
from nurecoil.study.minima import minima
from nurecoil.study.question import Question
from nurecoil.verbs import goodness as fit_quality

STRENGTH = ("signal_strength", 0.0, 20.0)
MODEL = ("--model", "scaled-standard-model")
SCAN = ("--scan", "signal_strength=0..20")

# Phys. Rev. D 57, 3873 (1998), tables II to IX: (cl, n, b): the interval
PUBLISHED = {
    (0.6827, 0, 0.0): (0.00, 1.29),
    (0.6827, 0, 2.0): (0.00, 0.41),
    (0.6827, 1, 0.0): (0.37, 2.75),
    (0.6827, 1, 3.5): (0.00, 0.50),
    (0.6827, 2, 1.0): (0.14, 3.25),
    (0.9, 0, 0.0): (0.00, 2.44),
    (0.9, 0, 1.0): (0.00, 1.61),
    (0.9, 0, 3.0): (0.00, 1.08),
    (0.9, 0, 3.5): (0.00, 1.06),
    (0.9, 0, 15.0): (0.00, 0.92),
    (0.9, 1, 0.0): (0.11, 4.36),
    (0.9, 1, 4.0): (0.00, 1.39),
    (0.9, 1, 5.0): (0.00, 1.22),
    (0.9, 2, 0.0): (0.53, 5.91),
    (0.9, 2, 3.0): (0.00, 3.04),
    (0.9, 3, 0.0): (1.10, 7.42),
    (0.9, 4, 1.0): (0.74, 7.60),
    (0.9, 6, 3.0): (0.15, 8.47),
    (0.9, 10, 0.0): (5.50, 16.50),
    (0.95, 0, 0.0): (0.00, 3.09),
    (0.95, 1, 0.0): (0.05, 5.14),
    (0.99, 0, 0.0): (0.00, 4.74),
}


@pytest.fixture
def counted(tmp_path):
    """Return a function that compiles an experiment of few counts, one expected in all."""

    def compiled(seen, background=0.0, **more):
        return compile_experiment(load_experiment(one_event(tmp_path, seen, background, **more)))

    return compiled


# --- one number of counts -----------------------------------------------------------------------------


@pytest.mark.parametrize(("cl", "n", "b"), PUBLISHED)
def test_the_published_tables(cl, n, b):
    assert Belt(float(n), b, 0.0, cl).ends() == pytest.approx(PUBLISHED[cl, n, b], abs=0.011)


@given(st.integers(0, 12), st.sampled_from([0.5, 0.6827, 0.9, 0.95]), st.floats(0.0, 5.0))
@settings(max_examples=8)
def test_the_ends_are_those_of_the_plain_construction(n, cl, background):
    signals = np.arange(0.0, 30.0, 0.02) + 1e-9
    low, high = Belt(float(n), background, 0.0, cl).ends()
    inside = signals[accepted(n, background, cl, signals)]
    assert low == pytest.approx(inside.min(), abs=0.021)
    assert high > inside.max() - 1e-9
    if not background:
        assert high == pytest.approx(inside.max(), abs=0.021)


def test_the_ends_never_rise_with_the_background():
    ends = [Belt(1.0, b, 0.0, 0.9).ends()[1] for b in np.arange(3.0, 6.0, 0.25)]
    assert (np.diff(ends) <= 2e-3).all()  # as fine as larger backgrounds are tried


@pytest.mark.parametrize("key", [(0.9, 0, 0.0), (0.9, 1, 0.0), (0.9, 0, 3.0), (0.6827, 2, 1.0)])
@pytest.mark.parametrize("highest", [20, 1000])
def test_the_command_gives_the_tables_in_one_piece(tmp_path, key, highest):
    cl, n, b = key
    card = one_event(tmp_path, [n], b)
    scan = ("--scan", f"signal_strength=0..{highest}", "--cl", str(cl))
    found = result("feldman-cousins", *MODEL, "--experiment", card, *scan)
    (interval,) = found["by_toys"]["allowed"]
    assert interval == pytest.approx(PUBLISHED[key], abs=0.011)
    assert found["by_toys"]["open"] == [[PUBLISHED[key][0] == 0, False]]
    assert found["by_toys"]["errors"] == [[None if PUBLISHED[key][0] == 0 else 0.0, 0.0]]
    assert found["converged"]
    assert set(found["critical"]["toys"]) == {0}
    assert any("no toys are thrown" in note for note in found["notes"])


def test_the_text_says_that_there_are_no_toys(tmp_path):
    card = one_event(tmp_path, [1])
    status, out, _ = command_line.run(
        "feldman-cousins", *MODEL, "--experiment", card, *SCAN, "--coverage", "2.5"
    )
    assert status == 0
    for text in (
        "0.1054 to 4.357\n",
        "0.1057 to 3.647",
        "probabilities of all counts",
        "Coverage [%], exact",
    ):
        assert text in out.replace("  ", "").replace(" \n", "\n")


@pytest.mark.parametrize(("n", "b"), [(0, 0.0), (2, 3.0)])
def test_the_coverage_of_one_count_is_a_sum(counted, n, b):
    truths = [0.0, 1.0, 2.5, 7.3]
    answer = feldman_cousins(SCALED_STANDARD_MODEL, [counted([n], b)], {}, STRENGTH, coverage=truths).values
    k, exact = np.arange(80), []
    for s in truths:
        allowed = [accepted(n, b, 0.9, [s])[0] for n in k]
        exact.append(poisson.pmf(k, s + b)[allowed].sum())
    assert answer.coverage.toys == pytest.approx(exact, rel=1e-9)
    assert answer.coverage.number == 0
    assert (answer.coverage.toys >= 0.9).all()


def test_what_cannot_be_asked_is_refused_without_toys_too(counted):
    for change in ({"toys": 50}, {"points": 3}, {"seed": -1}, {"cl": 1.0}, {"coverage": [-1.0]}):
        with pytest.raises(NurecoilError, match="is not allowed"):
            feldman_cousins(SCALED_STANDARD_MODEL, [counted([1])], {}, STRENGTH, **change)


def test_a_signal_beyond_the_scan_leaves_nothing(counted):
    # 10 counts allow 5.50 to 16.50
    answer = feldman_cousins(SCALED_STANDARD_MODEL, [counted([10])], {}, ("signal_strength", 0.0, 3.0)).values
    assert answer.calibration.intervals == ()
    answer = feldman_cousins(SCALED_STANDARD_MODEL, [counted([10])], {}, ("signal_strength", 0.0, 9.0)).values
    (interval,) = answer.calibration.intervals
    assert (interval.low, interval.open_high) == (pytest.approx(5.50, abs=0.01), True)


def test_two_couplings_of_one_signal_stay_two_intervals(counted):
    # counts are a parabola in ε: both sides of the signals that 10 counts allow
    answer = feldman_cousins(NSI, [counted([10])], {}, ("eps_u_ee", -6.0, 6.0)).values.calibration
    first, second = answer.intervals
    for eps in (first.low, second.high):
        assert predict(NSI, counted([10]), {"eps_u_ee": eps}).values.total == pytest.approx(16.50, abs=0.01)
    for eps in (first.high, second.low):
        assert predict(NSI, counted([10]), {"eps_u_ee": eps}).values.total == pytest.approx(5.50, abs=0.01)


# --- toys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [(0, 0, 0), (2, 1, 0)])
def test_toys_of_several_bins_agree_with_the_tables_of_their_sum(counted, seen):
    # without a background t depends on the sum alone
    scan = ("signal_strength", 0.0, 14.0)
    result = feldman_cousins(SCALED_STANDARD_MODEL, [counted(seen)], {}, scan, toys=1000, points=15)
    (interval,), (errors,) = result.values.calibration.intervals, result.values.calibration.errors
    published = PUBLISHED[0.9, sum(seen), 0.0]
    for end, error, expected in zip((interval.low, interval.high), errors, published, strict=True):
        if expected:
            assert 0.003 < error < 0.6
            assert end == pytest.approx(expected, abs=3 * error)
    assert result.converged
    assert result.values.calibration.toys.min() >= 1000


def with_a_rate(n, width, cl, signals):
    """Return P(t < t_n), without toys: counts on no background times a rate measured as (1 + width)^0."""
    found = []
    auxiliary = np.linspace(-6, 6, 481)
    for s in signals:
        t = np.linspace(-6, 6, 2401)

        def least(k, centre, mu=s * (1 + width) ** t, t=t):  # the best fit has χ² = 0
            chi2 = 2 * (mu - k + (k * np.log(k / mu) if k else 0.0)) + (t - centre) ** 2
            return chi2.min(), t[chi2.argmin()]

        seen, true = least(n, 0.0)
        weight = np.exp(-0.5 * (auxiliary - true) ** 2)
        below = 0.0
        for k in range(14):
            statistic = np.array([least(k, a)[0] for a in auxiliary])
            below += poisson.pmf(k, s * (1 + width) ** true) * weight[statistic < seen].sum() / weight.sum()
        found.append(below)
    return np.array(found)


def test_a_nuisance_parameter_breaks_the_ties(counted):
    # the auxiliary measurement makes t continuous: only 90 % are covered, and 0 counts allow less than 2.44
    scan, rate = ("signal_strength", 0.0, 6.0), 0.2
    answer = feldman_cousins(
        SCALED_STANDARD_MODEL, [counted([0], rate=rate)], {}, scan, toys=2000, points=13
    ).values.calibration
    (interval,), (errors,) = answer.intervals, answer.errors
    signals = np.array([1.6, 1.8, 2.0, 2.2])
    expected = np.interp(0.9, with_a_rate(0, rate, 0.9, signals), signals)
    assert interval.high == pytest.approx(expected, abs=3 * errors[1])
    assert errors[1] < 0.2


def discrete(x, toys, seed):
    """t of counts on no background."""
    n = np.random.default_rng(seed).poisson(x, toys)
    return poisson_t(n, x), 0


def poisson_t(n, x):
    x = np.asarray(x, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * np.maximum(np.where(n > 0, x - n + n * np.log(n / x), x), 0.0)


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ties_of_toys_are_steps(n, seed):
    found = calibrate(lambda x: poisson_t(n, x), discrete, 0.0, 20.0, 0.9, toys=5000, rounds=6, seed=seed)
    (interval,), (errors,) = found.intervals, found.errors
    low, high = PUBLISHED[0.9, n, 0.0]
    assert interval.high == pytest.approx(high, abs=3 * errors[1] + 0.01)
    assert errors[1] < 0.3
    if n:
        assert interval.low == pytest.approx(low, abs=3 * errors[0] + 0.01)
        assert errors[0] < 0.1


def test_steps_leave_no_gaps_and_two_minima_do():
    def draw(x, toys, seed):  # t_c falls from 5 to 1 between 2 and 3, and between -3 and -2
        return np.linspace(0.0, 1.0, toys) * (1.1 if 2.0 < abs(x) < 3.0 else 5.6), 0

    one = calibrate(np.abs, draw, -6.0, 6.0, 0.9, toys=200, points=25)
    (interval,) = one.intervals
    assert (interval.low, interval.high) == pytest.approx((-5.0, 5.0), abs=0.1)
    two = calibrate(lambda x: (x * x - 16.0) ** 2 / 10.0, draw, -6.0, 6.0, 0.9, toys=200, points=25)
    assert len(two.intervals) == 2


# --- what mutants showed to be untested ----------------------------------------------------------------


def test_coverage_has_toys_of_its_own():
    seeds = []

    def draw(x, toys, seed):
        seeds.append((seed.entropy, seed.spawn_key))
        return discrete(x, toys, seed)

    found = calibrate(lambda x: poisson_t(3, x), draw, 0.0, 20.0, 0.9, toys=2500, points=5, rounds=2, seed=4)
    calibrating = len(seeds)
    coverage(found, draw, [1.0, 2.0], toys=2500, seed=4)
    assert len(seeds) == calibrating + 2 * 3  # batches of 1000
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("steep", ["inside", "outside"])
def test_the_error_of_an_end_is_the_larger_of_both_sides(steep):
    slopes = (20.0, 1.0) if steep == "inside" else (1.0, 20.0)
    level = chi2_of.ppf(0.9, 1)

    def chi2(x):  # two slopes meet where Δχ² is t_c
        return np.maximum(level + np.where(x < 4.2, slopes[0], slopes[1]) * (x - 4.2), 0.0)

    def draw(x, toys, seed):
        return chi2_of.ppf((np.arange(toys) + 0.5) / toys, 1), 0

    found = calibrate(chi2, draw, 0.0, 20.0, 0.9, toys=400, rounds=0)
    ((_, error),) = found.errors
    assert found.intervals[0].high == pytest.approx(4.2, abs=0.02)
    # of t_c, from the density of t there
    assert error == pytest.approx(np.sqrt(0.9 * 0.1 / 400) / chi2_of.pdf(level, 1), rel=0.4)


@pytest.mark.parametrize("engine", ["numpy", "fast"])
def test_toys_are_fitted_around_their_own_auxiliary_measurements(csi, engine):
    if engine != "numpy":
        pytest.importorskip("numba")
    question = Question.of(STANDARD_MODEL, [csi], {}, {}, engine=engine)
    N, pulls = predict(STANDARD_MODEL, csi, {}).values.total, np.array([0.1, -0.2])
    data = question.simulate([], pulls, 50, np.random.default_rng(3))
    (a, b), n = data.centres.T, data.counts[0][:, 0]
    variance = 950 + (0.28 * N) ** 2 + (0.25 * 6) ** 2
    expected = (n - N * (1 + a) - 6 * (1 + b)) ** 2 / variance
    toys = question.with_data(data)
    best = toys.profiled([[]])
    assert best.chi2 == pytest.approx(expected, rel=1e-6, abs=1e-7)
    assert toys.unprofiled(np.empty((50, 0)), best.pulls) == pytest.approx(best.chi2, rel=1e-6, abs=1e-7)
    assert data.centres.std(axis=0) == pytest.approx([0.28, 0.25], rel=0.3)


@pytest.mark.parametrize("engine", ["numpy", "fast"])
def test_so_are_toys_of_few_counts(counted, engine):
    if engine != "numpy":
        pytest.importorskip("numba")
    question = Question.of(STANDARD_MODEL, [counted([1], rate=0.3)], {}, {}, engine=engine)
    data = question.simulate([], np.array([0.2]), 30, np.random.default_rng(5))
    t = np.linspace(-8.0, 8.0, 16001)
    mu = 1.3**t  # the rate's pull is t = x/0.3
    expected = [
        (2 * (mu - n + (n * np.log(n / mu) if n else 0.0)) + (t - centre / 0.3) ** 2).min()
        for n, centre in zip(data.counts[0][:, 0], data.centres[:, 0], strict=True)
    ]
    assert question.with_data(data).profiled([[]]).chi2 == pytest.approx(expected, abs=1e-5)


# --- χ² that is infinite ------------------------------------------------------------------------------

AT_ONE, AT_ZERO = ("--free", "signal_strength=1"), ("--null", "signal_strength=0")
SEEN = [([1], {}), ([1], {"rate": 0.1}), ([2, 1, 0], {}), ([2, 1, 0], {"rate": 0.1})]


@pytest.mark.parametrize(("seen", "more"), SEEN)
def test_no_signal_is_excluded_where_nothing_else_explains_counts(tmp_path, seen, more):
    few = (*MODEL, "--experiment", one_event(tmp_path, seen, **more))
    found = result("significance", *few, *AT_ONE, *AT_ZERO, "--toys", "50")
    assert found["converged"]
    assert (found["observed"]["delta_chi2"], found["observed"]["p_value"]) == (None, 0.0)
    assert (found["expected"]["p_value"], found["toys"]["p_value"]) == (0.0, 0.0)
    status, out, _ = command_line.run("significance", *few, *AT_ONE, *AT_ZERO)
    assert (status, "inf σ (Δχ² = inf, p = 0)" in out) == (0, True)
    found = result("significance", *few, *AT_ONE, "--free", "sin2_theta_w=0.24", *AT_ZERO)
    assert (found["converged"], found["observed"]["p_value"]) == (True, 0.0)
    found = result("goodness", *few, "--set", "signal_strength=0")
    assert (found["chi2"], found["p_value"], found["priors"], found["converged"]) == (None, 0.0, 0.0, True)


@pytest.mark.parametrize(("seen", "more"), [([0], {}), ([0, 0, 0], {"rate": 0.1}), *SEEN])
def test_scans_from_no_signal_converge(tmp_path, seen, more):
    few = (*MODEL, "--experiment", one_event(tmp_path, seen, **more), *SCAN)
    found = result("limit", *few)
    assert found["converged"]
    (interval,) = found["allowed"]
    n = sum(seen)
    if not more:  # 2 [μ - n + n ln(n/μ)] = 2.7055
        for end in interval:
            level = 2 * (end - n + (n * np.log(n / end) if n else 0.0))
            assert end == 0.0 or level == pytest.approx(2.705543, abs=1e-5)
    assert result("sensitivity", *few)["converged"]
    bands = result("sensitivity", *few, "--toys", "100")["bands"]
    assert bands["not_converged"] == 0
    assert bands["lowest_allowed"][0] == 0.0
    assert bands["highest_allowed"][0] == pytest.approx(1.353, abs=0.2)
    if not more:  # of toys with one count
        assert bands["lowest_allowed"][2] == pytest.approx(0.1057, abs=0.005)
    profiled = result("limit", *few, "--profile", "sin2_theta_w=0.2..0.3", "--points", "101")
    assert profiled["converged"]
    mapped = result("map", *few, "--scan", "sin2_theta_w=0.2..0.3", "--points", "21")
    assert mapped["converged"]


def test_probabilities_of_an_infinite_statistic():
    for dof in (1, 2, 3, 7):
        assert log_p_value(np.inf, dof) == -np.inf
        assert standard_deviations(np.inf, dof) == np.inf


def test_toys_that_tie_with_the_data_are_no_better(counted):
    # χ² of 0 and 2 counts where 1 is expected: P(χ² >= χ²(n))
    for n in (0, 1, 2, 3):
        values = goodness(STANDARD_MODEL, [counted([n])], {}, {}, toys=4000).values
        k = np.arange(40)
        exact = poisson.pmf(k, 1.0)[poisson_t(k, 1.0) >= poisson_t(n, 1.0) - 1e-9].sum()
        assert values.toys.p_value == pytest.approx(exact, abs=4 * values.toys.error)


def test_toys_with_the_counts_of_the_data_tie_up_to_rounding(counted, monkeypatch):
    def worse(*arguments):  # by what a fit may be
        best = minima(*arguments)
        return replace(best, chi2=best.chi2 + 1e-9)

    few, start = counted([2, 1, 0], rate=0.1), {"signal_strength": 1.0}
    exact = goodness(SCALED_STANDARD_MODEL, [few], {}, start, toys=1000).values.toys.p_value
    monkeypatch.setattr(fit_quality, "minima", worse)
    assert goodness(SCALED_STANDARD_MODEL, [few], {}, start, toys=1000).values.toys.p_value == exact
