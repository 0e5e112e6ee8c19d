"""Recoils by nuclide and flavour, and the counts that the detector makes of them."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

import nurecoil
import reference
from command_line import read_json, result, run

CSI = ("spectrum", "--model", "standard-model", "--experiment", "binh2021-csi")


def test_counts_of_all_flavours_are_the_prediction():
    study = nurecoil.Study("nsi", ["binh2021-csi", "binh2021-lar"], eps_u_ee=0.2)
    for part, expected in zip(study.spectrum().values.parts, study.predict().values.parts, strict=True):
        np.testing.assert_allclose(part.counts.sum(axis=0), expected.counts, rtol=1e-12)
        assert (part.counts[2] == 0).all()  # no source has tau neutrinos


def test_only_the_flavour_that_is_changed_changes():
    usual, changed = (
        nurecoil.Study("nsi", "binh2021-csi", **values).spectrum([5.0, 20.0]).values.parts[0]
        for values in ({}, {"eps_u_ee": 0.2})
    )
    for name in ("Cs133", "I127"):
        assert (changed.rates[name][0] != usual.rates[name][0]).all()
        np.testing.assert_array_equal(changed.rates[name][1], usual.rates[name][1])


@pytest.mark.parametrize("mass", [1.0, 30.0])
def test_a_light_mediator_has_its_own_propagator_at_each_recoil(mass):
    """What a scalar adds is [2MT/(2MT + m²)]² of what one without mass adds, and goes like g⁴."""
    T = np.array([2.0, 4.0])  # keV

    def caesium(m, g):
        study = nurecoil.Study("light-scalar", "binh2021-csi", m_mediator=f"{m} MeV", g_mediator=g)
        return study.spectrum(T).values.parts[0].rates["Cs133"][:2]

    without = caesium(mass, 1e-10)
    added, massless, half = (caesium(m, g) - without for m, g in ((mass, 1e-3), (1e-6, 1e-3), (mass, 0.5e-3)))
    q2 = 2 * reference.nuclear_mass("Cs133") * T * 1e-3
    np.testing.assert_allclose(added / massless, [(q2 / (q2 + mass**2)) ** 2] * 2, rtol=1e-7)
    np.testing.assert_allclose(added, 16 * half, rtol=1e-7)


def test_no_recoils_beyond_the_endpoint_and_energies_are_checked():
    (part,) = nurecoil.Study("standard-model", "binh2021-csi").spectrum([1.0, 1e3]).values.parts
    assert part.rate[0] > 0
    assert part.rate[1] == 0
    for bad in ([0.0], [-1.0], [np.nan]):
        with pytest.raises(nurecoil.NurecoilError, match="must be positive"):
            nurecoil.Study("standard-model", "binh2021-csi").spectrum(bad)


def test_the_rate_of_electron_neutrinos_on_caesium_is_that_of_a_plain_integral():
    """dR/dT = nuclei · fluence · ∫dE φ(E) G_F²M/π (Z g_p F_p + N g_n F_n)² (1 - MT/2E²), all typed again."""
    s2, T = 0.23867, 8e-3
    M = reference.nuclear_mass("Cs133")
    F_p, F_n = reference.helm_of_the_seed(math.sqrt(2 * M * T), "Cs133")
    charge = 55 * (0.5 - 2 * s2) * F_p + 78 * -0.5 * F_n
    E_min = (T + math.sqrt(T**2 + 2 * M * T)) / 2
    integral = quad(lambda E: reference.nu_e(E) * (1 - M * T / (2 * E**2)), E_min, reference.ENDPOINT)[0]
    grams = sum(reference.NUCLIDES[name][2] for name in ("Cs133", "I127"))
    nuclei = 14600 / grams * reference.AVOGADRO
    fluence = 0.08 * 1.76e23 / (4 * math.pi * 1930**2)
    expected = nuclei * fluence * reference.CM2 * reference.G_F**2 * M / math.pi * charge**2 * integral / 1e3
    (part,) = nurecoil.Study("standard-model", "binh2021-csi", sin2_theta_w=s2).spectrum([8.0]).values.parts
    assert part.rates["Cs133"][0, 0] == pytest.approx(expected, rel=1e-6)


def test_the_command(tmp_path):
    found = result(*CSI)["spectra"]["binh2021-csi"]
    assert list(found["rates"]) == ["Cs133", "I127"]
    assert found["recoil_energy_unit"] == "keV"
    assert len(found["rates"]["Cs133"]["mu"]) == len(found["recoil_energy"]) == 200
    status, out, _ = run(*CSI, "--plot", tmp_path / "recoils.png")
    assert (status, "Counts by flavour" in out) == (0, True)
    assert (tmp_path / "recoils.png").stat().st_size > 10_000
    assert read_json(run(*CSI, "--json")[1])["question"] == "spectrum"


def test_more_nuclides_than_colours_are_told_apart():
    found = nurecoil.Study("standard-model", "future-ess-xe").spectrum()
    (panel,) = found.figure.panels
    looks = [(s.colour or turn % 7, s.style) for turn, s in enumerate(panel.series)]
    assert len(set(looks)) == len(looks) == 10  # nine of xenon, and all
