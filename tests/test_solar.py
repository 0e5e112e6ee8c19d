"""The sun: fluxes of a solar model, flavours at the earth, and counts in xenon, against closed forms."""

import json
import math
import re

import numpy as np
import pytest

import asking
import reference
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.experiment.card.tables import Tables
from nurecoil.models import STANDARD_MODEL
from nurecoil.sources import flux_integral
from nurecoil.sources.mixing import NUFIT, Mixing
from nurecoil.sources.solar import FLUXES, POTENTIAL, Conversion, Solar
from own_cards import reading
from releases import data_folder, release_file

CARD = """
name = "mine"
title = "xenon that sees all above 0.45 keV"
reference = "a test"

[target]
material = "Xe"
mass = "1 tonne"
form_factor = "helm"

[source]
flux = "solar"
live_time = "365.25 day"
model = "b16-gs98"
neutrinos_of = ["8b"]
fluxes = { 8b = 5.25e6 }

[cross_section]
vector_recoil_term = true
magnetic_recoil_term = false
magnetic_form_factor = true

[detector]
observable = "recoil energy [keV]"
edges = [0.45, 100]
quenching = { kind = "constant", factor = 1 }
light_yield_per_kev = 1
smearing = { kind = "none" }
efficiency = { kind = "constant", value = 1 }

[statistics]
observed = "standard-model"
signal_pull_width = 0.1
"""
SUN = Solar(1.0, "b16-gs98")
S12, S13, DM2 = 0.308, 0.02215, 7.49e-5


@pytest.fixture
def read(tmp_path):
    for name in ("pp", "hep", "8B", "13N", "15O", "17F"):
        release_file("fluxes", f"solar/{name}.txt")

    return reading(tmp_path, CARD)


def counts(experiment):
    return compile_experiment(experiment).counts(STANDARD_MODEL.couplings())


# --- flavours at the earth ----------------------------------------------------------------------------


def test_survival_without_matter_and_in_the_densest_matter():
    c13 = 1 - S13
    for E, V, expected in (
        (1e-9, 6.8e-12, c13**2 * (1 - 2 * S12 * (1 - S12)) + S13**2),  # 1 - sin²2θ/2
        (1e6, 6.8e-12, c13**2 * S12 + S13**2),
    ):
        shares = Conversion(V, 0.05, NUFIT).shares(E)
        found = sum(abs(NUFIT.matrix[0]) ** 2 * np.array(shares))
        assert found == pytest.approx(expected, rel=1e-5)
        assert sum(shares) == pytest.approx(1, rel=1e-14)


def test_survival_is_the_formula_of_the_papers():
    """c13⁴ [1 + (1 - δ) cos2θ cos2θ_m]/2 + s13⁴."""
    E, (V, variance) = np.array([0.3, 1.0, 5.0, 10.0]), POTENTIAL["8b"]
    c2, c13 = 1 - 2 * S12, 1 - S13
    x = 2 * E * 1e6 * V * 1e-12 * c13 / DM2
    root = np.hypot(c2 - x, math.sqrt(1 - c2**2))
    delta = 1.5 * variance * x**2 * (1 - c2**2) / root**4
    expected = c13**2 * (1 + (1 - delta) * c2 * (c2 - x) / root) / 2 + S13**2
    np.testing.assert_allclose(SUN.survival("8b", E), expected, rtol=1e-12)


def test_delta_is_the_mean_over_potentials():
    """Of two potentials, V ± ΔV, to second order in ΔV/V = 0.01."""
    for E in (0.5, 3.0, 12.0):
        mean = np.mean([Conversion(6e-12 * f, 0.0, NUFIT).shares(E) for f in (0.99, 1.01)], axis=0)
        found = np.array(Conversion(6e-12, 1e-4, NUFIT).shares(E))
        plain = np.array(Conversion(6e-12, 0.0, NUFIT).shares(E))
        assert found - plain == pytest.approx(mean - plain, rel=1e-3, abs=1e-12)


def test_neutrinos_leave_the_sun_adiabatically():
    """Schrödinger's equation of two flavours in e^(-10.54 r/R), from the centre on, in 2^18 steps."""
    E, V = 8e6, 7e-12  # eV
    radius, steps = 6.957e8 / 1.973269804e-7, 2**18  # 1/eV
    r = (np.arange(steps) + 0.5) / steps
    c2, s2, k = 1 - 2 * S12, 2 * math.sqrt(S12 * (1 - S12)), DM2 / (4 * E)
    a, b = V * np.exp(-10.54 * r) / 2 - k * c2, np.full(steps, k * s2)
    size, step = np.hypot(a, b), radius / steps
    cos, sin = np.cos(size * step), np.sin(size * step) / size
    U = np.array([[cos - 1j * a * sin, -1j * b * sin], [-1j * b * sin, cos + 1j * a * sin]]).transpose(
        2, 0, 1
    )
    while len(U) > 1:
        U = U[1::2] @ U[::2]
    light = np.array([math.sqrt(1 - S12), -math.sqrt(S12)])  # ν_1 in ν_e, ν_x
    found = abs(light @ U[0] @ [1, 0]) ** 2
    assert Conversion(V, 0.0, Mixing(sin2_theta_13=0.0)).shares(8.0)[0] == pytest.approx(found, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "E", "published", "error"),
    [
        ("pp", 0.267, 0.57, 0.09),  # Borexino, Nature 562, 505 (2018), and the next three
        ("7be", 0.862, 0.53, 0.05),
        ("pep", 1.44, 0.43, 0.11),
        ("8b", 8.1, 0.37, 0.08),
        ("8b", 10.0, 0.317, 0.018),  # SNO, arXiv:1109.0763, all phases
        ("8b", 10.0, 0.33, 0.01),  # what the large mixing angle says, as brief as papers do
        ("pp", 0.267, 0.55, 0.01),
    ],
)
def test_survival_against_what_was_measured(kind, E, published, error):
    assert abs(SUN.survival(kind, E) - published) < error


def test_flavours_are_shared_by_the_mixing_matrix():
    U = NUFIT.matrix
    np.testing.assert_allclose(U @ U.conj().T, np.eye(3), atol=1e-15)
    assert abs(U[0, 1]) ** 2 / abs(U[0, 0]) ** 2 == pytest.approx(0.308 / 0.692, rel=1e-12)
    assert abs(U[1, 2]) ** 2 / abs(U[2, 2]) ** 2 == pytest.approx(0.47 / 0.53, rel=1e-12)
    jarlskog = (U[0, 0] * U[1, 1] * U[0, 1].conj() * U[1, 0].conj()).imag
    expected = math.sqrt(0.308 * 0.692 * 0.47 * 0.53 * 0.02215) * (1 - 0.02215) * math.sin(math.radians(212))
    assert jarlskog == pytest.approx(expected, rel=1e-12)


# --- fluxes -------------------------------------------------------------------------------------------


def test_all_neutrinos_that_are_made_arrive(read):
    components = Solar(1.0, "b16-gs98").neutrinos(Tables(None, data_folder(), {})).components
    for kind, (flux, _) in FLUXES["b16-gs98"].items():
        parts = [c for c in components if c.name.startswith(f"{kind}_")]
        assert sum(
            sum(c.shares) * flux_integral(c.spectrum, np.ones_like, np.zeros(1))[0] for c in parts
        ) == pytest.approx(flux, rel=3e-5)
    of_be = {c.spectrum.energy: c.spectrum.neutrinos for c in components if c.name.startswith("7be")}
    assert sorted(of_be) == [0.3843, 0.8618]
    released = np.loadtxt(release_file("fluxes", "solar/7Be2.txt"), delimiter=",")[0, 0]
    assert max(of_be) == pytest.approx(released, rel=1e-3)


def recoils_of_8b(experiment, T):
    """Return recoils per kg, s and MeV of 5.25e6 neutrinos per cm² and s, Helm, at tree level."""
    E, density = np.loadtxt(release_file("fluxes", "solar/8B.txt"), delimiter=",").T
    E, flux = (x := np.linspace(0.02, 16.34, 16321)), 5.25e6 * np.interp(x, E, density)
    rate = np.zeros(T.size)
    for nuclide, per_kg in zip(experiment.target.nuclides, experiment.target.nuclei_per_kg, strict=True):
        M, Q = nuclide.mass, nuclide.Z * (0.5 - 2 * 0.23857) - nuclide.N / 2
        K = np.array([np.trapezoid(flux * np.maximum(1 - t / E - M * t / (2 * E**2), 0.0), E) for t in T])
        q2 = 2 * M * T / reference.HBAR_C**2
        x = np.sqrt(q2 * 5 / 3 * (nuclide.charge_radius_fm**2 - 3 * 0.81))
        F = 3 * (np.sin(x) - x * np.cos(x)) / x**3 * np.exp(-q2 * 0.81 / 2)
        rate += per_kg * reference.CM2 * reference.G_F**2 * M / math.pi * Q**2 * F**2 * K
    return rate


def test_xenon_sees_what_xenonnt_expects(read):
    """335.6 a tonne and year above 0.45 keV, in the release of 2024; and the same by hand."""
    found = counts(read())[0]
    released = json.loads(release_file("xenonnt-2024", "cevns_spectrum.json").read_text())["rate"]
    assert released == pytest.approx(335.6, abs=0.05)
    assert found == pytest.approx(released, rel=0.01)
    T = np.geomspace(0.45e-3, 4.6e-3, 400)
    total = 1e3 * 365.25 * 86400 * np.trapezoid(recoils_of_8b(read(), T), T)
    assert found == pytest.approx(total, rel=1e-3)


def test_the_standard_model_does_not_see_flavours_at_tree_level_and_new_physics_does(read):
    here, there = read(), read(("model =", "mixing = { sin2_theta_12 = 0.6, sin2_theta_13 = 0.2 }\nmodel ="))
    assert counts(there) == pytest.approx(counts(here), rel=1e-9)
    coupling = {"eps_u_ee": 0.05}
    for experiment, sun in (
        (here, SUN),
        (there, Solar(1.0, "b16-gs98", mixing=Mixing(sin2_theta_12=0.6, sin2_theta_13=0.2))),
    ):
        ratio = asking.predict("nsi", experiment, coupling).values.counts.sum() / counts(experiment)[0]
        Q, extra = 54 * (0.5 - 2 * 0.23857) - 77.3 / 2, 0.05 * (2 * 54 + 77.3)
        seen = (ratio - 1) / ((1 + extra / Q) ** 2 - 1)  # the share of ν_e, of those that are seen
        low, high = sorted(sun.survival("8b", [7.0, 14.0]))
        assert low < seen < high


@pytest.mark.parametrize(
    "eps",
    [
        {"eps_u_emu": 0.07},
        {"eps_d_etau": -0.04, "eps_u_ee": 0.03},
        {"eps_u_mutau": 0.1, "eps_u_mutau_im": 0.05, "eps_d_emu": 0.02, "eps_d_emu_im": -0.06},
    ],
)
def test_flavours_of_a_mass_state_interfere(read, eps):
    """Against amplitudes of ν_i → ν_f: Σ_f |Σ_α (Z g_p + N g_n)_fα U_αi|², of point nuclei, by hand."""
    experiment = read(('"helm"', '"point"'), ('"Xe"', '"132Xe"'))
    found = asking.predict("nsi", experiment, eps).values.counts[0] / counts(experiment)[0]
    Q0, Q = 54 * (0.5 - 2 * 0.23857) - 78 / 2, np.zeros((3, 3), complex)
    for name, value in eps.items():
        quark, entry, *im = name.split("_")[1:]
        a = ("e", "mu", "tau").index(next(f for f in ("mu", "e") if entry.startswith(f)))
        b = ("e", "mu", "tau").index(next(f for f in ("tau", "mu", "e") if entry.endswith(f)))
        part = value * {"u": 2 * 54 + 78, "d": 54 + 2 * 78}[quark] * (1j if im else 1)
        Q[a, b] += part
        if a != b:
            Q[b, a] += np.conj(part)
    U, total = SUN.mixing.matrix, 0.0
    E = [c.spectrum for c in experiment.flux.components]
    T = np.geomspace(0.45e-3, 4.7e-3, 2000)
    low = np.sqrt(experiment.target.nuclides[0].mass * T / 2)
    x = np.linspace(0.02, 16.34, 4001)
    kernel = 1 - (x / low[:, np.newaxis]) ** -2
    share = np.array([np.trapezoid(np.trapezoid(e.density(x) * np.maximum(kernel, 0), x), T) for e in E])
    states = np.sum(abs((Q0 * np.eye(3) + Q) @ U) ** 2, axis=0) / Q0**2
    total = share @ states / share.sum()
    assert found == pytest.approx(total, rel=5e-4)


def of_xenon(experiment, q_shift):
    """Counts over the Standard Model's of point 132Xe, Σ_f |Σ_α Q_fα U_αi|² by hand; Q - Q0 = q_shift(q²)."""
    Q0, M = 54 * (0.5 - 2 * 0.23857) - 78 / 2, experiment.target.nuclides[0].mass
    T, x = np.geomspace(0.45e-3, 4.7e-3, 2000), np.linspace(0.02, 16.34, 4001)
    kernel = np.maximum(1 - M * T[:, np.newaxis] / (2 * x**2), 0)
    Q = Q0 * np.eye(3) + np.array([q_shift(2 * M * t) for t in T])
    states = np.sum(abs(Q @ SUN.mixing.matrix) ** 2, axis=1) / Q0**2
    rates = [np.trapezoid(c.spectrum.density(x) * kernel, x) for c in experiment.flux.components]
    total = sum(np.trapezoid(rate * states[:, i], T) for i, rate in enumerate(rates))
    return total / sum(np.trapezoid(rate, T) for rate in rates)


@pytest.mark.parametrize("charge", [2e-9, -2e-9])
def test_flavours_of_a_mass_state_interfere_by_a_light_mediator(read, charge):
    experiment = read(('"helm"', '"point"'), ('"Xe"', '"132Xe"'))
    found = asking.predict("millicharges", experiment, {"q_nu_etau": charge}).values.counts[0]
    swap = np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]])
    of_proton = 4 * math.pi / 137.035999 * charge / (math.sqrt(2) * 1.1663787e-11)
    expected = of_xenon(experiment, lambda q2: 54 * of_proton / q2 * swap)
    assert found / counts(experiment)[0] == pytest.approx(expected, rel=5e-4)


def test_a_light_mediator_interferes_with_a_contact_interaction_that_turns_flavours(read):
    """Charges of all flavours alike are no transition, but multiply that of ε_μτ, whose phase is seen too."""
    experiment = read(('"helm"', '"point"'), ('"Xe"', '"132Xe"'))
    values = {"eps_u_mutau": 0.04, "eps_u_mutau_im": 0.06, "q_nu_e": 2e-9, "q_nu_mu": 2e-9, "q_nu_tau": 2e-9}
    found = asking.predict("nsi+millicharges", experiment, values).values.counts[0]
    turn = np.zeros((3, 3), complex)
    turn[1, 2], turn[2, 1] = 0.04 + 0.06j, 0.04 - 0.06j
    of_proton = 4 * math.pi / 137.035999 * 2e-9 / (math.sqrt(2) * 1.1663787e-11)
    quarks = 2 * 54 + 78
    expected = of_xenon(experiment, lambda q2: quarks * turn + 54 * of_proton / q2 * np.eye(3))
    assert found / counts(experiment)[0] == pytest.approx(expected, rel=5e-4)


def test_interference_needs_mass_states(read):
    compiled = compile_experiment(read()).with_channels(("vector-interference",))
    assert "vector-interference" in compiled.templates.channels
    couplings = STANDARD_MODEL.couplings()
    assert compiled.counts(couplings)[0] == pytest.approx(counts(read())[0], rel=1e-12)


@pytest.mark.parametrize(
    ("model", "values", "said"),
    [
        ("nsi-axial", {"eps_axial_u_emu": 0.1}, True),
        ("nsi", {"eps_u_emu": 0.1}, False),
        ("millicharges", {"q_nu_emu": 1e-9}, False),
        ("magnetic-moments", {"mu_nu_etau": 1e-10}, False),  # τ from e, e from τ: no two make one
        ("magnetic-moments", {"mu_nu_etau": 1e-10, "mu_nu_mutau": 1e-10}, True),
        ("tensor", {"eps_tensor_u_emu": 0.1}, False),
        ("tensor", {"eps_tensor_u_emu": 0.1, "eps_tensor_u_ee": 0.1}, True),
    ],
)
def test_that_flavours_do_not_interfere_is_said_where_it_matters(read, model, values, said):
    notes = " ".join(asking.predict(model, read(), values).notes)
    assert ("mass states. Their flavours interfere" in notes) == said


@pytest.mark.parametrize(
    ("model", "values", "said"),
    [
        ("standard-model", {}, False),
        ("scaled-standard-model", {"signal_strength": 0.5}, False),
        ("nsi", {"eps_u_tautau": 0.3}, True),
        ("nsi", {"eps_u_emu": 0.1}, True),
    ],
)
def test_that_nothing_new_happens_inside_the_sun_is_said_where_flavours_differ(read, model, values, said):
    notes = " ".join(asking.predict(model, read(), values).notes)
    assert ("inside the sun is left out" in notes) == said


# --- pulls and cards ----------------------------------------------------------------------------------


def test_the_flux_of_one_reaction_is_a_rate(read):
    assert [pull.name for pull in read().statistics.signal.rates] == ["mine_signal", "solar_8b_flux"]
    assert read().statistics.signal.rates[1].prior_width == 0.12
    assert len(read(("fluxes =", "widths = { 8b = 0 }\nfluxes =")).statistics.pulls) == 1


def test_the_flux_of_one_reaction_of_several_changes_what_it_makes(read):
    experiment = read(('["8b"]', '["8b", "hep"]'), ("fluxes =", "widths = { 8b = 0.0381 }\nfluxes ="))
    compiled = compile_experiment(experiment)
    hep_alone = read(('["8b"]', '["hep"]'), ("fluxes = { 8b = 5.25e6 }\n", ""))
    of_8b, of_hep = counts(read())[0], counts(hep_alone)[0]
    whole = of_8b + of_hep
    shapes = {s.pull.name: s.pull.prior_width for s in experiment.statistics.signal.shapes}
    assert shapes == {"solar_8b_flux": 0.0381, "solar_hep_flux": 0.30}
    couplings = STANDARD_MODEL.couplings()
    found = [[end.evaluate(couplings).sum() for end in pair] for pair in compiled.variations]
    expected = [
        (whole + 0.0381 * of_8b, of_8b / 1.0381 + of_hep),
        (whole + 0.30 * of_hep, of_8b + of_hep / 1.30),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert 0.003 < of_hep / of_8b < 0.007


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["8b"]', '["8B"]', "unknown kind of solar neutrinos in neutrinos_of '8B': did you mean '8b'"),
        ("8b = 5.25e6", "9b = 5.25e6", "unknown kind of solar neutrinos in fluxes '9b'"),
        ('["8b"]', "[]", "source: neutrinos_of = [] is not allowed: it must be one or more of pp, pep"),
        ('["8b"]', '["8b", "8b"]', "neutrinos_of = ['8b', '8b'] is not allowed"),
        ("8b = 5.25e6", "pp = 5.98e10", "unknown kind of solar neutrinos in fluxes 'pp': known are 8b"),
        ("8b = 5.25e6", "8b = -5.25e6", "source.fluxes.8b = -5250000.0 is not allowed"),
        ("b16-gs98", "bs05", "source.model = 'bs05' is not allowed"),
        (
            "model =",
            "mixing = { sin2_theta_12 = 1.2 }\nmodel =",
            "source.mixing.sin2_theta_12 = 1.2 is",
        ),
    ],
)
def test_what_is_no_sun_is_told(read, old, new, said):
    with pytest.raises(NurecoilError, match=re.escape(said)):
        read((old, new))


def test_a_pull_that_the_source_has_is_refused_twice(read):
    pulls = '[[signal_pulls]]\neffect = "normalisation"\nname = "solar_8b_flux"\nwidth = 0.04\n'
    data = '[data]\nobserved = { file = "n.txt", columns = { energy = 0 } }\n' + pulls
    with pytest.raises(NurecoilError, match="the pull solar_8b_flux is there twice"):
        read((CARD[CARD.index("[statistics]") :], data), files={"n.txt": "1.0\n2.0\n"})


def test_neutrinos_of_the_sun_do_not_oscillate_over_a_short_baseline(read):
    with pytest.raises(NurecoilError, match="its source has no baseline"):
        asking.predict("sterile", read(), {"u2_e4": 0.1, "dm2_41": 1.0})


# --- projections --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "release", "file", "tonne_years", "expected", "within"),
    [
        ("lz-8b-2025", "lz-8b-2025", "efficiency_hepdata.167350.v2_t4.csv", 5.7, 19.7, 0.015),
        ("pandax-4t-2024", "pandax-4t-8b-2024", "efficiency_paired_digitised.csv", 1.2, 3.16, 0.005),
    ],
)
def test_projections_count_what_their_efficiencies_leave(name, release, file, tonne_years, expected, within):
    """19.7 and 3.16 of 8B at 5.25e6 /cm²/s (SOURCES.md), and the same by hand."""
    path = release_file(release, file)
    release_file("fluxes", "solar/8B.txt")
    experiment = load_experiment(name)
    assert "projection without background" in experiment.title
    assert experiment.caution
    assert "what is called observed is the Standard Model" in experiment.caution
    assert [p.name for p in experiment.statistics.pulls] == [f"{name}_signal", "solar_8b_flux"]
    found = counts(experiment)[0] * 5.25e6 / FLUXES["b16-gs98"]["8b"][0]
    assert found == pytest.approx(expected, rel=within)
    rows = [line for line in path.read_text().splitlines() if line and line[0] in "0123456789"]
    keV, seen = np.loadtxt(rows, delimiter=",").T
    T = np.linspace(max(keV[0], 0.01) * 1e-3, 4.6e-3, 800)
    rate = recoils_of_8b(experiment, T) * np.interp(1e3 * T, keV, seen)
    by_hand = tonne_years * 1e3 * 365.25 * 86400 * np.trapezoid(rate, T)
    assert found == pytest.approx(by_hand, rel=1e-3)
