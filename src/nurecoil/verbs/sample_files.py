"""Samples of a posterior as files, in the units in which parameters are written."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nurecoil.errors import NurecoilError
from nurecoil.study.result import Result
from nurecoil.verbs.sample import Posterior

FORMATS = ("csv", "npz")


def samples_format(path: Path | str) -> str:
    """Return "csv" or "npz", as the suffix of a path says; another suffix is a NurecoilError.

    >>> samples_format("samples.CSV")
    'csv'
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise NurecoilError(f"cannot write samples to '{path}': the file must end in .{', .'.join(FORMATS)}")
    return kind


def save_samples(result: Result[Posterior], path: Path | str) -> None:
    """Write samples with what they rest on: a .csv or .npz file, the same bytes each time.

    A CSV file has comment lines (``#``) with the question, conventions and provenance as JSON, then one row
    a sample: the parameters, in columns named ``NAME [UNIT]``, and ``chi2``. An NPZ file has the arrays
    `names`, `units`, `samples` (S, D), `chi2` (S,) and `about`, the same JSON.
    """
    kind, posterior = samples_format(path), result.values
    inside = np.array([p.inside for p in posterior.parameters])
    samples = posterior.samples / inside
    about = json.dumps(_about(result), ensure_ascii=False, default=str)
    if kind == "npz":
        np.savez(
            path,
            names=np.array([p.name for p in posterior.parameters]),
            units=np.array([p.unit for p in posterior.parameters]),
            samples=samples,
            chi2=posterior.chi2,
            about=np.array(about),
        )
        return
    names = [f"{p.name} [{p.unit}]" if p.unit else p.name for p in posterior.parameters]
    np.savetxt(
        path,
        np.column_stack([samples, posterior.chi2]),
        fmt="%.10g",
        delimiter=",",
        header=f"# nurecoil samples\n# {about}\n" + ",".join([*names, "chi2"]),
        comments="",
        encoding="utf-8",
    )


def _about(result: Result[Posterior]) -> Mapping[str, object]:
    return {
        "question": result.question,
        "converged": result.converged,
        "fixed": dict(result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }
