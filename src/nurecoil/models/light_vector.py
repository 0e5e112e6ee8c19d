"""A light vector mediator: a Z' of any mass that couples to the charges of quarks, electrons and neutrinos.

L = -g Z'_μ [Σ_α Q_α ν̄_α γ^μ P_L ν_α + Σ_q Q_q q̄ γ^μ q + Q_e ē γ^μ e]

Its exchange at a momentum transfer q adds -(g² Q_α Q_q)/(q² + m²) [ν̄_α γ^μ P_L ν_α] [q̄ γ_μ q] to L, as an NSI
with ε_αα^{qV} = g² Q_α Q_q/[√2 G_F (q² + m²)] does: charges of equal sign give a positive ε. On electrons,
g_L and g_R both grow by half of that. The vector current counts quarks: Q_p = 2Q_u + Q_d, Q_n = Q_u + 2Q_d.

All charges are 1 unless given. Baryon minus lepton number has Q_u = Q_d = 1/3 and -1 of leptons. Far below
the momentum transfers the mass does not matter: the mediator's own part of the counts then goes like 1/q⁴.
Mass and coupling end at what stands for none, 1 eV and 1e-10, as they are searched in their logarithms.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.models.model import OF_LIGHT_VECTOR, Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.constants import FERMI_CONSTANT
from nurecoil.physics.couplings import FLAVOURS, Couplings, Exchange, nucleon_couplings

REFERENCE = "Cerdeno:2016sfi; DeRomeri:2022twg, arXiv:2211.11905"

MASS = Parameter(
    name="m_mediator",
    description="mass of the mediator",
    latex=r"m_\mathrm{med}",
    default=None,
    unit="MeV",
    low=1e-6,
    log_scan=True,
    decouples=True,
    reference=REFERENCE,
)
COUPLING = Parameter(
    name="g_mediator",
    description="coupling of the mediator, which the charges multiply",
    latex=r"g_\mathrm{med}",
    default=None,
    low=1e-10,
    high=math.sqrt(4 * math.pi),
    log_scan=True,
    reference=REFERENCE,
)


def neutrino_charges() -> tuple[Parameter, ...]:
    """Return the parameters of what the neutrinos' coupling is, in units of g."""
    return tuple(_charge(f"nu_{flavour}", rf"\nu_{{{flavour}}}") for flavour in FLAVOURS)


def exchange(values: Values, *products: Array) -> Exchange:
    """Return the exchange of a mediator, of its couplings (...) with p, n, e_L and e_R at charges 1."""
    charges = [values[f"charge_nu_{flavour}"] for flavour in FLAVOURS]
    return Exchange(np.asarray(values["m_mediator"], dtype=float), *of_neutrinos(charges, *products))


def of_neutrinos(charges: Sequence[Array], *products: Array) -> tuple[Array, ...]:
    """Return products (...) times the charges of ν_e, ν_μ and ν_τ (...), each of shape (..., 3, 3)."""
    diagonal = np.stack(np.broadcast_arrays(*charges), axis=-1)[..., np.newaxis] * np.eye(len(FLAVOURS))
    return tuple(np.asarray(product)[..., np.newaxis, np.newaxis] * diagonal for product in products)


def _charge(name: str, symbol: str) -> Parameter:
    latex = rf"Q_{{{symbol}}}".replace("{mu}", r"\mu").replace("{tau}", r"\tau")
    return Parameter(
        f"charge_{name}", f"charge of {name} under the mediator", latex, default=1.0, reference=REFERENCE
    )


def _couplings(values: Values) -> Couplings:
    product = np.square(values["g_mediator"]) / (math.sqrt(2) * FERMI_CONSTANT)
    proton, neutron = nucleon_couplings(values["charge_u"], values["charge_d"])
    electron = product * values["charge_e"] / 2
    light = exchange(values, product * proton, product * neutron, electron, electron)
    return replace(STANDARD_MODEL.evaluate(values), light_vector=light)


LIGHT_VECTOR = Model(
    name="light-vector",
    title="Light vector mediator that couples to quarks, electrons and neutrinos",
    reference=REFERENCE,
    parameters=(
        MASS,
        COUPLING,
        *(_charge(name, name) for name in ("u", "d", "e")),
        *neutrino_charges(),
        *STANDARD_MODEL.parameters,
    ),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, *OF_LIGHT_VECTOR),
)
