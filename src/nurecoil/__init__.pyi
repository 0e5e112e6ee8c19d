"""The public names; each is imported from its module when it is first used."""

from ._version import __version__ as __version__
from .experiment.card import experiment_names as experiment_names, load_experiment as load_experiment
from .physics.couplings import Couplings as Couplings
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
from .physics.nuclei import material as material, nuclide as nuclide
from .scans import Spaced as Spaced
from .study.result import Result as Result
from .verbs.combine import Combination as Combination, combine as combine
from .verbs.feldman_cousins import Calibrated as Calibrated, feldman_cousins as feldman_cousins
from .verbs.fit import BestFit as BestFit, fit as fit
from .verbs.goodness import Goodness as Goodness, goodness as goodness
from .verbs.impact import Impacts as Impacts, impact as impact
from .verbs.limit import Limit as Limit, limit as limit
from .verbs.map import Map as Map, profile_map as profile_map
from .verbs.predict import Prediction as Prediction, predict as predict
from .verbs.sample import Posterior as Posterior, sample as sample
from .verbs.scan import Scan as Scan, scan as scan
from .verbs.sensitivity import Sensitivity as Sensitivity, sensitivity as sensitivity
from .verbs.significance import Significance as Significance, significance as significance
from .verbs.vary import vary as vary
