"""Sums of models: amplitudes add coherently, what turns the helicity adds to the counts."""

import numpy as np
import pytest

import nurecoil
from nurecoil.models import MAGNETIC_MOMENTS, NSI, STANDARD_MODEL, load_model

EPSILON = {"eps_u_ee": 0.1, "eps_d_emu": 0.05, "eps_u_mumu": np.array([-0.1, 0.2])}
RADII = {"r2_nu_e": 1e-31, "r2_nu_mutau": 2e-31}
MEDIATOR = {"m_mediator": 10.0, "g_mediator": 1e-5}
PARTS = ("vector_p", "vector_n", "axial_p", "axial_n")


@pytest.fixture(scope="module")
def csi():
    return nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))


@pytest.mark.parametrize("electroweak", ["tree", "radiative"])
def test_amplitudes_add_coherently(electroweak):
    at = {"electroweak": electroweak, "sin2_theta_w": 0.24}
    both = load_model("nsi+charge-radii").couplings(**EPSILON, **RADII, **at)
    one, other = NSI.couplings(**EPSILON, **at), load_model("charge-radii").couplings(**RADII, **at)
    standard = STANDARD_MODEL.couplings(**at)
    for part in PARTS:
        expected = getattr(one, part) + getattr(other, part) - getattr(standard, part)
        np.testing.assert_allclose(getattr(both, part), expected, rtol=1e-14, atol=1e-15)
    assert (both.vector_p != one.vector_p).any()
    np.testing.assert_allclose(both.electron_left, other.electron_left, rtol=1e-14)


def test_moments_add_to_the_counts_without_interference(csi):
    at = {"mu_nu_mu": 2e-9, "mu_nu_emu": 1e-9}
    both = csi.counts(load_model("nsi+magnetic-moments").couplings(**EPSILON, **at))
    apart = csi.counts(NSI.couplings(**EPSILON)) + csi.counts(MAGNETIC_MOMENTS.couplings(**at))
    np.testing.assert_allclose(both, apart - csi.counts(STANDARD_MODEL.couplings()), rtol=1e-12)


def test_a_mediator_comes_along_with_its_channels(csi):
    at = {"m_mediator": 10.0, "g_mediator": 5e-5}
    both = load_model("nsi+light-vector")
    assert both.channels == load_model("light-vector").channels
    light = csi.with_channels(both.channels).counts(both.couplings(**at))
    np.testing.assert_allclose(
        light, csi.with_channels(both.channels).counts(load_model("light-vector").couplings(**at)), rtol=1e-13
    )
    mixed = csi.with_channels(both.channels).counts(both.couplings(**at, eps_u_mumu=0.05))
    nsi = csi.counts(NSI.couplings(eps_u_mumu=0.05))
    standard = csi.counts(STANDARD_MODEL.couplings())
    assert abs((mixed - light - nsi + standard).sum()) > 0.01 * standard.sum()  # they interfere


def test_names_parameters_and_notes_are_those_of_all(tmp_path):
    own = tmp_path / "mine.py"
    own.write_text(
        "from nurecoil import STANDARD_MODEL, Model, Parameter\n"
        "x = Parameter('x', 'nothing', 'x', 0.0)\n"
        "def couplings(values):\n"
        "    return STANDARD_MODEL.evaluate(values)\n"
        "MINE = Model('mine', 'mine', 'me', (x, *STANDARD_MODEL.parameters), couplings,\n"
        "             notes=lambda values: (f'x is {values[\"x\"]}',))\n"
    )
    model = load_model(f"magnetic-moments + {own}")
    assert model.name == "magnetic-moments+mine"
    names = [p.name for p in model.parameters]
    assert names[-3:] == ["x", "sin2_theta_w", "electroweak"]
    assert len(names) == len(set(names)) == len(MAGNETIC_MOMENTS.parameters) + 1
    assert model.notes(model.resolve({"x": 2.0})) == ("x is 2.0",)


def test_blanks_around_a_name_do_not_count():
    assert load_model(" nsi ") is NSI
    assert load_model(" nsi + magnetic-moments ").name == "nsi+magnetic-moments"


def test_a_sum_is_asked_like_any_model():
    study = nurecoil.Study("charge-radii+magnetic-moments", "binh2021-csi", r2_nu_mu="-1e-32 cm2")
    limit = study.limit("mu_nu_mu", "0..1e-8 mu_B")
    assert limit.converged
    assert "charge-radii+magnetic-moments" in str(limit)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        *(
            (
                name,
                {},
                r"is no sum: that is two or more different models with a \+ between them, as in 'nsi\+",
            )
            for name in (
                "nsi+",
                "+nsi",
                "nsi++magnetic-moments",
                " + ",
                "nsi+nsi",
                "nsi + magnetic-moments+nsi",
            )
        ),
        ("standard-model+standard-model", {}, "is no sum"),
        ("nsi+zprime", {}, "unknown model 'zprime'"),
        ("light-vector+light-scalar", {}, "two of these models have a parameter m_mediator"),
        ("nsi+unknown", {}, "unknown model 'unknown'"),
        (
            "331-beta+magnetic-moments",
            {"beta": 0.0, "m_zprime": 1e6, "mu_nu": 1e-10, "mu_nu_e": 1e-10},
            "two of these models have a magnetic moment, and only one may",
        ),
        (
            "light-vector+millicharges",
            {"m_mediator": 1.0, "g_mediator": 1e-6},
            "two of these models have a light vector",
        ),
        *(
            (
                f"neutron-radii+{name}",
                values,
                f"what a {what} adds would keep the card's radii of neutrons: neutron-radii goes",
            )
            for name, values, what in (
                ("light-vector", MEDIATOR, "light vector"),
                ("u1-prime", {"charges": "B-L", **MEDIATOR}, "light vector"),
                ("millicharges", {"q_nu_mu": 1e-7}, "light vector"),
                ("light-scalar", MEDIATOR, "light scalar"),
                ("light-tensor", MEDIATOR, "light tensor"),
                ("tensor", {"eps_tensor_u_ee": 0.1}, "tensor"),
            )
        ),
        *(
            (f"light-scalar+{name}", {**MEDIATOR, **values}, "a scalar and a magnetic moment interfere")
            for name, values in (
                ("magnetic-moments", {"mu_nu_emu": 1e-10}),
                ("331-beta", {"beta": 0.0, "m_zprime": 1e6, "mu_nu": 1e-10}),
            )
        ),
    ],
)
def test_what_does_not_go_together_is_refused(name, values, message):
    with pytest.raises(nurecoil.NurecoilError, match=message):
        load_model(name).couplings(**values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("light-scalar+magnetic-moments", MEDIATOR),
        ("light-scalar+dipole-portal", {**MEDIATOR, "m_4": 1.0, "d_mu": 1e-9}),
        ("neutron-radii+nsi+magnetic-moments", {"rn_csi": 5.5, "mu_nu_e": 1e-10, "eps_u_ee": 0.1}),
        ("neutron-radii+charge-radii", {"rn_csi": 5.5, "r2_nu_e": 1e-31}),
        ("neutron-radii+dipole-portal", {"rn_csi": 5.5, "m_4": 1.0, "d_mu": 1e-9}),
        ("neutron-radii+nsi-axial", {"rn_csi": 5.5, "eps_axial_u_ee": 10.0}),
    ],
)
def test_what_goes_together_is_not_refused(name, values):
    load_model(name).couplings(**values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("magnetic-moments", {"mu_nu_mu": 2e-9}),
        ("dipole-portal", {"m_4": 1.0, "d_mu": 2e-9}),
        ("nsi-axial", {"eps_axial_u_ee": 50.0}),
    ],
)
def test_what_sees_no_neutrons_adds_to_counts_of_any_radius(name, values, coherent):
    """Exactly, as counts with radii are linear: those of both less those of the Standard Model."""
    csi = coherent["coherent-csi-2021"].experiment
    both = load_model(f"neutron-radii+{name}")
    csi = nurecoil.compile_experiment(csi).with_channels(both.channels)

    def counts(model, **at):
        return csi.counts(load_model(model).couplings(**at))

    found = counts(both.name, rn_csi=6.0, **values)
    new = counts(name, **values) - counts("standard-model")
    expected = counts("neutron-radii", rn_csi=6.0) + new
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * expected.max())
    assert new.sum() > 1e-3 * expected.sum()
