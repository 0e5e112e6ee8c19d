"""What is remarked on how a model and experiments go together."""

from dataclasses import replace

import numpy as np
import pytest

from nurecoil.analysis.remarks import remarks
from nurecoil.experiment import CompiledExperiment
from nurecoil.models import STANDARD_MODEL, load_model
from nurecoil.nuclei import material


@pytest.fixture
def timed(csi):
    """Return a function that gives an experiment times, (components, energy bins, cells)."""

    def make(spread):
        signal = replace(csi.experiment.signal, spread=np.array(spread, dtype=float))
        return CompiledExperiment(replace(csi.experiment, signal=signal), csi.templates)

    return make


SAME = [[[0.2, 0.6]], [[0.1, 0.3]], [[0.1, 0.3]]]  # one shape, though less of two components is seen
APART = [[[0.9, 0.1]], [[0.3, 0.5]], [[0.3, 0.5]]]


def said(model, experiment, *free, **values):
    chosen = load_model(model)
    return remarks(chosen, [experiment], chosen.resolve(values), free)


def test_flavours_without_times_of_their_own_are_remarked(timed):
    (remark,) = said("nsi", timed(SAME), "eps_u_ee")
    assert "one distribution of arrival times for all flavours" in remark
    assert said("nsi", timed(SAME), "eps_d_etau_im", eps_d_etau_im=0.3)
    assert not said("nsi", timed(APART), "eps_u_ee")


def test_nothing_is_remarked_where_flavours_change_alike(csi, timed):
    assert not said("nsi", csi, "eps_u_ee")  # no times at all
    assert not said("331-beta", timed(SAME), "m_zprime", "mu_nu", beta=1.0, m_zprime=1e6)
    assert not said("scaled-standard-model", timed(SAME), "signal_strength", electroweak="radiative")
    assert not said("nsi", timed(SAME), "sin2_theta_w", eps_u_ee=0.1)


def test_a_projection_is_remarked_where_the_mixing_angle_is_free(compiled):
    ge, values = compiled["binh2021-ge"], STANDARD_MODEL.resolve({})
    (remark,) = remarks(STANDARD_MODEL, [ge], values, ["sin2_theta_w"])
    assert "binh2021-ge is a projection" in remark
    assert remarks(STANDARD_MODEL, [ge], values, []) == ()


def test_the_same_data_twice_are_remarked(csi, compiled):
    twice = CompiledExperiment(
        replace(csi.experiment, name="again", overlaps=("binh2021-csi",)), csi.templates
    )
    values = STANDARD_MODEL.resolve({})
    (remark,) = remarks(STANDARD_MODEL, [csi, twice], values, [])
    assert remark == "binh2021-csi and again contain the same data, which count twice here."
    assert remarks(STANDARD_MODEL, [twice, csi], values, []) != ()
    assert remarks(STANDARD_MODEL, [csi, compiled["binh2021-lar"]], values, []) == ()


@pytest.mark.parametrize(
    ("target", "light"),
    [("H2O", "1H"), ("CH", "1H"), ("3He", "3He"), ("C3F8", "19F"), ("LiF", "7Li, 19F"), ("7LiF", "7Li, 19F")],
)
def test_the_axial_part_of_light_odd_nuclei_is_remarked(csi, target, light):
    other = CompiledExperiment(replace(csi.experiment, target=material(target)), csi.templates)
    (remark,) = remarks(STANDARD_MODEL, [other], STANDARD_MODEL.resolve({}), [])
    assert remark.startswith("binh2021-csi: the axial part of the cross section, which is neglected")
    assert f"not small for {light} in the target" in remark


@pytest.mark.parametrize("target", ["D2O", "Ar", "Ge", "Xe", "NaI", "SiO2", "CO2", "4He"])
def test_the_axial_part_of_other_nuclei_is_not(csi, target):
    other = CompiledExperiment(replace(csi.experiment, target=material(target)), csi.templates)
    assert remarks(STANDARD_MODEL, [other], STANDARD_MODEL.resolve({}), []) == ()
