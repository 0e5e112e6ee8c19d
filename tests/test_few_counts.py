"""Few counts: the tables of Feldman and Cousins, steps of discrete toys, χ² that is infinite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

import command_line
from command_line import result
from few_counts import accepted, one_event
from nurecoil.analysis import feldman_cousins
from nurecoil.card import load_experiment
from nurecoil.experiment import compile_experiment
from nurecoil.inference.belt import Belt
from nurecoil.models import NSI, SCALED_STANDARD_MODEL

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
    (0.9, 0, 15.0): (0.00, 0.92),
    (0.9, 1, 0.0): (0.11, 4.36),
    (0.9, 1, 4.0): (0.00, 1.39),
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
    answer = feldman_cousins(SCALED_STANDARD_MODEL, [counted([n], b)], {}, STRENGTH, truths=truths).values
    k, exact = np.arange(80), []
    for s in truths:
        allowed = [accepted(n, b, 0.9, [s])[0] for n in k]
        exact.append(poisson.pmf(k, s + b)[allowed].sum())
    assert answer.coverage.toys == pytest.approx(exact, rel=1e-9)
    assert answer.coverage.number == 0
    assert (answer.coverage.toys >= 0.9).all()


def test_what_cannot_be_asked_is_refused_without_toys_too(counted):
    for change in ({"toys": 50}, {"points": 3}, {"seed": -1}, {"cl": 1.0}, {"truths": [-1.0]}):
        with pytest.raises(Exception, match="is not allowed"):
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
    from nurecoil.analysis import predict

    for eps in (first.low, second.high):
        assert predict(NSI, counted([10]), {"eps_u_ee": eps}).values.total == pytest.approx(16.50, abs=0.01)
    for eps in (first.high, second.low):
        assert predict(NSI, counted([10]), {"eps_u_ee": eps}).values.total == pytest.approx(5.50, abs=0.01)
