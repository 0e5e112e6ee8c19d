"""Samples of a posterior as files, in the units in which parameters are written."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nurecoil.parameters import Parameter
from nurecoil.presentation.staging import ending_of

FORMATS = ("csv", "npz")


def samples_format(path: Path | str) -> str:
    """Return "csv" or "npz", as the suffix of a path says; another suffix is a NurecoilError."""
    return ending_of(path, FORMATS, "write samples")


def save_samples(
    path: Path,
    parameters: Sequence[Parameter],
    samples: NDArray[np.float64],
    chi2: NDArray[np.float64],
    about: Mapping[str, object],
) -> None:
    """Write samples (S, D), χ² (S,) and what they rest on: a .csv or .npz file, the same bytes each time.

    A CSV file has comment lines (``#``) with the question, conventions and provenance as JSON, then one row
    a sample: the parameters, in columns named ``NAME [UNIT]``, and ``chi2``. An NPZ file has the arrays
    `names`, `units`, `samples` (S, D), `chi2` (S,) and `about`, the same JSON.
    """
    kind = samples_format(path)
    samples = samples / np.array([p.inside for p in parameters])
    text = json.dumps(about, ensure_ascii=False, default=str)
    if kind == "npz":
        np.savez(
            path,
            names=np.array([p.name for p in parameters]),
            units=np.array([p.unit for p in parameters]),
            samples=samples,
            chi2=chi2,
            about=np.array(text),
        )
        return
    names = [f"{p.name} [{p.unit}]" if p.unit else p.name for p in parameters]
    np.savetxt(
        path,
        np.column_stack([samples, chi2]),
        fmt="%.10g",
        delimiter=",",
        header=f"# nurecoil samples\n# {text}\n" + ",".join([*names, "chi2"]),
        comments="",
        encoding="utf-8",
    )
