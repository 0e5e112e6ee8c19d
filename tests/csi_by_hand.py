"""The likelihood of CsI 2021 once more, from the files of the release alone: nothing here is of nurecoil.

Cross section x flux x quenching x smearing x efficiency, on a grid of recoils and energies; Poisson χ² with
the pulls that the release and its paper give, morphed as `likelihood/morphing.py` says; SciPy's minimiser.
"""

import math
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import gammainc

import reference
from releases import release_file

PE = np.array([0, 8, 12, 16, 20, 24, 32, 40, 50, 60.0])
TIME = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 48]) / 8
NUCLIDES = {"Cs133": (4.804, 5.01), "I127": (4.750, 4.94)}  # radii of protons and neutrons, fm
FLUENCE = 3.198e23 * 0.0848 / (4 * math.pi * 1930.0**2)
FLAVOUR = ("mu", "mu", "e")  # of the components: ν_μ, ν̄_μ, ν_e
RATES = {"ssb": 0.021, "brn": 0.25, "nin": 0.35}
SHAPES = ("quenching 0", "quenching 1", "efficiency", "radius", "onset")
MASSES = (0.0, 1.0, 10.0)  # MeV, that may be made
ROOT2_G_F = math.sqrt(2) * reference.G_F


def numbers(name):
    return np.loadtxt(release_file("coherent-csi-2021", name), comments="#")


def helm(q, rms):
    R0 = math.sqrt(5 / 3 * (rms**2 - 3 * 0.9**2))
    x = q * R0 / reference.HBAR_C
    return 3 * (np.sin(x) - x * np.cos(x)) / x**3 * np.exp(-((q * 0.9 / reference.HBAR_C) ** 2) / 2)


def gauss(edges, points):
    """Return nodes and weights of Gauss and Legendre between edges."""
    x, w = np.polynomial.legendre.leggauss(points)
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    return (middle + half * x).ravel(), (half * w).ravel()


class Nuclide:
    """Recoils of one nuclide: what is integrated over energies, and over recoils in the detector."""

    def __init__(self, name, quenchings, efficiencies):
        self.Z, A, _ = reference.NUCLIDES[name]
        self.N, self.M, self.radii = A - self.Z, reference.nuclear_mass(name), NUCLIDES[name]
        energies = (reference.NU_MU_LINE, reference.ENDPOINT)
        ends = [1e-7, *(self.highest(E, mass) for E in energies for mass in MASSES)]
        roots = np.sqrt(np.unique(ends))
        edges = np.unique(np.concatenate([roots, np.linspace(roots[0], roots[-1], 50)]))
        root, w = gauss(edges, 8)
        self.T, dT = root**2, 2 * root * w
        self.q = np.sqrt(2 * self.M * self.T)
        formula = sum(reference.NUCLIDES[n][2] for n in NUCLIDES)
        nuclei = 14600.0 / formula * reference.AVOGADRO
        variations = [(quenchings[0], e) for e in efficiencies] + [
            (k, efficiencies[0]) for k in quenchings[1:]
        ]
        weight = nuclei * FLUENCE * reference.CM2 * dT
        self.response = [self.seen(*v) * weight for v in variations]  # nominal, eff +-, quenching 0 +-, 1 +-

    def lowest(self, T, mass):
        """Return the energy of a neutrino from which on it gives a recoil T and makes a mass."""
        return (T + np.sqrt(T**2 + 2 * self.M * T)) / 2 * (1 + mass**2 / (2 * self.M * T))

    def highest(self, E, mass):
        """Return the largest recoil, where the integrals over recoils have a corner."""
        return brentq(lambda T: self.lowest(T, mass) - E, 1e-4, 0.1, xtol=1e-14)

    def seen(self, quenching, efficiency):
        kev = 1e3 * sum(c * self.T ** (n + 1) for n, c in enumerate(quenching))
        a, b, c, d = efficiency
        x = np.linspace(0, 60, 1201)
        below = gammainc(1 + 9.56 * kev, x[:, None] * (1 + 9.56 * kev) * 0.0749 / kev)
        middle = (x[1:] + x[:-1]) / 2
        passed = np.clip(a / (1 + np.exp(-b * (middle - c))) + d, 0, 1)
        fine = np.diff(below, axis=0) * passed[:, None]
        return np.add.reduceat(fine, np.searchsorted(x + 1e-9, PE[:-1]), axis=0)

    def over_flux(self, kernel, mass=0.0):
        """Return ∫φ k(T, E) dE of each component, (3, n), above the energy that makes a `mass`."""
        T = self.T[:, None]
        low = self.lowest(T, mass)
        x, w = np.polynomial.legendre.leggauss(24)
        span = np.maximum(reference.ENDPOINT - low, 0.0)
        E = low + span * (x + 1) / 2
        per_E = kernel(T, E) * w * span / 2
        line = np.where(low < reference.NU_MU_LINE, kernel(T, np.full_like(low, reference.NU_MU_LINE)), 0.0)
        return np.stack(
            [line[:, 0], *((per_E * f(E)).sum(axis=1) for f in (reference.nu_mu_bar, reference.nu_e))]
        )

    @cached_property
    def vector(self):
        return self.over_flux(lambda T, E: 1 - T / E - self.M * T / (2 * E**2))

    def form_factors(self, shift, scale):
        proton, neutron = self.radii
        return helm(self.q, proton), helm(self.q, (neutron + shift) * scale)


def arrivals(mean):
    """Return the fractions of prompt and of delayed neutrinos in each bin, by convolution on a grid."""
    step = 5e-4
    t = np.arange(-1.5, 6.5, step) + step / 2
    pulse = np.exp(-((t - mean) ** 2) / (2 * 0.15**2)) / (0.15 * math.sqrt(2 * math.pi))

    def decayed(density, lifetime):
        """Return density ⊗ decay, exactly for a density that is constant in each step."""
        keep = math.exp(-step / lifetime)
        found, at_edge = np.empty_like(density), 0.0
        inside = 1 - lifetime / step * (1 - keep)
        for i, x in enumerate(density):
            found[i] = x * inside + at_edge * lifetime / step * (1 - keep)
            at_edge = at_edge * keep + x * (1 - keep)
        return found

    prompt = decayed(pulse, 0.02603)
    delayed = decayed(prompt, 2.197)
    seen = np.exp(-0.0494 * np.maximum(t - 0.52, 0)) * step
    return [np.histogram(t, TIME, weights=p * seen)[0] for p in (prompt, delayed)]


class CsI:
    """The counts and χ² of CsI 2021; a model is a function of a `Nuclide` and its form factors to dσ/dT."""

    def __init__(self):
        quenchings = numbers("scintRespCoefficients.txt")
        nominal, up, down = numbers("effCoefficients.txt")
        self.nuclides = [Nuclide(name, quenchings, (nominal, up, down)) for name in NUCLIDES]
        self.times = [[t[0], t[1], t[1]] for t in (arrivals(0.47 + x) for x in (0, 0.1, -0.1))]
        on, off = numbers("dataBeamOnC.txt"), numbers("dataBeamOnAC.txt")
        self.observed = np.histogram2d(*on.T, bins=(PE, TIME))[0].ravel()
        inside = off[(off[:, 0] < 60) & (off[:, 1] >= 0) & (off[:, 1] < 6)]
        fall = -np.diff(np.exp(-0.0494 * TIME))
        ssb = np.outer(np.histogram(inside[:, 0], PE)[0], fall / fall.sum())
        neutrons = []
        for name, counts in (("brn", 18.4), ("nin", 5.6)):
            x, y = numbers(f"{name}PE.txt").T, numbers(f"{name}Trec.txt").T
            late = y[1] * np.exp(-0.0494 * np.maximum(y[0] - 0.52, 0))
            shape = np.outer(
                np.histogram(x[0], PE, weights=x[1])[0], np.histogram(y[0], TIME, weights=late)[0]
            )
            neutrons.append(counts * shape / shape.sum())
        self.backgrounds = np.array([b.ravel() for b in (ssb, *neutrons)])

    def signal(self, model, free_radius=None):
        """Return the counts and those at +-1 of each shape, (11, bins)."""
        shift = 0.0 if free_radius is None else free_radius - 4.975
        spread = 0.019 if free_radius is None else 0.0
        pe = {}
        for scale in (1, 1 + spread, 1 - spread):
            rates = [model(n, *n.form_factors(shift, scale)) for n in self.nuclides]
            which = range(7) if scale == 1 else [0]
            pe[scale] = [
                sum(rate @ n.response[v].T for rate, n in zip(rates, self.nuclides, strict=True))
                for v in which
            ]
        eff_up, eff_down, *quenched = pe[1][1:]
        shapes = [pe[1][0], *quenched, eff_up, eff_down, pe[1 + spread][0], pe[1 - spread][0]]
        found = [self.in_bins(c, self.times[0]) for c in shapes]
        return np.array(found + [self.in_bins(pe[1][0], t) for t in self.times[1:]])

    @staticmethod
    def in_bins(pe, times):
        return np.einsum("cb,ct->bt", pe, np.array(times)).ravel()

    def profiled(self, signal, start):
        """Return χ² with all pulls profiled, and the pulls: flux, rates of backgrounds, shapes."""
        s = signal[0]
        log = np.log(signal[1:] / s)
        a, b = (log[::2] - log[1::2]) / 2, (log[::2] + log[1::2]) / 2
        widths, n = np.array([*RATES.values()]), self.observed

        def chi2(t):
            size = np.abs(t[4:])
            bend, slope = np.where(size < 1, size**2, 2 * size - 1), 2 * np.clip(t[4:], -1, 1)
            mine = s * 1.1 ** t[0] * np.exp(t[4:] @ a + bend @ b)
            rates = np.maximum(1 + widths * t[1:4], 1e-6)
            mu = mine + rates @ self.backgrounds
            value = 2 * np.sum(mu - n) + 2 * np.sum(n * np.log(np.where(n > 0, n, 1) / mu)) + t @ t
            residual = 2 * (1 - n / mu)
            slopes = [
                math.log(1.1) * mine @ residual,
                *(widths * (self.backgrounds @ residual)),
                *((a + slope[:, None] * b) @ (mine * residual)),
            ]
            return value, np.array(slopes) + 2 * t

        found = minimize(chi2, start, jac=True, method="BFGS", options={"gtol": 1e-6})
        return found.fun, found.x

    def limit(self, signal_at, ends, best, standard=None):
        """Return where χ² is 2.7055 above its best, within 1 % of each of some ends; NaN where it is not.

        The best is sought near one point.

        `standard` is the signal where a parameter decouples, if that may be better.
        """
        pulls = np.zeros(4 + len(SHAPES))

        def chi2(x):
            nonlocal pulls
            value, pulls = self.profiled(signal_at(x), pulls)
            return value

        scale = max(abs(best), *(abs(end - best) for end in ends)) / 10
        near = minimize_scalar(chi2, bracket=(best - scale, best + scale), options={"xtol": 1e-4})
        lowest = min(
            near.fun, chi2(best), np.inf if standard is None else self.profiled(standard, 0 * pulls)[0]
        )
        found = []
        for end in ends:
            try:
                found.append(end * brentq(lambda y, end=end: chi2(y * end) - lowest - 2.705543, 0.99, 1.01))
            except ValueError:  # no crossing within a per cent
                found.append(math.nan)
        return found


# --- cross sections, dσ/dT in MeV^-3 of each component, (3, n) ----------------------------------------


def of_charges(g_p=lambda flavour, q: 0.0, g_n=lambda flavour, q: 0.0, s2=0.23857, changing=None):
    """Return the model of vector couplings of ν_α to p and n, and of others that change the flavour."""

    def model(n, F_p, F_n):
        rows = []
        for flavour in FLAVOUR:
            p, m = 0.5 - 2 * s2 + g_p(flavour, n.q), -0.5 + g_n(flavour, n.q)
            charge = (n.Z * p * F_p + n.N * m * F_n) ** 2
            if changing is not None:
                charge = charge + (n.Z * changing[0] * F_p + n.N * changing[1] * F_n) ** 2
            rows.append(charge)
        return reference.G_F**2 * n.M / math.pi * np.array(rows) * n.vector

    return model


def plus(kernel, strength, of=("e", "mu"), mass=0.0):
    """Return the Standard Model and what adds to it: strength(n, F_p, F_n) ∫φ k(n)(T, E) dE."""

    def model(n, F_p, F_n):
        chosen = np.array([flavour in of for flavour in FLAVOUR], dtype=float)[:, None]
        return of_charges()(n, F_p, F_n) + chosen * strength(n, F_p, F_n) * n.over_flux(kernel(n), mass)

    return model


def moment(mu, of):
    size = math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * mu**2
    return plus(lambda n: lambda T, E: 1 / T - 1 / E, lambda n, F_p, F_n: size * (n.Z * F_p) ** 2, of)


def dipole(d, mass, of):
    size = math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * d**2

    def kernel(n):
        def k(T, E):
            small, large = mass**2 / (4 * E**2 * T * n.M), mass**4 / (8 * E**2 * T**2 * n.M**2)
            return 1 / T - 1 / E + small * (T - 2 * E - n.M) + large * (T - n.M)

        return k

    return plus(kernel, lambda n, F_p, F_n: size * (n.Z * F_p) ** 2, of, mass)


def scalar(g, mass):
    def strength(n, F_p, F_n):
        charge = g**2 * (15.1 * n.Z * F_p + 14 * n.N * F_n)
        return n.M**2 * n.T / (4 * math.pi) * (charge / (n.q**2 + mass**2)) ** 2

    return plus(lambda n: lambda T, E: 1 / E**2, strength)


def loop():
    """Return Q_f/q_f of L_μ - L_τ as a function of q: (4α/π) ∫₀^½ dx x(1-x) ln(Δ_τ/Δ_μ)."""
    x, w = np.polynomial.legendre.leggauss(40)
    y = (x + 1) / 2 * (1 - (x + 1) / 2)
    grid = np.linspace(0, 200, 400)[:, None]
    of = np.log((1776.86**2 + y * grid**2) / (reference.MUON**2 + y * grid**2))
    return CubicSpline(grid[:, 0], reference.ALPHA / math.pi * (y * of) @ w)
