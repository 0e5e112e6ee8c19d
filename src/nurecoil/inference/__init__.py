"""Statistics of a function of parameters: fits, profiles, intervals.

This package sees no physics: it is given functions of NumPy arrays and returns numbers.

- `intervals`: the levels of a confidence level and all allowed intervals of one parameter;
- `calibration`: the same with levels from toys (`critical`), and coverage;
- `contours`: all allowed regions of two parameters (`regions`), on a grid (`mesh`) that is searched
  (`mesh_search`) until it shows them;
- `fit`: minimisation of a function of several named parameters from several starts;
- `sampling`, `nuts`, `nested`: samples of a posterior with `priors`, judged by `diagnostics` and shown by
  `density`;
- `progress`: how far any of these is.
"""

from nurecoil.inference.fit import Fit, minimise
from nurecoil.inference.intervals import Interval, Profile, profile, threshold

__all__ = ["Fit", "Interval", "Profile", "minimise", "profile", "threshold"]
