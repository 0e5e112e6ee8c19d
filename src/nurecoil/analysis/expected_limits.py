"""Which values of one parameter would be allowed if the data were exactly as expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nurecoil.analysis.asimov import expected_data, standard_model_data
from nurecoil.analysis.limits import Limit, limit
from nurecoil.analysis.question import Question
from nurecoil.analysis.result import Result
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import profile
from nurecoil.models import Model
from nurecoil.parameters import Values


@dataclass(frozen=True)
class Sensitivity:
    """The expected limit, and the observed one to compare it with.

    Attributes
    ----------
    expected
        The allowed intervals if the experiments saw exactly what is expected at `truth`.
    observed
        The allowed intervals.
    truth
        Where the data are expected (inside units); None is the Standard Model.
    """

    expected: Limit
    observed: Limit
    truth: Values | None


def sensitivity(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    scan: tuple[str, float, float],
    *,
    truth: Mapping[str, float] | None = None,
    cl: float = 0.9,
    widths: Mapping[str, float] | None = None,
    points: int = 2001,
) -> Result[Sensitivity]:
    """Return the intervals of one parameter that the experiments would allow, and those that they do.

    The expected ones are the limit from the Asimov data: each count is what is expected, every nuisance
    parameter was measured at its centre. They are the median of many experiments where Wilks' theorem holds
    (Cowan et al., Eur. Phys. J. C 71, 1554 (2011), section 3.2).

    Parameters
    ----------
    model, experiments, fixed, scan, cl, widths, points
        As for `limit`.
    truth : mapping, optional
        Parameters of the model, in place of those in `fixed`, at which the data are expected (inside units);
        by default it is the Standard Model.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> answer = sensitivity(model, [csi], {}, ("signal_strength", 0.0, 3.0)).values
    >>> [f"{one.low:.2f} to {one.high:.2f}" for one in answer.expected.profile.intervals]
    ['0.61 to 1.93']
    """
    observed = limit(model, experiments, fixed, scan, cl=cl, widths=widths, points=points)
    name, low, high = scan
    question = Question.of(model, experiments, fixed, {name: low}, widths)
    if truth is None:
        data = standard_model_data(question, experiments)
    else:
        data = expected_data(model, experiments, fixed, truth, widths)
    asked, seen = question.with_data(data), observed.values.profile
    expected = profile(
        lambda x: asked.chi2(x[:, np.newaxis]),
        low,
        high,
        seen.level,
        log=question.free[0].log_scan and low > 0,
        points=points,
        noise=question.likelihood.noise,
    )
    return question.result(
        "sensitivity",
        Sensitivity(Limit(observed.values.parameter, cl, expected), observed.values, truth),
        converged=observed.converged and expected.converged,
        notes=[note for note in observed.notes if note not in question.remarks],
        settings={"scan": list(scan), "cl": cl, "points": points, "truth": truth and dict(truth)},
    )
