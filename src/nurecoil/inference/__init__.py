"""Statistics of a function of parameters: profiles, errors, intervals.

This package sees no physics: it is given functions of NumPy arrays and returns numbers.

- `intervals`: the levels of a confidence level and all allowed intervals of one parameter, on a `line` that
  is `sampled`;
- `calibration`: the same with levels from toys (`critical`), and coverage; `belt`: of one Poisson count;
- `contours`: all allowed regions of two parameters (`regions`), on a grid (`mesh`) that is searched
  (`mesh_search`) until it shows them;
- `errors`: how far a profile rises by one (MINOS);
- `sampling`, `nuts`, `nested`: samples of a posterior with `priors`, judged by `diagnostics` and shown by
  `density`.
"""

from nurecoil.inference.intervals import Interval, Profile, profile, threshold
from nurecoil.inference.line import Axis, Line

__all__ = ["Axis", "Interval", "Line", "Profile", "profile", "threshold"]
