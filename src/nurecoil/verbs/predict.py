"""`predict`: the expected counts of an experiment at one point of a model."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.experiment import Axis, CompiledExperiment
from nurecoil.likelihood import Fitted
from nurecoil.parameters import Values
from nurecoil.physics.couplings import Couplings
from nurecoil.presentation.document import Block, Figure, Panel, Table
from nurecoil.presentation.exchange import Arrays
from nurecoil.presentation.labels import spelled
from nurecoil.study.data import Seen, on_axis
from nurecoil.study.histogram import Histogram, histograms
from nurecoil.study.question import standard_model_counts
from nurecoil.study.remarks import remarks
from nurecoil.study.result import Answer, Result, Shown, conventions, provenance
from nurecoil.study.study import Study
from nurecoil.verbs.counts import BEFORE_FIT, added, panels
from nurecoil.verbs.options import Verb

HELP = """Print the expected counts of an experiment at one point of a model.

The counts include the Standard Model. Parameters without a default must be set; `nurecoil list parameters`
shows them all.

\b
Examples:
  nurecoil predict --model standard-model --experiment binh2021-csi
  nurecoil predict --model 331-beta --experiment binh2021-lar \\
    --set 'beta=-1/sqrt(3)' --set m_zprime=2TeV --set mu_nu=2.9e-11
  nurecoil predict --model standard-model --experiment binh2021-ge \\
    --form-factor klein-nystrand --json"""


@dataclass(frozen=True)
class Expected:
    """Expected counts of one experiment, and what it saw.

    Attributes
    ----------
    edges, observable
        The bins of the first axis and what it is; counts are summed over the other axes.
    counts, standard_model_counts
        Per bin, of the model (Standard Model included) and of the Standard Model at the same s_W².
    backgrounds, observed
        Counts per bin of each background at its central value, or in all bins if that is all there is; the
        same of the data, None for a projection.
    errors
        Of the observed counts, down and up.
    counted
        Whether these are counts; else they are a weak charge.
    variance
        σ² of observed Gaussian counts; None for Poisson counts.
    """

    name: str
    title: str
    edges: tuple[float, ...]
    observable: str
    counts: Array
    standard_model_counts: Array
    backgrounds: dict[str, Array]
    observed: Array | None
    errors: tuple[Array, Array] | None = None
    counted: bool = True
    variance: Array | None = None

    @property
    def total(self) -> float:
        """The sum over bins."""
        return float(self.counts.sum())

    @property
    def standard_model_total(self) -> float:
        """The sum over bins in the Standard Model."""
        return float(self.standard_model_counts.sum())

    @property
    def histograms(self) -> dict[str, Histogram]:
        """Backgrounds by name, "signal", "standard-model" and "data", as mplhep and hist take them (UHI)."""
        signals = {"signal": self.counts, "standard-model": self.standard_model_counts}
        axis = Axis("", self.observable, self.edges)
        return histograms((axis,), self.backgrounds | signals, self.observed, self.variance)

    def record(self) -> dict[str, object]:
        """Return all counts by bin, and sums, as plain data."""
        return {
            "counts": self.counts,
            "total": self.total,
            "standard_model_counts": self.standard_model_counts,
            "standard_model_total": self.standard_model_total,
            "backgrounds": self.backgrounds,
            "observed": self.observed,
            "observed_errors": self.errors,
            "bin_edges": self.edges,
            "observable": self.observable,
        }

    def panels(self, model: str, sigma: Array | None) -> tuple[Panel, ...]:
        """Return the counts drawn beside the data, and the Standard Model's; σ is that of all counts."""
        seen = None if self.observed is None or self.errors is None else (self.observed, self.errors)
        parts = self.backgrounds | {f"signal, {spelled(model)}": self.counts}
        binned = (counts for counts in self.backgrounds.values() if counts.size == self.counts.size)
        standard = "Standard Model", sum(binned, self.standard_model_counts)
        same = np.array_equal(self.counts, self.standard_model_counts)
        other, error = None if same else standard, None if sigma is None else (BEFORE_FIT, sigma)
        return panels(self.title, self.observable, self.edges, parts, seen, other, error)

    def block(self, model: str) -> Block:
        """Return a table of counts by bin: signal, Standard Model, backgrounds, data."""
        columns = {model: self.counts, "Standard Model": self.standard_model_counts}
        columns |= {name.replace("-", " "): counts for name, counts in self.backgrounds.items()}
        if self.observed is not None:
            columns["observed"] = self.observed
        bins, digits = len(self.edges) - 1, 2 if abs(self.standard_model_total) >= 1 else 4

        def row(name: str, at: slice) -> tuple[str, ...]:
            known = [counts.size == bins or at == slice(None) for counts in columns.values()]
            sums = [float(counts[at].sum()) for counts in columns.values()]
            texts = [f"{x:.{digits}f}" if k else "" for x, k in zip(sums, known, strict=True)]
            if self.observed is not None and texts[-1]:
                texts[-1] = f"{sums[-1]:g}"
            ratio = f"{sums[0] / sums[1]:.4f}" if sums[1] else "–"
            return (name, *texts[:2], ratio, *texts[2:])

        edges = zip(self.edges[:-1], self.edges[1:], strict=True)
        rows = [row(f"{a:g} to {b:g}", slice(n, n + 1)) for n, (a, b) in enumerate(edges) if self.counted]
        heads = (self.observable if self.counted else "", *list(columns)[:2], "ratio", *list(columns)[2:])
        return Table(
            f"Expected counts: {self.title}" if self.counted else self.title,
            heads,
            (*rows, row("total" if self.counted else "value", slice(None))),
            right=tuple(range(1, len(heads))),
            whole=(0,),
        )


@dataclass(frozen=True, repr=False)
class Prediction(Shown):
    """Expected counts of each experiment at one point of a model."""

    parts: tuple[Expected, ...]
    study: Study

    def record(self, result: Result["Prediction"]) -> dict[str, object]:
        if len(self.parts) == 1:
            return self.parts[0].record()
        return {"predictions": {part.name: part.record() for part in self.parts}}

    def arrays(self, result: Result["Prediction"]) -> Arrays:
        found: dict[str, tuple[tuple[str, ...], Array, str]] = {}
        for part in self.parts:
            along, edges = (f"{part.name}_bin",), np.array(part.edges)
            named = {"low": edges[:-1], "high": edges[1:]} | part.backgrounds
            named |= {"signal": part.counts, "standard-model": part.standard_model_counts}
            if part.observed is not None:
                named["observed"] = part.observed
            binned = {name: each for name, each in named.items() if each.size == part.counts.size}
            found |= {f"{part.name}_{name}": (along, each, "") for name, each in binned.items()}
        return found

    def blocks(self, result: Result["Prediction"]) -> Iterator[Block]:
        return (part.block(result.model) for part in self.parts)

    def figure(self, result: Result["Prediction"]) -> Figure:
        errors = _systematics(self.study)
        panels = [panel for part in self.parts for panel in part.panels(result.model, errors.get(part.name))]
        return Figure("counts", "Expected counts", "", tuple(panels), subtitle=result.facts)


@undisturbed
def predict(study: Study) -> Result[Prediction]:
    """Return the expected counts of the experiments (Binh et al. 2021, eq. 42), and what they saw.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("standard-model", "binh2021-csi", sin2_theta_w=0.23867)
    >>> (csi,) = study.predict().values.parts
    >>> round(csi.total, 1)
    186.9
    """

    def expected(values: Values) -> Prediction:
        couplings = study.model.evaluate(values)
        return Prediction(tuple(_expected(each, couplings, values) for each in study.experiments), study)

    return at_point(study, "predict", expected)


def at_point(study: Study, question: str, answer: Callable[[Values], Answer]) -> Result[Answer]:
    """Return what is to be said of a study at the values that are set: of all parameters, inside units."""
    study.require_counts({})
    model, experiments = study.model, study.experiments
    values = model.resolve(study.values)
    return Result(
        question=question,
        values=answer(values),
        converged=True,
        fixed=values,
        notes=(*model.notes(values), *remarks(model, experiments, values, ())),
        conventions=conventions(model, experiments),
        provenance=provenance({}),
        parameters=model.parameters,
    )


def _systematics(study: Study) -> dict[str, Array | None]:
    """Return σ of the counts along the first axis of each experiment: that of all priors."""
    question = study.question({})
    likelihood = question.likelihood
    known = {p.name: w for p, w in zip(likelihood.pulls, likelihood.width.tolist(), strict=True)}
    known = {name: width for name, width in known.items() if 0 < width < math.inf}
    if not known:
        return {}
    centre = Fitted(np.zeros(1), np.empty((1, 0)), likelihood.centre[np.newaxis], np.ones(1, dtype=bool))
    shifts = question.shifts(centre, tuple(known), np.diag(np.square([*known.values()])))
    shapes = {c.experiment.name: c.experiment.shape for c in study.experiments}
    return {
        name: added(on_axis(each.reshape(shape), 0) for each in shifts[name])
        for name, shape in shapes.items()
        if shifts[name].shape[1] == math.prod(shape)
    }


def _expected(compiled: CompiledExperiment, couplings: Couplings, values: Values) -> Expected:
    experiment = compiled.experiment
    seen, shape = Seen.by(experiment).along(0), experiment.shape

    def on_first_axis(counts: Array) -> Array:
        return on_axis(counts.reshape(shape), 0)

    return Expected(
        name=experiment.name,
        title=experiment.title,
        edges=experiment.axes[0].edges,
        observable=experiment.axes[0].name,
        counts=on_first_axis(compiled.counts(couplings)),
        standard_model_counts=on_first_axis(standard_model_counts(compiled, values)),
        backgrounds=seen.backgrounds,
        observed=seen.observed,
        errors=seen.errors,
        counted=not experiment.of_weak_charge,
        variance=seen.variance,
    )


COMMAND = Verb(predict, HELP, holds=("form_factor",), plots=True)
