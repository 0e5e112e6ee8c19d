"""Supernovae and the atmosphere: fluences in closed form, flavours, times, and counts by hand."""

import math
import re

import numpy as np
import pytest

import asking
import reference
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.models import STANDARD_MODEL
from nurecoil.sources import flux_integral
from nurecoil.sources.mixing import NUFIT
from nurecoil.sources.supernova import hats, pinched
from own_cards import reading
from releases import release_file

CARD = """
name = "mine"
title = "xenon"
reference = "a test"

[target]
material = "Xe"
mass = "1 tonne"
form_factor = "point"

[source]
flux = "supernova"
distance = "10 kpc"
spectra.nu_e = { mean_MeV = 11, alpha = 3.5, energy_erg = 5e52 }
spectra.nu_e_bar = { mean_MeV = 14, alpha = 3, energy_erg = 4e52 }
spectra.nu_x = { mean_MeV = 15, alpha = 2.2, energy_erg = 5.5e52 }

[cross_section]
vector_recoil_term = false
magnetic_recoil_term = false
magnetic_form_factor = true

[detector]
observable = "recoil energy [keV]"
edges = [1e-4, 1e3]
quenching = { kind = "constant", factor = 1 }
light_yield_per_kev = 1
smearing = { kind = "none" }
efficiency = { kind = "constant", value = 1 }

[statistics]
observed = "standard-model"
signal_pull_width = 0.1
"""
SOURCE = CARD[CARD.index('flux = "supernova"') : CARD.index("[cross_section]")]
SPECTRA = SOURCE[SOURCE.index("spectra.nu_e =") :]
ERG = 624150.907  # MeV
AREA = 4 * math.pi * (10 * 3.0856775814913673e21) ** 2  # cm²
MODEL = "nakazato-shen-z0.02-t_rev300ms-s20.0"


@pytest.fixture
def read(tmp_path):
    return reading(tmp_path, CARD)


def counts(experiment):
    return compile_experiment(experiment).counts(STANDARD_MODEL.couplings())


def by_hand(experiment, E, density, low_kev=0.0):
    """Return Σ nuclei ∫dE φ σ of point nuclei, without -T/E, above a recoil energy."""
    total, T = 0.0, low_kev * 1e-3
    target = experiment.target
    for nuclide, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
        M, Q = nuclide.mass, nuclide.Z * (0.5 - 2 * 0.23857) - nuclide.N / 2
        top = np.maximum(2 * E**2 / (M + 2 * E), T)
        range_ = top - T - M * (top**2 - T**2) / (4 * E**2)
        sigma = reference.CM2 * reference.G_F**2 * M / math.pi * Q**2 * range_
        total += experiment.mass_kg * per_kg * np.trapezoid(density * sigma, E)
    return total


def recoils(experiment):
    """Return counts over fluence, of σ = G_F² Q² E²/π (1 - ...) for <E²> of each species, T ≪ E."""
    target, total = experiment.target, 0.0
    square = {"nu_e": (11, 3.5, 5e52), "nu_e_bar": (14, 3, 4e52), "nu_x": (15, 2.2, 4 * 5.5e52)}
    for nuclide, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
        Q = nuclide.Z * (0.5 - 2 * 0.23857) - nuclide.N / 2
        for mean, alpha, energy in square.values():
            E2 = mean**2 * (alpha + 2) / (alpha + 1)
            sigma = reference.CM2 * reference.G_F**2 / math.pi * Q**2 * E2
            total += experiment.mass_kg * per_kg * energy * ERG / mean / AREA * sigma
    return total


# --- supernovae ---------------------------------------------------------------------------------------


def test_counts_of_pinched_spectra_in_closed_form(read):
    """Σ N <E²> G_F² Q²/π, with <E²> = <E>² (α+2)/(α+1), up to 2E/M = 2e-4; flavours do not matter."""
    experiment = read()
    found = counts(experiment)[0]
    assert found == pytest.approx(recoils(experiment), rel=1e-3)
    for ordering in ("normal", "inverted"):
        other = read(('"10 kpc"', f'"10 kpc"\nordering = "{ordering}"'))
        assert counts(other)[0] == pytest.approx(found, rel=1e-9)
    assert counts(read(("10 kpc", "5 kpc")))[0] == pytest.approx(4 * found, rel=1e-9)


@pytest.mark.parametrize("alpha", [-0.3, 0.0, 2.3, 7.1])
def test_a_pinched_spectrum_has_its_number_and_mean(alpha):
    E = np.linspace(1e-9, 400, 400001)
    density = pinched(E, 12.0, alpha, 5.0)
    assert np.trapezoid(density[1:], E[1:]) == pytest.approx(5.0, rel=2e-3)
    assert np.trapezoid(E * density, E) == pytest.approx(60.0, rel=1e-4)
    square = np.trapezoid(E**2 * density, E) / 5
    assert square / 144 == pytest.approx((alpha + 2) / (alpha + 1), rel=1e-5)


def test_flavours_leave_as_mass_states(read):
    """Dighe and Smirnov: of ν_e s13² or s12² c13² arrive, of ν_e_bar c12² c13² or s13²."""
    c13 = 1 - NUFIT.sin2_theta_13
    expected = {
        "none": (1.0, 1.0),
        "normal": (NUFIT.sin2_theta_13, (1 - NUFIT.sin2_theta_12) * c13),
        "inverted": (NUFIT.sin2_theta_12 * c13, NUFIT.sin2_theta_13),
    }
    for ordering, survive in expected.items():
        flux = read(('"10 kpc"', f'"10 kpc"\nordering = "{ordering}"')).flux
        shares = {c.name: np.array(c.shares) for c in flux.components}
        assert [c.antineutrino for c in flux.components] == [False, False, True, True]
        assert (shares["nu_e"][0], shares["nu_e_bar"][0]) == pytest.approx(survive, rel=1e-12)
        for bar in ("", "_bar"):
            np.testing.assert_allclose(shares[f"nu_e{bar}"] + shares[f"nu_x{bar}"], 1, rtol=1e-12)
            assert shares[f"nu_e{bar}"].sum() == pytest.approx(1, rel=1e-12)


def nakazato(read, kind, *more):
    name = f"{MODEL}.{'fluence' if kind == 'fluence_file' else 'lightcurve'}.csv"
    path = release_file("supernova-nakazato-2013", name)
    change = (SPECTRA, f'{kind} = "{name}"\n\n')
    return read(change, *more, files={name: path.read_text()})


def moment(components, power):
    return sum(
        sum(c.shares) * flux_integral(c.spectrum, lambda E: E**power, np.zeros(1))[0] for c in components
    )


def test_the_fluence_of_a_model_gives_its_energy_and_its_counts(read):
    """1.99e53 erg (SOURCES.md), and 15 to 20 a tonne, as Lang et al. (arXiv:1606.09243) of others."""
    experiment = nakazato(read, "fluence_file", ('"point"', '"helm"'))
    energy = sum(
        sum(c.shares) * flux_integral(c.spectrum, lambda E: E, np.zeros(1))[0]
        for c in experiment.flux.components
    )
    assert energy / ERG == pytest.approx(1.99e53, rel=0.003)
    assert 15 < counts(experiment)[0] < 20
    E, *columns = np.loadtxt(
        release_file("supernova-nakazato-2013", f"{MODEL}.fluence.csv"), delimiter=",", comments="#"
    ).T
    sum_ = columns[0] + columns[1] + 4 * columns[2]
    fine = np.linspace(E[0], E[-1], 20001)
    plain = nakazato(read, "fluence_file")
    expected = by_hand(plain, fine, np.interp(fine, E, sum_) / AREA)
    assert counts(plain)[0] == pytest.approx(expected, rel=1e-4)


def test_a_light_curve_adds_up_to_the_fluence_and_its_bins_to_itself(read):
    experiment = nakazato(read, "light_curve")
    whole = counts(experiment)[0]
    assert whole == pytest.approx(counts(nakazato(read, "fluence_file"))[0], rel=6e-3)  # to 100 MeV alone
    t, *rows = np.loadtxt(release_file("supernova-nakazato-2013", f"{MODEL}.lightcurve.csv"), delimiter=",").T
    mean, alpha, power = (np.array(rows[k : k + 3]) for k in (0, 3, 6))
    square = np.trapezoid(ERG * power * mean * (alpha + 2) / (alpha + 1), t, axis=1) @ [1, 1, 4]
    assert moment(experiment.flux.components, 2) == pytest.approx(square, rel=1e-4)
    data = '[data]\nobserved = { file = "n.txt", columns = { energy = 0, time = 1 } }\n'
    statistics = CARD[CARD.index("[statistics]") :]
    curve = release_file("supernova-nakazato-2013", f"{MODEL}.lightcurve.csv")
    times = np.loadtxt(curve, delimiter=",")[[0, -1], 0]
    edges = [float(times[0]), 0.0, 0.1, 0.5, 1.0, 3.0, float(times[1])]
    experiment = read(
        (SPECTRA, f'light_curve = "x.csv"\ntimes_s = {edges}\n\n'),
        (statistics, data),
        ("[1e-4, 1e3]", "[1e-4, 1, 1e3]"),
        files={"x.csv": curve.read_text(), "n.txt": "0.5 0.2\n"},
    )
    assert experiment.shape == (2, 6)
    found = counts(experiment).reshape(2, 6)
    assert found.sum() == pytest.approx(whole, rel=1e-3)
    assert found.sum(axis=0)[2] > 0.1 * whole  # from 0.1 to 0.5 s
    late = read((SPECTRA, 'light_curve = "x.csv"\ntimes_s = [1.0, 3.0]\n\n'), (statistics, data))
    assert counts(late)[0] == pytest.approx(found[:, 4].sum(), rel=1e-6)


def test_integrals_of_straight_lines():
    times = np.array([0.0, 1.0, 3.0, 4.0])
    values = np.array([0.0, 2.0, 6.0, 5.0])
    assert hats(times, 0.0, 4.0) @ values == pytest.approx(1 + 8 + 5.5)
    assert hats(times, 0.5, 2.0) @ values == pytest.approx(4 - 0.25)  # 2t
    assert hats(times, 0.5, 0.5) @ values == 0


@pytest.mark.parametrize(
    ("change", "files", "said"),
    [
        ((SPECTRA, ""), {}, "source: nothing is given: it must be one of fluence_file, light_curve, spectra"),
        (("spectra.nu_x", "spectra.nu_y"), {}, "it must have nu_e, nu_e_bar, nu_x"),
        (("mean_MeV = 11", "mean_MeV = 11000"), {}, "source.spectra.nu_e.mean_MeV = 11000 is not allowed"),
        (("10 kpc", "10 kg"), {}, "source.distance = 10 kg has the wrong unit"),
        ((SPECTRA, 'times_s = [0, 1]\nfluence_file = "f"\n\n'), {}, "times_s needs a light_curve"),
        (
            (SPECTRA, 'fluence_file = "f"\n\n'),
            {"f": "1 1e56 1e56 1e56\n2 1e56 -1e56 1e56\n"},
            "nu_e_bar of f = -1e+56 is not allowed: it must be 0 or more",
        ),
        ((SPECTRA, 'fluence_file = "f"\n\n'), {"f": "1 1e56 1e56\n2 1e56 1e56\n"}, "f has 3 columns, not 4"),
        (
            (SPECTRA, 'fluence_file = "f"\n\n'),
            {"f": "1 1e46 1e46 1e46\n20 1e46 1e46 1e46\n"},
            "the energy of all neutrinos of f = 1.92e+43 erg is not allowed: it must be from 1e+49 to 1e+56",
        ),
        (
            (SPECTRA, 'light_curve = "f"\ntimes_s = [0, 9]\n\n'),
            {"f": "0 9 9 9 2 2 2 1e52 1e52 1e52\n5 9 9 9 2 2 2 1e52 1e52 1e52\n"},
            "source.times_s goes without [statistics]",
        ),
    ],
)
def test_what_is_no_supernova_is_told(read, change, files, said):
    with pytest.raises(NurecoilError, match=re.escape(said)):
        read(change, files=files)


# --- the atmosphere -----------------------------------------------------------------------------------


@pytest.fixture
def atmosphere(read):
    for name in ("nu_e.txt", "nu_mu.txt"):
        release_file("fluxes-atmospheric-battistoni-2005", name)

    def load(*changes):
        source = 'flux = "atmospheric"\nlive_time = "365.25 day"\n\n'
        return read((SOURCE, source), ("[1e-4, 1e3]", "[1, 5e4]"), *changes)

    return load


def table():
    """Return E (MeV) and the sum of all neutrinos, in 1/(MeV cm² s)."""
    rows = [
        np.loadtxt(release_file("fluxes-atmospheric-battistoni-2005", f"nu_{f}.txt")) for f in ("e", "mu")
    ]
    return 1e3 * rows[0][:, 0], sum(row[:, 1] + row[:, 3] for row in rows) * 1e-7


def test_atmospheric_neutrinos_are_those_of_the_table(atmosphere):
    """7.34 /cm²/s (SOURCES.md), 2.44 of them ν_e."""
    flux = atmosphere().flux
    amounts = {c.name: flux_integral(c.spectrum, np.ones_like, np.zeros(1))[0] for c in flux.components}
    assert sum(amounts.values()) == pytest.approx(7.34, abs=0.006)
    assert amounts["nu_e"] + amounts["nu_e_bar"] == pytest.approx(2.44, abs=0.006)
    assert {c.flavour for c in flux.components} == {"e", "mu"}


def test_counts_of_atmospheric_neutrinos_by_hand(atmosphere):
    experiment = atmosphere()
    E = np.linspace(13, 944, 20001)
    expected = by_hand(experiment, E, np.interp(E, *table()) * 365.25 * 86400, 1.0)
    assert counts(experiment)[0] == pytest.approx(expected, rel=1e-3)
    assert counts(atmosphere(("365.25 day", "36.525 day")))[0] == pytest.approx(expected / 10, rel=1e-3)
    rates = {p.name: p.prior_width for p in experiment.statistics.signal.rates}
    assert rates == {"mine_signal": 0.1, "atmospheric_flux": 0.2}


def test_xenon_sees_as_many_atmospheric_neutrinos_as_others_expect(read, atmosphere):
    """LZ expects 0.46 in 1000 days of 5.6 tonnes (arXiv:1802.06039, at Homestake), half seen at 3.8 keV."""
    changes = ("[1e-4, 1e3]", "[3.8, 1e3]"), ('"point"', '"helm"'), ("1 tonne", "5.6 tonne")
    experiment = read((SOURCE, 'flux = "atmospheric"\nlive_time = "1000 day"\n\n'), *changes)
    assert counts(experiment)[0] == pytest.approx(0.46, rel=0.25)


def test_new_physics_of_one_flavour_sees_the_share_of_that_flavour(atmosphere):
    experiment = atmosphere()
    ratio = asking.predict("nsi", experiment, {"eps_u_tautau": 0.1}).values.counts[0] / counts(experiment)[0]
    assert ratio == pytest.approx(1.0, rel=1e-12)
