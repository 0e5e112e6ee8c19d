"""Which values of one parameter would be allowed if the data were exactly as expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nurecoil.arithmetic import undisturbed
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import profile
from nurecoil.models import Model
from nurecoil.parameters import Values, Widths
from nurecoil.progress import in_steps
from nurecoil.study.asimov import Truth
from nurecoil.study.bands import Bands, bands
from nurecoil.study.curve import EXPECTED, Curve
from nurecoil.study.question import Question
from nurecoil.study.result import Result
from nurecoil.verbs.limit import Limit, limit_of


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
    bands
        How the expected limit varies from experiment to experiment, if toys were asked for.
    """

    expected: Limit
    observed: Limit
    truth: Values | None
    bands: Bands | None = None


@undisturbed
def sensitivity(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    scan: tuple[str, float, float],
    *,
    truth: Mapping[str, float] | None = None,
    cl: float = 0.9,
    widths: Widths | None = None,
    engine: str = "auto",
    points: int = 2001,
    toys: int = 0,
    seed: int = 1,
) -> Result[Sensitivity]:
    """Return the intervals of one parameter that the experiments would allow, and those that they do.

    The expected ones are the limit from the Asimov data: each count is what is expected, every nuisance
    parameter was measured at its centre. They are the median of many experiments where Wilks' theorem holds
    (Cowan et al., Eur. Phys. J. C 71, 1554 (2011), section 3.2). Gaussian counts keep the σ of the data.

    Parameters
    ----------
    model, experiments, fixed, scan, cl, widths, engine, points
        As for `limit`.
    truth : mapping, optional
        Parameters of the model, in place of those in `fixed`, at which the data are expected (inside units);
        by default it is the Standard Model.
    toys, seed : int
        Simulate so many experiments, and return in which bands Δχ² and the limits lie.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> answer = sensitivity(model, [csi], {}, ("signal_strength", 0.0, 3.0)).values
    >>> [f"{one.low:.2f} to {one.high:.2f}" for one in answer.expected.profile.intervals]
    ['0.61 to 1.93']
    """
    name, low, high = scan
    question = Question.of(model, experiments, fixed, {name: low}, widths, engine)
    with in_steps(3 if toys else 2) as begin:
        begin("the observed limit")
        observed = limit_of(question, low, high, cl, points=points)
        if truth is None:
            true = Truth.standard_model(question, experiments)
        else:
            true = Truth.of(question, experiments, fixed, truth)
        asked, seen = question.with_data(true.expected()), observed.values.profile
        if toys:
            begin(f"{toys} toys")
        varying = bands(question, true, low, high, seen.level, toys, seed) if toys else None
        curve = Curve(asked)
        begin("the expected limit")
        with in_steps(EXPECTED) as curve.begin:
            expected = profile(
                curve,
                low,
                high,
                seen.level,
                log=question.free[0].log_scan and low > 0,
                points=points,
                noise=question.likelihood.noise,
                at_infinity=curve.at_infinity,
            )
    return question.result(
        "sensitivity",
        Sensitivity(Limit(observed.values.parameter, cl, expected), observed.values, truth, varying),
        converged=observed.converged
        and curve.converged
        and expected.converged
        and (varying is None or varying.converged == toys),
        notes=[*(note for note in observed.notes if note not in question.remarks), *curve.notes],
        settings={
            "scan": list(scan),
            "cl": cl,
            "points": points,
            "truth": truth and dict(truth),
            "toys": toys,
            "seed": seed,
        },
    )
