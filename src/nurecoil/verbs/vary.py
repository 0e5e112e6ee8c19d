"""What a limit hangs on: the same limit with one choice after another made otherwise."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, TypeVar

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment, Component, Experiment, Signal, compile_experiment
from nurecoil.experiment.histograms import mirrored
from nurecoil.experiment.recoil import RecoilTemplates
from nurecoil.inference.intervals import Interval
from nurecoil.physics.constants import SIN2_THETA_W, SIN2_THETA_W_AT_Z
from nurecoil.physics.form_factors import FORM_FACTOR_NAMES, FormFactor, form_factor
from nurecoil.presentation.document import Table
from nurecoil.progress import in_steps
from nurecoil.quantities import printed
from nurecoil.study.result import Result
from nurecoil.study.study import Study
from nurecoil.verbs.limit import Limit, Varied

Compiled: TypeAlias = CompiledExperiment
T = TypeVar("T")

_SMALL = 0.01  # of an interval: choices that move no end by more are only named
_OTHERS = {"sin2_theta_w": (SIN2_THETA_W, SIN2_THETA_W_AT_Z)}  # of a parameter that is a choice: all words


@dataclass(frozen=True)
class Choice:
    """A choice made otherwise: its name, what it means, and the study then; an error if there is none."""

    name: str
    meaning: str
    study: Callable[[], Study]


def vary(study: Study, ask: Callable[[Study], Result[Limit]], more: Sequence[Choice] = ()) -> Result[Limit]:
    """Return a limit with what each choice that it rests on does to its ends, one changed at a time.

    `ask` gives the limit of a study, of several confidence levels the first is compared; `more` are choices
    besides those of the model and the experiments.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    >>> first, *_ = study.limit("signal_strength", "0..9", vary=True).values.variations
    >>> first.choice, [f"{shift:+.2f}" for shift in first.shifts]
    ('binh2021-csi_signal doubled', ['-0.07', '+7.37'])
    """
    channels = study.model.channels
    study = study.changed(experiments=[e.with_channels(channels) for e in study.experiments])  # before edits
    base, found, notes = ask(study), [], []
    choices = [*_choices(study, base), *more]
    with in_steps(len(choices)) as begin:
        for choice in choices:
            begin(choice.name)
            try:
                found.append(_compare(choice, base.values, ask(choice.study())))
            except NurecoilError as error:  # a form factor, say, that does not fit a nucleus
                notes.append(f"{choice.name} could not be tried: {error}")
    notes += [f"the limit with {v.choice} did not converge." for v in found if not v.converged]
    if not any(e.experiment.statistics.pulls for e in study.experiments):
        notes.append("there is no nuisance parameter whose prior could be varied.")
    return replace(
        base,
        values=replace(base.values, variations=tuple(sorted(found, key=lambda v: -v.size))),
        converged=base.converged and all(v.converged for v in found),
        notes=(*base.notes, *notes),
    )


def _compare(choice: Choice, base: Limit, result: Result[Limit]) -> Varied:
    """Return what a choice has made of the intervals of a limit."""
    intervals, changed = base.profile.intervals, result.values.profile.intervals
    before, after = _ends(intervals), _ends(changed)
    if [end is None for end in before] != [end is None for end in after]:
        return Varied(choice.name, choice.meaning, changed, result.converged)
    shifts: list[float | None] = []
    size = 0.0
    for number, (a, b) in enumerate(zip(before, after, strict=True)):
        shifts.append(None if a is None or b is None else b - a)
        if a is not None and b is not None:
            old = intervals[number // 2]
            log = base.parameter.log_scan and min(a, b) > 0
            size = max(size, abs(math.log(b / a) if log else (b - a) / (old.high - old.low)))
    return Varied(choice.name, choice.meaning, changed, result.converged, tuple(shifts), size)


def _ends(intervals: Sequence[Interval]) -> list[float | None]:
    return [None if is_open else x for interval in intervals for x, is_open in interval.ends]


def with_prior(study: Study, name: str, width: float | tuple[float, float], word: str) -> Choice:
    """Return the choice of another prior width, 0 to hold a pull; with its centre for a constraint."""
    if isinstance(width, tuple):
        option = f"--constrain {name}={width[0]:.6g}+-{width[1]:.4g}"
    else:
        option = f"--prior {name}={width:.4g}" if width else f"--fix {name}"
    return Choice(f"{name} {word}", option, partial(study.changed, widths={**study.widths, name: width}))


def _choices(study: Study, base: Result[Limit]) -> Iterator[Choice]:
    """Yield all that can be chosen otherwise, but for parameters that are scanned or fitted."""
    for name, words in ((p.name, p.choices) for p in study.model.parameters if p.default is not None):
        for other in _OTHERS.get(name, words):
            if other != base.fixed.get(name, other):
                changed = partial(study.changed, values={**study.values, name: other})
                yield Choice(f"{name}={other}", f"--set {name}={other}", changed)
    of_pulls = {p.name: p.prior_width for e in study.experiments for p in e.experiment.statistics.pulls}
    for name, width in {**of_pulls, **study.widths}.items():
        if isinstance(width, tuple):
            yield with_prior(study, name, (width[0], width[1] / 2), "halved")
            yield with_prior(study, name, (width[0], width[1] * 2), "doubled")
        elif width and name != base.values.parameter.name:
            yield with_prior(study, name, 0.0, "held")
            if math.isfinite(width):
                yield with_prior(study, name, width / 2, "halved")
                yield with_prior(study, name, width * 2, "doubled")
    for form in map(form_factor, FORM_FACTOR_NAMES):
        if form.name != "point" and any(e.experiment.signal.form_factor != form for e in study.experiments):
            yield Choice(
                f"form factor {form.name}", form.description, partial(_with_form_factor, study, form)
            )
    for number, compiled in enumerate(study.experiments):
        for name, meaning, change in _of_bins(compiled):
            name = f"{compiled.experiment.name}: {name}"
            yield Choice(name, meaning, partial(_with_experiment, study, number, change))


def _of_bins(compiled: Compiled) -> Iterator[tuple[str, str, Callable[[], Compiled]]]:
    """Yield what can be chosen otherwise in an experiment with bins: a name, its meaning, and the change."""
    experiment, statistics = compiled.experiment, compiled.experiment.statistics
    if statistics.one_number:
        return
    for place, axis in enumerate(experiment.axes):
        if len(axis.edges) > 2:
            ends = (axis.edges[0], axis.edges[-1])
            change = partial(_rebinned, compiled, place, ends, partial(np.sum, axis=place))
            yield f"{axis.name.partition(' [')[0]} in one bin", f"{axis.name} is not looked at", change
    energy = experiment.axes[0]
    if len(energy.edges) > 2:
        meaning = f"without {energy.name} from {energy.edges[0]:g} to {energy.edges[1]:g}"
        change = partial(_rebinned, compiled, 0, energy.edges[1:], lambda cells: cells[1:])
        yield "first energy bin dropped", meaning, change
    names = [shape.pull.name for c in statistics.components for shape in c.shapes if shape.mirrored]
    if names:
        meaning = f"{', '.join(names)}, known on one side, change nothing on the other"
        yield "mirrored pulls off", meaning, partial(_without_mirrors, experiment)
    if experiment.spread_per_component is not None:
        signal = replace(experiment.signal, spread=experiment.spread_per_component)
        meaning = "each component of the source has its own arrival times, from the beam's pulse"
        yield "times per flavour", meaning, partial(_with_signal, compiled, signal)


def table(limit: Limit) -> Table:
    """Return a table of what is allowed with each choice made otherwise, and how far the ends have moved."""
    parameter, intervals, varied = limit.parameter.as_asked, limit.profile.intervals, limit.variations or ()

    def number(value: float, form: str = ".4g") -> str:
        return f"{value / parameter.inside:{form}}".replace("-", "−")

    def allowed(interval: Interval) -> str:
        low, high = (number(end) for end in (interval.low, interval.high))
        if interval.open_low:
            return "all scanned" if interval.open_high else f"below {high}"
        return f"above {low}" if interval.open_high else f"{low} to {high}"

    def moves(each: Varied) -> str:
        if len(each.intervals) != len(intervals):
            return f"{len(intervals)} → {len(each.intervals)} intervals"
        ends = ["–" if shift is None else number(shift, "+.2g") for shift in each.shifts]
        pairs = zip(ends[::2], ends[1::2], strict=True)
        return "; ".join(map(", ".join, pairs)) or "an end comes or goes"

    rows = [("as asked", "; ".join(map(allowed, intervals)) or "nothing", "")]
    for each in varied:
        if each.size > _SMALL:
            rows.append((each.choice, "; ".join(map(allowed, each.intervals)) or "nothing", moves(each)))
    small = ", ".join(each.choice for each in varied if each.size <= _SMALL)
    unit = f" [{printed(parameter.unit)}]" if parameter.unit else ""
    return Table(
        title=f"What the limit hangs on: {parameter.name}{unit}",
        columns=("choice, one changed at a time", "allowed", "the ends move by"),
        rows=tuple(rows),
        caption=f"No end moves by {100 * _SMALL:g} % of its interval with: {small}." if small else "",
    )


# --- changed experiments ------------------------------------------------------------------------------


def _with_experiment(study: Study, number: int, change: Callable[[], Compiled]) -> Study:
    others = study.experiments
    return study.changed(experiments=(*others[:number], change(), *others[number + 1 :]))


def _with_form_factor(study: Study, form: FormFactor) -> Study:
    changed = (_with_signal(e, replace(e.experiment.signal, form_factor=form)) for e in study.experiments)
    return study.changed(experiments=tuple(changed))


def _with_signal(compiled: Compiled, signal: Signal) -> Compiled:
    """Return the experiment with another signal, which the pulls change by the same factors."""
    experiment, old = compiled.experiment.with_signal(signal), compiled.templates
    again = compile_experiment(experiment.with_signal(signal, shapes=()))
    new = again.with_channels(list(old.channels)).templates.at(old.nodes)

    def scaled(varied: Array, new: Array, old: Array) -> Array:
        weighted = new.ndim == 4
        before, after = (x.sum(axis=-1, keepdims=True) if weighted else x for x in (old, new))
        kept = (before == 0) | ~np.isfinite(before)  # without threshold a magnetic moment counts infinitely
        ratio = np.divide(after, before, out=np.ones_like(after), where=~kept)
        if weighted:  # by the change of the sum over its nodes
            return np.where(kept, new, new + (varied - old) * ratio)
        return np.where(kept, new, varied * ratio)

    def change(t: RecoilTemplates) -> RecoilTemplates:
        return replace(new, channels={name: scaled(t[name], new[name], old[name]) for name in old.channels})

    return replace(compiled, experiment=experiment).with_templates(change)


def _without_mirrors(experiment: Experiment) -> Compiled:
    """Return the experiment with nothing changed on the side that is only mirrored."""

    def one_sided(c: Component[T]) -> Component[T]:
        return replace(c, shapes=tuple(replace(v, down=c.nominal) if v.mirrored else v for v in c.shapes))

    statistics = experiment.statistics
    backgrounds = tuple(map(one_sided, statistics.backgrounds))
    changed = replace(statistics, signal=one_sided(statistics.signal), backgrounds=backgrounds)
    return compile_experiment(replace(experiment, statistics=changed))


def _rebinned(
    compiled: Compiled, place: int, edges: tuple[float, ...], change: Callable[[Array], Array]
) -> Compiled:
    """Return the experiment with other bins of one axis: counts (*bins, ...) as `change` makes them."""
    experiment, statistics = compiled.experiment, compiled.experiment.statistics
    assert statistics.observed is not None

    def rebin(counts: Array) -> Array:
        cells = change(counts.reshape(*experiment.shape, *counts.shape[1:]))
        return cells.reshape(-1, *counts.shape[1:])

    def other_side(nominal: Array, up: Array, down: Array, is_mirrored: bool) -> Array:
        seen = rebin(down)
        if seen.ndim == 4:  # nodes of a weight: what a mirror does to their sum, it does to each
            of_nominal, of_up, of_down = (x.sum(axis=-1) for x in (nominal, up, down))
            now, before = other_side(of_nominal, of_up, of_down, is_mirrored), seen.sum(axis=-1)
            ratio = np.divide(now, before, out=np.ones_like(now), where=before != 0)
            return np.asarray(seen * ratio[..., np.newaxis])
        known = np.isfinite(seen) & is_mirrored
        return np.where(known, mirrored(*(np.where(known, rebin(x), 0.0) for x in (nominal, up))), seen)

    backgrounds = []
    for b in statistics.backgrounds:
        downs = (other_side(b.nominal, v.up, v.down, v.mirrored) for v in b.shapes)
        shapes = (replace(v, up=rebin(v.up), down=down) for v, down in zip(b.shapes, downs, strict=True))
        formula = b.formula and replace(b.formula, spread=rebin(b.formula.spread))
        backgrounds.append(replace(b, nominal=rebin(b.nominal), shapes=tuple(shapes), formula=formula))
    axes = list(experiment.axes)
    axes[place] = replace(axes[place], edges=edges)
    changed = replace(statistics, observed=rebin(statistics.observed), backgrounds=tuple(backgrounds))
    if variance := statistics.variance:
        changed = replace(changed, variance=replace(variance, counts=rebin(np.asarray(variance.counts))))
    rebinned = replace(compiled, experiment=replace(experiment, axes=tuple(axes), statistics=changed))
    nominal, pairs = compiled.templates, []
    for v, (up, down) in zip(statistics.signal.shapes, compiled.variations, strict=True):
        sides = {name: other_side(nominal[name], up[name], down[name], v.mirrored) for name in down.channels}
        pairs.append((up.each(rebin), replace(down, channels=sides)))
    return replace(rebinned, templates=nominal.each(rebin), variations=tuple(pairs))
