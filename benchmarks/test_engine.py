"""The engine's bounds, see README.md; `performance.py` measures the same with much around it."""

import numpy as np
import pytest

import nurecoil
import workloads
from nurecoil.likelihood import JointLikelihood

POINTS = workloads.nsi_points(100_000)
ENGINES = ("numpy", "fast")
CASES = {
    "gaussian": (workloads.gaussian(), {}),
    "poisson": (workloads.poisson(), {}),
    "poisson with shapes": workloads.hard(),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_100000_points_profiled(benchmark, case, engine):
    """The time in seconds is a tenth of that of 10⁶ points."""
    term, widths = CASES[case]
    likelihood: JointLikelihood = workloads.likelihood(term, engine, widths)
    found = benchmark.pedantic(likelihood.profiled, (POINTS.strengths,), rounds=3, warmup_rounds=1)
    assert found.converged.mean() > 0.999


def test_100000_points_of_the_nsi_model(benchmark):
    benchmark(workloads.strengths_of, POINTS.points)


@pytest.mark.parametrize("engine", ["numpy", "fast"])
def test_1000_toy_fits_of_csi_2021(benchmark, engine):
    """The time in milliseconds, divided by 10, is that of 10⁵ fits in seconds."""
    try:
        question = workloads.question(
            workloads.REAL[:1], {"signal_strength": 1.0}, "scaled-standard-model", engine
        )
    except nurecoil.NurecoilError as error:
        pytest.skip(str(error))
    pulls = question.profiled([[1.0]]).pulls[0]
    toys = question.with_data(question.simulate([1.0], pulls, 1000, np.random.default_rng(3)))
    found = benchmark.pedantic(toys.fitted, ([[1.0]], [0.0], [3.0]), rounds=3, warmup_rounds=1)
    assert found.converged.all()
