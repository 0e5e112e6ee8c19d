"""Models: one file, one model. A model sees couplings, parameters and constants, nothing else."""

from nurecoil.models.light_scalar import LIGHT_SCALAR
from nurecoil.models.light_vector import LIGHT_VECTOR
from nurecoil.models.loading import load_model, model_names
from nurecoil.models.model import Model
from nurecoil.models.nsi import NSI
from nurecoil.models.scaled_standard_model import SCALED_STANDARD_MODEL
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.models.zprime_331 import ZPRIME_331

__all__ = [
    "LIGHT_SCALAR",
    "LIGHT_VECTOR",
    "NSI",
    "SCALED_STANDARD_MODEL",
    "STANDARD_MODEL",
    "ZPRIME_331",
    "Model",
    "load_model",
    "model_names",
]
