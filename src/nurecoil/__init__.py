"""nurecoil: from a model of new physics to limits from coherent elastic neutrino-nucleus scattering.

model → couplings → recoil spectrum → expected counts → likelihood → limits

The public names below are imported when they are first used, so that `import nurecoil` costs little.
"""

import importlib
from typing import TYPE_CHECKING

from nurecoil._version import __version__

if TYPE_CHECKING:
    from nurecoil.analysis import (
        BestFit,
        Calibrated,
        Combination,
        Goodness,
        Impacts,
        Limit,
        Map,
        Posterior,
        Prediction,
        Result,
        Scan,
        Sensitivity,
        Significance,
        combine,
        feldman_cousins,
        fit,
        goodness,
        impact,
        limit,
        predict,
        profile_map,
        sample,
        scan,
        sensitivity,
        significance,
        vary,
    )
    from nurecoil.card import experiment_names, load_experiment
    from nurecoil.couplings import Couplings
    from nurecoil.errors import NurecoilError
    from nurecoil.exhibits import (
        combination_figure,
        feldman_cousins_figure,
        impact_figure,
        limit_figure,
        map_figure,
        sensitivity_figure,
    )
    from nurecoil.experiment import CompiledExperiment, Experiment, compile_experiment
    from nurecoil.models import Model, load_model, model_names
    from nurecoil.nuclei import material, nuclide
    from nurecoil.scans import Spaced

__all__ = [
    "BestFit",
    "Calibrated",
    "Combination",
    "CompiledExperiment",
    "Couplings",
    "Experiment",
    "Goodness",
    "Impacts",
    "Limit",
    "Map",
    "Model",
    "NurecoilError",
    "Posterior",
    "Prediction",
    "Result",
    "Scan",
    "Sensitivity",
    "Significance",
    "Spaced",
    "__version__",
    "combination_figure",
    "combine",
    "compile_experiment",
    "experiment_names",
    "feldman_cousins",
    "feldman_cousins_figure",
    "fit",
    "goodness",
    "impact",
    "impact_figure",
    "limit",
    "limit_figure",
    "load_experiment",
    "load_model",
    "map_figure",
    "material",
    "model_names",
    "nuclide",
    "predict",
    "profile_map",
    "sample",
    "scan",
    "sensitivity",
    "sensitivity_figure",
    "significance",
    "vary",
]

_HOME = {
    "analysis": (
        "BestFit",
        "Calibrated",
        "Combination",
        "Goodness",
        "Impacts",
        "Limit",
        "Map",
        "Posterior",
        "Prediction",
        "Result",
        "Scan",
        "Sensitivity",
        "Significance",
        "combine",
        "feldman_cousins",
        "fit",
        "goodness",
        "impact",
        "limit",
        "predict",
        "profile_map",
        "sample",
        "scan",
        "sensitivity",
        "significance",
        "vary",
    ),
    "card": ("experiment_names", "load_experiment"),
    "couplings": ("Couplings",),
    "errors": ("NurecoilError",),
    "exhibits": (
        "combination_figure",
        "feldman_cousins_figure",
        "impact_figure",
        "limit_figure",
        "map_figure",
        "sensitivity_figure",
    ),
    "experiment": ("CompiledExperiment", "Experiment", "compile_experiment"),
    "models": ("Model", "load_model", "model_names"),
    "nuclei": ("material", "nuclide"),
    "scans": ("Spaced",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'nurecoil' has no attribute '{name}'")
    return getattr(importlib.import_module(f"nurecoil.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
