"""The card dresden-ii-2022: its background and signal in a few lines, its quenchings, and what it says."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

import nurecoil
import reference
from nurecoil.detector.quenching import FileQuenching, levelled
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.experiment.card.reading import card_text
from nurecoil.models import STANDARD_MODEL
from releases import release_file

NAME = "dresden-ii-2022"
EDGES = np.linspace(0.2, 1.5, 131)
FLUXES = {
    "fluxes-reactor-dayabay-2025": ["reactor_antineutrino_spectra_hm.npz"],
    "fluxes-reactor-summation-2019": ["u235_EF.csv", "u238_EF.csv", "pu239_EF.csv", "pu241_EF.csv"],
    NAME: ["data_release.txt", "QF_Fef_YBe.txt"],
}
OF_INCOMPLETE_FLUX = 7.2 / 5.6  # where 4.8e13 is all above the capture lines, as in a spectrum without these


def of_data():
    for release, names in FLUXES.items():
        for name in names:
            release_file(release, name)


@pytest.fixture(scope="module")
def dresden():
    of_data()
    return {key: compile_experiment(load_experiment(NAME + key)) for key in ("", "+ybe", "+lindhard")}


@pytest.fixture(scope="module")
def rows():
    return np.loadtxt(release_file(NAME, "data_release.txt"))


def strength(compiled):
    """Return the fit of the signal's strength."""
    held = [f"{NAME}_signal"] if compiled.experiment.name.startswith(NAME) else ["off_signal"]
    return nurecoil.Study("scaled-standard-model", compiled, fix=held).fit(
        {"signal_strength": 1.0}, minos=False
    )


def test_the_signal_against_a_direct_integral(dresden):
    """Recoils of nuclei, Helm replaced by 1 - q²R²/6; those of electrons are below 1e-3 of them."""
    experiment, T = dresden[""].experiment, np.linspace(6.8e-6, 3e-3, 3000)  # of 2.96 eV
    E = np.linspace(0.45, 10, 2400)
    flux = experiment.flux.components[0].spectrum.density(E) * experiment.exposure.fluence
    kev, factor, _ = np.loadtxt(release_file(NAME, "QF_Fef_YBe.txt")).T
    E_ee = np.maximum.accumulate(np.interp(1e3 * T, kev, factor) * 1e3 * T)
    R = np.diff(ndtr((EDGES[:, np.newaxis] - E_ee) / np.sqrt(0.0685**2 + 0.11 * 0.00296 * E_ee)), axis=0)
    found = np.zeros(130)
    mass = sum(f * reference.NUCLIDES[n][2] for n, f in reference.TARGETS["Ge"].items())
    for nuclide, fraction in reference.TARGETS["Ge"].items():
        Z, A, _ = reference.NUCLIDES[nuclide]
        M, t = reference.nuclear_mass(nuclide), T[:, np.newaxis]
        kernel = np.maximum(1 - t / E - M * t / (2 * E**2), 0.0)
        F = 1 - 2 * M * T * (4.06 / reference.HBAR_C) ** 2 / 6
        Q = Z * (0.5 - 2 * 0.23857) - (A - Z) / 2
        rate = reference.CM2 * reference.G_F**2 * M / math.pi * Q**2 * F**2
        nuclei = 2.924e3 * reference.AVOGADRO * fraction / mass
        found += nuclei * np.trapezoid(R * rate * np.trapezoid(flux * kernel, E, axis=1), T, axis=1)
    expected = dresden[""].counts(STANDARD_MODEL.couplings())
    assert expected.sum() == pytest.approx(found.sum(), rel=3e-3)
    assert expected[:20] == pytest.approx(found[:20], rel=0.01)


def test_the_flux_is_the_published_one(dresden):
    """4.8e13 /cm²/s, of 7.2 antineutrinos per fission."""
    exposure = dresden[""].experiment.exposure
    assert 7.2 * exposure.fluence / 86400 == pytest.approx(4.8e13, rel=0.01)


def test_the_background_is_constant_exponential_and_lines(dresden, rows):
    """χ² of a few lines, with integrals in closed form, at the best fit of the card."""
    found = strength(dresden[""]).values
    low, high = EDGES[:-1], EDGES[1:]
    names = ("constant", "exponential", "slope", "L1", "place", "width", "M")
    A, B, C, L1, x, w, M = (found.pulls[f"{NAME}_{name}"] for name in names)

    def line(middle, width):
        return ndtr((high - middle) / width) - ndtr((low - middle) / width)

    mu = A * 0.01 + B / C * (np.exp(-C * (low - 0.2)) - np.exp(-C * (high - 0.2)))
    mu += L1 * (line(x, w) + 0.008 * line(x - 0.155, w) + M * line(0.158, 0.0689))
    mu += found.fit.values["signal_strength"] * dresden[""].counts(STANDARD_MODEL.couplings())
    chi2 = (((rows[:, 1] - mu) / rows[:, 2]) ** 2).sum() + ((M - 0.16) / 0.03) ** 2
    assert found.fit.minimum == pytest.approx(chi2, abs=1e-4)
    assert x == pytest.approx(1.297, abs=0.01)
    assert w == pytest.approx(math.sqrt(0.0685**2 + 0.11 * 0.00296 * 1.297), rel=0.05)


def test_the_signal_that_is_seen_hangs_on_the_quenching(dresden):
    """With iron-filtered neutrons the Standard Model fits; with less quenching the signal must be larger."""
    found = {key: strength(each).values.fit for key, each in dresden.items()}
    values = {key: fit.values["signal_strength"] for key, fit in found.items()}
    assert values[""] == pytest.approx(1.25, abs=0.02)
    assert found[""].errors["signal_strength"] == pytest.approx(0.46, abs=0.02)
    assert values["+ybe"] == pytest.approx(2.03, abs=0.03)
    assert values["+lindhard"] == pytest.approx(5.3, abs=0.1)
    question = nurecoil.Study("scaled-standard-model", dresden[""]).question({"signal_strength": 1.0})
    nothing, standard = question.chi2([[0.0], [1.0]]) - found[""].minimum
    assert nothing == pytest.approx(7.2, abs=0.1)
    assert standard < 1


@pytest.mark.parametrize(("key", "published"), [("", 0.219), ("+ybe", 0.286)])
def test_the_published_mixing_angle(dresden, key, published):
    """0.219 +0.033 -0.048 and 0.286, AristizabalSierra:2022axl (from memory), of spectra of 4.8e13 in all."""
    experiment = dresden[key].experiment
    more = compile_experiment(replace(experiment, mass_kg=experiment.mass_kg * OF_INCOMPLETE_FLUX))
    fit = nurecoil.Study("standard-model", more).fit({"sin2_theta_w": 0.23}, minos=False).values.fit
    assert abs(fit.values["sin2_theta_w"] - published) < 0.5 * fit.errors["sin2_theta_w"]


def test_no_signal_with_the_reactor_off(rows, tmp_path):
    of_data()
    text = card_text(NAME).replace("weight = 1 }", "weight = 3 }").replace("\nsigma = 2", "\nsigma = 4")
    text = text.replace(f'name = "{NAME}"', 'name = "off"').replace(f'"{NAME}_signal"', '"off_signal"')
    (tmp_path / "off.toml").write_text(text, encoding="utf-8")
    off = load_experiment(tmp_path / "off.toml")
    assert off.statistics.observed.tolist() == rows[:, 3].tolist()
    assert strength(compile_experiment(off)).values.fit.values["signal_strength"] < 0.1


def test_each_result_says_that_the_claim_is_contested(dresden):
    (note, *_) = strength(dresden["+ybe"]).notes
    assert note.startswith(f"{NAME}+ybe: the claim is contested")
    (prediction,) = nurecoil.Study("standard-model", dresden[""]).predict().notes
    assert "contested" in prediction


def test_its_variants_are_one_measurement(dresden):
    with pytest.raises(NurecoilError, match="have the same observed counts, which would count twice"):
        nurecoil.Study("standard-model", [dresden[""], dresden["+ybe"]]).question({})
    with pytest.raises(NurecoilError, match=r"unknown variant of dresden-ii-2022 'yb': did you mean 'ybe'"):
        load_experiment(f"{NAME}+yb")
    assert dresden["+ybe"].experiment.title.endswith(", quenching ybe")
    for twice in ("+lindhard+ybe", "+ybe+ybe", "+electrons+electrons"):
        with pytest.raises(NurecoilError, match="is not allowed: it has one quenching"):
            load_experiment(NAME + twice)


def test_a_file_whose_electron_equivalent_falls_is_refused_unless_its_card_has_it_levelled(tmp_path):
    of_data()
    text = card_text(NAME)
    assert text.count(", levelled = true") == 1
    (tmp_path / "mine.toml").write_text(text.replace(", levelled = true", ""), encoding="utf-8")
    with pytest.raises(NurecoilError, match=r"its E_ee falls above 1\.135 keV: .*`levelled = true`"):
        compile_experiment(load_experiment(tmp_path / "mine.toml"))


def test_quenching_of_a_file_never_falls():
    """E = 0.5, 0.6, 0.54, 1.2 keV: the third is held at 0.6, up to what straight lines in QF bring."""
    table = levelled([1.0, 2.0, 3.0, 4.0], [0.5, 0.3, 0.18, 0.3])
    assert table.factor == pytest.approx((0.5, 0.5 * 2 / 3, 0.5 * 2 / 3 * 3 / 4, 0.3), rel=1e-6)
    E = table.electron_equivalent(np.linspace(0, 5e-3, 501))
    assert (np.diff(E) >= -1e-12).all()
    with pytest.raises(NurecoilError, match=r"the quenching of the file q\.txt has not been read"):
        FileQuenching("q.txt", 0, 1).electron_equivalent(0.001)
