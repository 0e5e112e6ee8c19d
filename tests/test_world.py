"""The world's data together: a sample of what `reproduce world` finds, and what it rests on."""

import inspect
import re
from math import pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

import nurecoil
from nurecoil.models.zprime_331 import running
from nurecoil.papers.world import all_nsi, limits, nsi, planes, recipe, weak_angle
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, allowed_text, together
from nurecoil.papers.world.landscape import Landscape, Sum
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


# --- many couplings at once -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def landscape(parts):
    """Return the valleys of three couplings of CsI, and points from which they are found."""
    names = ("eps_u_ee", "eps_u_mumu", "eps_d_ee")
    question = parts["CsI"].study("nsi", electroweak="radiative").question(dict.fromkeys(names, 0.0))
    points = np.random.default_rng(2).uniform(-0.5, 0.5, (200, len(names)))
    found = question.profiled(points)
    return Landscape(question, np.concatenate([points, found.pulls], axis=1), found.chi2)


def test_the_best_of_many_couplings_is_that_of_another_minimiser(landscape):
    def profiled(x):
        return float(landscape.question.chi2(x[np.newaxis])[0])

    chi2, point = landscape.best
    starts = np.random.default_rng(4).uniform(-0.5, 0.5, (3, 3))[:2]
    others = [minimize(profiled, start, method="Nelder-Mead", bounds=[(-1, 1)] * 3).fun for start in starts]
    assert chi2 == pytest.approx(min(others), abs=0.02)
    assert landscape.question.unprofiled(point[np.newaxis, :3], point[3:])[0] == pytest.approx(chi2)


@pytest.mark.parametrize("ratio", [0.0, all_nsi.RATIO])
def test_a_sum_that_is_held_is_held_inside_the_box(landscape, ratio):
    held = Sum(0, 2, ratio)
    chi2, point = landscape.lowest(landscape.best[1], held, 0.9)
    assert held.of(point) == pytest.approx(0.9)
    assert (np.abs(point[:3]) <= 1 + 1e-12).all()
    own = point[:3] + 0.03 * np.random.default_rng(3).normal(size=(50, 3))
    own[:, 0] = 0.9 - ratio * own[:, 2]
    inside = (np.abs(own) <= 1).all(axis=1)
    assert inside.sum() > 5
    assert (landscape.question.chi2(own[inside]) >= chi2 - 0.01).all()


def test_what_one_quark_does_another_undoes(landscape):
    (low, high), at_box = landscape.allowed(Sum(0, 2), 0.9)
    assert low is None
    assert high is None
    assert max(at_box) < 2.7
    (low, high), at_box = landscape.allowed(Sum(0, 2, all_nsi.RATIO), 0.9)
    assert -0.2 < low < high < 0.6
    assert not at_box
    for end in (low, high):
        excess = landscape.lowest(landscape.best[1], Sum(0, 2, all_nsi.RATIO), end)[0] - landscape.best[0]
        assert excess == pytest.approx(2.706, abs=0.3)


# --- the page -----------------------------------------------------------------------------------------------


def rows(first, page=PAGE):
    """Return the cells of rows of the page's tables that begin so."""
    lines = [line[1:-1].split("|") for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if line[0].strip() == first]


def test_the_page_has_the_weak_angle_of_today(parts):
    (cells,) = rows("CsI")
    assert weak_angle.measured_text(weak_angle.measured(parts["CsI"])) == cells[2]
    assert float(cells[1]) == pytest.approx(
        weak_angle.momentum_transfer(parts["CsI"].experiments[0]), rel=0.02
    )


def test_the_page_has_the_epsilons_of_today(parts):
    (parameter,) = (p for p in nsi.SHOWN if p.name == "eps_u_mumu")
    cells = rows(nsi.symbol(parameter))[0]
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


def test_the_page_says_of_no_coupling_that_data_bound_it_when_all_are_free():
    names = [
        all_nsi._name(p.name.removeprefix(f"eps_{q}_"), q)
        for q in "ud"
        for p in nsi.EPSILONS
        if f"_{q}_" in p.name
    ]
    assert len(set(names)) == 18
    table = PAGE.partition("**The 18 couplings")[2].partition("\n## ")[0]
    for name in names:
        ((_, _, allowed, _),) = rows(name, table)
        assert allowed == "not bounded" or re.fullmatch("≥ −0.9[0-9]*", allowed)  # where u leaves the box
    assert float(re.search(r"R̂ ≤ (\d\.\d+)", PAGE)[1]) < 1.01
    assert int(re.search(r"at least (\d+) effective", PAGE)[1]) > 400


def test_the_progress_counts_as_many_steps_as_there_are():
    assert inspect.getsource(recipe.reproduce).count("    progress(") == recipe.STEPS
