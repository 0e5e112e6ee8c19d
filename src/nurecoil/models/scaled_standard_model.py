"""The Standard Model's signal times a free strength: what a collaboration fits for its event number."""

from dataclasses import replace

import numpy as np

from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import AMPLITUDES, Couplings


def _couplings(values: Values) -> Couplings:
    """Return the Standard Model's couplings times the root of the strength."""
    standard = STANDARD_MODEL.evaluate(values)
    f = np.sqrt(values["signal_strength"])[..., np.newaxis, np.newaxis]
    return replace(standard, **{name: f * getattr(standard, name) for name in AMPLITUDES})


SCALED_STANDARD_MODEL = Model(
    name="scaled-standard-model",
    title="Standard Model, its event rate times a free strength",
    reference="COHERENT:2021, arXiv:2110.07730",
    parameters=(
        Parameter(
            name="signal_strength",
            description="observed over Standard Model rate",
            latex=r"N/N_\mathrm{SM}",
            default=1.0,
            low=0.0,
            reference="COHERENT:2021",
        ),
        *STANDARD_MODEL.parameters,
    ),
    evaluate=_couplings,
)
