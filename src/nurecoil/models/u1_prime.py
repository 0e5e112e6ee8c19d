"""A Z' of any mass and of any charges: U(1)' models by name, or charges of one's own.

L = -g Z'_μ Σ_f [Q_fL f̄ γ^μ P_L f + Q_fR f̄ γ^μ P_R f],   f = ν_e, ν_μ, ν_τ (left), e, u, d

Of quarks a nucleus sees the vector part, Q_q = (Q_qL + Q_qR)/2; the axial part, 1 % for heavy nuclei and
less, is left the Standard Model's. With Q_p = 2Q_u + Q_d and Q_n = Q_u + 2Q_d, its exchange adds

g_V^N: g² Q_α Q_N/[√2 G_F (q² + m²)],   g_L, g_R of electrons: g² Q_α Q_eL, Q_eR/[2√2 G_F (q² + m²)]

`charges` names a model of `u1_prime.toml`; with `free`, the nine parameters charge_... are the charges.

*Loops.* A lepton of electric charge q_l mixes photon and Z': its self-energy is that of the photon with e
q_l Q_l g for e², e g q_l Q_l/(2π²) ∫₀¹dx x(1-x) ln[m_l² + x(1-x)q²] and what cancels between the two leptons
of L_i - L_j. So that Z' couples to the electric charge q_f of quarks and electrons, in units of g:

Q_f = q_f (2α/π) ∫₀¹dx x(1-x) ln{[m_j² + x(1-x)q²]/[m_i² + x(1-x)q²]}

At q = 0 that is q_f (α/3π) ln(m_j²/m_i²). For L_μ - L_τ g Q_f = e q_f g/69.3: the kinetic mixing of -g/70
that is quoted where L = -(ε/2) F F'. ν_μ and protons interfere as equal charges do, against the Standard
Model's negative Q. Loops of models with charged quarks depend on what is not known, and are left out.

*Kinetic mixing* ε adds ε e q_f to all g Q_f: L = -ε e Z'_μ J_em^μ. To first order in ε it mixes Z and Z' as
well, by a = ε t_W m_Z²/(m_Z² - m²); but of both exchanges between J_Z and J' there remains -(a/m_Z²) q²/(q²
+ m²), q²/m_Z² of the photon's part, which is left out. Neutrinos have no electric charge: if they have no
charge under U(1)' either, nothing happens in this order.

*Mass mixing* by an angle θ, to all orders: the Z couples to g_Z cosθ J_Z + g sinθ J', the Z' to g cosθ J' -
g_Z sinθ J_Z (Langacker:2008yv). m_Z is the measured mass and m that of the Z': without mixing the Z's would
be m_0² = m_Z² cos²θ + m² sin²θ, of which g_Z² = 4√2 G_F m_0², as W and G_F know nothing of the Z'. At m = ∞
there is no Z', and so no mixing.

*Weak charges.* An electron's axial charge A_e = (Q_eL - Q_eR)/2 and vector charges of quarks change them, by
-4 g² A_e (Z Q_p + N Q_n)/(√2 G_F m²), if the Z' is heavier than 2 GeV. Of a lighter one, unless A_e is 0,
nothing is said: it has a range within the atom.

Radiative corrections of the Standard Model are kept as they are.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.models.light_vector import COUPLING, MASS, of_neutrinos
from nurecoil.models.model import OF_LIGHT_VECTOR, Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import (
    ELECTRON_MASS,
    FERMI_CONSTANT,
    FINE_STRUCTURE,
    MUON_MASS,
    TAU_MASS,
    Z_MASS,
)
from nurecoil.physics.couplings import CONTACT, FLAVOURS, Couplings, Exchange, nucleon_couplings

REFERENCE: Final = "Langacker:2008yv, arXiv:0801.1345; AtzoriCorona:2022moj, arXiv:2202.11002"
FREE: Final = "free"
SMALL: Final = 0.1  # a mixing: LEP allows a hundredth of it for a heavy Z' as strong as the Z

_ELECTRIC: Final = dict.fromkeys((f"nu_{flavour}" for flavour in FLAVOURS), 0.0) | {
    f"{f}_{side}": charge
    for f, charge in (("e", -1.0), ("u", 2 / 3), ("d", -1 / 3))
    for side in ("left", "right")
}
_LEPTONS: Final = {"e": ELECTRON_MASS, "mu": MUON_MASS, "tau": TAU_MASS}
_OF_PHOTON: Final = "kinetic mixing, to first order: L = -ε e Z' J_em, the ε of -(ε/2)FF' with the other sign"
_OF_Z: Final = "angle of mass mixing with the Z: unless it is 0, a Z' of large mass does not decouple"
_SHIFT: Final = 0.1  # of m_Z²; data of the Z allow far less (*unverified)
_UNIT: Final = math.sqrt(math.sqrt(2) * FERMI_CONSTANT)  # 1/MeV: products of two g are over √2 G_F

Charges = Mapping[str, Any]
"""A number or an array for each of nu_e, nu_mu, nu_tau, e_left, e_right, u_left, ..."""


@cache
def presets() -> dict[str, dict[str, Any]]:
    """Return the models that have a name, as u1_prime.toml has them."""
    return tomllib.loads(resources.files("nurecoil.models").joinpath("u1_prime.toml").read_text("utf-8"))


def preset_charges(name: str, sin2_theta_w: ArrayLike) -> Charges:
    """Return the charges of a model that has a name."""
    of = presets()[name]
    integers = (*of["nu"], *of["e"], *of["u"], *of["d"])
    found = (x / math.sqrt(of.get("over_root", 1)) for x in integers)
    running = of.get("electric", 0) * np.asarray(sin2_theta_w, dtype=float)
    return {f: x + running * q for (f, q), x in zip(_ELECTRIC.items(), found, strict=True)}


def loop_charge(first: float, second: float, q: ArrayLike) -> Array:
    """Return (2α/π) ∫₀¹dx x(1-x) ln{[m_j² + x(1-x)q²]/[m_i² + x(1-x)q²]}, q (n,) in MeV: shape (n,).

    With x(1-x) = sin²t/4, it is an integral of sin³t/4 from 0 to π/2, to 1e-12 up to q = 10³ m.
    """
    sine, weights = _sines()
    shift = np.square(np.asarray(q, dtype=float))[..., np.newaxis] * sine**2 / 4
    found: Array = np.log((second**2 + shift) / (first**2 + shift)) @ (weights * sine**3 / 4)
    return 2 * FINE_STRUCTURE / math.pi * found


@cache
def _sines() -> tuple[Array, Array]:
    """Return sin t at nodes between 0 and π/2, and their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(100)
    return np.sin(math.pi / 4 * (nodes + 1)), math.pi / 4 * weights


def _own_charges(values: Values) -> Charges:
    """Return the charges that are chosen."""
    given = {f: values[f"charge_{f}"] for f in _ELECTRIC}
    name = values["charges"]
    if name == FREE:
        return given
    for f, value in given.items():
        if not isinstance(value, int):  # the default is; what is given is not, be it 0
            raise NurecoilError(
                f"u1-prime: charge_{f} = {np.ravel(value)[-1]:.6g} is not allowed beside charges = {name}:"
                f" leave it out, or set charges = {FREE} and all charges"
            )
    return preset_charges(name, values["sin2_theta_w"])


def _amplitudes(charges: Charges) -> tuple[Array, ...]:
    """Return what multiplies the neutrinos' charges in g_V^p, g_V^n, g_L and g_R of electrons."""
    up, down = ((charges[f"{q}_left"] + charges[f"{q}_right"]) / 2 for q in "ud")
    return (*nucleon_couplings(up, down), charges["e_left"] / 2, charges["e_right"] / 2)


def _exchanged(charges: Charges) -> tuple[Array, ...]:
    """Return the products of the neutrinos' charges with those of p, n, e_L and e_R, shape (..., 3, 3)."""
    return of_neutrinos([charges[f"nu_{flavour}"] for flavour in FLAVOURS], *_amplitudes(charges))


def _parity(charges: Charges) -> tuple[Array, Array]:
    """Return the axial charge of the electron times the vector charges of proton and neutron."""
    proton, neutron, *_ = _amplitudes(charges)
    axial = (charges["e_left"] - charges["e_right"]) / 2
    return axial * proton, axial * neutron


def _with_weak_charges(
    standard: Couplings, mass: Array, second: Charges, mixed: tuple[Charges, Charges] | None
) -> Couplings:
    """Return couplings with the weak charges by both bosons, -4 Σ A_e V_N/[√2 G_F m²] of each; or none.

    None are known where a Z' that violates parity is lighter than CONTACT: then it is no contact interaction
    at the momentum transfers of Qweak, 157 MeV, and has no one range in the atom.
    """
    assert standard.weak_p is not None
    assert standard.weak_n is not None
    added = _parity(second)
    if any(np.any((mass < CONTACT) & (each != 0)) for each in added):
        return replace(standard, weak_p=None, weak_n=None)
    over = 1 / np.maximum(mass, CONTACT) ** 2  # of no effect where it is lighter
    changes = [each * over for each in added]
    if mixed is not None:
        z = zip(changes, *map(_parity, mixed), strict=True)
        changes = [change + one - 4 * of_z for change, one, of_z in z]
    return replace(standard, weak_p=standard.weak_p - 4 * changes[0], weak_n=standard.weak_n - 4 * changes[1])


def _couplings(values: Values) -> Couplings:
    standard, own = STANDARD_MODEL.evaluate(values), _own_charges(values)
    of_z = preset_charges("sequential", values["sin2_theta_w"])
    mass, g = np.asarray(values["m_mediator"], dtype=float), values["g_mediator"] / _UNIT
    photon = values["kinetic_mixing"] * math.sqrt(4 * math.pi * FINE_STRUCTURE) / _UNIT
    finite = np.where(np.isfinite(mass), mass, 0.0)
    angle = np.where(np.isfinite(mass), values["mixing_angle"], 0.0)
    sine, cosine = np.sin(angle), np.cos(angle)
    g_z = 2 * np.hypot(Z_MASS * cosine, finite * sine)
    second = {f: g * cosine * own[f] - g_z * sine * of_z[f] + photon * q for f, q in _ELECTRIC.items()}
    first = {f: (g_z * cosine * of_z[f] + g * sine * own[f]) / Z_MASS for f in _ELECTRIC}
    standard = _with_weak_charges(standard, mass, second, (first, of_z) if angle.any() else None)
    light = Exchange(mass, *_exchanged(second))
    if loop := presets().get(values["charges"], {}).get("loop"):
        (charge,) = of_neutrinos([second[f"nu_{flavour}"] for flavour in FLAVOURS], g)
        masses = [_LEPTONS[lepton] for lepton in loop]
        light = replace(light, charge=charge, loop=partial(loop_charge, *masses))
    if not angle.any():
        return replace(standard, light_vector=light)
    names = ("vector_p", "vector_n", "electron_left", "electron_right")
    changes = zip(names, _exchanged(first), _exchanged(of_z), strict=True)
    contact = {name: getattr(standard, name) + new - 4 * z for name, new, z in changes}
    return replace(standard, light_vector=light, **contact)


def _notes(values: Values) -> tuple[str, ...]:
    m = values.get("m_mediator", math.inf)  # or is scanned
    shift = (math.sin(values.get("mixing_angle", 0.0)) * (m if math.isfinite(m) else 0.0) / Z_MASS) ** 2
    if shift <= _SHIFT:
        return ()
    return (
        f"sin²θ m²/m_Z² = {shift:.3g} for the mixing angle and mass of the Z': this share is added to the Z's"
        " coupling, which data of the Z exclude. At a large mass, θ is far below m_Z/m.",
    )


def _charge(name: str) -> Parameter:
    symbol = name.replace("_left", ",L").replace("_right", ",R").replace("mu", r"\mu").replace("tau", r"\tau")
    symbol = rf"\nu_{symbol[3:]}" if name.startswith("nu_") else symbol
    return Parameter(
        name=f"charge_{name}",
        description=f"charge of {name.replace('_left', ', left-handed').replace('_right', ', right-handed')}",
        latex=f"Q_{{{symbol}}}",
        default=0,
        reference=f"counts with charges = {FREE}",
    )


def _mixing(name: str, description: str, latex: str, reference: str) -> Parameter:
    return Parameter(name, description, latex, default=0.0, low=-SMALL, high=SMALL, reference=reference)


U1_PRIME = Model(
    name="u1-prime",
    title="Z' of a U(1)' of any charges: B-L, L_mu-L_tau, sequential, E6, ...",
    reference=REFERENCE,
    parameters=(
        Parameter(
            name="charges",
            description="charges of a model that has a name, or free: those of charge_u_left, ...",
            latex=r"\mathrm{charges}",
            default=None,
            choices=(FREE, *presets()),
            reference="models/u1_prime.toml, each with its source",
        ),
        MASS,
        COUPLING,
        *(_charge(name) for name in _ELECTRIC),
        _mixing("kinetic_mixing", _OF_PHOTON, r"\epsilon", "Holdom:1985ag"),
        _mixing("mixing_angle", _OF_Z, r"\theta_{ZZ'}", "Langacker:2008yv"),
        *STANDARD_MODEL.parameters,
    ),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, *OF_LIGHT_VECTOR),
    notes=_notes,
    standard_at={"m_mediator": math.inf},
)
