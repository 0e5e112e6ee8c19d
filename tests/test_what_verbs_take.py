"""What a verb does not take is refused, and what it cannot draw is left out."""

import numpy as np
import pytest

import nurecoil
from nurecoil.errors import NurecoilError

PAIR = ["binh2021-csi", "binh2021-lar"]
ASKED = {
    "sensitivity": ("eps_u_ee", "-1..1"),
    "combine": ("eps_u_ee", "-1..1"),
    "sample": ({"eps_u_ee": "-1..1"},),
}


@pytest.mark.parametrize("verb", ASKED)
def test_verbs_that_do_not_profile_over_parameters_say_so(verb):
    study = nurecoil.Study("nsi", PAIR, profile={"eps_u_mumu": "0..1"})
    with pytest.raises(NurecoilError, match=f"{verb} does not profile over .*, here eps_u_mumu"):
        getattr(study, verb)(*ASKED[verb])


def test_a_best_fit_where_a_parameter_decouples_is_no_point_of_the_figure():
    result = nurecoil.Study("331-beta", PAIR, beta="0").combine("m_zprime", "0.1..10 TeV", points=101)
    assert np.isinf(result.values.together.profile.best_fit)
    (chart,) = result.values.figure(result).panels
    assert [bars.label for bars in chart.bars] == ["one alone", "all"]
    assert chart.lines == ()
