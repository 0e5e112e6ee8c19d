"""The dipole portal: a photon's exchange turns a neutrino into a heavy one, ν_α A -> N_4 A.

L = (d_α/2) N̄_4 σ_μν P_L ν_α F^μν + h.c., and so with d_α in place of a magnetic moment

dσ/dT = (π α²/m_e²)(d_α/μ_B)² Z² F_p² {1/T - 1/E + [r (T - 2E - M) + r² (T - M)]/2E²},   r = m_4²/2MT

from E >= [T + √(T² + 2MT)]/2 · (1 + r) on, on electrons with M = m_e and Z_eff(T) in place of Z² F_p². A
moment of every flavour and that of one add up. A convention without the half in L has d_α/2 for d_α; a Bohr
magneton is 296.3 GeV⁻¹. As m_4 vanishes these are magnetic moments; a mass that no neutrino of the source can
make is the Standard Model. N_4 leaves the detector: its decay is not looked at.
"""

from dataclasses import replace

import numpy as np

from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import FLAVOURS, Couplings, Fourth

REFERENCE = "Miranda et al. 2021, arXiv:2109.09545; Bolton et al. 2021, arXiv:2110.02233"


def _moment(flavour: str) -> Parameter:
    return Parameter(
        name=f"d_{flavour}",
        description=f"transition moment of {'every flavour' if flavour == 'all' else f'nu_{flavour}'} to N_4",
        latex=rf"d_{{{flavour}}}".replace("{mu}", r"\mu").replace("{tau}", r"\tau"),
        default=0.0,
        unit="mu_B",
        low=0.0,
        reference=REFERENCE,
    )


def _couplings(values: Values) -> Couplings:
    moments = (np.asarray(values["d_all"], float) + values[f"d_{flavour}"] for flavour in FLAVOURS)
    moment = np.stack(np.broadcast_arrays(*moments), axis=-1)
    heavy = Fourth(np.asarray(values["m_4"], dtype=float), moment)
    return replace(STANDARD_MODEL.evaluate(values), transition=heavy)


DIPOLE_PORTAL = Model(
    name="dipole-portal",
    title="Transition magnetic moments to a heavy neutrino",
    reference=REFERENCE,
    parameters=(
        Parameter(
            name="m_4",
            description="mass of the heavy neutrino N_4",
            latex="m_4",
            default=None,
            unit="MeV",
            low=1e-6,
            log_scan=True,
            decouples=True,
            reference=REFERENCE,
        ),
        *(_moment(flavour) for flavour in ("all", *FLAVOURS)),
        *STANDARD_MODEL.parameters,
    ),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, "dipole-portal", "dipole-portal-electron"),
    standard_at={"d_all": 0.0},
)
