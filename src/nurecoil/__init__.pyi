"""The public names; each is imported from its module when it is first used."""

from ._version import __version__ as __version__
from .analysis import (
    BestFit as BestFit,
    Calibrated as Calibrated,
    Combination as Combination,
    Goodness as Goodness,
    Impacts as Impacts,
    Limit as Limit,
    Map as Map,
    Posterior as Posterior,
    Prediction as Prediction,
    Result as Result,
    Scan as Scan,
    Sensitivity as Sensitivity,
    Significance as Significance,
    combine as combine,
    feldman_cousins as feldman_cousins,
    fit as fit,
    goodness as goodness,
    impact as impact,
    limit as limit,
    predict as predict,
    profile_map as profile_map,
    sample as sample,
    scan as scan,
    sensitivity as sensitivity,
    significance as significance,
    vary as vary,
)
from .card import experiment_names as experiment_names, load_experiment as load_experiment
from .couplings import Couplings as Couplings
from .errors import NurecoilError as NurecoilError
from .exhibits import (
    combination_figure as combination_figure,
    feldman_cousins_figure as feldman_cousins_figure,
    impact_figure as impact_figure,
    limit_figure as limit_figure,
    map_figure as map_figure,
    sensitivity_figure as sensitivity_figure,
)
from .experiment import (
    CompiledExperiment as CompiledExperiment,
    Experiment as Experiment,
    compile_experiment as compile_experiment,
)
from .models import Model as Model, load_model as load_model, model_names as model_names
from .nuclei import material as material, nuclide as nuclide
from .scans import Spaced as Spaced
