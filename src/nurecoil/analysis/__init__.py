"""Questions put to a model and experiments: what is predicted, which parameters fit, which are allowed.

The one place where physics and inference meet: a model and compiled experiments become a function χ² of
parameters (`question`), and `nurecoil.inference`, which knows no physics, answers. One file, one question;
each returns a `Result`.
"""

from nurecoil.analysis.bands import Bands
from nurecoil.analysis.best_fit import BestFit, fit
from nurecoil.analysis.combination import Combination, Compatibility, Measurement, combine
from nurecoil.analysis.discovery import NullToys, Rejection, Significance, significance
from nurecoil.analysis.expected_limits import Sensitivity, sensitivity
from nurecoil.analysis.fit_quality import Contribution, Goodness, Toys, goodness
from nurecoil.analysis.limits import Limit, Varied, limit
from nurecoil.analysis.maps import Map, profile_map
from nurecoil.analysis.posterior import Posterior, sample
from nurecoil.analysis.prediction import Prediction, predict
from nurecoil.analysis.question import Question, joint_likelihood, standard_model_counts
from nurecoil.analysis.ranking import Impact, Impacts, impact
from nurecoil.analysis.result import Conventions, Result, conventions
from nurecoil.analysis.scanning import Scan, scan
from nurecoil.analysis.toy_limits import Calibrated, feldman_cousins
from nurecoil.analysis.variations import Case, Choice, vary

__all__ = [
    "Bands",
    "BestFit",
    "Calibrated",
    "Case",
    "Choice",
    "Combination",
    "Compatibility",
    "Contribution",
    "Conventions",
    "Goodness",
    "Impact",
    "Impacts",
    "Limit",
    "Map",
    "Measurement",
    "NullToys",
    "Posterior",
    "Prediction",
    "Question",
    "Rejection",
    "Result",
    "Scan",
    "Sensitivity",
    "Significance",
    "Toys",
    "Varied",
    "combine",
    "conventions",
    "feldman_cousins",
    "fit",
    "goodness",
    "impact",
    "joint_likelihood",
    "limit",
    "predict",
    "profile_map",
    "sample",
    "scan",
    "sensitivity",
    "significance",
    "standard_model_counts",
    "vary",
]
