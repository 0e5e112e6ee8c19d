"""What every question returns: the answer, whether it converged, and what it rests on."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from nurecoil._version import __version__
from nurecoil.experiment import CompiledExperiment
from nurecoil.models import Model
from nurecoil.parameters import Values
from nurecoil.physics import constants

Conventions = Mapping[str, object]
Answer = TypeVar("Answer")

_MOST_EDITS = 5
_OF_FILES = ("signal", "statistics", "data_hashes", "compiled")  # edits of what data files say


@dataclass(frozen=True)
class Result(Generic[Answer]):
    """The answer to one question, with all that is needed to trust it and to ask it again.

    Attributes
    ----------
    question
        The name of the question: "predict", "limit", "fit", ...
    values
        The answer, a frozen dataclass of its own for each question.
    converged
        Whether every minimisation behind the answer converged; the notes say what did not.
    fixed
        The parameters of the model that were held, in inside units.
    notes
        What the reader should know, in sentences.
    conventions
        What the numbers depend on besides the parameters: schemes, form factors, pull widths, data.
    provenance
        What it takes to ask again: versions, and the settings of the question.
    """

    question: str
    values: Answer
    converged: bool
    fixed: Values
    notes: tuple[str, ...]
    conventions: Conventions
    provenance: Mapping[str, object]


def conventions(
    model: Model, experiments: Sequence[CompiledExperiment], widths: Mapping[str, float] | None = None
) -> dict[str, object]:
    """Return what a result depends on besides its parameters, for printing beside it."""
    return {
        "nurecoil": __version__,
        "model": model.name,
        "axial": "axial-vector part neglected",
        "G_F [1/MeV^2]": constants.FERMI_CONSTANT,
        "m_Z [MeV]": constants.Z_MASS,
        "experiments": {c.experiment.name: _experiment_conventions(c, widths or {}) for c in experiments},
    }


def _experiment_conventions(compiled: CompiledExperiment, widths: Mapping[str, float]) -> dict[str, object]:
    experiment = compiled.experiment
    terms, edits = experiment.conventions, compiled.edits()
    more = f" and {len(edits) - _MOST_EDITS} more" if len(edits) > _MOST_EDITS else ""
    edited = f"edited in Python: {', '.join(edits[:_MOST_EDITS])}{more}"
    hashes = {} if any(edit.startswith(_OF_FILES) for edit in edits) else dict(experiment.data_hashes)
    return {
        "reference": experiment.reference,
        **(
            {"card": edited if edits else f"sha256 {experiment.card_hash[:16]}"} if experiment.as_read else {}
        ),
        "target": experiment.target.composition,
        "form_factor": experiment.signal.form_factor.description,
        "vector cross section": "with T/E" if terms.vector_recoil_term else "without T/E",
        "magnetic cross section": ("with T/4E²" if terms.magnetic_recoil_term else "without T/4E²")
        + (", F_p²" if terms.magnetic_form_factor else ", F_p = 1"),
        "pull_widths": {p.name: widths.get(p.name, p.prior_width) for p in experiment.statistics.pulls},
        **({"data": hashes} if hashes else {}),
    }


def provenance(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the versions that computed a result, and the settings of the question."""
    return {
        "nurecoil": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "settings": dict(settings),
    }
