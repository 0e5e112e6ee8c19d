"""Questions put to a model and experiments: what is predicted, which parameters fit, which are allowed.

The one place where physics and inference meet: a model and compiled experiments become a function χ² of
parameters (`question`), and `nurecoil.inference`, which knows no physics, answers. One file, one question;
each returns a `Result`.
"""

from nurecoil.analysis.best_fit import BestFit, fit
from nurecoil.analysis.limits import Limit, limit
from nurecoil.analysis.prediction import Prediction, predict
from nurecoil.analysis.question import Question, joint_likelihood, standard_model_counts
from nurecoil.analysis.result import Conventions, Result, conventions

__all__ = [
    "BestFit",
    "Conventions",
    "Limit",
    "Prediction",
    "Question",
    "Result",
    "conventions",
    "fit",
    "joint_likelihood",
    "limit",
    "predict",
    "standard_model_counts",
]
