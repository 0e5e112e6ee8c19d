"""The Standard Model with the neutron radii of target nuclei as parameters.

dσ/dT = (G_F² M/π) |Z g_V^p F_p(q) + N g_V^n F_n(q; R_n)|² (1 - T/E - MT/2E²)

R_n is the root mean square radius of the neutrons, a mean: over the elements of a parameter's name (one for
Cs and I, which data do not tell apart) and over isotopes, which keep what they differ by. F_p and the kind of
F_n are the card's; so are radii at the defaults, of theory for CsI and Ar, of the protons for Ge and Xe. The
vector part follows, with `neutron-radii+nsi` too; what light mediators, scalars and tensors add would not:
such sums are refused.

A pull of a card that changes the radius has no effect on these nuclei, as it would count twice what the fit
finds: where the radius is not free, or is known otherwise, that is said by a constraint on it.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import Couplings
from nurecoil.physics.radii import NEUTRON_RADII, SHIFTS

REFERENCE: Final = "Cadeddu:2017etk, arXiv:1710.02730; AtzoriCorona:2023ktl, arXiv:2303.09360"


def _radius(name: str, elements: tuple[str, ...], default: float) -> Parameter:
    return Parameter(
        name=f"rn_{name}",
        description=f"neutron rms radius of {' and '.join(elements)}",
        latex=rf"R_n(\mathrm{{{''.join(elements)}}})",
        default=default,
        unit="fm",
        low=default + SHIFTS[0],
        high=default + SHIFTS[1],
        reference=REFERENCE,
    )


RADII: Final = {name: _radius(name, *of) for name, of in NEUTRON_RADII.items()}


def _couplings(values: Values) -> Couplings:
    radii = np.broadcast_arrays(*(np.asarray(values[p.name], dtype=float) for p in RADII.values()))
    standard = STANDARD_MODEL.evaluate(values)
    moments = standard.magnetic_moment + np.zeros_like(radii[0])[..., np.newaxis]
    return replace(standard, neutron_radii=dict(zip(RADII, radii, strict=True)), magnetic_moment=moments)


RADII_OF_NEUTRONS = Model(
    name="neutron-radii",
    title="Standard Model with neutron radii as parameters",
    reference=REFERENCE,
    parameters=(*RADII.values(), *STANDARD_MODEL.parameters),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, *(f"neutrons-{name}" for name in RADII)),
)
