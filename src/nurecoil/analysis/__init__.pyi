"""The public names; each is imported from its module when it is first used."""

from .bands import Bands as Bands
from .best_fit import BestFit as BestFit, fit as fit
from .combination import (
    Combination as Combination,
    Compatibility as Compatibility,
    Measurement as Measurement,
    combine as combine,
)
from .discovery import (
    NullToys as NullToys,
    Rejection as Rejection,
    Significance as Significance,
    significance as significance,
)
from .expected_limits import Sensitivity as Sensitivity, sensitivity as sensitivity
from .fit_quality import (
    Contribution as Contribution,
    Goodness as Goodness,
    Toys as Toys,
    goodness as goodness,
)
from .limits import Limit as Limit, Varied as Varied, limit as limit
from .maps import Map as Map, profile_map as profile_map
from .posterior import Posterior as Posterior, sample as sample
from .prediction import Prediction as Prediction, predict as predict
from .question import (
    Question as Question,
    joint_likelihood as joint_likelihood,
    standard_model_counts as standard_model_counts,
)
from .ranking import Impact as Impact, Impacts as Impacts, impact as impact
from .result import Conventions as Conventions, Result as Result, conventions as conventions
from .scanning import Scan as Scan, scan as scan
from .toy_limits import Calibrated as Calibrated, feldman_cousins as feldman_cousins
from .variations import Case as Case, Choice as Choice, vary as vary
