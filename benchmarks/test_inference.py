"""How long a compiled experiment takes to answer."""

import numpy as np
import pytest

import nurecoil
from nurecoil import analysis

FIXED = {"beta": -(3**0.5)}
SCAN = ("m_zprime", 1e5, 1e8)


@pytest.fixture(scope="module")
def csi():
    return nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))


@pytest.fixture(scope="module")
def model():
    return nurecoil.load_model("331-beta")


@pytest.mark.parametrize("name", nurecoil.experiment_names())
def test_compile(benchmark, name):
    benchmark(nurecoil.compile_experiment, nurecoil.load_experiment(name))


def test_profiled_curve_of_10000_points(benchmark, csi, model):
    masses = np.geomspace(1e5, 1e8, 10_000)
    (likelihood,) = analysis.likelihoods(model, [csi], FIXED)

    def curve():
        signal = csi.counts(model.couplings(**FIXED, m_zprime=masses)).sum(axis=-1)
        chi2 = likelihood.profiled(signal)
        return chi2 - chi2.min()

    benchmark(curve)


def test_limit_of_10000_points(benchmark, csi, model):
    benchmark(nurecoil.limit, model, [csi], FIXED, SCAN, points=10_000)


def test_limit_by_default(benchmark, csi, model):
    benchmark(nurecoil.limit, model, [csi], FIXED, SCAN)


def test_prediction(benchmark, csi, model):
    benchmark(nurecoil.predict, model, csi, {**FIXED, "m_zprime": 2e6})
