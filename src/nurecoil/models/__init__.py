"""Models: one file, one model. A model sees couplings, parameters and constants, nothing else."""

from nurecoil.models.charge_radii import CHARGE_RADII
from nurecoil.models.light_scalar import LIGHT_SCALAR
from nurecoil.models.light_vector import LIGHT_VECTOR
from nurecoil.models.loading import load_model, model_names
from nurecoil.models.magnetic_moments import MAGNETIC_MOMENTS
from nurecoil.models.millicharges import MILLICHARGES
from nurecoil.models.model import Model
from nurecoil.models.nsi import NSI
from nurecoil.models.scaled_standard_model import SCALED_STANDARD_MODEL
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.models.zprime_331 import ZPRIME_331

__all__ = [
    "CHARGE_RADII",
    "LIGHT_SCALAR",
    "LIGHT_VECTOR",
    "MAGNETIC_MOMENTS",
    "MILLICHARGES",
    "NSI",
    "SCALED_STANDARD_MODEL",
    "STANDARD_MODEL",
    "ZPRIME_331",
    "Model",
    "load_model",
    "model_names",
]
