"""`workspace`: the likelihood as pyhf reads it, with the signal's strength as parameter of interest."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.checks import require_whole
from nurecoil.errors import NurecoilError
from nurecoil.likelihood.morphing import bent, morphing
from nurecoil.likelihood.term import Term
from nurecoil.parameters import Range
from nurecoil.presentation.document import Block, Table
from nurecoil.study.question import Question
from nurecoil.study.record import strict_json
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study, Within
from nurecoil.verbs.options import Told, Verb

HELP = """Write the likelihood of experiments at one point of a model as a workspace of pyhf. Its parameter of
interest is the strength of the signal, Standard Model included. With --scan a patchset: for each value of a
parameter what replaces the signal.

Rates and counts are as here. Shapes that pulls change are interpolated by pyhf in the counts, here in their
logarithms: equal at ±1 standard deviation, about equal in between. Backgrounds given by a formula, pairs of
pulls and Gaussian counts have no like there.

\b
Examples:
  nurecoil workspace --model nsi --experiment coherent-csi-2021 --output csi.json
  nurecoil workspace --model nsi --experiment coherent-csi-2021 --scan eps_u_ee=-0.5..0.5 \\
    --output patches.json"""
POI = "signal_strength"
_FEWEST, _MOST = 2, 1000
_MOST_STRENGTH = 10.0


@dataclass(frozen=True, repr=False)
class Workspace(Shown):
    """A workspace of pyhf, and the patches for other values of a parameter."""

    workspace: Mapping[str, Any]
    patchset: Mapping[str, Any] | None

    def record(self, result: Result["Workspace"]) -> dict[str, object]:
        return {"workspace": self.workspace, "patchset": self.patchset}

    def blocks(self, result: Result["Workspace"]) -> Iterator[Block]:
        rows = []
        for channel in self.workspace["channels"]:
            pulls = {m["name"] for sample in channel["samples"] for m in sample["modifiers"]}
            samples, bins = channel["samples"], len(channel["samples"][0]["data"])
            names = ", ".join(sample["name"] for sample in samples)
            rows.append((channel["name"], str(bins), names, str(len(pulls))))
        heads = ("channel", "bins", "samples", "parameters")
        patches = f", {len(self.patchset['patches'])} patches" if self.patchset else ""
        yield Table(result.title(f"pyhf workspace{patches}"), heads, tuple(rows), right=(1, 3))

    def write(self, result: Result["Workspace"], path: Path) -> None:
        """Write the patches, or the workspace without any, as JSON."""
        if path.suffix.lower() != ".json":
            raise NurecoilError(f"cannot write a workspace as '{path.suffix}': it must end in .json")
        path.write_text(strict_json(self.patchset or self.workspace) + "\n", encoding="utf-8")


@undisturbed
def workspace(
    study: Study,
    scan: Annotated[
        Mapping[str, Within] | None,
        Told("A parameter, for whose values patches are written.", "NAME=LOW..HIGH", many=True),
    ] = None,
    *,
    points: Annotated[int, Told("Values of that parameter.", "N")] = 21,
) -> Result[Workspace]:
    """Return the likelihood at the point that is set as pyhf reads it.

    Parameters
    ----------
    scan : mapping, optional
        A parameter and its range, ``{"eps_u_ee": "-1..1"}``: patches that replace the signal.
    points : int
        For so many values of it.

    Raises
    ------
    NurecoilError
        For Gaussian counts, formulas and pairs of pulls, which pyhf has not.

    Examples
    --------
    >>> import nurecoil, tempfile
    >>> from nurecoil.experiment.card.reading import write_starter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     card, *_ = write_starter("mine", Path(folder), bins=True)
    ...     spec = nurecoil.Study("standard-model", card).workspace().values.workspace
    >>> [sample["name"] for sample in spec["channels"][0]["samples"]]
    ['signal', 'flat']
    """
    study.require_nothing_profiled("workspace")
    scanned = study.ranges(scan or {})
    if len(scanned) > 1:
        raise NurecoilError(f"patches are for one parameter, not {' and '.join(scan or {})}")
    start = {each.parameter.name: _usual(each) for each in scanned}
    question = study.question(start)
    spec = _workspace(question, list(start.values()))
    patches = None
    if scanned:
        require_whole("points", points, _FEWEST, _MOST)
        patches = _patchset(question, scanned[0], points, spec)
    return question.result(
        "workspace", Workspace(spec, patches), converged=True, settings={"scan": start, "points": points}
    )


def _usual(scanned: Range) -> float:
    default = scanned.parameter.default
    return float(default) if isinstance(default, float | int) else scanned.low


def _workspace(question: Question, point: list[float]) -> dict[str, Any]:
    """Return the specification of all terms at a point."""
    widths = question.prior_widths
    channels = [_channel(question, term, point, widths) for term in question.likelihood.terms]
    pulls = [pull.name for pull in question.likelihood.pulls]
    floating = {name for name in pulls if widths.get(name, np.inf) == np.inf}
    parameters = [{"name": POI, "inits": [1.0], "bounds": [[0.0, _MOST_STRENGTH]]}]
    parameters += [{"name": n, "inits": [1.0], "bounds": [[0.0, _MOST_STRENGTH]]} for n in sorted(floating)]
    return {
        "channels": channels,
        "observations": [
            {"name": term.name, "data": term.observed.tolist()} for term in question.likelihood.terms
        ],
        "measurements": [{"name": "nurecoil", "config": {"poi": POI, "parameters": parameters}}],
        "version": "1.0.0",
    }


def _channel(
    question: Question, term: Term, point: list[float], widths: Mapping[str, float]
) -> dict[str, Any]:
    arrays = term.arrays
    if arrays.gaussian or arrays.curves or arrays.signal.pairs:
        what = "Gaussian counts" if arrays.gaussian else "a background given by a formula"
        what = "two pulls that change a shape together" if arrays.signal.pairs else what
        raise NurecoilError(f"{term.name} has {what}, which pyhf has not: it cannot be a workspace")
    samples = [_signal(question, term, point, widths)] if arrays.signal.templates.any() else []
    names = [b.name for b in arrays.backgrounds]
    for b in arrays.backgrounds:
        own = b.name if names.count(b.name) == 1 else term.pulls[b.rate].name  # a name is there once
        modifiers = list(_rate(term.pulls[b.rate].name, widths, b.counts))
        for k, number in enumerate(b.shapes):
            pull = term.pulls[number]
            if reach := _reach(term, number, widths):
                modifiers += _shape(pull.name, b.counts, b.a[k], b.b[k], reach)
        samples.append({"name": own, "data": b.counts.tolist(), "modifiers": modifiers})
    return {"name": term.name, "samples": samples}


def _signal(
    question: Question, term: Term, point: list[float], widths: Mapping[str, float]
) -> dict[str, Any]:
    """Return the signal at a point, with up and down of each pull of its shape."""
    signal = term.arrays.signal
    blocks = np.tensordot(signal.templates, question.strengths([point])[0], axes=(1, 0))
    modifiers: list[dict[str, Any]] = [{"name": POI, "type": "normfactor", "data": None}]
    for number, logarithm in zip(signal.rates, signal.logarithms or (), strict=True):
        name, reach = term.pulls[number].name, _reach(term, number, widths)
        if reach:
            modifiers.append(_normsys(name, np.exp(logarithm * reach), np.exp(-logarithm * reach)))
    counts, a, b, _ = morphing(blocks[:1], blocks[np.newaxis, 1::2], blocks[np.newaxis, 2::2])
    for k, number in enumerate(signal.shapes):
        if reach := _reach(term, number, widths):
            modifiers += _shape(term.pulls[number].name, counts[0], a[0, k], b[0, k], reach)
    return {"name": "signal", "data": blocks[0].tolist(), "modifiers": modifiers}


def _reach(term: Term, number: int, widths: Mapping[str, float]) -> float:
    """Return a pull's prior width in steps of its shapes or rate; 0 if it is held."""
    name = term.pulls[number].name
    width = widths.get(name, np.inf)
    if width == np.inf:
        raise NurecoilError(f"{name} has no prior, which pyhf needs of a systematic uncertainty")
    return float(width / term.unit[number])


def _rate(name: str, widths: Mapping[str, float], counts: Array) -> Iterator[dict[str, Any]]:
    """Yield what changes a background's rate: 1 + t of a width, or any factor where it has none."""
    width = widths.get(name, np.inf)
    if width == np.inf:
        yield {"name": name, "type": "normfactor", "data": None}
    elif width:
        yield _histosys(name, counts * (1 + width), counts * (1 - width))


def _shape(name: str, counts: Array, a: Array, b: Array, reach: float) -> Iterator[dict[str, Any]]:
    """Yield what a pull of a shape does at ±1 standard deviation, so many steps of its shapes away.

    Apart to the sum, which pyhf interpolates in the logarithm as we do, and to its shares.
    """
    up, down = (counts * np.exp(a * t + b * bent(np.asarray(t))) for t in (reach, -reach))
    total, high, low = counts.sum(), up.sum(), down.sum()
    if total > 0:
        yield _normsys(name, high / total, low / total)
        yield _histosys(name, up * (total / high), down * (total / low))


def _normsys(name: str, high: float, low: float) -> dict[str, Any]:
    return {"name": name, "type": "normsys", "data": {"hi": float(high), "lo": float(low)}}


def _histosys(name: str, up: Array, down: Array) -> dict[str, Any]:
    return {"name": name, "type": "histosys", "data": {"hi_data": up.tolist(), "lo_data": down.tolist()}}


def _patchset(question: Question, scanned: Range, points: int, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return patches that replace the signal by that at each value of a parameter."""
    p, widths = scanned.parameter, question.prior_widths
    space = np.geomspace if scanned.log else np.linspace
    patches = []
    for number, value in enumerate(space(*scanned.ends, points).tolist()):
        patch = [
            {
                "op": "replace",
                "path": f"/channels/{place}/samples/0",
                "value": _signal(question, term, [value], widths),
            }
            for place, term in enumerate(question.likelihood.terms)
            if term.arrays.signal.templates.any()
        ]
        about = {"name": f"{p.name}_{number}", "values": [value / p.inside]}
        patches.append({"metadata": about, "patch": patch})
    text = json.dumps(spec, sort_keys=True, ensure_ascii=False)
    return {
        "metadata": {
            "references": {"hepdata": "ins0000000"},  # which pyhf asks for: the record's, once there is one
            "digests": {"sha256": hashlib.sha256(text.encode()).hexdigest()},
            "description": f"The signal at values of {p.name}{f' [{p.unit}]' if p.unit else ''}",
            "labels": [p.name],
        },
        "patches": patches,
        "version": "1.0.0",
    }


COMMAND = Verb(
    workspace, HELP, holds=("fix", "prior", "form_factor"), output="Write the JSON that pyhf reads."
)
