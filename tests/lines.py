"""Intervals of functions written in one line, for tests."""

from nurecoil.inference import calibration, intervals
from nurecoil.inference.line import Axis, Line


def profile(chi2, low, high, level, *, log=False, reference=None, **line):
    return intervals.profile(Line(chi2, Axis(low, high, log), **line), level, reference)


def calibrate(chi2, draw, low, high, cl, *, log=False, **toys):
    data = Line(chi2, Axis(low, high, log), points=calibration.CURVE_POINTS)
    return calibration.calibrate(data, draw, cl, **toys)
