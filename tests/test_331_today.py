"""What it would take to reach the LHC with CEvNS: the closed form against limits of scaled detectors."""

import math

import numpy as np
import pytest

import nurecoil
from nurecoil.models import ZPRIME_331
from nurecoil.papers.beta331_today.recipe import LHC, change, counts_needed

NAI, LEVEL = "binh2021-nai-2000", 2.7055
CHANGES = {-math.sqrt(3): 0.0875, -2 / math.sqrt(3): 0.00651, math.sqrt(3): 0.00070}  # at 3.7 TeV, on NaI


@pytest.mark.parametrize("beta", CHANGES)
@pytest.mark.parametrize("of_floor", [0.0, 0.8])
def test_the_counts_needed_give_that_limit(compiled, beta, of_floor):
    delta = change(compiled[NAI], beta, LHC)
    assert delta == pytest.approx(CHANGES[beta], rel=0.01)
    sigma = of_floor * delta / (1 + delta) / math.sqrt(LEVEL)
    seen = 5293.0  # events of the Standard Model in a year
    factor = float(counts_needed(delta, np.array(sigma), LEVEL)) / seen
    scaled = compiled[NAI].with_templates(lambda templates: templates.scaled(factor))
    study = nurecoil.Study(ZPRIME_331, scaled, prior={f"{NAI}_signal": sigma}, beta=beta)
    found = study.limit("m_zprime", "1..100 TeV").values.profile
    assert found.lower_limit / 1e6 == pytest.approx(3.7, rel=2e-3)


def test_beyond_the_floor_no_exposure_helps():
    floor = 0.0875 / 1.0875 / math.sqrt(LEVEL)
    assert floor == pytest.approx(0.0489, abs=1e-4)
    found = counts_needed(0.0875, np.array([0.0, 0.99 * floor, 1.01 * floor]), LEVEL)
    assert found[0] == pytest.approx(1.2 * LEVEL / 0.0875**2)
    assert found[1] == pytest.approx(found[0] / (1 - 0.99**2), rel=1e-3)
    assert math.isnan(found[2])
    assert counts_needed(0.0875, np.array(0.04), LEVEL) == pytest.approx(1280, rel=0.01)
