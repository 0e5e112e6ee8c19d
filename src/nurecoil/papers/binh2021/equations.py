"""The paper's equations (sections I to III), each checked against what it is said to follow from."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10, pi, sqrt
from typing import Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.models import zprime_331 as z331
from nurecoil.models.standard_model import z_axial, z_vector
from nurecoil.papers.binh2021.compute import FERMIONS, zprime
from nurecoil.papers.binh2021.paper import BETA_OF, S13_TILDE, SIN2_THETA_W
from nurecoil.papers.binh2021.published import Brackets
from nurecoil.physics.constants import (
    ELECTRON_MASS,
    FERMI_CONSTANT,
    HBAR_C_MEV_FM,
    MEV_M2_TO_CM2,
    MUON_MASS,
    Z_MASS,
)
from nurecoil.physics.couplings import nucleon_couplings, weak_charge
from nurecoil.physics.cross_section import recoil_energy_max, vector
from nurecoil.physics.nuclei import Nuclide, nuclide
from nurecoil.sources.pion_decay_at_rest import nu_mu_energy

ROUNDING = 1e-12
ROOT3 = sqrt(3)
ROTATION, PHASES = (0.2, 0.03, 0.04), (0.3, 0.5, 0.7)  # any, to try eq. 18 with
T3_T8 = ((1 / 2, 1 / (2 * ROOT3)), (-1 / 2, 1 / (2 * ROOT3)), (0.0, -1 / ROOT3))


@dataclass(frozen=True)
class Finding:
    """Whether something printed holds in each variant (None: nothing to judge by), and our values."""

    equations: bool | None
    numbers: bool | None
    shown: Mapping[str, object]


def equation_findings(brackets: Mapping[str, Brackets]) -> dict[str, Finding]:
    """Return what becomes of each equation, by its key in `published.toml`."""
    return {**_representations(), **_gauge_sector(), **_couplings(brackets), **_scattering()}


def both(holds: bool, **shown: object) -> Finding:
    """Return a finding that does not depend on the variant."""
    return Finding(holds, holds, shown)


def worst(differences: Any) -> float:
    """Return the largest absolute value."""
    return float(np.max(np.abs(differences)))


def _equal(differences: Any, in_numbers: bool = True, **shown: object) -> Finding:
    """Return a finding of an equation that holds if no difference is above rounding."""
    off = worst(differences)
    holds = off < ROUNDING
    return Finding(holds, holds and in_numbers, {"off": f"to {off:.0e}" if off else "exactly", **shown})


def _charges(beta: float, x: float, triplet: int = 1) -> Array:
    """Return the electric charges of the components of an (anti)triplet (eq. 1)."""
    return np.array([z331.electric_charge(t3, t8, x, beta, triplet) for t3, t8 in T3_T8])


def _representations() -> dict[str, Finding]:
    leptons, bosons, scalars, yukawa, as_printed = [], [], [], [], []
    for beta in BETA_OF.values():
        half, root = beta / (2 * ROOT3), ROOT3 * beta / 2
        a, b = z331.boson_charges(beta)
        x_chi, x_eta, x_rho = 2 * half, -1 / 2 - half, 1 / 2 - half
        leptons.append(_charges(beta, -1 / 2 + half, triplet=-1) - [-1, 0, -1 / 2 + root])
        bosons.append(_charges(beta, 0.0)[:2] - _charges(beta, 0.0)[2] - [a, b])
        for x, charges in ((x_chi, (a, b, 0)), (x_eta, (0, -1, -a)), (x_rho, (1, 0, -b))):
            scalars.append(_charges(beta, x) - charges)
        quark, third = 1 / 6 - half, 1 / 6 + half  # X of Q_1, Q_2 (triplets) and of Q_3 (antitriplet)
        yukawa += [x_rho - 1 / 3 - quark, x_eta + 2 / 3 - quark, x_chi + 1 / 6 - root - quark]
        yukawa += [-x_eta - 1 / 3 - third, -x_rho + 2 / 3 - third, -x_chi + 1 / 6 + root - third]
        as_printed.append(x_rho - 1 / 3 - third)  # i = 3 in the first term
    first = float(_charges(0.0, -1 / 2, triplet=-1)[0])
    (a, b), (a_minus, b_minus) = z331.boson_charges(ROOT3), z331.boson_charges(-ROOT3)
    families = (z331.UP.triplet, z331.UP.triplet, -z331.UP.triplet)  # the third one is the odd one
    triplets, antitriplets = 3 * families.count(1), 3 * families.count(-1) + 3 * (z331.NEUTRINO.triplet == -1)
    return {
        "anomaly": both(triplets == antitriplets, triplets=triplets, antitriplets=antitriplets),
        "leptons": _equal(leptons),
        "first-lepton": both(abs(first) < ROUNDING, charge=first),
        "boson-charges": _equal(bosons, a=a, b=b, a_minus=a_minus, b_minus=b_minus),
        "scalar-charges": _equal(scalars),
        "yukawa": both(worst(yukawa + as_printed) < ROUNDING, x=as_printed[0]),
    }


def _gauge_sector() -> dict[str, Finding]:
    s2, betas = SIN2_THETA_W, np.array(list(BETA_OF.values()))
    ratio = np.asarray(z331.coupling_ratio_squared(betas, s2))
    matched = 6 / ((1 - s2) / s2 - betas**2)  # from 1/g_1² = β²/g² + 6/g_X²
    bound = sqrt(1 / s2 - 1)
    vevs = omega, v, u = 10.0, 0.7, 0.5  # any; of χ, ρ, η in components 3, 2, 1
    masses = []
    for i, j in ((0, 2), (1, 2), (0, 1)):  # Y, V, W: their fields are entries (i, j) of eq. 4, over √2
        field = np.zeros((3, 3))
        field[i, j] = field[j, i] = 1 / sqrt(2)
        masses.append(sqrt(np.sum((field * [u, v, omega] / sqrt(2)) ** 2)))
    mixing = z331.mixing_matrix(*ROTATION, *PHASES)
    printed, rotated = mixing.copy(), worst(mixing.conj().T - mixing)
    printed[1, 2] -= 2 * sqrt(1 - ROTATION[0] ** 2) * ROTATION[2] * np.exp(1j * PHASES[1])
    return {
        "coupling-ratio": _equal(ratio / matched - 1, ratio=ratio[0], factor=sqrt(ratio[0]), s2=s2),
        "beta-bound": both(ROOT3 < bound < 4 / ROOT3, bound=bound, next=4 / ROOT3),
        "boson-masses": _equal(np.array(z331.boson_masses(1.0, *vevs)) / masses - 1),
        "rotations": both(rotated < ROUNDING, off=rotated),
        "unitary": both(worst(printed.conj().T @ printed - np.eye(3)) < ROUNDING),
    }


def _couplings(brackets: Mapping[str, Brackets]) -> dict[str, Finding]:
    """Check eqs. 16, 17 and Table I against our couplings, and the exchange of the Z' (eqs. 22 to 25)."""
    s2 = SIN2_THETA_W
    z, chiral, table, exchange, vectors = [], [], [], [], {}
    for name, fermion in FERMIONS.items():
        printed, mixing = brackets[name], 2 * (1 - s2) * S13_TILDE**2 if name == "d" else 0.0
        vectors[name] = z_vector(fermion.isospin, fermion.charge, s2)
        ours = np.array([vectors[name], z_axial(fermion.isospin)])
        left, right = (constant + slope * s2 / 3 for constant, slope in printed["eq16"])
        z += [[(left + right) / 2, (left - right) / 2] - ours]
        z += [[constant + slope * s2 / 3 for constant, slope in printed["table1_z"]] - ours]
        for beta in BETA_OF.values():
            norm = z331.zprime_normalisation(beta, s2) / (2 * ROOT3)
            new = zprime(name, beta)
            (left, right), axes = (
                [c[0] + (c[1] + c[2] * beta / ROOT3) * s2 for c in part]
                for part in (printed["eq17"], printed["table1"])
            )
            left += mixing
            chiral.append(norm * np.array([left + right, left - right]) - new)
            table.append(norm * (np.array(axes) + mixing) - new)
            if name != "nu":  # at m_Z' = m_Z there is the strength alone
                effective = z331.exchange(beta, Z_MASS, s2, S13_TILDE)[name]
                exchange.append(np.array(effective) - 2 * zprime("nu", beta)[0] * new)
    return {
        "z-couplings": _equal(z, u=vectors["u"], d=vectors["d"], s2=s2),
        "zprime-chiral": _equal(chiral, in_numbers=False),
        "table1": _equal(table, in_numbers=False),
        "exchange": _equal(exchange, in_numbers=False),
    }


def _weak_charge(nucleus: Nuclide) -> float:
    up, down = z_vector(1 / 2, 2 / 3, SIN2_THETA_W), z_vector(-1 / 2, -1 / 3, SIN2_THETA_W)
    return float(weak_charge(*nucleon_couplings(up, down), nucleus.Z, nucleus.N))


def _axial_ratio(nucleus: Nuclide) -> float:
    """Return A |Q_W^A/Q_W^V| of eq. 31, with one proton unpaired where Z is odd and all neutrons paired."""
    axial_p, _ = nucleon_couplings(z_axial(1 / 2), z_axial(-1 / 2))
    return abs(float(-2 * axial_p * (nucleus.Z % 2)) / _weak_charge(nucleus)) * nucleus.A


def _scattering() -> dict[str, Finding]:
    cs, i, ar, ge, na = nuclei = [nuclide(name) for name in ("Cs133", "I127", "Ar40", "Ge74", "Na23")]
    power = log10((_weak_charge(cs) / _weak_charge(ar)) ** 2) / log10(cs.A / ar.A)
    radius = 1.2 * cs.A ** (1 / 3) / HBAR_C_MEV_FM
    T, E = np.array([0.1, 0.5, 0.9]) * recoil_energy_max(30.0, cs.mass), 30.0
    printed = FERMI_CONSTANT**2 / (4 * pi) * cs.mass * _weak_charge(cs) ** 2 * (1 - cs.mass * T / (2 * E**2))
    section = vector(T, E, cs.mass, -_weak_charge(cs) / 2, recoil_term=False)
    ratios = {"cs": _axial_ratio(cs), "i": _axial_ratio(i), "na": _axial_ratio(na)}
    moment = 3 * FERMI_CONSTANT * ELECTRON_MASS * 1e-6 / (4 * sqrt(2) * pi**2) * 1e19
    nodes, weights = np.polynomial.legendre.leggauss(8)  # exact for the polynomials of eqs. 40 and 41
    x, w = (nodes + 1) / 4, weights / 4  # E/m_μ
    spectra = np.array([64 * x**2 * (3 / 4 - x), 192 * x**2 * (1 / 2 - x)])
    mean_mu, mean_e = spectra @ (w * x) * MUON_MASS
    return {
        "quadratic": both(round(power) == 2, power=power),
        "coherence": both(16 * radius <= 1, reactor=16 * radius, sns=MUON_MASS * radius),
        "weak-charge": _equal(
            [n.N - (1 - 4 * SIN2_THETA_W) * n.Z - _weak_charge(n) for n in nuclei], cs=_weak_charge(cs)
        ),
        "cross-section": _equal(section / (printed * MEV_M2_TO_CM2) - 1),
        "axial": both(
            all(1 / 3 < r < 3 for r in ratios.values()) and _axial_ratio(ar) == _axial_ratio(ge) == 0,
            **ratios,
            share=100 * (ratios["cs"] / cs.A) ** 2,
        ),
        "moment": both(abs(moment - 3.2) <= 0.05, moment=moment),
        "spectra": _equal(spectra @ w - 1, mean_mu=mean_mu, mean_e=mean_e, line=nu_mu_energy()),
        "endpoint": both(abs(MUON_MASS / 2 - 52.8) <= 0.05, endpoint=MUON_MASS / 2),
    }
