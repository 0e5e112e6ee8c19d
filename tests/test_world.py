"""The world's data together: a sample of what `reproduce world` finds, and what it rests on."""

import re
from math import pi, sqrt
from pathlib import Path

import numpy as np
import pytest

import nurecoil
from nurecoil.models.zprime_331 import running
from nurecoil.papers.world import limits, nsi, planes, weak_angle
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, allowed_text, together
from nurecoil.physics.constants import (
    FINE_STRUCTURE,
    MUON_MASS,
    SIN2_THETA_W,
    SIN2_THETA_W_AT_Z,
    W_MASS,
    Z_MASS,
)
from nurecoil.physics.weak_angle import running_sin2_theta_w

PAGE = (Path(__file__).parents[1] / "docs" / "world.md").read_text("utf-8")


@pytest.fixture(scope="module")
def parts(coherent):
    """Return groups of one experiment each, of those that are compiled here."""
    named = [(each["name"], each["of"], each["colour"]) for each in WORDS["experiments"]]
    return {of: Group(of, colour, (coherent[name],)) for name, of, colour in named if name in coherent}


# --- the running of s_W² --------------------------------------------------------------------------------


def test_the_weak_angle_runs_to_the_z_pole():
    assert running_sin2_theta_w(0.0) == SIN2_THETA_W
    assert running_sin2_theta_w(Z_MASS) == pytest.approx(SIN2_THETA_W_AT_Z, abs=1.5e-4)
    scales = np.geomspace(1.0, 1e6, 2001)
    assert scales[running_sin2_theta_w(scales).argmin()] == pytest.approx(W_MASS, rel=0.01)


def test_with_electrons_alone_it_follows_alpha():
    # Czarnecki and Marciano: δs² = -(α/3π)(T Q - 2 s² Q²) ln(μ/m_e) of one lepton, to first order in α
    log = np.log(MUON_MASS / 0.51099895)
    change = -FINE_STRUCTURE / (3 * pi) * (0.5 - 2 * SIN2_THETA_W) * log
    assert running_sin2_theta_w(MUON_MASS) - SIN2_THETA_W == pytest.approx(change, rel=0.02)


def test_far_above_the_z_its_slope_is_that_of_the_331_model():
    scales = np.array([1e6, 1.01e6])
    ours, theirs = running_sin2_theta_w(scales), running(scales, np.array(SIN2_THETA_W))[0]
    assert np.diff(ours) == pytest.approx(np.diff(theirs), rel=0.03)  # α_s/π, left out there


# --- momentum transfers -----------------------------------------------------------------------------------


def test_the_momentum_transfer_is_that_of_the_recoils_that_are_counted(compiled):
    # Germanium with a flat efficiency above 5 keV: ⟨q²⟩ = 2 M ⟨T⟩ over the rate, M of the mean nucleus
    study = nurecoil.Study("standard-model", compiled["binh2021-ge"])
    (recoils,) = study.spectrum(np.geomspace(5.0, 86.0, 3000)).values.parts
    mean = np.trapezoid(recoils.energies * recoils.rate, recoils.energies)
    mean /= np.trapezoid(recoils.rate, recoils.energies)
    expected = sqrt(2 * 72.63 * 931.494 * mean / 1e3)
    assert weak_angle.momentum_transfer(compiled["binh2021-ge"]) == pytest.approx(expected, rel=0.01)


# --- light mediators ---------------------------------------------------------------------------------------


def test_a_mediator_is_as_strong_as_two_degrees_of_freedom_allow(parts):
    csi = parts["CsI"]
    _, numbers = planes.mediators([csi])
    (mass, coupling) = numbers["light-scalar"]["CsI"][0]
    assert mass == [0.1, 1e4]
    names = {"m_mediator": 1.0, "g_mediator": 1e-5}
    question = csi.study("light-scalar", **SCHEME).question(names)
    masses, couplings = np.geomspace(*mass, 60), np.geomspace(1e-6, 1e-2, 200)
    grid = np.stack(np.meshgrid(masses, couplings), axis=-1).reshape(-1, 2)
    assert question.chi2([[mass[1], coupling[1]]])[0] - question.chi2(grid).min() == pytest.approx(
        -2 * np.log(0.1), abs=0.01
    )


# --- the page -----------------------------------------------------------------------------------------------


def rows(first):
    """Return the cells of rows of the page's tables that begin so."""
    lines = [line[1:-1].split("|") for line in PAGE.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if line[0].strip() == first]


def test_the_page_has_the_weak_angle_of_today(parts):
    (cells,) = rows("CsI")
    assert weak_angle.measured_text(weak_angle.measured(parts["CsI"])) == cells[2]
    assert float(cells[1]) == pytest.approx(
        weak_angle.momentum_transfer(parts["CsI"].experiments[0]), rel=0.02
    )


def test_the_page_has_the_epsilons_of_today(parts):
    (parameter,) = (p for p in nsi.SHOWN if p.name == "eps_u_mumu")
    (cells,) = rows(nsi.symbol(parameter))
    found = nsi.limit(parts["CsI"], parameter)
    assert allowed_text(found.profile, digits=2) == cells[1]


def test_real_and_imaginary_parts_alone_have_the_same_limits(parts):
    (parameter,) = (p for p in nsi.EPSILONS if p.name == "eps_u_emu_im")
    (cells,) = rows("ε<sup>u</sup><sub>eμ</sub>")
    assert allowed_text(nsi.limit(parts["CsI"], parameter).profile, digits=2) == cells[1]


@pytest.mark.parametrize("name", ["μ<sub>ν<sub>μ</sub></sub>", "⟨r²⟩ of ν<sub>μ</sub>"])
def test_the_page_has_the_moments_and_radii_of_today(parts, name):
    (cells,) = rows(name)
    model, parameter, within, unit = limits.PROPERTIES[name]
    found = limits.profile(parts["Ge-Mini"], model, parameter, within, electroweak="radiative")
    assert allowed_text(found, unit, 2) == cells[3]


def test_the_flux_of_the_sns_is_one_pull_and_quenching_of_germanium_none(parts):
    everything = together(list(parts.values()))
    names = [p.name for one in everything.experiments for p in one.experiment.statistics.pulls]
    assert names.count("sns_flux") == len([name for name in parts if name in ("CsI", "LAr", "Ge-Mini")])
    assert sorted(re.findall(r"\S*quenching\S*", " ".join(n for n in names if "ge-2024" in n))) == [
        "coherent-ge-2024_quenching"
    ]
