"""Who asks is told how far a long computation is, never of more steps than were promised."""

import numpy as np
import pytest

import nurecoil
from nurecoil.inference.contours import contours
from nurecoil.inference.priors import Prior, Target
from nurecoil.inference.sampling import sample_ensemble
from nurecoil.models import NSI
from told import Told

GAUSSIAN = Target(lambda x: -0.5 * ((x[:, 0] - 1.0) / 0.1) ** 2, (Prior(-5.0, 5.0),))
# two narrow modes far apart: it takes long until walkers agree on their weights
SLOW = Target(lambda x: np.logaddexp(*(-0.5 * ((x[:, 0] - m) / 1e-3) ** 2 for m in (-4, 4))), GAUSSIAN.priors)


@pytest.fixture
def told():
    return Told()


def test_an_ensemble_that_converges_at_once_says_so_in_few_steps(told):
    found = sample_ensemble(GAUSSIAN, 1, 2000, told)
    assert not found.problems
    assert told.promised == [4 + 3]  # 500, 1000 and 2000 steps
    assert told.said[3] == "from the prior to the posterior, 4 of 4"
    assert told.said[4] == "on to 500 of at most 2000 steps"
    assert told.said[-1] == f"on to {found.steps} of at most 2000 steps"
    assert len(told.said) <= 7


def test_an_ensemble_that_never_converges_takes_all_steps(told):
    found = sample_ensemble(SLOW, 1, 1000, told)
    assert found.problems
    assert told.promised == [6]
    assert told.said[4:] == ["on to 500 of at most 1000 steps", "on to 1000 of at most 1000 steps"]


def test_contours_tell_of_the_grid_and_of_each_level(told):
    def chi2(x):
        return (x**2).sum(axis=1), np.full(len(x), True)

    def minimise(starts):
        return np.zeros_like(starts), np.full(len(starts), True)

    box = [-3.0, -3.0], [3.0, 3.0]
    found = contours(chi2, minimise, *box, [1.0, 2.0], points=(23, 11), progress=told)
    assert told.promised == [len(told.said)] == [10 + 1 + 2]
    assert told.said[-4:] == [
        "the grid of 23 x 11 points", "the best fit, and a finer grid where contours pass",
        "the contours at 1", "the contours at 2",
    ]  # fmt: skip
    assert found.delta_chi2[0, 0] == pytest.approx(18.0)


def test_a_map_and_a_posterior_pass_it_on(csi, told):
    scans = ("eps_u_ee", -0.5, 1.0), ("eps_u_mumu", -0.5, 1.0)
    nurecoil.profile_map(NSI, [csi], {}, scans, cl=[0.9], points=21, progress=told)
    assert told.promised == [len(told.said)] == [12]
    held = {"binh2021-csi_signal": 0.0, "binh2021-csi_background": 0.0}
    ranges = {"eps_u_ee": (-0.5, 1.0)}
    nurecoil.sample(NSI, [csi], {}, ranges, widths=held, most_steps=500, progress=told)
    assert told.promised[1:] == [5]
    assert told.said[-1] == "on to 500 of at most 500 steps"
