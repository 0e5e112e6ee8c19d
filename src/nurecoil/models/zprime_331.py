"""The 331β model: SU(3)_c x SU(3)_L x U(1)_X with electric charge Q = T3 + β T8 + X.

Binh, Hue, Binh, Soa, Long, "COHERENT constraints on Z' in 331β model" (2021). The couplings of the Z' are not
copied from its Table I but follow from two numbers of each fermion, its hypercharge and its SU(3)_L
representation; the tests compare them with Table I.

Two variants. "equations" is what the paper derives, and the physics. "numbers" is what its Table III and
its CsI limits follow from: the Z' vector coupling of the up quark with the opposite sign, and both Z'
vector couplings of the quarks doubled.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import Z_MASS
from nurecoil.physics.couplings import AMPLITUDES, Couplings, nucleon_couplings

Array = float | NDArray[np.float64]

SQRT3 = math.sqrt(3)
BETAS = tuple(n / SQRT3 for n in (3, 2, 1, 0, -1, -2, -3))  # eq. 9
VARIANTS = ("equations", "numbers")
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


def exchange(
    beta: Array, m_zprime: Array, sin2_theta_w: Array, s13_tilde: Array, variant: str = "equations"
) -> dict[str, tuple[Array, Array]]:
    """Return what the Z' adds to G_V(f) and G_A(f): (m_Z²/m_Z'²) 2 g_V^Z'(ν) g_X^Z'(f), f = u, d, e (eq. 25).

    The mass of the Z' is in MeV; numbers and arrays broadcast. `variant` is "equations" or "numbers".
    """
    neutrino, _ = zprime_couplings(NEUTRINO, beta, sin2_theta_w)
    strength = (Z_MASS / np.asarray(m_zprime)) ** 2 * 2 * neutrino
    result: dict[str, tuple[Array, Array]] = {}
    for name, fermion in (("u", UP), ("d", DOWN), ("e", ELECTRON)):
        third = np.asarray(s13_tilde) ** 2 if name == "d" else 0.0
        vector, axial = zprime_couplings(fermion, beta, sin2_theta_w, third)
        factor = NUMBERS_FACTOR.get(name, 1.0) if variant == "numbers" else 1.0
        result[name] = strength * factor * vector, strength * axial
    return result


# --- the model ----------------------------------------------------------------------------------------


def _couplings(values: Values) -> Couplings:
    """Return the Standard Model's couplings, and what the Z' adds to them, the same for all flavours."""
    standard = STANDARD_MODEL.evaluate(values)
    names = ("beta", "m_zprime", "sin2_theta_w", "s13_tilde", "variant")
    of = exchange(*(values[name] for name in names))
    (vector_u, axial_u), (vector_d, axial_d), (vector_e, axial_e) = of["u"], of["d"], of["e"]
    nucleons = (*nucleon_couplings(vector_u, vector_d), *nucleon_couplings(axial_u, axial_d))
    electron = ((vector_e + axial_e) / 2, (vector_e - axial_e) / 2)
    *added, moment = np.broadcast_arrays(*nucleons, *electron, values["mu_nu"])
    amplitudes = {
        name: getattr(standard, name) + x[..., np.newaxis, np.newaxis] * np.eye(3)
        for name, x in zip(AMPLITUDES, added, strict=True)
    }
    return replace(standard, magnetic_moment=moment[..., np.newaxis] * np.ones(3), **amplitudes)


def _notes(values: Values) -> tuple[str, ...]:
    notes = []
    if "beta" in values and min(abs(values["beta"] - beta) for beta in BETAS) > 1e-6:
        notes.append(
            f"beta = {values['beta']:.6g} is not ±n/√3 with n = 0, 1, 2, 3 (eq. 9): the new bosons then have"
            " charges that are not multiples of 1/2; the couplings are computed as they stand."
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
    ),
    evaluate=_couplings,
    notes=_notes,
)
