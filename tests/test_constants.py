"""The constants against CODATA (scipy, 2018 or 2022 by its version) and the PDG (particle)."""

import pytest

from nurecoil.physics import constants as c


def codata(name: str) -> float:
    from scipy.constants import physical_constants

    return float(physical_constants[name][0])


@pytest.mark.parametrize(
    ("ours", "name", "rel"),
    [
        # rel covers the change from CODATA 2018 to 2022, 1.4e-9 at most
        (c.HBAR_C_MEV_FM, "reduced Planck constant times c in MeV fm", 5e-10),
        (c.AVOGADRO, "Avogadro constant", 1e-15),
        (c.ATOMIC_MASS_UNIT, "atomic mass constant energy equivalent in MeV", 2e-9),
        (c.FERMI_CONSTANT * 1e6, "Fermi coupling constant", 1e-8),
        (c.FINE_STRUCTURE, "fine-structure constant", 2e-9),
        (c.ELECTRON_MASS, "electron mass energy equivalent in MeV", 2e-9),
        (c.MUON_MASS, "muon mass energy equivalent in MeV", 2e-9),
    ],
)
def test_agrees_with_codata(ours, name, rel):
    assert ours == pytest.approx(codata(name), rel=rel, abs=0)


def test_inverse_square_energy_to_area():
    # (hbar c)^2 = 0.389379372 GeV^2 mb (PDG), 1 mb = 1e-27 cm^2
    assert pytest.approx(0.389379372e-27 * 1e6, rel=1e-8, abs=0) == c.MEV_M2_TO_CM2


@pytest.mark.parametrize(
    ("ours", "pdg_id", "rel"),
    [
        (c.ELECTRON_MASS, 11, 2e-9),
        (c.MUON_MASS, 13, 2e-9),
        (c.PION_MASS, 211, 1e-6),
        (c.TAU_MASS, 15, 1e-4),
        # the world averages move from edition to edition of the PDG
        (c.Z_MASS, 23, 2e-5),
        (c.W_MASS, 24, 4e-4),
    ],
)
def test_agrees_with_pdg(ours, pdg_id, rel):
    particle = pytest.importorskip("particle")
    assert ours == pytest.approx(particle.Particle.from_pdgid(pdg_id).mass, rel=rel)


def test_pion_decay_line():
    assert pytest.approx(29.79, abs=0.005) == (c.PION_MASS**2 - c.MUON_MASS**2) / (2 * c.PION_MASS)


def test_mixing_angle_is_the_low_energy_one_and_not_the_on_shell_one():
    on_shell = 1 - (c.W_MASS / c.Z_MASS) ** 2
    assert codata("weak mixing angle") == pytest.approx(on_shell, rel=3e-3)
    assert pytest.approx(0.23857, abs=5e-5) == c.SIN2_THETA_W
    # the MS-bar value at m_Z, 0.2312, runs up by 3.2 % to q = 0
    assert pytest.approx(1.032, abs=1e-3) == c.SIN2_THETA_W / 0.23122
