"""What does each experiment say alone, what do all say together, and without each one: do they agree."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import Profile
from nurecoil.inference.significance import log_p_value, standard_deviations
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, Widths
from nurecoil.progress import in_steps
from nurecoil.study.question import Question
from nurecoil.study.result import Result
from nurecoil.verbs.limit import at_edge, limit_of


@dataclass(frozen=True)
class Measurement:
    """What some experiments say of the parameter: best fit, its χ², and all allowed intervals."""

    name: str
    experiments: tuple[str, ...]
    profile: Profile


@dataclass(frozen=True)
class Compatibility:
    """The parameter goodness of fit: how well one value of the parameter suits all experiments.

    Attributes
    ----------
    chi2
        χ²_min of all together less the sum of those of each alone; not negative but where pulls are shared.
    dof
        The number of experiments less one.
    p_value, sigma
        Asymptotic.
    """

    chi2: float
    dof: int
    p_value: float
    sigma: float


@dataclass(frozen=True)
class Combination:
    """One parameter, by each experiment, by all of them, and by all but one.

    Attributes
    ----------
    parameter, cl
        The scanned parameter and the confidence level.
    together
        All experiments.
    alone, without
        Each experiment alone, and all without each one; the latter is empty for two experiments.
    compatibility
        Whether the experiments agree.
    shared
        The nuisance parameters that several experiments have in common.
    """

    parameter: Parameter
    cl: float
    together: Measurement
    alone: tuple[Measurement, ...]
    without: tuple[Measurement, ...]
    compatibility: Compatibility
    shared: tuple[str, ...]


@undisturbed
def combine(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    scan: tuple[str, float, float],
    *,
    cl: float = 0.9,
    widths: Widths | None = None,
    engine: str = "auto",
    points: int = 201,
) -> Result[Combination]:
    r"""Return the allowed values of one parameter by experiment, and whether the experiments agree.

    .. math:: \chi^2_\mathrm{PG} = \min_\theta \sum_e \chi^2_e(\theta) - \sum_e \min_\theta \chi^2_e(\theta)

    follows χ² with (experiments - 1) degrees of freedom if one θ is true for all (Maltoni and Schwetz,
    Phys. Rev. D 68, 033020 (2003)). A nuisance parameter that experiments share is one in a common fit, while
    each experiment alone fits a copy of its own, with the whole prior: χ²_PG then holds the prior's share of
    each copy, can even be negative, and p is only approximate.

    Parameters
    ----------
    model, experiments, fixed, scan, cl, widths, engine, points
        As for `limit`; at least two experiments.

    Examples
    --------
    >>> import nurecoil
    >>> names = ["binh2021-csi", "binh2021-lar"]
    >>> pair = [nurecoil.compile_experiment(nurecoil.load_experiment(name)) for name in names]
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> answer = combine(model, pair, {}, ("signal_strength", 0.0, 3.0), cl=0.68).values
    >>> [f"{each.profile.best_fit:.3f}" for each in (*answer.alone, answer.together)]
    ['0.685', '0.845', '0.810']
    """
    names = [compiled.experiment.name for compiled in experiments]
    if len(names) < 2:
        raise NurecoilError(f"{len(names)} experiment cannot be combined: give at least two")
    _require_everywhere(model, experiments, scan[0])

    name, low, high = scan
    question = Question.of(model, experiments, fixed, {name: low}, widths, engine)

    def asked(chosen: Sequence[CompiledExperiment]) -> Question:
        likelihood = question.likelihood.part([each.experiment.name for each in chosen])
        return Question.of(model, chosen, fixed, {name: low}, likelihood=likelihood)

    def measured(title: str, question: Question) -> tuple[Measurement, bool]:
        begin(title)
        found = limit_of(question, low, high, cl, points=points)
        experiments = tuple(term.name for term in question.likelihood.terms)
        return Measurement(title, experiments, found.values.profile), found.converged

    left_out = experiments if len(experiments) > 2 else ()
    with in_steps(1 + len(experiments) + len(left_out)) as begin:
        together, settled = measured("together", question)
        alone = [measured(each.experiment.name, asked([each])) for each in experiments]
        without = [
            measured(f"without {one.experiment.name}", asked([e for e in experiments if e is not one]))
            for one in left_out
        ]
    shared = _shared(experiments, question)
    answer = Combination(
        parameter=question.free[0],
        cl=cl,
        together=together,
        alone=tuple(found for found, _ in alone),
        without=tuple(found for found, _ in without),
        compatibility=_compatibility(together, [found for found, _ in alone]),
        shared=shared,
    )
    return question.result(
        "combine",
        answer,
        converged=settled and all(ok for _, ok in (*alone, *without)),
        notes=_notes(answer),
        settings={"scan": list(scan), "cl": cl, "points": points},
    )


def _require_everywhere(model: Model, experiments: Sequence[CompiledExperiment], name: str) -> None:
    """Refuse a nuisance parameter that not every experiment has: the others say nothing of it."""
    if any(p.name == name for p in model.parameters):
        return
    those = [{p.name for p in each.experiment.statistics.pulls} for each in experiments]
    lacking = [each.experiment.name for each, its in zip(experiments, those, strict=True) if name not in its]
    if lacking and len(lacking) < len(experiments):
        raise NurecoilError(
            f"{name} is no parameter of {', '.join(lacking)}: combine only experiments that depend on it"
        )


def _shared(experiments: Sequence[CompiledExperiment], question: Question) -> tuple[str, ...]:
    """Return the nuisance parameters that are fitted and that several experiments have."""
    times = Counter(pull.name for each in experiments for pull in each.experiment.statistics.pulls)
    likelihood = question.likelihood
    fitted = {p.name for p, width in zip(likelihood.pulls, likelihood.width, strict=True) if width > 0}
    return tuple(name for name, n in times.items() if n > 1 and name in fitted - {question.free[0].name})


def _compatibility(together: Measurement, alone: Sequence[Measurement]) -> Compatibility:
    chi2 = together.profile.minimum - sum(each.profile.minimum for each in alone)
    dof = len(alone) - 1
    return Compatibility(chi2, dof, math.exp(log_p_value(chi2, dof)), standard_deviations(chi2, dof))


def _notes(answer: Combination) -> tuple[str, ...]:
    notes = []
    if answer.shared:
        notes.append(
            f"experiments share {', '.join(answer.shared)}, of which each alone fits a copy of its own: the"
            " test of compatibility is approximate."
        )
    edge = [each.name for each in (answer.together, *answer.alone) if at_edge(each.profile)]
    if edge:
        notes.append(
            f"the best fit of {', '.join(edge)} lies at the edge of the scanned range: intervals and"
            " compatibility are relative to the best point inside the range."
        )
    return tuple(notes)
