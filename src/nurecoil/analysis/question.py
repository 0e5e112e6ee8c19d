"""A question: a model and experiments with some parameters free, χ² as a function of those."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis.result import Answer, Conventions, Result, conventions, provenance
from nurecoil.couplings import Couplings
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment, CountingStatistics
from nurecoil.likelihood import (
    BinnedTerm,
    CountingTerm,
    JointLikelihood,
    Morphing,
    Term,
    counting_likelihood,
)
from nurecoil.models import STANDARD_MODEL, Model
from nurecoil.parameters import Parameter, Value, Values, find

Array = NDArray[np.float64]


def standard_model_counts(experiment: CompiledExperiment, values: Values) -> Array:
    """Return the Standard Model's counts per bin at those of its parameters that `values` has."""
    return experiment.counts(_standard_model_couplings(values))


def _standard_model_couplings(values: Values) -> Couplings:
    return STANDARD_MODEL.couplings(
        **{p.name: values[p.name] for p in STANDARD_MODEL.parameters if p.name in values}
    )


def joint_likelihood(
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    widths: Mapping[str, float] | None = None,
) -> JointLikelihood:
    """Return the likelihood of experiments together.

    Parameters
    ----------
    experiments
        Independent of one another but for the pulls that share a name.
    fixed : mapping
        Parameters of the model; a projection observes the Standard Model's expectation at their s_W² or,
        where that is scanned, at its default.
    widths : mapping, optional
        Prior widths by name of pull, in place of the experiments' own; 0 holds a pull at zero.
    """
    if not experiments:
        raise NurecoilError("at least one experiment is needed")
    widths = widths or {}
    terms: list[Term] = []
    for compiled in experiments:
        statistics = compiled.experiment.statistics
        if isinstance(statistics, CountingStatistics):
            expected = float(standard_model_counts(compiled, fixed).sum())
            counting = counting_likelihood(statistics, expected, widths)
            terms.append(CountingTerm(compiled, statistics, counting))
        else:
            terms.append(BinnedTerm(compiled, statistics))
    likelihood = JointLikelihood(tuple(terms), widths)
    if not any(isinstance(term, BinnedTerm) for term in terms):
        return likelihood
    standard = likelihood.profiled(likelihood.signals(_standard_model_couplings(fixed)))
    return replace(likelihood, start=tuple(standard.pulls[0].tolist()))


@dataclass(frozen=True)
class Question:
    """A model and experiments with some parameters free: χ² as a function of those.

    Attributes
    ----------
    model, likelihood
        What is tested, and by what.
    free
        The free parameters: of the model, or nuisance parameters, which are then free of their priors.
    values
        The other parameters of the model.
    start
        A value of each free parameter.
    conventions
        What a result depends on besides its parameters.
    """

    model: Model
    likelihood: JointLikelihood
    free: tuple[Parameter, ...]
    values: Values
    start: Mapping[str, float]
    conventions: Conventions
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        model: Model,
        experiments: Sequence[CompiledExperiment],
        fixed: Values,
        start: Mapping[str, float],
        widths: Mapping[str, float] | None,
    ) -> "Question":
        """Check names and values, and put the likelihood together."""
        of_model = [p.name for p in model.parameters]
        likelihood = joint_likelihood(experiments, {**fixed}, widths)
        for pull in likelihood.pulls:
            if pull.name in of_model:
                raise NurecoilError(
                    f"the nuisance parameter {pull.name} has the name of a parameter of {model.name}: its"
                    " card must call it otherwise"
                )
        everything = (*model.parameters, *likelihood.pulls)
        free = tuple(find(everything, name) for name in start)
        for parameter in free:
            if parameter.choices:
                raise NurecoilError(
                    f"{parameter.name} cannot be scanned or fitted: it is a choice, {parameter.allowed()}"
                )
            if parameter.name in fixed:
                raise NurecoilError(f"{parameter.name} is both set and free: do one or the other")
            if parameter.name in (widths or {}):
                raise NurecoilError(
                    f"{parameter.name} is free of its prior: it cannot have a prior width as well"
                )
        resolved = model.resolve({**fixed, **{n: v for n, v in start.items() if n in of_model}})
        others = {name: value for name, value in resolved.items() if name not in start}
        used = conventions(model, experiments, widths)
        remarks = _projection_notes(experiments, others) if "sin2_theta_w" in start else ()
        return cls(model, likelihood, free, others, start, used, remarks)

    def point(self, x: Mapping[str, Value]) -> tuple[list[Morphing], dict[str, Array]]:
        """Return the signals and the held pulls at values of the free parameters, each of shape (P,)."""
        of_model = {p.name for p in self.model.parameters}
        new = {name: value for name, value in x.items() if name in of_model}
        held = {name: value for name, value in x.items() if name not in of_model}
        points = max(np.size(value) for value in x.values())
        signals = self.likelihood.signals(self.model.evaluate({**self.values, **new}))
        return [s.repeated(points) for s in signals], held

    def profiled_at(self, x: Mapping[str, Value]) -> Array:
        """Return χ² with the pulls profiled."""
        return self.likelihood.profiled(*self.point(x)).chi2

    def profiled(self, x: Array) -> Array:
        """Return the same as a function of the one free parameter."""
        return self.profiled_at({self.free[0].name: x})

    def frozen_at(self, reference: float) -> tuple[Callable[[Array], Array], float]:
        """Return χ² of the free parameter with pulls held at their best fit at `reference`; χ² there."""
        name = self.free[0].name
        signals, held = self.point({name: np.array([reference])})
        best = self.likelihood.profiled(signals, held)

        def chi2(x: Array) -> Array:
            signals, held = self.point({name: x})
            pulls = np.repeat(best.pulls, len(x), axis=0)
            for number, pull in enumerate(self.likelihood.pulls):
                if pull.name in held:
                    pulls[:, number] = held[pull.name]
            return self.likelihood.chi2(signals, pulls)

        return chi2, float(best.chi2[0])

    def result(
        self,
        question: str,
        values: Answer,
        *,
        converged: bool,
        settings: Mapping[str, object],
        notes: Sequence[str] = (),
        nuisances: str = "profiled",
    ) -> Result[Answer]:
        """Return an answer with what it rests on."""
        of_model = {p.name for p in self.model.parameters}
        point = {**self.values, **{n: v for n, v in self.start.items() if n in of_model}}
        return Result(
            question=question,
            values=values,
            converged=converged,
            fixed=self.values,
            notes=(*self.model.notes(point), *notes, *self.remarks),
            conventions={**self.conventions, "nuisances": nuisances},
            provenance=provenance(settings),
        )


def _projection_notes(experiments: Sequence[CompiledExperiment], values: Values) -> tuple[str, ...]:
    names = [
        e.experiment.name
        for e in experiments
        if isinstance(e.experiment.statistics, CountingStatistics)
        and e.experiment.statistics.observed is None
    ]
    if not names:
        return ()
    default = find(STANDARD_MODEL.parameters, "sin2_theta_w").default
    return (
        f"{', '.join(names)} is a projection: it observes the Standard Model at sin2_theta_w = {default}.",
    )
