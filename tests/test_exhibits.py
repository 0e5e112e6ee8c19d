"""Results as figures: a limit."""

import numpy as np
import pytest

import nurecoil


def test_a_limit_becomes_a_figure(csi):
    model = nurecoil.load_model("331-beta")
    result = nurecoil.limit(model, [csi], {"beta": -(3**0.5)}, ("m_zprime", 1e5, 1e8), points=51)
    figure = nurecoil.limit_figure(result)
    (panel,) = figure.panels
    curve, allowed = panel.series
    assert curve.x[[0, -1]] == pytest.approx([0.1, 100])  # TeV at the border, MeV inside
    assert [r.value for r in panel.references if r.axis == "x"] == pytest.approx(
        [result.values.profile.lower_limit / 1e6]
    )
    assert [r.value for r in panel.references if r.axis == "y"] == [result.values.profile.level]
    assert np.nanmax(allowed.y) == pytest.approx(result.values.profile.level)
    assert figure.title == "m_zprime at 90 % CL"
