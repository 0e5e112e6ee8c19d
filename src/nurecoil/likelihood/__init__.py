"""Likelihoods: from expected counts to χ² = -2 ln L, nuisance parameters profiled or held.

`counting`: one number of counts (Gaussian). `binned`: Poisson counts in bins, with shape systematics.
`joint`: the sum over experiments, whose pulls of the same name are one.
"""

from nurecoil.likelihood.binned import BinnedTerm
from nurecoil.likelihood.component import Morphing
from nurecoil.likelihood.counting import CountingLikelihood, CountingTerm, counting_likelihood
from nurecoil.likelihood.joint import JointLikelihood, Profiled
from nurecoil.likelihood.term import Term

__all__ = [
    "BinnedTerm",
    "CountingLikelihood",
    "CountingTerm",
    "JointLikelihood",
    "Morphing",
    "Profiled",
    "Term",
    "counting_likelihood",
]
