"""nurecoil: from a model of new physics to limits from coherent elastic neutrino-nucleus scattering.

model → couplings → recoil spectrum → expected counts → likelihood → limits

The public names below are imported when they are first used, so that `import nurecoil` costs little.
"""

import importlib
from typing import TYPE_CHECKING

from nurecoil._version import __version__

if TYPE_CHECKING:
    from nurecoil.analysis import BestFit, Limit, Prediction, Result, fit, limit, predict
    from nurecoil.card import experiment_names, load_experiment
    from nurecoil.couplings import Couplings
    from nurecoil.errors import NurecoilError
    from nurecoil.exhibits import limit_figure
    from nurecoil.experiment import CompiledExperiment, Experiment, compile_experiment
    from nurecoil.models import Model, load_model, model_names
    from nurecoil.nuclei import material, nuclide

__all__ = [
    "BestFit",
    "CompiledExperiment",
    "Couplings",
    "Experiment",
    "Limit",
    "Model",
    "NurecoilError",
    "Prediction",
    "Result",
    "__version__",
    "compile_experiment",
    "experiment_names",
    "fit",
    "limit",
    "limit_figure",
    "load_experiment",
    "load_model",
    "material",
    "model_names",
    "nuclide",
    "predict",
]

_HOME = {
    "analysis": ("BestFit", "Limit", "Prediction", "Result", "fit", "limit", "predict"),
    "card": ("experiment_names", "load_experiment"),
    "couplings": ("Couplings",),
    "errors": ("NurecoilError",),
    "exhibits": ("limit_figure",),
    "experiment": ("CompiledExperiment", "Experiment", "compile_experiment"),
    "models": ("Model", "load_model", "model_names"),
    "nuclei": ("material", "nuclide"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'nurecoil' has no attribute '{name}'")
    return getattr(importlib.import_module(f"nurecoil.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
