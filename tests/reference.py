"""The seed paper once more, plainly: what the tests compare the package with.

Nothing here comes from nurecoil: constants, nuclides, form factors, spectra, efficiencies, Table I and
Table II are typed again from their sources, and every count is a double integral by `scipy.integrate.quad`
over scalar functions. Slow and simple. Energies in MeV unless the name says otherwise.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scipy.integrate import quad

HBAR_C = 197.3269804  # MeV fm, CODATA 2018
G_F = 1.1663787e-11  # MeV^-2, PDG
ALPHA = 1 / 137.035999  # CODATA
ELECTRON, MUON, PION = 0.51099895, 105.6583755, 139.57039  # MeV, PDG 2022
DALTON = 931.494102  # MeV, CODATA 2018
AVOGADRO = 6.02214076e23
Z_BOSON_GEV = 91.1876  # PDG
CM2 = (HBAR_C * 1e-13) ** 2  # of 1 MeV^-2
SQRT3 = math.sqrt(3)

# Z, A, atomic mass in u: IAEA LiveChart 2022-04 (AME2020), as in ../shared/data/nuclides.csv
NUCLIDES = {
    "Na23": (11, 23, 22.989769282),
    "Ar36": (18, 36, 35.967545106),
    "Ar38": (18, 38, 37.962732102),
    "Ar40": (18, 40, 39.962383122),
    "Ge70": (32, 70, 69.924248542),
    "Ge72": (32, 72, 71.922075824),
    "Ge73": (32, 73, 72.923458954),
    "Ge74": (32, 74, 73.921177760),
    "Ge76": (32, 76, 75.921402725),
    "I127": (53, 127, 126.904472592),
    "Cs133": (55, 133, 132.905451958),
}
# Nuclei per formula unit; abundances from the same table
TARGETS = {
    "CsI": {"Cs133": 1.0, "I127": 1.0},
    "NaI": {"Na23": 1.0, "I127": 1.0},
    "Ar": {"Ar36": 0.003336, "Ar38": 0.000629, "Ar40": 0.996035},
    "Ge": {"Ge70": 0.2052, "Ge72": 0.2745, "Ge73": 0.0776, "Ge74": 0.3652, "Ge76": 0.0775},
}

Efficiency = Callable[[float], float]
FormFactors = Callable[[float, str], tuple[float, float]]
ChargeSquared = Callable[[str, int, int, float, float], float]


# --- source: seed, eqs. 39-41 -------------------------------------------------------------------------

NU_MU_LINE = (PION**2 - MUON**2) / (2 * PION)
ENDPOINT = MUON / 2


def nu_mu_bar(E: float) -> float:
    """Seed, eq. 40."""
    return 64 * E**2 / MUON**3 * (0.75 - E / MUON)


def nu_e(E: float) -> float:
    """Seed, eq. 41."""
    return 192 * E**2 / MUON**3 * (0.5 - E / MUON)


# --- nucleus ------------------------------------------------------------------------------------------


def nuclear_mass(nuclide: str) -> float:
    """Atomic mass without the electrons."""
    Z, _, mass_u = NUCLIDES[nuclide]
    return mass_u * DALTON - Z * ELECTRON


def helm(q: float, R0_fm: float, s_fm: float) -> float:
    """Seed, eq. 29."""
    x = q * R0_fm / HBAR_C
    return 3 * (math.sin(x) / x**2 - math.cos(x) / x) / x * math.exp(-((q * s_fm / HBAR_C) ** 2) / 2)


def helm_of_the_seed(q: float, nuclide: str) -> tuple[float, float]:
    """Proton and neutron form factor: R0² = R² - 5 s², R = 1.2 A^(1/3) fm, s = 0.5 fm."""
    A = NUCLIDES[nuclide][1]
    F = helm(q, math.sqrt((1.2 * A ** (1 / 3)) ** 2 - 5 * 0.5**2), 0.5)
    return F, F


def helm_usual(q: float, nuclide: str) -> tuple[float, float]:
    """Proton and neutron form factor of Cs and I: s = 0.9 fm, rms radii of arXiv:1710.02730."""
    proton, neutron = {"Cs133": (4.804, 5.01), "I127": (4.750, 4.94)}[nuclide]
    F_p, F_n = (helm(q, math.sqrt(5 / 3 * (R**2 - 3 * 0.9**2)), 0.9) for R in (proton, neutron))
    return F_p, F_n


# --- set-ups: seed, Table II and section III ----------------------------------------------------------


@dataclass(frozen=True)
class Setup:
    """One row of Table II; `per_kev` is the observable per keV of recoil, `edges` its range."""

    target: str
    mass_kg: float
    baseline_m: float
    days: float
    low: float
    efficiency: Efficiency
    kinks: tuple[float, ...] = ()
    per_kev: float = 1.0


def csi_efficiency(pe: float) -> float:
    """PHYSICS.md, section 6, from COHERENT's release arXiv:1804.09459."""
    factor = 0.0 if pe < 5 else 0.5 if pe < 6 else 1.0
    return factor * 0.6655 / (1 + math.exp(-0.4942 * (pe - 10.8507)))


LAR_POINTS = (  # recoil energy in keV, efficiency of analysis A: CENNS10AnlAEfficiency.txt, arXiv:2006.12659
    (3.01972, 0.0), (5.00158, 0.031002), (6.95946, 0.16788), (8.89423, 0.29056), (10.8067, 0.38138),
    (12.6976, 0.45027), (14.5676, 0.49954), (18.2477, 0.59243), (20.0591, 0.64002), (21.8521, 0.69097),
    (23.6274, 0.73551), (25.3853, 0.77498), (27.1264, 0.80705), (28.8512, 0.8331), (30.5602, 0.85484),
    (32.2537, 0.86797), (33.9322, 0.8866), (35.596, 0.89777), (37.2456, 0.90438), (38.8812, 0.91759),
    (40.5034, 0.92237), (42.1123, 0.93195), (45.2917, 0.93538), (48.4218, 0.94234), (56.0461, 0.94878),
    (117.549, 0.96345),
)  # fmt: skip


def lar_efficiency(kev: float) -> float:
    """Straight lines between the points, nothing below, constant above."""
    if kev < LAR_POINTS[0][0]:
        return 0.0
    for (x0, y0), (x1, y1) in pairwise(LAR_POINTS):
        if kev < x1:
            return y0 + (y1 - y0) * (kev - x0) / (x1 - x0)
    return LAR_POINTS[-1][1]


def half(_: float) -> float:
    """Table II: 50 %."""
    return 0.5


SETUPS = {
    "binh2021-csi": Setup("CsI", 14.6, 19.3, 308.1, 0.0, csi_efficiency, (5.0, 6.0), 0.0878 * 13.348),
    "binh2021-lar": Setup("Ar", 24.0, 27.5, 365.0, 0.0, lar_efficiency, tuple(x for x, _ in LAR_POINTS)),
    "binh2021-ge": Setup("Ge", 10.0, 22.0, 365.0, 5.0, half),
    "binh2021-nai-185": Setup("NaI", 185.0, 28.0, 365.0, 13.0, half),
    "binh2021-nai-2000": Setup("NaI", 2000.0, 28.0, 365.0, 13.0, half),
}


# --- counts: seed, eq. 42 -----------------------------------------------------------------------------


def universal(g_p: float, g_n: float) -> ChargeSquared:
    """|Q|² for couplings that are the same for all flavours."""
    return lambda flavour, Z, N, F_p, F_n: (Z * F_p * g_p + N * F_n * g_n) ** 2


def by_flavour(g_p: Sequence[Sequence[complex]], g_n: Sequence[Sequence[complex]]) -> ChargeSquared:
    """Σ_β |Q_αβ|² for couplings that are matrices in flavour, rows and columns e, mu, tau."""

    def charge_squared(flavour: str, Z: int, N: int, F_p: float, F_n: float) -> float:
        a = {"e": 0, "mu": 1}[flavour]
        return sum(abs(Z * F_p * g_p[a][b] + N * F_n * g_n[a][b]) ** 2 for b in range(3))

    return charge_squared


def counts(
    setup: Setup,
    charge_squared: ChargeSquared,
    moments: Mapping[str, float] | None = None,
    *,
    low: float | None = None,
    high: float = math.inf,
    form_factors: FormFactors = helm_of_the_seed,
    of_the_seed: bool = True,
) -> float:
    """Counts with the observable between `low` and `high`.

    Cross sections as in the seed's eqs. 28 and 35 or, without `of_the_seed`, as usual: with -T/E in the
    weak one, without T/4E² but with F_p² in the magnetic one.
    """
    moments = moments or {"e": 0.0, "mu": 0.0}
    low = setup.low if low is None else low
    formula = TARGETS[setup.target]
    grams_per_mole = sum(n * NUCLIDES[name][2] for name, n in formula.items())
    protons = 1.76e23 * setup.days / 308.1
    fluence = 0.08 * protons / (4 * math.pi * (100 * setup.baseline_m) ** 2)
    total = 0.0
    for name, n in formula.items():
        nuclei = 1000 * setup.mass_kg * n / grams_per_mole * AVOGADRO
        Z, A, _ = NUCLIDES[name]
        M = nuclear_mass(name)

        def cross_section(T: float, E: float, flavour: str, name=name, Z=Z, A=A, M=M) -> float:
            F_p, F_n = form_factors(math.sqrt(2 * M * T), name)
            weak = G_F**2 * M / math.pi * charge_squared(flavour, Z, A - Z, F_p, F_n)
            dipole = math.pi * ALPHA**2 / ELECTRON**2 * moments[flavour] ** 2 * Z**2
            if of_the_seed:
                weak *= 1 - M * T / (2 * E**2)
                dipole *= 1 / T - 1 / E + T / (4 * E**2)
            else:
                weak *= 1 - T / E - M * T / (2 * E**2)
                dipole *= (1 / T - 1 / E) * F_p**2
            return CM2 * (weak + dipole)

        def averaged(T: float, spectrum, flavour: str, M=M, cross_section=cross_section) -> float:
            E_min = (T + math.sqrt(T**2 + 2 * M * T)) / 2
            return quad(lambda E: spectrum(E) * cross_section(T, E, flavour), E_min, ENDPOINT, epsabs=0)[0]

        components = (
            (NU_MU_LINE, lambda T, xs=cross_section: xs(T, NU_MU_LINE, "mu")),
            (ENDPOINT, lambda T, f=averaged: f(T, nu_mu_bar, "mu")),
            (ENDPOINT, lambda T, f=averaged: f(T, nu_e, "e")),
        )
        for E_max, rate in components:
            end = min(high, 1e3 * setup.per_kev * 2 * E_max**2 / (M + 2 * E_max))
            inside = [x for x in setup.kinks if low < x < end]
            corners = [low, *inside, end] if low < end else []
            for x0, x1 in pairwise(corners):

                def density(x: float, rate=rate) -> float:
                    T = x / (1e3 * setup.per_kev)
                    return rate(T) * setup.efficiency(x) / (1e3 * setup.per_kev)

                total += nuclei * fluence * quad(density, x0, x1, epsabs=0)[0]
    return total


# --- 331β: seed, Table I and eqs. 25-27 ---------------------------------------------------------------


def table_one(beta: float, s2: float, s13: float) -> dict[str, tuple[float, float]]:
    """The last two columns of Table I, g_V^Z' and g_A^Z', as printed."""
    f = 1 / math.sqrt(1 - (1 + beta**2) * s2)
    mixing = 2 * (1 - s2) * abs(s13) ** 2
    norm = f / (2 * SQRT3)
    return {
        "nu": (norm * (1 - (1 + SQRT3 * beta) * s2), norm * (1 - (1 + SQRT3 * beta) * s2)),
        "u": (norm * (-1 + (1 + 5 / SQRT3 * beta) * s2), norm * (-1 + (1 - SQRT3 * beta) * s2)),
        "d": (
            norm * (-1 + (1 - beta / SQRT3) * s2 + mixing),
            norm * (-1 + (1 + SQRT3 * beta) * s2 + mixing),
        ),
    }


def couplings_331(
    beta: float, m_zprime_gev: float, s2: float, s13: float = 0.03, variant: str = "equations"
) -> tuple[float, float]:
    """G_V(p) and G_V(n) of eqs. 25-27; "numbers" flips the Z' coupling of u and doubles those of u and d."""
    f = 1 / math.sqrt(1 - (1 + beta**2) * s2)
    strength = (Z_BOSON_GEV / m_zprime_gev) ** 2 * f / SQRT3 * (1 - (1 + SQRT3 * beta) * s2)
    table = table_one(beta, s2, s13)
    factor_u, factor_d = {"equations": (1, 1), "numbers": (-2, 2)}[variant]
    u = 1 / 2 - 4 / 3 * s2 + strength * factor_u * table["u"][0]
    d = -1 / 2 + 2 / 3 * s2 + strength * factor_d * table["d"][0]
    return 2 * u + d, u + 2 * d


def couplings_sm(s2: float) -> tuple[float, float]:
    """g_V(p) and g_V(n) at tree level."""
    return 1 / 2 - 2 * s2, -1 / 2
