"""What is predicted: expected counts of an experiment at one point of a model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.experiment import CompiledExperiment
from nurecoil.models import Model
from nurecoil.parameters import Values
from nurecoil.study.question import standard_model_counts
from nurecoil.study.remarks import remarks
from nurecoil.study.result import Result, conventions, provenance

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """Expected counts of one experiment at one point of a model.

    Attributes
    ----------
    edges, observable
        The bins of the first axis and what it is; counts are summed over the other axes.
    counts, standard_model_counts
        Per bin, of the model (Standard Model included) and of the Standard Model at the same s_W².
    """

    edges: tuple[float, ...]
    observable: str
    counts: Array
    standard_model_counts: Array

    @property
    def total(self) -> float:
        """The sum over bins."""
        return float(self.counts.sum())

    @property
    def standard_model_total(self) -> float:
        """The sum over bins in the Standard Model."""
        return float(self.standard_model_counts.sum())


@undisturbed
def predict(model: Model, experiment: CompiledExperiment, values: Values) -> Result[Prediction]:
    """Return the expected counts of an experiment at one point of a model (Binh et al. 2021, eq. 42).

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("standard-model")
    >>> round(predict(model, csi, {"sin2_theta_w": 0.23867}).values.total, 1)
    186.9
    """
    resolved = model.resolve(values)
    shape = experiment.experiment.shape
    axis = experiment.experiment.axes[0]

    def on_first_axis(counts: Array) -> Array:
        summed: Array = counts.reshape(shape).sum(axis=tuple(range(1, len(shape))))
        return summed

    prediction = Prediction(
        edges=axis.edges,
        observable=axis.name,
        counts=on_first_axis(experiment.counts(model.evaluate(resolved))),
        standard_model_counts=on_first_axis(standard_model_counts(experiment, resolved)),
    )
    return Result(
        question="predict",
        values=prediction,
        converged=True,
        fixed=resolved,
        notes=(*model.notes(resolved), *remarks(model, [experiment], resolved, ())),
        conventions=conventions(model, [experiment]),
        provenance=provenance({}),
    )
