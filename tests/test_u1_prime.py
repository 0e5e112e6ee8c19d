"""A Z' of a U(1)': charges by name, the loops of L_i - L_j, mixing with the photon and with the Z."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

import nurecoil
import reference
from nurecoil.experiment import basis_of
from nurecoil.experiment.recoil import rates
from nurecoil.models import LIGHT_VECTOR, MILLICHARGES, NSI, STANDARD_MODEL, U1_PRIME
from nurecoil.models.loading import check
from nurecoil.models.u1_prime import loop_charge, preset_charges, presets
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.nuclei import nuclide
from nurecoil.sources import Component, Flux, Line
from nurecoil.verbs.vary import _choices
from test_channels import direct, g_f_squared, vector_kernel

SM = STANDARD_MODEL.couplings()
S2, ALPHA, M_Z = 0.23857, 7.2973525643e-3, 91187.6
ROOT2_G_F = math.sqrt(2) * reference.G_F
LEPTONS = {"e": 0.51099895, "mu": 105.6583755, "tau": 1776.86}
NAMES = ("coherent-csi-2021", "coherent-lar-2020")
LOOPS = {"L_e-L_mu": (1, -1, 0), "L_e-L_tau": (1, 0, -1), "L_mu-L_tau": (0, 1, -1)}
THIRD = Fraction(1, 3)
VECTOR = {  # ν_e, ν_μ, ν_τ; u and d
    "universal": (1, 1, 1, 1),
    "B-L": (-1, -1, -1, THIRD),
    "B-3L_e": (-3, 0, 0, THIRD),
    "B-3L_mu": (0, -3, 0, THIRD),
    "B-3L_tau": (0, 0, -3, THIRD),
    "B-2L_e-L_mu": (-2, -1, 0, THIRD),
    "B-L_e-2L_mu": (-1, -2, 0, THIRD),
    "B_y+L_mu+L_tau": (0, 1, 1, THIRD),
    **{name: (*charges, 0) for name, charges in LOOPS.items()},
}


def at(charges, m, g, **more):
    return U1_PRIME.couplings(charges=charges, m_mediator=m, g_mediator=g, **more)


def rate(couplings, E=45.0, name="Cs133", flavour="mu"):
    """Return dσ/dT of a point nucleus at 5 keV, over the Standard Model's kernel: |Q|²."""
    line = Flux("line", (Component(f"nu_{flavour}", flavour, Line(E)),), "test")
    T, M = np.array([0.005]), reference.nuclear_mass(name)
    channels = ("vector", "light-vector")
    found = rates(nuclide(name), line, form_factor("point"), Conventions(), couplings, T, channels).sum()
    return found / (reference.CM2 * g_f_squared(M) * vector_kernel(T[0], E, M)), 2 * M * T[0]


def loop(name, q):
    """Return Q_f/q_f of a name, (2α/π) ∫x(1-x) ln(Δ_j/Δ_i), by adaptive integration."""
    first, second = (LEPTONS[lepton.removeprefix("L_")] for lepton in name.split("-"))

    def integrand(x):
        return x * (1 - x) * math.log((second**2 + x * (1 - x) * q**2) / (first**2 + x * (1 - x) * q**2))

    return 4 * ALPHA / math.pi * quad(integrand, 0, 0.5, epsabs=0, epsrel=1e-12, limit=300)[0]


# --- charges ------------------------------------------------------------------------------------------


def test_universal_charges_are_a_light_vector_with_all_charges_one():
    ours = at("universal", 7.0, 3e-5).light_vector
    theirs = LIGHT_VECTOR.couplings(m_mediator=7.0, g_mediator=3e-5).light_vector
    for field in ("mass", "proton", "neutron", "electron_left", "electron_right"):
        np.testing.assert_allclose(getattr(ours, field), getattr(theirs, field), rtol=1e-12)


@pytest.mark.parametrize("name", VECTOR)
def test_charges_that_a_name_says(name):
    *neutrinos, quark = VECTOR[name]
    found = preset_charges(name, S2)
    expected = (*neutrinos, neutrinos[0], neutrinos[0], *[quark] * 4)  # the electron has its neutrino's
    np.testing.assert_allclose(list(found.values()), [float(x) for x in expected], rtol=1e-15)
    assert set(presets()) == {*VECTOR, "sequential", "E6-chi", "E6-psi", "E6-eta"}
    assert all(entry["source"] for entry in presets().values())


@pytest.mark.parametrize("name", [name for name in VECTOR if name not in LOOPS])
def test_a_heavy_one_is_an_nsi(coherent, name):
    """With ε_αα^q = g² Q_α Q_q/(√2 G_F m²)."""
    *neutrinos, quark = VECTOR[name]
    m, g = 1e6, math.sqrt(0.1 * ROOT2_G_F) * 1e6  # MeV; corrections are q²/m², 1e-8
    flavours = zip(("ee", "mumu", "tautau"), neutrinos, strict=True)
    epsilon = {f"eps_{q}_{entry}": 0.1 * float(x * quark) for entry, x in flavours for q in "ud"}
    counts, expected = (coherent[NAMES[1]].counts(c) for c in (at(name, m, g), NSI.couplings(**epsilon)))
    np.testing.assert_allclose(counts, expected, rtol=1e-6, atol=1e-12 * expected.max())
    assert abs(expected.sum() / coherent[NAMES[1]].counts(SM).sum() - 1) > 0.01 or name == "B-3L_tau"


def test_a_sequential_z_prime_is_the_z_once_more(coherent):
    """At 1 TeV with the Z's coupling: vector couplings grow by r = (m_Z/m)², as those of electrons."""
    m, g_z = 1e6, math.sqrt(4 * ROOT2_G_F) * M_Z
    assert g_z == pytest.approx(0.7407, abs=5e-5)
    couplings, r = at("sequential", m, g_z), (M_Z / m) ** 2
    for name in NAMES:
        expected = (1 + r) ** 2 * coherent[name].counts(SM)
        np.testing.assert_allclose(coherent[name].counts(couplings), expected, rtol=1e-6)
    light = couplings.light_vector
    np.testing.assert_allclose(light.electron_left / m**2, r * (S2 - 0.5) * np.eye(3), rtol=1e-9)
    np.testing.assert_allclose(light.electron_right / m**2, r * S2 * np.eye(3), rtol=1e-9)
    other = at("sequential", m, g_z, sin2_theta_w=0.2).light_vector
    np.testing.assert_allclose(other.proton / m**2, r * 0.1 * np.eye(3), rtol=1e-9)


def test_charges_of_e6():
    """χ/4 + √15/4 ψ is U(1)_N, with 1, 1, 1, 2, 2 over √40 of Q, u^c, e^c, L, d^c (E6SSM: King:2005jy)."""
    chi, psi, eta = (preset_charges(f"E6-{name}", S2) for name in ("chi", "psi", "eta"))
    n = {f: chi[f] / 4 + math.sqrt(15) / 4 * psi[f] for f in chi}
    expected = {
        "u_left": 1,
        "d_left": 1,
        "u_right": -1,
        "e_right": -1,
        "d_right": -2,
        "nu_mu": 2,
        "e_left": 2,
    }
    for f, x in expected.items():
        assert n[f] == pytest.approx(x / math.sqrt(40), rel=1e-14)
        assert eta[f] == pytest.approx(math.sqrt(3 / 8) * chi[f] - math.sqrt(5 / 8) * psi[f], rel=1e-14)


def null_vector(rows):
    """Return the one solution of linear equations with the first number 1."""
    *_, solution = np.linalg.svd(np.array(rows, float))[2]
    return solution / solution[0]


def test_charges_of_e6_follow_from_its_groups():
    """27 = 16 + 10 + 1 of SO(10), 16 = 10 + 5* + 1 of SU(5); right-handed fields are conjugates.

    χ commutes with SU(5) without anomaly, 3 Q(10) + Q(5*) = 0 (indices 3/2 and 1/2), nor a trace in
    the 16. ψ commutes with SO(10): indices 2 and 1, 2 Q(16) + Q(10) = 0. Norms are those of T3, whose squares
    add up to 6/2 in a 27 of six doublets. Signs: Q(16) > 0 for ψ, Q(5*) > 0 for χ, η as Langacker has it.
    """
    ten, five, one = null_vector([[3, 1, 0], [10, 5, 1]])
    assert [ten, five, one] == pytest.approx([1, -3, 5])
    assert 10 * ten**3 + 5 * five**3 + one**3 == pytest.approx(0)
    of_16, of_10, of_1 = null_vector([[2, 1, 0], [16, 10, 1]])
    assert [of_16, of_10, of_1] == pytest.approx([1, -2, 4])
    vector = -2 * ten  # the 5 of the 10 of SO(10), in 10 x 10 x 5
    chi_norm = math.sqrt((10 * ten**2 + 5 * five**2 + one**2 + 10 * vector**2) / 3)
    psi_norm = math.sqrt((16 * of_16**2 + 10 * of_10**2 + of_1**2) / 3)
    assert (chi_norm**2, psi_norm**2) == pytest.approx((40, 24))
    chi = {"u_left": -ten, "d_left": -ten, "u_right": ten, "e_right": ten, "d_right": five}
    chi |= dict.fromkeys(("nu_e", "nu_mu", "nu_tau", "e_left"), -five)
    for f, x in chi.items():
        psi = (-1 if f.endswith("right") else 1) * of_16 / psi_norm
        assert preset_charges("E6-chi", S2)[f] == pytest.approx(x / chi_norm, rel=1e-12)
        assert preset_charges("E6-psi", S2)[f] == pytest.approx(psi, rel=1e-12)
        eta = math.sqrt(3 / 8) * x / chi_norm - math.sqrt(5 / 8) * psi
        assert preset_charges("E6-eta", S2)[f] == pytest.approx(eta, rel=1e-12)


@pytest.mark.parametrize("name", [name for name in VECTOR if name not in {*LOOPS, "universal"}])
def test_b_and_l_have_no_anomaly_with_weak_isospin(name):
    """Σ of 3 colours x B/3 and of L over the families; of B_y, B is 1, -y, y - 3 in them, whatever y is."""
    *neutrinos, quark = VECTOR[name]
    for y in (0.0, 1.0, 2.7):
        baryons = (1, -y, y - 3) if name.startswith("B_y") else (1, 1, 1)
        assert sum(3 * float(quark) * b for b in baryons) + sum(neutrinos) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("name", "down"), [("E6-chi", -6 / 40), ("E6-psi", 0.0), ("E6-eta", -1.5 / 60)])
def test_e6_at_a_tev_is_an_nsi_with_d_alone(coherent, name, down):
    """Q_ν Q_d with the vector charges of d, (-1 - 3)/2, 0 and (-2 - 1)/2; those of u cancel."""
    m, g = 2e6, 0.46
    epsilon = g**2 * down / (ROOT2_G_F * m**2)
    entries = {f"eps_d_{flavour}": epsilon for flavour in ("ee", "mumu", "tautau")}
    counts, expected = (
        coherent[NAMES[0]].counts(at(name, m, g)),
        coherent[NAMES[0]].counts(NSI.couplings(**entries)),
    )
    np.testing.assert_allclose(counts, expected, rtol=1e-7)
    assert (abs(expected.sum() / coherent[NAMES[0]].counts(SM).sum() - 1) > 1e-4) == (down != 0)


@pytest.mark.parametrize("m", [1e-6, 20.0])
def test_b_minus_l_on_one_nucleus_by_hand(m):
    """Each nucleon has B - L = 1, ν has -1: g² A/(√2 G_F (q² + m²)) adds to N/2 - Z g_V^p in size."""
    g = 2e-5
    got, q2 = rate(at("B-L", m, g))
    Q = 55 * (0.5 - 2 * S2) - 78 / 2 - g**2 * 133 / (ROOT2_G_F * (q2 + m**2))
    assert got == pytest.approx(Q**2, rel=1e-8)
    assert got > rate(SM)[0] * 1.01


def test_free_charges_and_an_electron_of_two_hands():
    m, g, unit = 50.0, 1e-3, 1e-6 / ROOT2_G_F
    charges = {"charge_nu_mu": 2.0, "charge_e_left": 3.0, "charge_e_right": -5.0, "charge_u_left": 0.4}
    light, nu = at("free", m, g, **charges).light_vector, np.diag([0, 2.0, 0])
    for field, x in {"electron_left": 1.5, "electron_right": -2.5, "proton": 0.4, "neutron": 0.2}.items():
        np.testing.assert_allclose(getattr(light, field), unit * x * nu, rtol=1e-12)


@pytest.mark.parametrize("name", ["B-3L_mu", "L_mu-L_tau"])
def test_what_couples_to_nu_mu_leaves_nu_e_alone(name):
    couplings = at(name, 10.0, 1e-3)
    for flavour, same in (("e", True), ("mu", False)):
        assert (rate(couplings, flavour=flavour)[0] == rate(SM, flavour=flavour)[0]) == same


# --- loops --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.01, 1.0, 30.0, 110.0, 400.0])
@pytest.mark.parametrize("name", LOOPS)
def test_the_integral_of_the_loop(name, q):
    first, second = (LEPTONS[lepton.removeprefix("L_")] for lepton in name.split("-"))
    assert loop_charge(first, second, [q])[0] == pytest.approx(loop(name, q), rel=1e-10)


def test_the_loop_of_l_mu_minus_l_tau_is_the_mixing_that_is_quoted():
    """|ε| = g e/(12π²) ln(m_τ²/m_μ²) = g/70, with e ε q_f = g Q_f."""
    e = math.sqrt(4 * math.pi * ALPHA)
    epsilon = loop_charge(LEPTONS["mu"], LEPTONS["tau"], [1e-3])[0] / e
    assert epsilon == pytest.approx(e / (12 * math.pi**2) * math.log((1776.86 / 105.6583755) ** 2), rel=1e-6)
    assert 1 / epsilon == pytest.approx(70, rel=0.02)


@pytest.fixture(scope="module")
def splines():
    """Return the loops as functions of ln q, to 1e-9."""
    ln_q = np.linspace(-4.0, 5.0, 300)
    return {name: CubicSpline(ln_q, [loop(name, q) for q in np.exp(ln_q)]) for name in LOOPS}


@pytest.mark.parametrize("m", [1e-6, 30.0, 1e4])
@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("experiment", NAMES)
def test_counts_through_a_loop_are_the_direct_integral(coherent, splines, experiment, name, m):
    """Of protons alone: the interference and the square; of ν_μ, ν̄_μ and ν_e by their charges."""
    compiled, g = coherent[experiment], 5e-4 * max(1.0, m / 30)
    charges = np.array([LOOPS[name][1], LOOPS[name][1], LOOPS[name][0]])

    def amplitude(q, p, n):
        extra = g**2 * splines[name](np.log(q)) / (ROOT2_G_F * (q**2 + m**2))
        return (p[:, None] * (0.5 - 2 * S2 + extra[:, None] * charges) - 0.5 * n[:, None]) ** 2

    expected = direct(compiled.experiment, compiled.experiment.signal, amplitude, vector_kernel, g_f_squared)
    found = compiled.counts(at(name, m, g))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * expected.max())
    assert abs(expected.sum() / compiled.counts(SM).sum() - 1) > 0.01


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
@pytest.mark.parametrize("name", LOOPS)
def test_modes_made_for_propagators_hold_loops(coherent, names, name):
    experiments = [coherent[one] for one in names]
    basis = basis_of(U1_PRIME.channels, experiments)
    couplings = at(name, np.array([1e-6, 0.3, 5.0, 60.0, 1e3, 1e7]), 1e-3)
    strengths = basis.strengths(couplings)
    for experiment in experiments:
        for block in experiment.with_channels(U1_PRIME.channels).blocks:
            expected = block.evaluate(couplings)
            floor = 1e-8 * expected.max(axis=1, keepdims=True)
            assert (np.abs(strengths @ basis.matrix(block) - expected) <= 1e-7 * expected + floor).all()


@pytest.mark.parametrize("m", [1e-6, 50.0])
def test_the_dip_where_a_muon_neutrino_sees_no_nucleus(m):
    """Z (g_V^p + g² Q_p/(√2 G_F (q² + m²))) = N/2, with Q_p > 0; twice that g² is the mirror."""
    q2 = rate(SM)[1]
    g2 = (39 - 55 * (0.5 - 2 * S2)) * ROOT2_G_F * (q2 + m**2) / (55 * loop("L_mu-L_tau", math.sqrt(q2)))
    assert rate(at("L_mu-L_tau", m, math.sqrt(g2)))[0] < 1e-8 * rate(SM)[0]
    assert rate(at("L_mu-L_tau", m, math.sqrt(2 * g2)))[0] == pytest.approx(rate(SM)[0], rel=1e-6)


# --- mixing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_kinetic_mixing_is_a_millicharge_with_a_mass(coherent, sign):
    """ε e g Q_ν in place of e² q_ν: massless, they are the same, on electrons as well."""
    g, epsilon, e = 1e-4, sign * 1e-3, math.sqrt(4 * math.pi * ALPHA)
    ours = at("free", 1e-6, g, charge_nu_mu=0.5, kinetic_mixing=epsilon)
    theirs = MILLICHARGES.couplings(q_nu_mu=0.5 * g * epsilon / e)
    found, expected = (coherent[NAMES[0]].counts(c) for c in (ours, theirs))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert abs(expected.sum() / coherent[NAMES[0]].counts(SM).sum() - 1) > 0.01
    for field in ("electron_left", "electron_right"):
        np.testing.assert_allclose(
            getattr(ours.light_vector, field), getattr(theirs.light_vector, field), rtol=1e-12
        )


def test_kinetic_mixing_adds_to_charges_and_to_loops():
    g, epsilon, e = 1e-3, 2e-3, math.sqrt(4 * math.pi * ALPHA)
    got, q2 = rate(at("L_mu-L_tau", 5.0, g, kinetic_mixing=epsilon))
    coupling = g**2 * loop("L_mu-L_tau", math.sqrt(q2)) + g * epsilon * e
    Q = 55 * (0.5 - 2 * S2 + coupling / (ROOT2_G_F * (q2 + 25))) - 39
    assert got == pytest.approx(Q**2, rel=1e-8)


@pytest.mark.parametrize("name", ["E6-chi", "B-L", "universal", "B-3L_e"])
@pytest.mark.parametrize("m", [1e3, 2e4, 2e6])
@pytest.mark.parametrize("angle", [0.003, -0.05])
def test_mixing_with_the_z_is_the_inverse_of_a_mass_matrix(name, m, angle):
    """At q = 0 amplitudes are (g_Z J_Z, g J') M⁻² (g_Z J_Z, g J'), g_Z² = 4√2 G_F M²_ZZ, diagonal at θ."""
    g = 0.3
    own, of_z = preset_charges(name, S2), preset_charges("sequential", S2)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = turn @ np.diag([M_Z**2, m**2]) @ turn.T
    g_z = math.sqrt(4 * ROOT2_G_F * matrix[0, 0])
    vectors = {f: np.array([g_z * of_z[f], g * own[f]]) for f in own}
    vectors["vector_p"] = (
        vectors["u_left"] + vectors["u_right"] + (vectors["d_left"] + vectors["d_right"]) / 2
    )
    vectors["vector_n"] = (
        vectors["d_left"] + vectors["d_right"] + (vectors["u_left"] + vectors["u_right"]) / 2
    )
    couplings = at(name, m, g, mixing_angle=angle)
    parts = {
        "vector_p": "proton",
        "vector_n": "neutron",
        "e_left": "electron_left",
        "e_right": "electron_right",
    }
    for of, part in parts.items():
        rest = getattr(couplings, of.replace("e_", "electron_"))
        found = rest + getattr(couplings.light_vector, part) / m**2
        found = found - np.diag([1.0, 0, 0]) * (of == "e_left")  # the W's part, which does not mix
        expected = [vectors[f"nu_{a}"] @ np.linalg.solve(matrix, vectors[of]) for a in LEPTONS]
        unit = ROOT2_G_F * (2 if of.startswith("e_") else 1)
        np.testing.assert_allclose(found, np.diag(expected) / unit, rtol=1e-9, atol=1e-12)


def test_without_a_z_prime_there_is_no_mixing():
    for name in presets():
        found = at(name, np.inf, 0.5, mixing_angle=0.05, kinetic_mixing=0.05)
        np.testing.assert_array_equal(found.vector_p, SM.vector_p)
        assert rate(found)[0] == pytest.approx(rate(SM)[0], rel=1e-14)


def test_a_mixing_that_moves_the_z_is_noted():
    """θ = 0.01 at 100 TeV: m_0² is m_Z² (1 + 10⁻⁴ (10⁸/91187.6)²) = 121 m_Z², the couplings' factor."""
    far = {"charges": "B-L", "g_mediator": 1e-3, "mixing_angle": 0.01}
    couplings = U1_PRIME.couplings(m_mediator=1e8, **far)
    assert couplings.vector_n[0, 0] / SM.vector_n[0, 0] == pytest.approx(121.2, rel=0.01)
    (note,) = U1_PRIME.notes(U1_PRIME.resolve({**far, "m_mediator": 1e8}))
    assert "sin²θ m²/m_Z² = 120 " in note
    for values in (
        {"m_mediator": 2e6},
        {"m_mediator": math.inf},
        {"m_mediator": math.inf, "mixing_angle": 0.0},
    ):
        assert U1_PRIME.notes(U1_PRIME.resolve({**far, **values})) == ()
    scanned = U1_PRIME.resolve({**far, "m_mediator": 1e8})
    del scanned["m_mediator"]
    assert U1_PRIME.notes(scanned) == ()


# --- as any model -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sequential", "L_e-L_mu"])
def test_an_array_is_its_numbers_one_by_one(name):
    check(U1_PRIME, "here")
    arrays = {
        "m_mediator": [0.1, 1e5, np.inf],
        "g_mediator": [1e-5, 0.1, 1.0],
        "mixing_angle": [0.05, 0.0, 0.01],
    }
    arrays |= {"kinetic_mixing": [1e-3, 0.0, 0.1], "sin2_theta_w": [0.2, 0.23, 0.24]}
    both = U1_PRIME.couplings(charges=name, **{key: np.array(x) for key, x in arrays.items()})
    for number in range(3):
        one = U1_PRIME.couplings(charges=name, **{key: x[number] for key, x in arrays.items()})
        for field in ("vector_p", "vector_n", "electron_left"):
            np.testing.assert_allclose(getattr(both, field)[number], getattr(one, field), rtol=1e-13)
        for field in ("proton", "neutron", "electron_left", *["charge"] * (name in LOOPS)):
            a, b = (getattr(c.light_vector, field) for c in (both, one))
            np.testing.assert_allclose(a[number], b, rtol=1e-13)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"charges": "b-l"}, r"charges 'b-l': did you mean 'B-L'\? \(known: free, universal, B-L"),
        ({"charges": None}, r"^u1-prime: unknown value of charges 'None': known are free, universal"),
        ({"charges": 3}, r"^u1-prime: unknown value of charges '3': known are free, universal"),
        ({"charges": "B-L", "charge_u_left": 0.3}, r"u1-prime: charge_u_left = 0.3 .* beside charges = B-L:"),
        ({"charges": "B-L", "charge_nu_e": 0}, r"u1-prime: charge_nu_e = 0 .* beside charges = B-L:"),
        ({"charges": "B-L", "charge_nu_e": "0"}, r"u1-prime: charge_nu_e = 0 .* beside charges = B-L:"),
        ({"charges": "free", "charge_u_left": "one"}, r"u1-prime: charge_u_left = one is not a number"),
        ({"charges": "B-L", "mixing_angle": 1.2}, r"u1-prime: mixing_angle = 1.2 is .* between -0.1 and"),
        ({"charges": "B-L", "kinetic_mixing": -2}, r"kinetic_mixing = -2 is not allowed"),
        ({}, r"charges has no default and must be given: .* free or universal or B-L"),
    ],
)  # fmt: skip
def test_what_is_refused(values, message):
    with pytest.raises(nurecoil.NurecoilError, match=message):
        nurecoil.Study("u1-prime", "binh2021-csi", m_mediator="1 MeV", g_mediator=1e-5, **values).predict()


def test_a_limit_is_not_varied_over_models(csi):
    study = nurecoil.Study("u1-prime", csi, charges="L_mu-L_tau", m_mediator="10 MeV")
    base = study.limit("g_mediator", "1e-5..1e-1")
    assert base.converged
    named = [choice.name for choice in _choices(study, base)]
    assert "electroweak=radiative" in named
    assert not any("charges" in name for name in named)
