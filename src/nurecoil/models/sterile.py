"""A fourth neutrino, sterile, into which the others oscillate over the baseline (3+1).

A neutrino α comes as β with the probability δ_αβ - 4 U_α4 U_β4 (δ_αβ - U_α4 U_β4) sin²(1.267 Δm² L/E). All
that comes as e, mu or tau scatters, and 4 |U_α4|² |U_s4|² sin² is lost, with |U_s4|² = 1 - Σ_β |U_β4|². With
one |U_α4|² alone that is the usual sin²2θ_αα sin² of P_αα, sin²2θ_αα = 4 |U_α4|² (1 - |U_α4|²).

The mean is taken over the source's extent, flat: 0.5 m damp the oscillations of 30 MeV by 0.7 % at 10 eV² and
by 60 % at 100 eV². The detector's is left out, and so are the other Δm², which have no effect over tens of
metres. U_α4 are real and positive, which matters beside couplings that change flavour alone. What is below a
tenth of the largest energy is taken as not oscillating: 5.3 MeV of a stopped-pion source, 6e-5 of argon's
recoils by ν_e above 1 keV, but 3e-3 of those of 0.05 to 0.2 keV, and 4e-3 of those of electrons.
"""

from dataclasses import replace

import numpy as np

from nurecoil.errors import NurecoilError
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import FLAVOURS, Couplings, Fourth
from nurecoil.physics.oscillations import DM2_MAX

REFERENCE = "Giunti and Zavanin 2015, arXiv:1508.03172"


def _mixing(flavour: str) -> Parameter:
    return Parameter(
        name=f"u2_{flavour}4",
        description=f"|U_{flavour}4|²: how much of nu_{flavour} the fourth neutrino is",
        latex=rf"|U_{{{flavour}4}}|^2".replace("mu4", r"\mu 4").replace("tau4", r"\tau 4"),
        default=0.0,
        low=0.0,
        high=1.0,
        reference=REFERENCE,
    )


def _couplings(values: Values) -> Couplings:
    squares = np.stack(np.broadcast_arrays(*(np.asarray(values[f"u2_{f}4"], float) for f in FLAVOURS)), -1)
    if (total := squares.sum(axis=-1).max()) > 1:
        raise NurecoilError(
            f"the model sterile does not exist at u2_e4 + u2_mu4 + u2_tau4 = {total:.4g}: together they must"
            " be 1 or less"
        )
    mixing = Fourth(np.asarray(values["dm2_41"], float), np.sqrt(squares))
    return replace(STANDARD_MODEL.evaluate(values), mixing=mixing)


STERILE = Model(
    name="sterile",
    title="Oscillations into a sterile neutrino (3+1)",
    reference=REFERENCE,
    parameters=(
        Parameter(
            name="dm2_41",
            description="squared mass difference of the fourth neutrino, Δm²",
            latex=r"\Delta m^2_{41}",
            default=None,
            unit="eV2",
            low=0.01,
            high=DM2_MAX,
            log_scan=True,
            reference=REFERENCE,
        ),
        *(_mixing(flavour) for flavour in FLAVOURS),
        *STANDARD_MODEL.parameters,
    ),
    evaluate=_couplings,
    channels=(*STANDARD_MODEL.channels, "sterile", "sterile-electron"),
    standard_at={"u2_e4": 0.0, "u2_mu4": 0.0, "u2_tau4": 0.0},
)
