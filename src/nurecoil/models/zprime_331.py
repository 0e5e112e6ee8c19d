"""The 331β model: SU(3)_c x SU(3)_L x U(1)_X with electric charge Q = T3 + β T8 + X.

Binh, Hue, Binh, Soa, Long, "COHERENT constraints on Z' in 331β model" (2021). The couplings of the Z' are not
copied from its Table I but follow from two numbers of each fermion, its hypercharge and its SU(3)_L
representation; the tests compare them with Table I.

Two variants. "equations" is what the paper derives, and the physics. "numbers" is what its Table III and
its CsI limits follow from: the Z' vector coupling of the up quark with the opposite sign, and both Z'
vector couplings of the quarks doubled.

Two choices go beyond the paper. scale = "zprime" takes s_W² and the gauge coupling of the Z' at its mass, by
the Standard Model's running. mixing = "tree" lets Z and Z' mix, as the vacuum expectation values say.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL, z_axial, z_vector
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import (
    FERMI_CONSTANT,
    INVERSE_ALPHA_AT_Z,
    SIN2_THETA_W,
    SIN2_THETA_W_AT_Z,
    W_MASS,
    Z_MASS,
)
from nurecoil.physics.couplings import AMPLITUDES, Couplings, nucleon_couplings

Array = float | NDArray[np.float64]

SQRT3 = math.sqrt(3)
BETAS = tuple(n / SQRT3 for n in (3, 2, 1, 0, -1, -2, -3))  # eq. 9
VARIANTS = ("equations", "numbers")
_FAR = 100.0  # TeV: a Landau pole beyond need not be told
NUMBERS_FACTOR = {"u": -2.0, "d": 2.0}  # on g_V^Z'(q) in variant "numbers"


@dataclass(frozen=True)
class Fermion:
    """A Standard Model fermion: T3 of its left-handed part, hypercharges, SU(3)_L representation.

    `triplet` is +1 in a triplet, -1 in an antitriplet. A fermion without hypercharge on the right has no
    right-handed Z or Z' coupling.
    """

    isospin: float
    hypercharge_left: float
    hypercharge_right: float
    triplet: int

    @property
    def charge(self) -> float:
        """Electric charge Q = T3 + Y."""
        return self.isospin + self.hypercharge_left


NEUTRINO = Fermion(isospin=1 / 2, hypercharge_left=-1 / 2, hypercharge_right=0.0, triplet=-1)
ELECTRON = Fermion(isospin=-1 / 2, hypercharge_left=-1 / 2, hypercharge_right=-1.0, triplet=-1)
UP = Fermion(isospin=1 / 2, hypercharge_left=1 / 6, hypercharge_right=2 / 3, triplet=+1)
DOWN = Fermion(isospin=-1 / 2, hypercharge_left=1 / 6, hypercharge_right=-1 / 3, triplet=+1)


# --- charges, gauge coupling, masses ------------------------------------------------------------------


def electric_charge(isospin: float, t8: float, x: float, beta: float, triplet: int = 1) -> float:
    """Return Q = ±(T3 + β T8) + X (eq. 1); the lower sign (`triplet` = -1) holds in an antitriplet.

    >>> electric_charge(0.0, -1 / 3**0.5, -1 / 2 + 3**0.5 / (2 * 3**0.5), beta=3**0.5, triplet=-1)
    1.0
    """
    return triplet * (isospin + beta * t8) + x


def boson_charges(beta: float) -> tuple[float, float]:
    """Return the charges A = 1/2 + √3β/2 of Y and B = -1/2 + √3β/2 of V (eq. 6)."""
    return 1 / 2 + SQRT3 * beta / 2, -1 / 2 + SQRT3 * beta / 2


def coupling_ratio_squared(beta: Array, sin2_theta_w: Array) -> Array:
    """Return g_X²/g² = 6 s_W² / [1 - (1 + β²) s_W²] (eq. 8)."""
    return 6 * sin2_theta_w * zprime_normalisation(beta, sin2_theta_w) ** 2


def boson_masses(g: float, omega: float, v: float, u: float) -> tuple[float, float, float]:
    """Return m_Y, m_V and m_W, from m² = (g²/4)(ω² + u²), (ω² + v²) and (v² + u²) (eq. 10).

    The vacuum expectation values and the masses have the same unit.
    """
    return g / 2 * math.hypot(omega, u), g / 2 * math.hypot(omega, v), g / 2 * math.hypot(v, u)


def mixing_matrix(
    s12: float, s13: float, s23: float, delta1: float = 0.0, delta2: float = 0.0, delta3: float = 0.0
) -> NDArray[np.complex128]:
    """Return V_L, the rotation of the left-handed down quarks (eq. 18), shape (3, 3), unitary.

    As printed, eq. 18 is not unitary: c̃12 s̃23 e^(iδ2) in the second row needs a plus sign, as here.
    """

    def rotation(i: int, j: int, sine: float, phase: float) -> NDArray[np.complex128]:
        found = np.eye(3, dtype=complex)
        found[i, i] = found[j, j] = math.sqrt(1 - sine**2)
        found[i, j], found[j, i] = sine * np.exp(1j * phase), -sine * np.exp(-1j * phase)
        return found

    return rotation(0, 1, s12, delta3) @ rotation(0, 2, s13, delta1) @ rotation(1, 2, s23, delta2)


# --- couplings of the Z' ------------------------------------------------------------------------------


def zprime_normalisation(beta: Array, sin2_theta_w: Array) -> Array:
    """Return f(β) = 1/√(1 - (1 + β²) s_W²) (Table I).

    An error where 1 - (1 + β²) s_W² <= 0: there g_X is not real and the model does not exist.
    """
    radicand = 1 - (1 + np.asarray(beta) ** 2) * sin2_theta_w
    if np.any(radicand <= 1e-12):  # zero but for rounding, too
        worst = float(np.min(radicand))
        raise NurecoilError(
            f"the 331β model does not exist at beta = {np.max(np.abs(beta)):.6g}, sin2_theta_w ="
            f" {np.max(sin2_theta_w):.6g}: 1 - (1 + beta²) sin2_theta_w = {worst:.4g} must be positive"
        )
    return 1 / np.sqrt(radicand)


def zprime_chiral(triplet: Array, hypercharge: float, beta: Array, sin2_theta_w: Array) -> Array:
    """Return the Z' coupling -t c_W² + 2√3 β s_W² Y of one chirality, over gf(β)/(2√3 c_W) (eq. 17).

    t is +1 in a triplet, -1 in an antitriplet, and 0 of the right-handed, which are singlets.
    """
    return -triplet * (1 - sin2_theta_w) + 2 * SQRT3 * beta * sin2_theta_w * hypercharge


def zprime_couplings(
    fermion: Fermion, beta: Array, sin2_theta_w: Array, third_generation: Array = 0.0
) -> tuple[Array, Array]:
    """Return g_V^Z'(f) and g_A^Z'(f) = f(β)/(2√3) (L ± R), in the normalisation g/2c_W of eq. 20 (Table I).

    `third_generation` is |V_L,31|² = s̃13², the part of the fermion that belongs to the third generation and
    so to the opposite representation. Numbers and arrays broadcast.
    """
    norm = zprime_normalisation(beta, sin2_theta_w) / (2 * SQRT3)
    triplet = fermion.triplet * (1 - 2 * third_generation)
    left = zprime_chiral(triplet, fermion.hypercharge_left, beta, sin2_theta_w)
    right = zprime_chiral(0, fermion.hypercharge_right, beta, sin2_theta_w)
    return norm * (left + right), norm * (left - right)


def running(mass: Array, sin2_theta_w: Array) -> tuple[Array, Array]:
    """Return s_W²(μ) in MS-bar and g²/c_W² over that at m_Z, μ = `mass` (MeV) above m_Z, from s_W² at q = 0.

    1/α_2 = s_Z²/α_Z + 19/(12π) ln(μ/m_Z), 1/α = 1/α_Z - 11/(6π) ln(μ/m_Z), s_W² = α/α_2: one loop of the
    Standard Model with one doublet. The ratio of s_W² at m_Z and at q = 0 is held.
    """
    at_z = SIN2_THETA_W_AT_Z / SIN2_THETA_W * np.asarray(sin2_theta_w, dtype=float)
    log = np.log(np.maximum(np.where(np.isfinite(mass), mass, Z_MASS), Z_MASS) / Z_MASS)
    inverse = INVERSE_ALPHA_AT_Z * at_z + 19 / (12 * np.pi) * log
    s2 = inverse / (INVERSE_ALPHA_AT_Z - 11 / (6 * np.pi) * log)
    return s2, INVERSE_ALPHA_AT_Z * at_z * (1 - at_z) / (inverse * (1 - s2))


def landau_pole(beta: float, sin2_theta_w: float) -> float:
    """Return the scale (MeV) where g_X diverges: s_W²(μ) = 1/(1 + β²), by `running`."""
    at_z, b2 = SIN2_THETA_W_AT_Z / SIN2_THETA_W * sin2_theta_w, 1 + beta**2
    log = INVERSE_ALPHA_AT_Z * (1 - b2 * at_z) / (11 / (6 * np.pi) + b2 * 19 / (12 * np.pi))
    return float(Z_MASS * np.exp(log))


def mass_mixing(beta: Array, sin2_theta_w: Array, tan_beta: Array) -> Array:
    """Return m²_ZZ'/m_Z² = -(f/√3)(a c_W² + √3 β s_W²), a = (1 - tan²)/(1 + tan²), tan = v/u.

    The sum over η and ρ of vev² times their charges under Z and Z', over that of Z alone. To first order it
    is minus the angle of Buras:2014yna, arXiv:1405.3850, times m_Z'²/m_Z².
    """
    u2 = 1 / (1 + np.square(tan_beta))  # of u² + v²
    charges = (2 * u2 - 1) * (1 - sin2_theta_w) + SQRT3 * beta * sin2_theta_w
    return np.asarray(-zprime_normalisation(beta, sin2_theta_w) / SQRT3 * charges)


def exchange(
    beta: Array,
    m_zprime: Array,
    sin2_theta_w: Array,
    s13_tilde: Array,
    variant: str = "equations",
    scale: str = "low",
    mixing: str = "none",
    tan_beta: Array = 1.0,
    of: Fermion = NEUTRINO,
) -> dict[str, tuple[Array, Array]]:
    """Return what the Z' adds to G_V(f) and G_A(f): (m_Z²/m_Z'²) 2 g_V^Z'(ν) g_X^Z'(f), f = u, d, e (eq. 25).

    With r = m_Z²/m_Z'² and x = m²_ZZ'/m_Z², both bosons together exchange 2 (g^Z, g^Z') M⁻² (g^Z, g^Z')ᵀ,
    so that mixing adds -x r (2g_ν^Z g^Z' + 2g_ν^Z' g^Z) + x² r 2g_ν^Z g^Z, and divides by 1 - x² r.

    The mass of the Z', the diagonal one if it mixes, is in MeV; numbers and arrays broadcast. `of` is what
    scatters: the neutrino, or by its axial coupling another, as the electron of parity violation.
    """
    ratio, s2 = (Z_MASS / np.asarray(m_zprime)) ** 2, sin2_theta_w
    gauge: Array = 1.0
    if scale == "zprime":
        s2, gauge = running(m_zprime, sin2_theta_w)
        ratio = ratio * gauge
    try:
        _, lepton = zprime_couplings(of, beta, s2)
    except NurecoilError as error:
        raise NurecoilError(
            f"{error} (scale = zprime: masses end at a Landau pole)" if scale == "zprime" else str(error)
        ) from None
    x, z_lepton = mass_mixing(beta, s2, tan_beta) if mixing == "tree" else 0.0, 2 * z_axial(of.isospin)
    strength = ratio * 2 * lepton
    result: dict[str, tuple[Array, Array]] = {}
    for name, fermion in (("u", UP), ("d", DOWN), ("e", ELECTRON)):
        third = np.asarray(s13_tilde) ** 2 if name == "d" else 0.0
        vector, axial = zprime_couplings(fermion, beta, s2, third)
        vector = (NUMBERS_FACTOR.get(name, 1.0) if variant == "numbers" else 1.0) * vector
        added = strength * vector, strength * axial
        if mixing == "tree":
            if np.any(x**2 * ratio >= 1):
                low = np.max(np.abs(x)) * Z_MASS / 1e6
                raise NurecoilError(
                    f"mixing = tree leaves the Z no mass unless m_zprime is above {low:.3g} TeV"
                )
            z = z_vector(fermion.isospin, fermion.charge, sin2_theta_w), z_axial(fermion.isospin)
            added = tuple(  # type: ignore[assignment]
                (a - x * ratio * (z_lepton * g + 2 * lepton * own) + x**2 * ratio * z_lepton * own)
                / (1 - x**2 * ratio)
                for a, g, own in zip(added, (vector, axial), z, strict=True)
            )
        result[name] = added
    return result


# --- the model ----------------------------------------------------------------------------------------


def _couplings(values: Values) -> Couplings:
    """Return the Standard Model's couplings, and what the Z' adds to them, the same for all flavours."""
    standard = STANDARD_MODEL.evaluate(values)
    names = ("beta", "m_zprime", "sin2_theta_w", "s13_tilde", "variant", "scale", "mixing", "tan_beta")
    point: dict[str, Any] = {name: values[name] for name in names}
    of, of_electron = (exchange(**point, of=fermion) for fermion in (NEUTRINO, ELECTRON))
    (vector_u, axial_u), (vector_d, axial_d), (vector_e, axial_e) = of["u"], of["d"], of["e"]
    nucleons = (*nucleon_couplings(vector_u, vector_d), *nucleon_couplings(axial_u, axial_d))
    electron = ((vector_e + axial_e) / 2, (vector_e - axial_e) / 2)
    weak_p, weak_n = nucleon_couplings(of_electron["u"][0], of_electron["d"][0])
    *added, moment = np.broadcast_arrays(*nucleons, *electron, values["mu_nu"])
    amplitudes = {
        name: getattr(standard, name) + x[..., np.newaxis, np.newaxis] * np.eye(3)
        for name, x in zip(AMPLITUDES, added, strict=True)
    }
    assert standard.weak_p is not None
    assert standard.weak_n is not None
    return replace(
        standard,
        magnetic_moment=moment[..., np.newaxis] * np.ones(3),
        weak_p=standard.weak_p - 2 * weak_p,
        weak_n=standard.weak_n - 2 * weak_n,
        **amplitudes,
    )


def _scales(beta: float, sin2_theta_w: float) -> list[str]:
    """Return what else has a mass: the charged bosons, for ω well above 246 GeV, and a Landau pole nearby."""
    g = math.sqrt(4 * math.sqrt(2) * FERMI_CONSTANT) * W_MASS
    per_omega = g * float(zprime_normalisation(beta, sin2_theta_w)) * math.sqrt((1 - sin2_theta_w) / 3)
    notes = [
        f"m_zprime is {per_omega:.3g} omega, and the charged bosons Y and V have"
        f" {g / 2 / per_omega:.2g} of it (eq. 10)."
    ]
    if (pole := landau_pole(beta, sin2_theta_w) / 1e6) < _FAR:
        notes.append(
            f"g_X has a Landau pole at {pole:.2g} TeV, where sin2_theta_w is 1/(1 + beta²) (one loop): larger"
            " masses of the Z' are not to be trusted."
        )
    return notes


def _notes(values: Values) -> tuple[str, ...]:
    notes = []
    if "beta" in values and min(abs(values["beta"] - beta) for beta in BETAS) > 1e-6:
        notes.append(
            f"beta = {values['beta']:.6g} is not ±n/√3 with n = 0, 1, 2, 3 (eq. 9): the new bosons then have"
            " charges that are not multiples of 1/2; the couplings are computed as they stand."
        )
    if {"beta", "sin2_theta_w"} <= values.keys():
        notes += _scales(values["beta"], values["sin2_theta_w"])
    if values.get("mixing") == "tree":
        notes.append(
            "the mixing changes the Z, too: data at its pole, which are not used here, see that first."
        )
    if values["variant"] == "numbers":
        notes.append(
            'variant "numbers" is not physics: it is what the tables of Binh et al. follow, not what they'
            " derive."
        )
    return tuple(notes)


ZPRIME_331 = Model(
    name="331-beta",
    title="331β model: a heavy Z' from SU(3)_L x U(1)_X",
    reference="Binh:2021, section II",
    parameters=(
        Parameter(
            name="beta",
            description="β in the charge operator Q = T3 + β T8 + X",
            latex=r"\beta",
            default=None,
            low=-SQRT3 * (1 + 1e-6),
            high=SQRT3 * (1 + 1e-6),
            reference="Binh:2021, eqs. 1 and 9",
        ),
        Parameter(
            name="m_zprime",
            description="mass of the Z'; a contact interaction, so well above the momentum transfer",
            latex=r"m_{Z'}",
            default=None,
            unit="TeV",
            low=1e3,
            log_scan=True,
            decouples=True,
            reference="Binh:2021, eq. 23",
        ),
        Parameter(
            name="s13_tilde",
            description="s̃13 = |V_L,31|, down-quark mixing into the third generation",
            latex=r"\tilde{s}_{13}",
            default=0.03,
            low=0.0,
            high=1.0,
            reference="Binh:2021, eq. 18; at most 0.03 at 3 TeV (Buras:2012)",
        ),
        Parameter(
            name="mu_nu",
            description="neutrino magnetic moment, the same for all flavours",
            latex=r"\mu_\nu",
            default=0.0,
            unit="mu_B",
            low=0.0,
            reference="Binh:2021, eq. 35",
        ),
        *STANDARD_MODEL.parameters,
        Parameter(
            name="variant",
            description="what the paper derives, or what its numbers follow from",
            latex=r"\mathrm{variant}",
            default="equations",
            choices=VARIANTS,
            reference="Binh:2021: its equations, or its Table III and CsI limits",
        ),
        Parameter(
            name="scale",
            description="where s_W² of the Z' couplings is taken: as given, or run to its mass",
            latex=r"\mathrm{scale}",
            default="low",
            choices=("low", "zprime"),
            reference="one loop, s_W² and α at m_Z of PDG:2022",
        ),
        Parameter(
            name="mixing",
            description="mixing of Z and Z': none, or at tree level",
            latex=r"\mathrm{mixing}",
            default="none",
            choices=("none", "tree"),
            reference="Buras:2014yna, arXiv:1405.3850",
        ),
        Parameter(
            name="tan_beta",
            description="v/u of the two light vacuum expectation values, for the mixing",
            latex=r"\tan\bar\beta",
            default=1.0,
            low=0.0,
            reference="Binh:2021, section II: ρ over η",
        ),
    ),
    evaluate=_couplings,
    notes=_notes,
)
