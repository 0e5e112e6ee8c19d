"""What nurecoil computes does not depend on the caller's `numpy.errstate`, and uses its memory again."""

import platform
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import asking
import nurecoil
from nurecoil.arithmetic import undisturbed
from nurecoil.verbs import VERBS
from releases import data_folder

STRENGTH = ("signal_strength", 0.0, 3.0)
HELD = {"fixed": {}, "start": {"signal_strength": 1.0}}
ASKED = {
    "predict": lambda m, e: asking.predict(m, e, {}),
    "limit": lambda m, e: asking.limit(m, [e], {}, STRENGTH, points=101),
    "sensitivity": lambda m, e: asking.sensitivity(m, [e], {}, STRENGTH, points=101),
    "goodness": lambda m, e: asking.goodness(m, [e], {}, {}, toys=3),
    "fit": lambda m, e: asking.fit(m, [e], **HELD),
    "significance": lambda m, e: asking.significance(m, [e], **HELD, null={"signal_strength": 0.0}),
}


@undisturbed
def tiny(x):
    return x * x


@undisturbed
def huge(x):
    return x / 0


@pytest.mark.parametrize("state", ["raise", "warn", "print", "log", "ignore"])
def test_what_is_too_small_is_zero_under_any_state(state):
    with np.errstate(all=state):
        before = np.geterr()
        assert tiny(np.array([1e-300])) == 0.0
        assert np.geterr() == before


def test_other_trouble_is_told_as_usual_unless_the_caller_ignores_it():
    with np.errstate(all="raise"), pytest.warns(RuntimeWarning, match="divide by zero"):
        huge(np.ones(1))
    with np.errstate(all="ignore"):
        assert huge(np.ones(1)) == np.inf


def test_every_question_is_undisturbed():
    answering = [getattr(nurecoil.Study, name) for name in (*VERBS, "scan")]
    assert len(answering) == 14
    answering.append(nurecoil.compile_experiment)
    assert all(hasattr(function, "__wrapped__") for function in answering)


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_answers_are_the_same_where_the_caller_makes_everything_an_error(csi, ask):
    model = nurecoil.load_model("scaled-standard-model")
    usual = ask(model, csi)
    with np.errstate(all="raise"):
        assert repr(ask(model, csi)) == repr(usual)


@pytest.mark.parametrize("name", ["coherent-csi-2021", "coherent-lar-2020"])
def test_real_data_whose_counts_underflow(coherent, name, monkeypatch):
    """Without the care that is taken, FloatingPointError from the smearing and from the χ²."""
    monkeypatch.setenv("NURECOIL_DATA", str(data_folder()))
    model = nurecoil.load_model("scaled-standard-model")
    usual = asking.goodness(model, [coherent[name]], {}, {}).values.chi2
    with np.errstate(all="raise"):
        compiled = nurecoil.compile_experiment(nurecoil.load_experiment(name))
        assert asking.goodness(model, [compiled], {}, {}).values.chi2 == usual


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries do as they like")
def test_large_arrays_get_memory_that_was_used_before():
    """In a process of its own: 10 MB are 2344 pages, which the system provides once and not each time."""
    program = """
import resource, numpy as np, nurecoil.arithmetic
for _ in range(5):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(300_000) for _ in range(4)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@undisturbed
def inner():
    assert blas_threads() == {1}


@undisturbed
def outer(fails):
    inner()
    assert blas_threads() == {1}
    if fails:
        raise ValueError("as told")


def test_blas_has_one_thread_while_anything_is_computed():
    """To wake another for each small product costs ten times what all of them do, on a busy machine."""
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        outer(False)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="as told"):
            outer(True)
        assert blas_threads() == before
