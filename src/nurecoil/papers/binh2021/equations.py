"""The paper's equations (sections II and III), each checked against what it is said to follow from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log10, pi, sqrt

import numpy as np

from nurecoil.constants import (
    ELECTRON_MASS,
    FERMI_CONSTANT,
    HBAR_C_MEV_FM,
    MEV_M2_TO_CM2,
    MUON_MASS,
    Z_MASS,
)
from nurecoil.couplings import nucleon_couplings, weak_charge
from nurecoil.cross_section import recoil_energy_max, vector
from nurecoil.fluxes.pion_decay_at_rest import nu_mu_energy
from nurecoil.models import zprime_331 as z331
from nurecoil.models.standard_model import z_axial, z_vector
from nurecoil.nuclei import Nuclide, nuclide
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.setup import BETA_OF, S13_TILDE, SIN2_THETA_W

ROUNDING = 1e-12
ROOT3 = sqrt(3)


@dataclass(frozen=True)
class Finding:
    """Whether something printed holds in each variant (None: nothing to judge by), and our values."""

    equations: bool | None
    numbers: bool | None
    shown: Mapping[str, object]


def equation_findings() -> dict[str, Finding]:
    """Return what becomes of each equation, by its key in `published.toml`."""
    return {**_representations(), **_gauge_sector(), **_couplings(), **_scattering()}


def both(holds: bool, **shown: object) -> Finding:
    """Return a finding that does not depend on the variant."""
    return Finding(holds, holds, shown)


def _equal(differences: object, in_numbers: bool = True, **shown: object) -> Finding:
    """Return a finding of an equation that holds if no difference is above rounding."""
    off = worst(differences)
    return Finding(
        off < ROUNDING, off < ROUNDING and in_numbers, {"off": f"to {off:.0e}" if off else "exactly", **shown}
    )


def worst(differences: object) -> float:
    """Return the largest absolute value."""
    return float(np.max(np.abs(differences)))


def by_variant(
    check: Callable[[str], Mapping[str, tuple[bool | None, object]]], **more: Mapping[str, object]
) -> dict[str, Finding]:
    """Return findings from a check that says, in one variant, whether each key holds and what is shown."""
    equations, numbers = (check(variant) for variant in z331.VARIANTS)
    return {
        key: Finding(
            holds, numbers[key][0], {"equations": shown, "numbers": numbers[key][1], **more.get(key, {})}
        )
        for key, (holds, shown) in equations.items()
    }


# --- section II ---------------------------------------------------------------------------------------


def _charges(beta: float, x: float, triplet: int = 1) -> compute.Array:
    """Return the electric charges of the components of an (anti)triplet (eq. 1)."""
    weights = ((1 / 2, 1 / (2 * ROOT3)), (-1 / 2, 1 / (2 * ROOT3)), (0.0, -1 / ROOT3))
    return np.array([z331.electric_charge(t3, t8, x, beta, triplet) for t3, t8 in weights])


def _scalar_x(beta: float) -> dict[str, float]:
    """Return X of the scalars (eq. 7)."""
    half = beta / (2 * ROOT3)
    return {"chi": 2 * half, "eta": -1 / 2 - half, "rho": 1 / 2 - half}


def _representations() -> dict[str, Finding]:
    leptons, bosons, scalars, yukawa, third = [], [], [], [], 0.0
    for beta in BETA_OF.values():
        half, root, x = beta / (2 * ROOT3), ROOT3 * beta / 2, _scalar_x(beta)
        lepton = _charges(beta, -1 / 2 + half, triplet=-1)
        leptons.append(lepton - [-1, 0, -1 / 2 + root])
        a, b = z331.boson_charges(beta)
        plain = _charges(beta, 0.0)
        bosons.append(plain[:2] - plain[2] - [a, b])
        printed = {"chi": (a, b, 0), "eta": (0, -1, -a), "rho": (1, 0, -b)}
        scalars += [_charges(beta, x[name]) - printed[name] for name in printed]
        quark, other = 1 / 6 - half, 1 / 6 + half  # X of Q_1, Q_2 (triplets) and of Q_3 (antitriplet)
        exotic, top = 1 / 6 - root, 1 / 6 + root  # X of J and T: the charges of the third components
        yukawa += [x["rho"] - 1 / 3 - quark, x["eta"] + 2 / 3 - quark, x["chi"] + exotic - quark]
        yukawa += [-x["eta"] - 1 / 3 - other, -x["rho"] + 2 / 3 - other, -x["chi"] + top - other]
        third = min(third, x["rho"] - 1 / 3 - other)  # Q̄_3 ρ d_R, as i = 3 would have it
    (a, b), (a_minus, b_minus) = z331.boson_charges(ROOT3), z331.boson_charges(-ROOT3)
    families = [z331.UP.triplet] * 2 + [-z331.UP.triplet]  # the third quark family is the odd one
    triplets, antitriplets = 3 * families.count(1), 3 * families.count(-1) + 3  # and three lepton families
    return {
        "anomaly": both(triplets == antitriplets, triplets=triplets, antitriplets=antitriplets),
        "leptons": _equal(leptons),
        "first-lepton": both(bool(abs(lepton[0]) < ROUNDING), charge=lepton[0]),
        "boson-charges": _equal(bosons, a=a, b=b, a_minus=a_minus, b_minus=b_minus),
        "scalar-charges": _equal(scalars),
        "yukawa": both(max(worst(yukawa), -third) < ROUNDING, x=third),
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
    rotation, phases = (0.2, 0.03, 0.04), (0.3, 0.5, 0.7)
    mixing = z331.mixing_matrix(*rotation, *phases)
    printed = mixing.copy()
    printed[1, 2] -= 2 * sqrt(1 - rotation[0] ** 2) * rotation[2] * np.exp(1j * phases[1])
    defect, rotated = worst(printed.conj().T @ printed - np.eye(3)), worst(mixing.conj().T - mixing)
    return {
        "coupling-ratio": _equal(ratio / matched - 1, ratio=ratio[0], factor=sqrt(ratio[0]), s2=SIN2_THETA_W),
        "beta-bound": both(ROOT3 < bound < 4 / ROOT3, bound=bound, next=4 / ROOT3),
        "boson-masses": _equal(np.array(z331.boson_masses(1.0, *vevs)) / masses - 1),
        "rotations": both(rotated < ROUNDING, off=rotated),
        "unitary": both(defect < ROUNDING),
    }


def _couplings() -> dict[str, Finding]:
    """Check Table I against eqs. 16, 17 and our own couplings, and the exchange of the Z' (eqs. 22 to 25)."""
    s2, mixing = SIN2_THETA_W, 2 * (1 - SIN2_THETA_W) * S13_TILDE**2
    u, d = (z_vector(f.isospin, f.charge, s2) for f in (z331.UP, z331.DOWN))
    chiral = ((1, 0), (1 - 4 / 3 * s2, -4 / 3 * s2), (-1 + 2 / 3 * s2, 2 / 3 * s2))  # L and R of eq. 16
    table = ((1 / 2, 1 / 2), (1 / 2 - 4 / 3 * s2, 1 / 2), (-1 / 2 + 2 / 3 * s2, -1 / 2))
    ours = [(z_vector(f.isospin, f.charge, s2), z_axial(f.isospin)) for f in compute.FERMIONS.values()]
    from_chiral = [((left + right) / 2, (left - right) / 2) for left, right in chiral]
    z = [np.subtract(ours, other) for other in (table, from_chiral)]
    zprime, exchange = [], []
    couplings, as_printed = compute.table1(), compute.table1_as_printed(s2, S13_TILDE)
    for label, beta in BETA_OF.items():
        f = 1 / sqrt(1 - (1 + beta**2) * s2)
        left, right = -1 + (1 + beta / ROOT3) * s2, 4 / ROOT3 * beta * s2
        printed = {
            "nu": (1 - (1 + ROOT3 * beta) * s2, 0.0),
            "u": (left, right),
            "d": (left + mixing, -right / 2),
        }
        for name, (left, right) in printed.items():
            for coupling, sign in (("gV", 1), ("gA", -1)):
                chirals = f / (2 * ROOT3) * (left + sign * right)
                zprime.append(couplings[label][name][coupling] - chirals)
        quarks = z331.quark_couplings(beta, Z_MASS, s2, S13_TILDE)  # at m_Z' = m_Z: the strength alone
        for name, standard in zip(("u", "d"), ours[1:], strict=True):
            new = [couplings[label][name][c] * 2 * couplings[label]["nu"]["gV"] for c in ("gV", "gA")]
            exchange.append(np.subtract(quarks[name], standard) - new)
    difference = [
        couplings[b][f][g] - as_printed[b][f][g]
        for b in couplings
        for f in couplings[b]
        for g in ("gV", "gA")
    ]
    return {
        "z-couplings": _equal(z, u=u, d=d, s2=s2),
        "zprime-chiral": _equal(zprime, in_numbers=False),
        "table1": _equal(difference, in_numbers=False),
        "exchange": _equal(exchange, in_numbers=False),
    }


# --- section III --------------------------------------------------------------------------------------


def _weak_charge(nucleus: Nuclide) -> float:
    up, down = z_vector(1 / 2, 2 / 3, SIN2_THETA_W), z_vector(-1 / 2, -1 / 3, SIN2_THETA_W)
    return float(weak_charge(*nucleon_couplings(up, down), nucleus.Z, nucleus.N))


def _axial_ratio(nucleus: Nuclide, spins: int) -> float:
    """Return A |Q_W^A/Q_W^V| of eq. 31 with Z₊ − Z₋ = `spins` and paired neutrons."""
    axial_p, _ = nucleon_couplings(z_axial(1 / 2), z_axial(-1 / 2))
    return abs(float(-2 * axial_p * spins) / _weak_charge(nucleus)) * nucleus.A


def _scattering() -> dict[str, Finding]:
    cs, i, ar, ge, na = (nuclide(name) for name in ("Cs133", "I127", "Ar40", "Ge74", "Na23"))
    closed = [n.N - (1 - 4 * SIN2_THETA_W) * n.Z - _weak_charge(n) for n in (cs, i, ar, ge, na)]
    power = log10((_weak_charge(cs) / _weak_charge(ar)) ** 2) / log10(cs.A / ar.A)
    radius = 1.2 * cs.A ** (1 / 3) / HBAR_C_MEV_FM
    E, charge = 30.0, _weak_charge(cs)
    T = np.array([0.1, 0.5, 0.9]) * recoil_energy_max(E, cs.mass)
    printed = (
        FERMI_CONSTANT**2 / (4 * pi) * cs.mass * charge**2 * (1 - cs.mass * T / (2 * E**2)) * MEV_M2_TO_CM2
    )
    section = vector(T, E, cs.mass, -charge / 2, recoil_term=False)
    ratios = [_axial_ratio(n, 1) for n in (cs, i, na)]
    moment = 3 * FERMI_CONSTANT * ELECTRON_MASS * 1e-6 / (4 * sqrt(2) * pi**2) * 1e19
    x, w = np.polynomial.legendre.leggauss(8)  # exact for the polynomials of eqs. 40 and 41
    E_nu, w = (x + 1) / 2 * MUON_MASS / 2, w * MUON_MASS / 4
    spectra = (
        64 * E_nu**2 / MUON_MASS**3 * (3 / 4 - E_nu / MUON_MASS),
        192 * E_nu**2 / MUON_MASS**3 * (1 / 2 - E_nu / MUON_MASS),
    )
    means = [float(w @ (E_nu * spectrum)) for spectrum in spectra]
    return {
        "quadratic": both(round(power) == 2, power=power),
        "coherence": both(16 * radius <= 1, reactor=16 * radius, sns=MUON_MASS * radius),
        "weak-charge": _equal(closed, cs=_weak_charge(cs)),
        "cross-section": _equal(section / printed - 1),
        "axial": both(
            all(1 / 3 < r < 3 for r in ratios) and _axial_ratio(ar, 0) == 0,
            **dict(zip(("cs", "i", "na"), ratios, strict=True)),
            share=(ratios[0] / cs.A) ** 2,
        ),
        "moment": both(abs(moment - 3.2) <= 0.05, moment=moment),
        "spectra": _equal(
            [w @ s - 1 for s in spectra], mean_mu=means[0], mean_e=means[1], line=nu_mu_energy()
        ),
        "endpoint": both(abs(MUON_MASS / 2 - 52.8) <= 0.05, endpoint=MUON_MASS / 2),
    }
