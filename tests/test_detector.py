"""The response matrix by hand, against integrals by scipy, and against the three releases' prototypes."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import reference
from nurecoil.detector.efficiency import (
    ConstantEfficiency,
    LogisticEfficiency,
    ShiftedLogisticEfficiency,
    TabulatedEfficiency,
)
from nurecoil.detector.quenching import (
    ConstantQuenching,
    LinearQuenching,
    PolynomialQuenching,
    TabulatedQuenching,
)
from nurecoil.detector.response import Detector
from nurecoil.detector.smearing import GammaSmearing, GaussianSmearing, NoSmearing, PoissonSmearing
from nurecoil.errors import NurecoilError
from releases import release_file

COHERENT = LogisticEfficiency(0.6655, 0.4942, 10.8507, ((5.0, 0.5), (6.0, 1.0)))  # arXiv:1804.09459
UNQUENCHED = ConstantQuenching(1.0)
ALL = ConstantEfficiency(1.0)
CSI_2017 = Detector(
    "PE", tuple(range(6, 31, 2)), ConstantQuenching(0.0878), 13.348, PoissonSmearing(), COHERENT, step=1.0
)  # fmt: skip
CSI_2021 = Detector(  # arXiv:2110.07730, ancillary files
    "PE",
    (0.0, 8.0, 12.0, 16.0, 20.0, 24.0, 32.0, 40.0, 50.0, 60.0),
    PolynomialQuenching((0.0554628, 4.30681, -111.707, 840.384)),
    1.0,
    GammaSmearing(0.0749, 9.56),
    ShiftedLogisticEfficiency(1.32045, 0.285979, 10.8646, -0.333322),
    step=0.25,
)
ARGON = Detector(  # arXiv:2006.12659; the efficiency comes from the release
    "E_ee [keV]",
    tuple(np.arange(0.0, 121.0, 10.0)),
    LinearQuenching(0.246, 0.00078),
    1.0,
    GaussianSmearing(0.58, at="reconstructed"),
    ALL,
    step=0.1,
)


# --- recoil spectra, from reference.py alone ----------------------------------------------------------


RADII = {"Cs133": (4.8041, 5.01), "I127": (4.7500, 4.94)} | dict.fromkeys(
    ("Ar36", "Ar38", "Ar40"), (3.427, 3.50)
)
CORRECTED = {"e": (0.0382, -0.5117), "mu": (0.0300, -0.5117)}  # PHYSICS.md, section 1
TREE = dict.fromkeys(("e", "mu"), (0.5 - 2 * 0.23857, -0.5))
helm = np.vectorize(reference.helm)


def recoil_spectra(T, nuclide, couplings):
    """Return prompt and delayed dσ/dT (cm²/MeV), summed over the components of a stopped-pion source."""
    Z, A, _ = reference.NUCLIDES[nuclide]
    M = reference.nuclear_mass(nuclide)
    R0 = [math.sqrt(5 / 3 * (R**2 - 3 * 0.81)) for R in RADII[nuclide]]
    F_p, F_n = (helm(np.sqrt(2 * M * T), R, 0.9) for R in R0)
    nodes, weights = np.polynomial.legendre.leggauss(8)  # the integrands in E are polynomials
    E_min = (T + np.sqrt(T**2 + 2 * M * T)) / 2
    half = np.maximum(reference.ENDPOINT - E_min, 0) / 2
    E = E_min + half * (1 + nodes[:, np.newaxis])
    weights = half * weights[:, np.newaxis]

    def charge(flavour):
        g_p, g_n = couplings[flavour]
        prefactor = reference.CM2 * reference.G_F**2 * M / math.pi
        return prefactor * (Z * F_p * g_p + (A - Z) * F_n * g_n) ** 2

    def kernel(E):
        return 1 - T / E - M * T / (2 * E**2)

    prompt = charge("mu") * np.where(E_min < reference.NU_MU_LINE, kernel(reference.NU_MU_LINE), 0)
    delayed = charge("mu") * (weights * reference.nu_mu_bar(E) * kernel(E)).sum(axis=0)
    delayed += charge("e") * (weights * reference.nu_e(E) * kernel(E)).sum(axis=0)
    return np.array([prompt, delayed])


def recoil_ends(nuclide):
    """Return the largest recoil energies (MeV) of the prompt and of the delayed neutrinos."""
    M = reference.nuclear_mass(nuclide)
    return [2 * E**2 / (M + 2 * E) for E in (reference.NU_MU_LINE, reference.ENDPOINT)]


def grid(detector, nuclide, points=24, parts=8):
    """Return nodes and weights of Gauss-Legendre between breakpoints, in √T."""
    ends = recoil_ends(nuclide)
    splits = np.concatenate([detector.breakpoints(), ends, np.linspace(0, 1, parts + 1) ** 2 * ends[1]])
    splits = np.unique(np.sqrt(splits[splits <= ends[1]]))
    x, w = np.polynomial.legendre.leggauss(points)
    half, middle = np.diff(splits)[:, np.newaxis] / 2, (splits[1:] + splits[:-1])[:, np.newaxis] / 2
    s = (middle + half * x).ravel()
    return s**2, 2 * s * (half * w).ravel()


def binned(detector, nuclide, couplings=CORRECTED, **options):
    """Return ∫ dT R dσ/dT of prompt and delayed neutrinos per bin, (2, bins)."""
    T, weights = grid(detector, nuclide, **options)
    return (recoil_spectra(T, nuclide, couplings) * weights) @ detector.response(T).T


def unbinned(nuclide, low=0.0, high=math.inf):
    """Return ∫ dT dσ/dT of prompt and delayed neutrinos, by adaptive quadrature."""

    def of_root(s, component):
        return 2 * s * recoil_spectra(np.array([s * s]), nuclide, CORRECTED)[component, 0]

    totals = []
    for component, end in enumerate(recoil_ends(nuclide)):
        ends = math.sqrt(min(low, end)), math.sqrt(min(high, end))
        totals.append(quad(of_root, *ends, args=(component,), epsabs=0, epsrel=1e-10, limit=200)[0])
    return np.array(totals)


@pytest.fixture(scope="module")
def totals():
    """Return the unbinned integrals by nuclide."""
    return {nuclide: unbinned(nuclide) for nuclide in ("Cs133", "Ar40")}


# --- integrals ----------------------------------------------------------------------------------------


QUENCHINGS = {
    "constant": ConstantQuenching(0.0878),
    "linear": LinearQuenching(0.246, 0.00078),
    "polynomial": PolynomialQuenching((0.0554628, 4.30681, -111.707, 840.384)),
    "tabulated": TabulatedQuenching((0.5, 5.0, 20.0, 60.0), (0.05, 0.12, 0.2, 0.25)),
}
SMEARINGS = {
    "none": (NoSmearing(), 13.35),
    "gaussian": (GaussianSmearing(0.58, 0.1), 1.0),
    "gaussian, reconstructed": (GaussianSmearing(0.58, at="reconstructed"), 1.0),
    "poisson": (PoissonSmearing(), 13.35),
    "gamma": (GammaSmearing(0.0749, 9.56), 1.0),
}


@pytest.mark.parametrize("nuclide", ["Cs133", "Ar40"])
@pytest.mark.parametrize("quenching", QUENCHINGS.values(), ids=QUENCHINGS.keys())
@pytest.mark.parametrize(("smearing", "light_yield"), SMEARINGS.values(), ids=SMEARINGS.keys())
def test_the_full_range_is_the_unbinned_integral(smearing, light_yield, quenching, nuclide, totals):
    if nuclide == "Ar40" and isinstance(quenching, PolynomialQuenching):
        quenching = PolynomialQuenching((0.25, 0.8))  # the fit to CsI turns steep above 48 keV
    edges = (-40.0, *np.arange(0.0, 120.0, 8.0), 300.0, 12000.0)
    detector = Detector("x", edges, quenching, light_yield, smearing, ALL)
    np.testing.assert_allclose(binned(detector, nuclide).sum(axis=1), totals[nuclide], rtol=1e-6)


@pytest.mark.parametrize("quenching", QUENCHINGS.values(), ids=QUENCHINGS.keys())
def test_unsmeared_bins_are_integrals_between_their_recoil_energies(quenching):
    edges = (2.0, 5.0, 6.5, 20.0)
    detector = Detector("PE", edges, quenching, 13.348, NoSmearing(), ConstantEfficiency(0.5))
    T = quenching.recoil_energy(np.array(edges) / 13.348)
    expected = 0.5 * np.array([unbinned("Cs133", low, high) for low, high in pairwise(T)])
    np.testing.assert_allclose(binned(detector, "Cs133", points=12, parts=1), expected.T, rtol=1e-7)


def test_unsmeared_kinks_of_the_efficiency_are_breakpoints():
    # ∫ over one bin of a staircase: half of [5, 6) PE, all of [6, 20)
    steps = LogisticEfficiency(1.0, 1e3, -10.0, ((5.0, 0.5), (6.0, 1.0)))
    detector = Detector("PE", (2.0, 20.0), ConstantQuenching(0.0878), 13.348, NoSmearing(), steps)
    T = np.array([5.0, 6.0, 20.0]) / (0.0878 * 13.348) / 1e3
    expected = 0.5 * unbinned("Cs133", T[0], T[1]) + unbinned("Cs133", T[1], T[2])
    np.testing.assert_allclose(binned(detector, "Cs133", points=12, parts=1)[:, 0], expected, rtol=1e-7)


# --- the matrix ---------------------------------------------------------------------------------------


def test_response_puts_each_recoil_into_its_bin_with_its_efficiency():
    # 2 PE/keV, so 1, 2, 2.999, 4 keV are 2, 4, 5.998, 8 PE; bins include their lower edge only
    efficiency = TabulatedEfficiency((0.0, 10.0), (0.0, 1.0))
    detector = Detector("PE", (2.0, 4.0, 6.0), UNQUENCHED, 2.0, NoSmearing(), efficiency)
    response = detector.response(np.array([0.9e-3, 1e-3, 2e-3, 2.999e-3, 4e-3]))
    np.testing.assert_allclose(response, [[0, 0.2, 0, 0, 0], [0, 0, 0.4, 0.5998, 0]], rtol=1e-12)


def test_a_recoil_above_all_bins_is_not_counted():
    detector = Detector("E [keV]", (5.0, 100.0), UNQUENCHED, 1.0, NoSmearing(), ConstantEfficiency(0.5))
    np.testing.assert_array_equal(detector.response(np.array([4.9e-3, 50e-3, 101e-3])), [[0, 0.5, 0]])


def test_csi_2017_is_a_sum_over_photoelectrons():
    T = np.array([0.002, 0.008, 0.020])
    n = np.arange(6, 30)[:, np.newaxis]
    each = stats.poisson.pmf(n, 13.348 * 87.8 * T) * COHERENT(n + 0.5)
    np.testing.assert_allclose(CSI_2017.response(T), each.reshape(12, 2, 3).sum(axis=1), atol=1e-15)


def test_csi_2021_is_the_gamma_density_times_the_efficiency():
    T = 0.012
    E = 1e3 * (0.0554628 * T + 4.30681 * T**2 - 111.707 * T**3 + 840.384 * T**4)
    gamma = stats.gamma(1 + 9.56 * E, scale=E / 0.0749 / (1 + 9.56 * E))

    def density(x):
        logistic = 1.32045 / (1 + math.exp(-0.285979 * (x - 10.8646)))
        return gamma.pdf(x) * max(logistic - 0.333322, 0)

    expected = [
        quad(density, low, high, points=[7.0684] if low < 7 else None)[0]
        for low, high in pairwise(CSI_2021.edges)
    ]
    # the sub-bins of 0.25 PE cost 1e-3 in the first bin, where the efficiency begins, less elsewhere
    np.testing.assert_allclose(CSI_2021.response([T])[1:, 0], expected[1:], rtol=1e-3)
    assert CSI_2021.response([T])[0, 0] == pytest.approx(expected[0], rel=2e-2)
    exact = replace(CSI_2021, step=0.001)
    np.testing.assert_allclose(exact.response([T])[:, 0], expected, rtol=1e-6)


def test_bins_of_different_widths_get_their_own_sub_bins():
    ramp = TabulatedEfficiency((0.0, 10.0), (0.0, 1.0))
    wide = Detector("E", (0.0, 1.0, 4.0, 4.5), UNQUENCHED, 1.0, GaussianSmearing(0.3), ramp, step=0.5)
    narrow = replace(wide, edges=tuple(np.arange(0.0, 5.0, 0.5)))
    fine = narrow.response([1e-3, 3e-3])
    expected = [fine[:2].sum(axis=0), fine[2:8].sum(axis=0), fine[8]]
    np.testing.assert_allclose(wide.response([1e-3, 3e-3]), expected, rtol=1e-13)


def test_the_efficiency_at_the_true_energy_is_a_factor():
    cut = TabulatedEfficiency((2.0, 100.0), (1.0, 1.0))
    true = Detector("E", (0.0, 9.0), UNQUENCHED, 1.0, GaussianSmearing(0.3), cut, efficiency_at="true")
    everything = replace(true, efficiency=ALL)
    T = np.array([1.999e-3, 2.001e-3, 7e-3])
    np.testing.assert_allclose(true.response(T), everything.response(T) * [0, 1, 1], rtol=1e-14)
    assert set(np.round(1e3 * true.breakpoints(), 9)) >= {2, 100}
    seen = replace(true, efficiency_at="observable", step=0.5)
    assert seen.response(T)[0, 0] > 0.4  # a recoil below the cut may be seen above it
    gamma = replace(true, smearing=GammaSmearing(0.5, 9.0))  # 2 per keV: the cut is at 1 keV
    np.testing.assert_array_equal(gamma.response([0.999e-3, 1.001e-3])[0] > 0, [False, True])
    assert set(np.round(1e3 * gamma.breakpoints(), 9)) >= {1, 50}


def test_breakpoints_are_edges_and_steps_as_recoil_energies():
    detector = Detector("PE", (0.0, 4.0, 8.0), UNQUENCHED, 0.5, NoSmearing(), COHERENT)
    rise = [2 * (10.8507 + side * 20 / 0.4942) for side in (0, 1)]
    np.testing.assert_allclose(1e3 * detector.breakpoints(), [8, 10, 12, 16, *rise], rtol=1e-14)


def test_breakpoints_of_narrow_smearing_are_the_ends_of_each_edge_and_of_wide_smearing_few():
    ten = Detector("E", (5.0, 10.0), UNQUENCHED, 1.0, GaussianSmearing(0.0, 0.01), ALL)
    np.testing.assert_allclose(1e3 * ten.breakpoints(), [4.92, 5, 5.08, 9.92, 10, 10.08], rtol=1e-12)
    for detector in (CSI_2021, CSI_2017, ARGON):
        assert 3 <= detector.breakpoints().size < 15
    tabulated = replace(CSI_2017, quenching=QUENCHINGS["tabulated"])
    assert set(np.round(1e3 * tabulated.breakpoints(), 9)) >= {0.5, 5, 20, 60}


def test_bins_that_are_never_reached_have_no_breakpoint():
    saturating = LinearQuenching(0.2, -0.001)  # at most 10 keV
    detector = Detector("E", (1.0, 5.0, 50.0), saturating, 1.0, NoSmearing(), ALL)
    assert detector.breakpoints().size == 2
    assert np.isfinite(detector.breakpoints()).all()


# --- the prototypes of the releases -------------------------------------------------------------------


def counts(detector, nuclides, factor, couplings):
    """Return prompt and delayed counts per bin."""
    return factor * sum(binned(detector, nuclide, couplings, points=24, parts=16) for nuclide in nuclides)


def nuclei_times_fluence(kilograms, grams_per_mole, protons, per_proton, metres):
    nuclei = 1e3 * kilograms / grams_per_mole * reference.AVOGADRO
    return nuclei * protons * per_proton / (4 * math.pi * (100 * metres) ** 2)


CSI = 132.905451958 + 126.904472592


def test_csi_2021_of_the_prototype():
    """Counts per PE bin at all times: 51.8 prompt and 302 delayed."""
    # a plain script from the files of the release, midpoints of 0.05 keV in T
    prompt = [0.841754, 16.244816, 19.136057, 10.502565, 3.765921, 1.247546, 0.049948]
    delayed = [
        1.832481,
        41.057251,
        67.232958,
        63.756518,
        49.492168,
        60.520609,
        28.293481,
        13.323617,
        3.389366,
    ]
    factor = nuclei_times_fluence(14.6, CSI, 3.198e23, 0.0848, 19.3)
    got = counts(CSI_2021, ("Cs133", "I127"), factor, CORRECTED)
    np.testing.assert_allclose(got[0, :7], prompt, rtol=1e-4)
    np.testing.assert_allclose(got[1], delayed, rtol=1e-4)


def test_csi_2017_of_the_prototype():
    """Counts of 6-30 PE at all times: 34.76 prompt and 146.54 delayed."""
    factor = nuclei_times_fluence(14.6, CSI, 1.76e23, 0.08, 19.3)
    got = counts(CSI_2017, ("Cs133", "I127"), factor, CORRECTED)
    np.testing.assert_allclose(got.sum(axis=1), [34.75882970, 146.5438515], rtol=1e-4)


def test_liquid_argon_of_the_prototype():
    """Counts per 10 keV: 140.9 at all times."""
    table = np.loadtxt(release_file("coherent-lar-2020", "CENNS10AnlAEfficiency.txt"))
    detector = replace(ARGON, efficiency=TabulatedEfficiency(tuple(table[:, 0]), tuple(table[:, 2])))
    # likewise, midpoints of 0.1 keV in T and E_ee
    shares = reference.TARGETS["Ar"]
    grams_per_mole = sum(share * reference.NUCLIDES[name][2] for name, share in shares.items())
    factor = nuclei_times_fluence(24.4, grams_per_mole, 13.8e22, 0.09, 27.5)
    got = sum(counts(detector, (name,), share * factor, TREE) for name, share in shares.items())
    np.testing.assert_allclose(got.sum(axis=0)[:5], [88.2714, 39.5577, 10.0681, 2.5224, 0.4398], rtol=2e-4)


# --- errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edges": (0.0, 4.0, 4.0)}, r"edges = \[0.0, 4.0, 4.0\] .* ascending"),
        ({"edges": (0.0, math.nan)}, r"edges = \[0.0, nan\]"),
        ({"edges": (0.0, math.inf)}, r"edges = \[0.0, inf\]"),
        ({"edges": (1.0,)}, "2 or more"),
        ({"light_yield_per_kev": -13.0}, "light_yield_per_kev = -13.0 .* above 0"),
        ({"light_yield_per_kev": math.nan}, "light_yield_per_kev = nan"),
        ({"efficiency_at": "seen"}, "efficiency_at = seen .* 'observable' or 'true'"),
        ({"step": None}, "step is missing: .* efficiency in PE"),
        ({"step": 0.3}, "step = 0.3 .* the bin from 6 to 8 divided by a whole number"),
        ({"step": 4.0}, "step = 4.0 .* the bin from 6 to 8"),
        ({"step": -1.0}, "step = -1.0 .* above 0"),
        ({"step": math.nan}, "step = nan"),
        ({"step": 0.5}, "edge 6.5 .* Poisson .* whole numbers"),
        ({"edges": (6.5, 8.5)}, "edge 6.5 .* Poisson"),
        ({"smearing": NoSmearing()}, "step = 1.0 .* left out without smearing"),
        ({"smearing": GammaSmearing(0.0749, 9.56)}, r"light_yield_per_kev = 13.348 .* 1/a = 13.3511 per keV"),
    ],
)
def test_what_does_not_fit_together_is_named(changes, message):
    with pytest.raises(NurecoilError, match=message):
        replace(CSI_2017, **changes)


def test_a_step_is_needed_only_where_the_efficiency_varies():
    for efficiency, at in ((ALL, "observable"), (COHERENT, "true")):
        detector = replace(CSI_2017, efficiency=efficiency, efficiency_at=at, step=None)
        assert detector.response([0.01]).shape == (12, 1)


def test_a_bad_recoil_energy_is_named():
    with pytest.raises(NurecoilError, match=r"T = -0\.001"):
        CSI_2017.response([0.001, -0.001])
    falling = replace(CSI_2017, quenching=LinearQuenching(0.2, -0.001))
    with pytest.raises(NurecoilError, match="falls above 100 keV"):
        falling.response([0.101])
