"""`scan`: how χ² varies over a grid of parameters, of any size, on one core or a cluster."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nurecoil.arithmetic import Array, undisturbed, unwarned
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.likelihood import OFF
from nurecoil.parameters import Parameter, at_border, find, written
from nurecoil.presentation.document import Block, Pairs
from nurecoil.scans import Axis, Grid, Listed, Spaced, run
from nurecoil.scans.running import require_place
from nurecoil.study.arguments import mapping, several
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study

if TYPE_CHECKING:
    from xarray import Dataset

_KEYS = ("low", "high", "points", "log", "values")  # of an axis


@dataclass(frozen=True, repr=False)
class Scan(Shown):
    """A scan that is finished.

    Attributes
    ----------
    path
        The netCDF-4 file: `delta_chi2` and `converged` with the parameters as dimensions, at border units.
    parameters, shape
        The scanned parameters, and how many values of each.
    best_fit, minimum
        The best point of the grid (inside units), and χ² there.
    not_converged
        At how many of the points the nuisance parameters did not converge.
    chunks, resumed
        In how many chunks the scan was computed, and how many of them an earlier attempt had left; both 0
        for a file that was there already.
    """

    path: Path
    parameters: tuple[Parameter, ...]
    shape: tuple[int, ...]
    best_fit: Mapping[str, float]
    minimum: float
    points: int
    not_converged: int
    chunks: int
    resumed: int

    def open(self) -> "Dataset":
        """Return the file as an xarray Dataset, whose numbers are read as they are used."""
        import xarray

        return xarray.open_dataset(self.path, engine="netcdf4")

    def record(self, result: Result["Scan"]) -> dict[str, object]:
        return {
            "file": str(self.path),
            "shape": dict(zip((p.name for p in self.parameters), self.shape, strict=True)),
            "points": self.points,
            "not_converged": self.not_converged,
            "best_fit": at_border(self.parameters, self.best_fit),
            "chi2": self.minimum,
            "chunks": self.chunks,
            "resumed": self.resumed,
        }

    def blocks(self, result: Result["Scan"]) -> Iterator[Block]:
        best = written(self.parameters, self.best_fit)
        axes = " x ".join(f"{n} {p.name}" for p, n in zip(self.parameters, self.shape, strict=True))
        rows = (
            ("points", f"{self.points} ({axes})"),
            ("best point", f"{best}, χ² = {self.minimum:.2f}"),
            result.convergence(f"not at {self.not_converged} points"),
            ("file", str(self.path)),
        )
        yield Pairs(result.title("Scan"), rows)


@undisturbed
def scan(
    study: Study,
    axes: Mapping[str, Spaced | Sequence[Any] | Mapping[str, Any]],
    output: Path | str,
    *,
    pulls: bool = False,
    executor: Executor | None = None,
    restart: bool = False,
) -> Result[Scan]:
    """Write Δχ², nuisance parameters profiled, on a grid of parameters to a netCDF-4 file.

    A scan that was killed is resumed by the same call, and refused if anything that decides its numbers has
    changed. The file has the same bytes however often that happens, and whatever the executor.
    `docs/scans.md` tells how to use a cluster.

    Parameters
    ----------
    axes : mapping
        The parameters to scan and their values, in ascending order, or
        {"low": "0.1 TeV", "high": "10 TeV", "points": 50, "log": True}, or `Spaced` (inside units). A
        nuisance parameter is then free of its prior. The last axis runs fastest.
    output : path
        The file to write; finished chunks are kept beside it, in a folder with ".partial" after its name.
    pulls : bool
        Whether to keep the best nuisance parameters of each point as well, 8 bytes each.
    executor : Executor, optional
        Where to compute: of `concurrent.futures`, Dask or MPI; in this process by default.
    restart : bool
        Start afresh, whatever an earlier scan left behind.

    Raises
    ------
    NurecoilError
        For values that a parameter may not have, where χ² is not a number, if the output cannot be written
        or belongs to another scan, and if workers were lost.

    Examples
    --------
    >>> import nurecoil, tempfile
    >>> axes = {"m_zprime": {"low": "0.1 TeV", "high": "10 TeV", "points": 50}, "beta": [-1, 0, 1]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = nurecoil.Study("331-beta", "binh2021-csi").scan(axes, f"{folder}/map.nc").values
    ...     with found.open() as data:
    ...         print(found.shape, dict(data.delta_chi2.sizes), float(data.delta_chi2.min()))
    (50, 3) {'m_zprime': 50, 'beta': 3} 0.0
    """
    require_place(Path(output))
    ticks = {name: _ticks(study, name, given) for name, given in mapping(axes, "axes").items()}
    for name in ticks:
        study.require_unused(name, "scanned")
    for end in ("low", "high"):
        study.require_counts({name: getattr(t, end) for name, t in ticks.items()})
    question = study.question({name: t.low for name, t in ticks.items()})
    for parameter in question.free:
        parameter.check([ticks[parameter.name].low, ticks[parameter.name].high])
    best_pulls = tuple(p for p in question.likelihood.pulls if p not in question.free) if pulls else ()
    grid = Grid(tuple(_axis(parameter, ticks[parameter.name]) for parameter in question.free))
    question = replace(question, likelihood=question.likelihood.settled(grid.size))
    identity = _identity(question)
    outcome = run(
        _Profile(question, best_pulls),
        grid,
        Path(output),
        identity=identity,
        attributes=_attributes(question, identity),
        extra=tuple(pull.name for pull in best_pulls),
        executor=executor,
        restart=restart,
    )
    best = grid.point(outcome.summary.best)
    answer = Scan(
        path=Path(output),
        parameters=question.free,
        shape=grid.shape,
        best_fit={p.name: best[p.name] * p.inside for p in question.free},
        minimum=outcome.summary.minimum,
        points=grid.size,
        not_converged=outcome.summary.not_converged,
        chunks=outcome.chunks,
        resumed=outcome.resumed,
    )
    return question.result(
        "scan",
        answer,
        converged=answer.not_converged == 0,
        notes=_notes(answer, outcome.summary.flat),
        settings={
            "axes": {name: t.description() for name, t in ticks.items()},
            "pulls": pulls,
        },
    )


def _ticks(study: Study, name: str, given: Any) -> Spaced | Listed:
    """Return the values of an axis (inside units)."""
    if isinstance(given, Spaced):
        return given
    parameter = find(study.parameters, name)
    parameter.require_number("scanned")
    try:
        said = given if isinstance(given, Mapping) else {"values": given}
        for key in said:
            if key not in _KEYS:
                raise unknown_name("key", key, _KEYS)
        if "values" in said:
            if len(said) > 1:
                raise NurecoilError("'values' stand alone, without 'low', 'high', 'points' and 'log'")
            values = several(said["values"], "values", str | int | float)
            return Listed(tuple(float(study.value(parameter, value)) for value in values))
        if not {"low", "high", "points"} <= said.keys():
            raise NurecoilError("it needs 'low', 'high' and 'points', or 'values'")
        low, high = (float(study.value(parameter, said[end])) for end in ("low", "high"))
        return Spaced(low, high, said["points"], said.get("log", parameter.log_scan and low > 0))
    except NurecoilError as error:
        raise NurecoilError(f"scan.{name}: {error}") from None


@dataclass(frozen=True)
class _Profile:
    """χ² of points in border units, with what is kept besides: the function that travels to the workers."""

    question: Question
    pulls: tuple[Parameter, ...]

    def __call__(self, points: Array) -> dict[str, NDArray[Any]]:
        inside = points * [parameter.inside for parameter in self.question.free]
        with unwarned():
            best = self.question.profiled(inside)
        all_pulls = [pull.name for pull in self.question.likelihood.pulls]
        kept = {p.name: best.pulls[:, all_pulls.index(p.name)] for p in self.pulls}
        return {"chi2": best.chi2, "converged": best.converged, **kept}


def _axis(parameter: Parameter, ticks: Spaced | Listed) -> Axis:
    """Return an axis in border units."""
    unit = parameter.inside
    at_border = (
        replace(ticks, low=ticks.low / unit, high=ticks.high / unit)
        if isinstance(ticks, Spaced)
        else Listed(tuple(value / unit for value in ticks.values))
    )
    described = {"long_name": parameter.description, "units": parameter.unit or "1", "latex": parameter.latex}
    return Axis(parameter.name, at_border, described)


def _identity(question: Question) -> dict[str, object]:
    """Return what decides the numbers, besides the grid."""
    return {
        "model": question.model.name,
        "parameters": at_border(
            [p for p in question.model.parameters if p.name not in question.over], question.values
        ),
        "engine": question.likelihood.engine_name,
        "conventions": {**question.conventions, "nuisances": "profiled"},
    }


def _attributes(question: Question, identity: Mapping[str, object]) -> dict[str, str]:
    """Return what is written into the file, so that it can be understood alone."""
    names = [term.name for term in question.likelihood.terms if not term.name.endswith(OFF)]
    scanned = ", ".join(parameter.name for parameter in question.free)
    return {
        "title": f"{question.model.name}, {' + '.join(names)}: scan of {scanned}",
        "question": "scan",
        "model": question.model.name,
        "experiments": ", ".join(names),
        "engine": question.likelihood.engine_name,
        "parameters": json.dumps(identity["parameters"], ensure_ascii=False),
        "conventions": json.dumps(identity["conventions"], ensure_ascii=False),
    }


def _notes(scan: Scan, flat: bool) -> Iterator[str]:
    if flat:
        names = " and ".join(parameter.name for parameter in scan.parameters)
        yield f"χ² is the same at every point: these experiments say nothing about {names} there."
    if scan.not_converged:
        yield (
            f"the nuisance parameters did not converge at {scan.not_converged} of {scan.points} points:"
            " see `converged` in the file."
        )
