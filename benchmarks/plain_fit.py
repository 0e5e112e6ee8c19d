"""The plainest fit: s_W² and all pulls handed to MIGRAD, χ² in a few lines of NumPy, without gradients.

`python benchmarks/plain_fit.py EXPERIMENT [EXPERIMENT ...]`: what a user would write over the compiled
templates. It prints s_W², χ² and the number of calls.
"""

import sys

import numpy as np
from iminuit import Minuit

import nurecoil
from nurecoil.experiment import STANDARD_BASIS
from nurecoil.models import STANDARD_MODEL
from nurecoil.study.question import joint_likelihood

likelihood = joint_likelihood(
    [nurecoil.compile_experiment(nurecoil.load_experiment(name)) for name in sys.argv[1:]], {}
)


def chi2(x: np.ndarray) -> float:
    """Return χ² at s_W² and the pulls in units of their widths."""
    couplings = STANDARD_MODEL.couplings(sin2_theta_w=x[0])
    return float(
        likelihood.chi2(STANDARD_BASIS.strengths(couplings), likelihood.centre + x[1:] * likelihood.width)[0]
    )


minuit = Minuit(chi2, [0.24, *np.zeros(likelihood.width.size)])
minuit.errordef, minuit.errors = 1.0, [0.02, *np.full(likelihood.width.size, 0.5)]
minuit.migrad()
print(f"{minuit.values[0]:.5f} {minuit.fval:.4f} {minuit.nfcn}")
