"""Models: one file, one model. A model sees couplings, parameters and constants, nothing else."""

from nurecoil.errors import unknown_name
from nurecoil.models.light_scalar import LIGHT_SCALAR
from nurecoil.models.light_vector import LIGHT_VECTOR
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

_ALL = (STANDARD_MODEL, SCALED_STANDARD_MODEL, NSI, LIGHT_VECTOR, LIGHT_SCALAR, ZPRIME_331)
_MODELS = {model.name: model for model in _ALL}


def model_names() -> tuple[str, ...]:
    """Return the names of all models."""
    return tuple(_MODELS)


def load_model(name: str) -> Model:
    """Return the model called `name`.

    >>> load_model("331-beta").title
    "331β model: a heavy Z' from SU(3)_L x U(1)_X"
    """
    if name not in _MODELS:
        raise unknown_name("model", name, _MODELS)
    return _MODELS[name]
