"""Non-standard interactions: Hermitian ε of u and d quarks against sums written out, limits, symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from nurecoil.errors import NurecoilError
from nurecoil.models import NSI, STANDARD_MODEL, ZPRIME_331, load_model, zprime_331
from nurecoil.physics.products import stacked, vector_products

FIELDS = ("vector_p", "vector_n", "axial_p", "axial_n", "magnetic_moment")
SHAPES = {
    "vector_p": (3, 3),
    "vector_n": (3, 3),
    "axial_p": (3, 3),
    "axial_n": (3, 3),
    "magnetic_moment": (3,),
}
DIAGONAL, PAIRS = ("ee", "mumu", "tautau"), {"emu": (0, 1), "etau": (0, 2), "mutau": (1, 2)}
NUCLEI = {"Cs133": (55, 78), "I127": (53, 74), "Ar40": (18, 22), "Ge74": (32, 42)}
S2 = 0.23857
EPSILON, PHASE = st.floats(-3, 3), st.floats(-math.pi, math.pi)
ALL = st.fixed_dictionaries(
    {
        f"eps_{q}_{entry}": EPSILON
        for q in "ud"
        for entry in (*DIAGONAL, *PAIRS, *(f"{pair}_im" for pair in PAIRS))
    }
)


def matrix(values, quark):
    """ε^q from the parameters, written out."""

    def entry(name):
        return values.get(f"eps_{quark}_{name}", 0.0)

    emu = entry("emu") + 1j * entry("emu_im")
    etau = entry("etau") + 1j * entry("etau_im")
    mutau = entry("mutau") + 1j * entry("mutau_im")
    return np.array(
        [
            [entry("ee"), emu, etau],
            [emu.conjugate(), entry("mumu"), mutau],
            [etau.conjugate(), mutau.conjugate(), entry("tautau")],
        ]
    )


def charges_squared(Z, N, **values):
    """Σ_β |Q_αβ|² by incoming flavour, from the package, form factors 1."""
    return stacked(vector_products(NSI.couplings(**values))) @ np.array([Z * Z, Z * N, N * N])


# --- the formula --------------------------------------------------------------------------------------


@pytest.mark.parametrize("electroweak", ["tree", "radiative"])
@pytest.mark.parametrize("s2", [0.2312, S2])
def test_no_epsilon_is_the_standard_model_exactly(s2, electroweak):
    settings = {"sin2_theta_w": s2, "electroweak": electroweak}
    couplings = NSI.couplings(**settings)
    for field in FIELDS:
        np.testing.assert_array_equal(
            getattr(couplings, field), getattr(STANDARD_MODEL.couplings(**settings), field)
        )


def test_one_diagonal_epsilon_by_hand():
    # Cs133, ε_ee^u = 0.1 and s2 = 1/4: Q_e = -78/2 + 0.1 (2·55 + 78) = -20.2, others -39
    got = charges_squared(55, 78, eps_u_ee=0.1, sin2_theta_w=0.25)
    np.testing.assert_allclose(got, [20.2**2, 39**2, 39**2], rtol=1e-13)


def test_one_flavour_changing_epsilon_by_hand():
    # ε_eμ^d = 0.1 + 0.2i, so |ε|² = 0.05: 39² + 0.05 (55 + 2·78)² for ν_e and ν_μ alike
    got = charges_squared(55, 78, eps_d_emu=0.1, eps_d_emu_im=0.2, sin2_theta_w=0.25)
    np.testing.assert_allclose(got, [39**2 + 0.05 * 211**2, 39**2 + 0.05 * 211**2, 39**2], rtol=1e-13)


@given(ALL, st.sampled_from(sorted(NUCLEI)), st.sampled_from(["tree", "radiative"]))
def test_charges_are_the_sum_over_outgoing_flavours_of_the_formula(values, nucleus, electroweak):
    Z, N = NUCLEI[nucleus]
    # Cadeddu:2020lky, at s2 = 0.23857
    g_p, g_n = {
        "tree": ([0.5 - 2 * S2] * 3, -0.5),
        "radiative": ([0.0382, 0.0300, 0.0258], -0.5117),
    }[electroweak]
    u, d = matrix(values, "u"), matrix(values, "d")
    got = charges_squared(Z, N, sin2_theta_w=S2, electroweak=electroweak, **values)
    for a in range(3):
        total = size = 0.0
        for b in range(3):
            standard = Z * g_p[a] + N * g_n if a == b else 0.0
            total += abs(standard + Z * (2 * u[a, b] + d[a, b]) + N * (u[a, b] + 2 * d[a, b])) ** 2
            size += (N + 3 * (Z + N) * (abs(u[a, b]) + abs(d[a, b]))) ** 2
        assert got[a] == pytest.approx(total, rel=1e-10, abs=1e-13 * size)


@given(ALL)
def test_couplings_are_hermitian_and_the_axial_ones_standard(values):
    couplings, standard = NSI.couplings(**values), STANDARD_MODEL.couplings()
    for vector in (couplings.vector_p, couplings.vector_n):
        np.testing.assert_array_equal(vector, vector.conj().T)
    for field in FIELDS[2:]:
        np.testing.assert_array_equal(getattr(couplings, field), getattr(standard, field))


@given(ALL, ALL, EPSILON)
def test_couplings_are_linear_in_the_parameters(first, second, t):
    # g(x + t y) - g(x) = t [g(y) - g(0)]: what makes counts exactly quadratic
    mixed = {name: (first[name] + t * second[name]) / 4 for name in first}
    scaled = {name: value / 4 for name, value in first.items()}
    for field in FIELDS[:2]:
        at = [getattr(NSI.couplings(**values), field) for values in (mixed, scaled, second, {})]
        np.testing.assert_allclose(at[0] - at[1], t / 4 * (at[2] - at[3]), atol=1e-13)


# --- limits and other models --------------------------------------------------------------------------


@given(EPSILON, EPSILON)
def test_a_universal_epsilon_shifts_the_standard_models_couplings(u, d):
    values = {f"eps_u_{entry}": u for entry in DIAGONAL} | {f"eps_d_{entry}": d for entry in DIAGONAL}
    couplings = NSI.couplings(sin2_theta_w=S2, **values)
    np.testing.assert_allclose(couplings.vector_p, (0.5 - 2 * S2 + 2 * u + d) * np.eye(3), atol=1e-14)
    np.testing.assert_allclose(couplings.vector_n, (-0.5 + u + 2 * d) * np.eye(3), atol=1e-14)


@pytest.mark.parametrize("s2", [0.2312, S2])
@pytest.mark.parametrize("n", [3, 1, 0, -2, -3])
@pytest.mark.parametrize("electroweak", ["tree", "radiative"])
def test_the_331_model_is_a_universal_epsilon(n, s2, electroweak):
    # ε^{qV} = (m_Z²/m_Z'²) (f/√3) [1 - (1 + √3β) s2] g_V^Z'(q), f = 1/√(1 - (1 + β²) s2)
    beta, tev = n / math.sqrt(3), 1.5
    f = 1 / math.sqrt(1 - (1 + beta**2) * s2)
    strength = (reference.Z_BOSON_GEV / (1e3 * tev)) ** 2 * f / math.sqrt(3) * (1 - (1 + n) * s2)
    table = reference.table_one(beta, s2, 0.03)
    epsilon = {q: strength * table[q][0] for q in "ud"}
    of_package = zprime_331.exchange(beta, 1e6 * tev, s2, 0.03)
    for q in "ud":
        assert of_package[q][0] == pytest.approx(epsilon[q], rel=1e-9, abs=1e-15)
    settings = {"sin2_theta_w": s2, "electroweak": electroweak}
    nsi = NSI.couplings(**{f"eps_{q}_{entry}": epsilon[q] for q in "ud" for entry in DIAGONAL}, **settings)
    zprime = ZPRIME_331.couplings(beta=beta, m_zprime=1e6 * tev, s13_tilde=0.03, **settings)
    for field in FIELDS[:2]:
        np.testing.assert_allclose(getattr(nsi, field), getattr(zprime, field), rtol=1e-12, atol=1e-15)


# --- symmetries and degeneracies ----------------------------------------------------------------------


@given(ALL)
def test_u_and_d_swap_as_protons_and_neutrons_do(values):
    # 2u + d ↔ u + 2d
    swapped = {f"eps_{'d' if name[4] == 'u' else 'u'}{name[5:]}": v for name, v in values.items()}
    standard = STANDARD_MODEL.couplings()
    one, other = NSI.couplings(**values), NSI.couplings(**swapped)
    shift_p, shift_n = one.vector_p - standard.vector_p, other.vector_n - standard.vector_n
    np.testing.assert_allclose(shift_p, shift_n, atol=1e-13)


@pytest.mark.parametrize("entry", [*DIAGONAL, *PAIRS, *(f"{pair}_im" for pair in PAIRS)])
@pytest.mark.parametrize("nucleus", NUCLEI)
def test_the_d_quark_counts_as_much_as_its_number_in_the_nucleus(entry, nucleus):
    # (Z + 2N) ε^d = (2Z + N) ε^u
    Z, N = NUCLEI[nucleus]
    from_d = charges_squared(Z, N, **{f"eps_d_{entry}": 0.3})
    from_u = charges_squared(Z, N, **{f"eps_u_{entry}": 0.3 * (Z + 2 * N) / (2 * Z + N)})
    np.testing.assert_allclose(from_d, from_u, rtol=1e-12)
    assert not np.allclose(from_d, charges_squared(Z, N), rtol=1e-3)


@given(ALL)
def test_e_and_mu_swap(values):
    # rows, columns: ε_μe = ε_eμ*, ε_eτ ↔ ε_μτ
    swap = {"ee": "mumu", "mumu": "ee", "tautau": "tautau", "emu": "emu", "emu_im": "emu_im"}
    swap |= {"etau": "mutau", "mutau": "etau", "etau_im": "mutau_im", "mutau_im": "etau_im"}
    swapped = {
        f"eps_{name[4]}_{swap[name[6:]]}": -value if name.endswith("emu_im") else value
        for name, value in values.items()
    }
    one, other = (
        stacked(vector_products(NSI.couplings(**values))),
        stacked(vector_products(NSI.couplings(**swapped))),
    )
    np.testing.assert_allclose(one[[1, 0, 2]], other, rtol=1e-12, atol=1e-12)


@given(ALL, PHASE, st.sampled_from(sorted(PAIRS)))
def test_a_phase_common_to_u_and_d_is_not_seen(values, phase, pair):
    def turned(by):
        changed = dict(values)
        for q in "ud":
            z = complex(values[f"eps_{q}_{pair}"], values[f"eps_{q}_{pair}_im"]) * np.exp(1j * by)
            changed |= {f"eps_{q}_{pair}": z.real, f"eps_{q}_{pair}_im": z.imag}
        return stacked(vector_products(NSI.couplings(**changed)))

    np.testing.assert_allclose(turned(phase), turned(0.0), rtol=1e-11, atol=1e-11)


def test_the_phase_between_u_and_d_is_seen():
    # Z = N: |3ε^u + 3ε^d|² Z² is 4·9·0.01 in phase, 2·9·0.01 at 90°, 0 opposite
    standard = charges_squared(20, 20)[0]
    phases = np.array([0.0, math.pi / 2, math.pi])
    values = {"eps_u_emu": 0.1, "eps_d_emu": 0.1 * np.cos(phases), "eps_d_emu_im": 0.1 * np.sin(phases)}
    got = charges_squared(20, 20, **values)[:, 0] - standard
    np.testing.assert_allclose(got, [0.36 * 400, 0.18 * 400, 0.0], atol=1e-11)


def test_counts_of_an_experiment_do_not_change_with_the_phase_of_a_lone_epsilon(csi):
    phases = np.linspace(0.0, 2 * math.pi, 9)
    counts = csi.counts(NSI.couplings(eps_u_emu=0.2 * np.cos(phases), eps_u_emu_im=0.2 * np.sin(phases)))
    np.testing.assert_allclose(counts, np.broadcast_to(counts[0], counts.shape), rtol=1e-12)
    assert counts[0].sum() > 1.05 * csi.counts(STANDARD_MODEL.couplings()).sum()


@pytest.mark.parametrize("nucleus", NUCLEI)
@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0, 5.0])
def test_the_second_solution_is_the_standard_model_again(nucleus, fraction):
    # Z (2ε^u + ε^d) + N (ε^u + 2ε^d) = -2 Q_SM: Q_e → -Q_e, however shared between u and d
    Z, N = NUCLEI[nucleus]
    Q = Z * (0.5 - 2 * S2) - N * 0.5
    u, d = -2 * Q * fraction / (2 * Z + N), -2 * Q * (1 - fraction) / (Z + 2 * N)
    got = charges_squared(Z, N, eps_u_ee=u, eps_d_ee=d, sin2_theta_w=S2)
    np.testing.assert_allclose(got, [Q**2] * 3, rtol=1e-11)
    halfway = charges_squared(Z, N, eps_u_ee=u / 2, eps_d_ee=d / 2, sin2_theta_w=S2)
    np.testing.assert_allclose(halfway, [0, Q**2, Q**2], atol=1e-9 * Q**2)


# --- points of a scan ---------------------------------------------------------------------------------


def test_many_points_at_once_are_the_single_points():
    points = {
        "eps_u_ee": np.array([0.1, 0.2, 0.3]),
        "eps_d_emu": np.array([-0.1, 0.0, 0.5]),
        "eps_d_mutau_im": np.array([0.0, 0.7, -0.2]),
        "sin2_theta_w": np.array([0.22, 0.23, 0.24]),
    }
    together = NSI.couplings(**points, eps_u_tautau=-0.4)
    for i in range(3):
        single = NSI.couplings(**{name: x[i] for name, x in points.items()}, eps_u_tautau=-0.4)
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(together, field)[i], getattr(single, field))


def test_parameters_broadcast_and_only_what_they_change_has_all_points():
    u, d = np.array([[0.1], [0.2]]), np.array([0.0, -0.1, -0.2])
    for field, shape in SHAPES.items():
        found = getattr(NSI.couplings(eps_u_etau=u, eps_d_mumu=d), field).shape
        assert found == ((2, 3, *shape) if field.startswith("vector") else shape)
        assert getattr(NSI.couplings(), field).shape == shape
    p = NSI.couplings(eps_u_etau=u, eps_d_mumu=d, sin2_theta_w=0.25).vector_p
    np.testing.assert_allclose(p[1, 2], [[0, 0, 0.4], [0, -0.2, 0], [0.4, 0, 0]])


def test_couplings_are_complex_only_where_they_must_be():
    many = np.linspace(-1, 1, 5)
    assert NSI.couplings(eps_u_emu=many, eps_d_ee=many).vector_p.dtype == float
    assert NSI.couplings(eps_u_emu=many, eps_u_emu_im=0.1).vector_p.dtype == complex
    assert NSI.couplings(eps_d_mutau_im=0 * many).vector_n.dtype == complex


def test_evaluation_leaves_its_arguments_alone():
    values = NSI.resolve({"eps_u_ee": np.array([0.1, 0.2]), "eps_u_emu_im": np.array([0.3, 0.4])})
    before = {name: np.copy(value) for name, value in values.items()}
    NSI.evaluate(values)
    for name, value in values.items():
        np.testing.assert_array_equal(value, before[name])


# --- the table of parameters --------------------------------------------------------------------------


def test_the_model_is_found_by_its_name_and_says_nothing_about_a_point():
    assert load_model("nsi") is NSI
    assert NSI.notes(NSI.resolve({"eps_u_emu": 0.1})) == ()


def test_eighteen_real_parameters_zero_by_default_and_those_of_the_standard_model():
    expected = {
        f"eps_{q}_{entry}"
        for q in "ud"
        for entry in ("ee", "mumu", "tautau", "emu", "emu_im", "etau", "etau_im", "mutau", "mutau_im")
    }
    epsilons = [p for p in NSI.parameters if p.name.startswith("eps_")]
    assert {p.name for p in epsilons} == expected
    assert len(NSI.parameters) == len({p.name for p in NSI.parameters}) == 18 + 2
    assert NSI.parameters[18:] == STANDARD_MODEL.parameters
    assert {(p.default, p.low, p.high, p.unit) for p in epsilons} == {(0.0, -10.0, 10.0, "")}
    assert len({p.latex for p in epsilons}) == len({p.description for p in epsilons}) == 18


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("eps_u_ee", r"\varepsilon_{ee}^{u}"),
        ("eps_d_mumu", r"\varepsilon_{\mu \mu}^{d}"),
        ("eps_u_emu", r"\mathrm{Re}\,\varepsilon_{e\mu}^{u}"),
        ("eps_d_mutau_im", r"\mathrm{Im}\,\varepsilon_{\mu \tau}^{d}"),
    ],
)
def test_parameters_are_printed_as_in_the_literature(name, latex):
    assert {p.name: p.latex for p in NSI.parameters}[name] == latex


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"eps_u_mue": 0.1}, "unknown parameter 'eps_u_mue': did you mean 'eps_u_"),
        ({"eps_u_ee_im": 0.1}, "unknown parameter 'eps_u_ee_im'"),
        ({"eps_u_ee": 10.1}, r"eps_u_ee = 10\.1 is not allowed: it must be between -10 and 10"),
        ({"eps_d_etau_im": np.array([0.0, -11.0])}, "eps_d_etau_im = -11 is not allowed"),
        ({"eps_d_ee": math.nan}, "eps_d_ee = nan is not allowed"),
        ({"eps_u_emu": 0.1 + 0.2j}, r"eps_u_emu = \(0\.1\+0\.2j\) is not a number"),
        ({"electroweak": "loop"}, "unknown value of electroweak 'loop'"),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_sentence(values, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        NSI.couplings(**values)
