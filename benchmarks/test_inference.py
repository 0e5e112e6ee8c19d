"""How long a compiled experiment takes to answer."""

import numpy as np
import pytest

import nurecoil
from nurecoil.study import question

FIXED = {"beta": -(3**0.5)}
SCAN = ("m_zprime", "0.1..100 TeV")


@pytest.fixture(scope="module")
def csi():
    return nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))


@pytest.fixture(scope="module")
def model():
    return nurecoil.load_model("331-beta")


def loaded(name):
    """Return an experiment, or skip where its data are absent."""
    try:
        return nurecoil.load_experiment(name)
    except nurecoil.NurecoilError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def coherent():
    return [nurecoil.compile_experiment(loaded(f"coherent-{name}")) for name in ("csi-2021", "lar-2020")]


@pytest.mark.parametrize("name", nurecoil.experiment_names())
def test_compile(benchmark, name):
    benchmark(nurecoil.compile_experiment, loaded(name))


@pytest.mark.parametrize("name", ["coherent-csi-2017", "coherent-csi-2021", "coherent-lar-2020"])
def test_one_point_of_a_binned_likelihood_profiled(benchmark, model, name):
    """The time is that of a batch of 200 points: divide by 200."""
    likelihood = question.joint_likelihood([nurecoil.compile_experiment(loaded(name))], FIXED)
    masses = np.geomspace(1e6, 1e8, 200)
    strengths = likelihood.basis.strengths
    benchmark(lambda: likelihood.profiled(strengths(model.couplings(**FIXED, m_zprime=masses))))


def test_joint_limit_of_csi_and_lar(benchmark, coherent, model):
    benchmark.pedantic(nurecoil.Study(model, coherent, **FIXED).limit, SCAN, rounds=2)


def test_profiled_curve_of_10000_points(benchmark, csi, model):
    masses = np.geomspace(1e5, 1e8, 10_000)
    likelihood = question.joint_likelihood([csi], FIXED)

    def curve():
        chi2 = likelihood.profiled(likelihood.basis.strengths(model.couplings(**FIXED, m_zprime=masses))).chi2
        return chi2 - chi2.min()

    benchmark(curve)


def test_limit_of_10000_points(benchmark, csi, model):
    benchmark(nurecoil.Study(model, csi, **FIXED).limit, *SCAN, points=10_000)


def test_limit_by_default(benchmark, csi, model):
    benchmark(nurecoil.Study(model, csi, **FIXED).limit, *SCAN)


def test_prediction(benchmark, csi, model):
    benchmark(nurecoil.Study(model, csi, **FIXED, m_zprime="2 TeV").predict)
