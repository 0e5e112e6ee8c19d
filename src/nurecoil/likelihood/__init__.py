"""Likelihoods: from expected counts to χ² = -2 ln L, nuisance parameters profiled or held.

`term`: one experiment, Poisson or Gaussian. `joint`: their sum, in which pulls of one name are one, and what
it is asked; `found`: what it answers. `data`: what was observed, or might have been. `counting`: one number
of counts, in closed form.

The engine: `arrays` (an experiment as plain arrays), `expansion` (strengths as functions of fitted
parameters), `response` (strengths to signal, with derivatives),
`morphing` (shapes that pulls change), `objective` (χ² of one experiment with derivatives), `problem` (of all
together), `engines` (what minimises it: `newton`, `traced`, or the loops of `fused`) and `search` (for the
lowest of several minima).
"""

from nurecoil.likelihood.counting import CountingLikelihood, counting_likelihood
from nurecoil.likelihood.data import Data
from nurecoil.likelihood.expansion import Expansion, Moving, Strengths, expand
from nurecoil.likelihood.found import Fitted, lowest
from nurecoil.likelihood.joint import REACH, JointLikelihood, Tie
from nurecoil.likelihood.term import Term, binned_term, gaussian_term, term_of

__all__ = [
    "REACH",
    "CountingLikelihood",
    "Data",
    "Expansion",
    "Fitted",
    "JointLikelihood",
    "Moving",
    "Strengths",
    "Term",
    "Tie",
    "binned_term",
    "counting_likelihood",
    "expand",
    "gaussian_term",
    "lowest",
    "term_of",
]
