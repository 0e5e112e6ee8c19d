"""Likelihoods: from expected counts to χ² = -2 ln L, nuisance parameters profiled or held.

`term`: one experiment, Poisson or Gaussian. `joint`: their sum, in which pulls of one name are one, and what
it is asked; `found`: what it answers. `data`: what was observed, or might have been.

The engine: `arrays` (an experiment as plain arrays), `expansion` (strengths as functions of fitted
parameters), `response` (strengths to signal, with derivatives),
`morphing` (shapes that pulls change), `objective` (χ² of one experiment with derivatives), `problem` (of all
together), `engines` (what minimises it: `newton`, or the loops of `fused`) and `search` (for the
lowest of several minima).
"""

from nurecoil.likelihood.data import Data
from nurecoil.likelihood.expansion import Expansion, Moving, Strengths, expand
from nurecoil.likelihood.found import Fitted, lowest
from nurecoil.likelihood.joint import REACH, JointLikelihood, Tie
from nurecoil.likelihood.term import OFF, Term, binned_term, terms_of

__all__ = [
    "OFF",
    "REACH",
    "Data",
    "Expansion",
    "Fitted",
    "JointLikelihood",
    "Moving",
    "Strengths",
    "Term",
    "Tie",
    "binned_term",
    "expand",
    "lowest",
    "terms_of",
]
