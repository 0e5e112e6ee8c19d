"""What a reader should know of how a model and experiments go together, in sentences."""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.detector.quenching import ConstantQuenching
from nurecoil.detector.response import Detector
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment, Experiment, edits
from nurecoil.experiment.card.reading import ELECTRONS
from nurecoil.models import STANDARD_MODEL, Model
from nurecoil.parameters import Parameter, Values, find
from nurecoil.physics.channels import CHANNELS
from nurecoil.physics.constants import FERMI_CONSTANT, SIN2_THETA_W_AT_Z
from nurecoil.physics.couplings import Couplings
from nurecoil.physics.nuclei import Nuclide
from nurecoil.physics.products import PRODUCTS
from nurecoil.physics.spins import has_spin_table
from nurecoil.physics.weights import Weight

_SMALL = 1e-3  # a change of a parameter; of itself where it is not zero
_SAME = 1e-9
_TINY = 1e-300
_LIGHT = 19  # nucleons: with an odd number up to that, the axial part adds 1 % (13C) to 5 % (19F) or more
_RARE = 0.1  # of the nuclei of a target
_Q = 30.0  # MeV, a usual momentum transfer
_ON_NUCLEONS = {
    "vector": 1.0,
    "light-vector": 1.0,
    "light-scalar": FERMI_CONSTANT**2,
    "tensor": 1.0,
    "light-tensor": 1.0,
    "sterile": 1.0,
}


def remarks(
    model: Model, experiments: Sequence[CompiledExperiment], values: Values, free: Collection[str]
) -> tuple[str, ...]:
    """Return the remarks on a model whose parameters `free` change from their `values`."""
    return tuple(_sentences(model, [compiled.experiment for compiled in experiments], values, free))


def _sentences(
    model: Model, experiments: Sequence[Experiment], values: Values, free: Collection[str]
) -> Iterator[str]:
    for first, second in combinations(experiments, 2):
        if first.name in second.overlaps or second.name in first.overlaps:
            yield f"{first.name} and {second.name} contain the same data, which count twice here."
    experiments = [each for each in experiments if not each.of_weak_charge]
    yield from (f"{each.name}: {each.caution}." for each in experiments if each.caution)
    for each in experiments:
        spinless = "axial" not in model.channels
        if light := [n for n in _light_nuclides(each) if spinless or not has_spin_table(n)]:
            yield (
                f"{each.name}: the axial part of the cross section, which is neglected, is not small for"
                f" {', '.join(f'{n.A}{n.symbol}' for n in light)} in the target (for 1H and 3He it is larger"
                " than what is kept)."
            )
    held = [name for each in experiments for name in _radius_pulls(each)]
    if held and any(CHANNELS[name].radius for name in model.channels):
        yield (
            f"neutron radii are the model's: {', '.join(held)} has no effect on them. What is known of one"
            " is given by --constrain."
        )
    projections = ", ".join(each.name for each in experiments if each.statistics.observed is None)
    if projections and "sin2_theta_w" in free:
        default = find(STANDARD_MODEL.parameters, "sin2_theta_w").default
        yield f"{projections} is a projection: it observes the Standard Model at sin2_theta_w = {default}."
    seeing = ", ".join(each.name for each in experiments if each.signal.detector.electron_recoils)
    if seeing and model.evaluate(values).electron_left is None:
        yield f"{seeing} sees recoils of electrons, of which {model.name} says nothing: none count."
    detectors = {each.name: each.signal.detector for each in experiments}
    silent = [  # what is measured in energies of nuclear recoils knows none of electrons
        name
        for name, detector in detectors.items()
        if isinstance(detector, Detector)
        and detector.electron_recoils is None
        and detector.quenching != ConstantQuenching(1.0)
    ]
    if silent and _new_on_electrons(model, values, free):
        yield (
            f"{', '.join(silent)} counts recoils of nuclei alone. Those of electrons, which {model.name}"
            f" changes, count too in {', '.join(name + ELECTRONS for name in silent)}."
        )
    mixed = ", ".join(each.name for each in experiments if _sees_mass_states(each))
    if mixed and _interferes_otherwise(model, values, free, bool(seeing)):
        yield (
            f"{mixed} is reached by mass states. Their flavours interfere where couplings change flavour: of"
            " others than vector ones to nucleons that is left out: squares are seen, products are not."
        )
    sunlit = ", ".join(each.name for each in experiments if each.flux.name == "solar")
    changed = {p.name for p in model.parameters if p.name in values and values[p.name] != p.default}
    if sunlit and _changes_flavours(model, values, {*free, *changed}, flavours=3):
        yield (
            f"{sunlit} sees the sun's neutrinos, whose flavours are those of the Standard Model's matter: how"
            " couplings that differ between flavours change them inside the sun is left out, and it is not"
            " small where ε is a tenth or more."
        )
    untimed = ", ".join(each.name for each in experiments if _has_one_time_for_all(each))
    if untimed and _changes_flavours(model, values, free):
        yield (
            f"{untimed} has one distribution of arrival times for all flavours, that of the"
            " Standard Model: where couplings differ between flavours, rates are right and times are not."
        )


def _new_on_electrons(model: Model, values: Values, free: Collection[str]) -> bool:
    """Return whether a model has a channel of electrons that the Standard Model lacks, or moments."""
    new = set(model.channels) - set(STANDARD_MODEL.channels)
    moments = [p.name for p in model.parameters if p.unit == "mu_B" and p.name in free]
    own = any(CHANNELS[name].interaction.on_electrons for name in new)
    return own or bool(moments) or bool(np.any(model.evaluate(values).magnetic_moment))


def require_distinct_data(experiments: Sequence[Experiment]) -> None:
    """Refuse data that would count twice: one experiment twice, or two with the same observed counts.

    These are of one column of one file, in ranges that overlap, or equal numbers, not all 0, seen by equal
    masses at equal exposures. What a card says to be contained in another one is a remark.
    """
    for one, other in combinations(experiments, 2):
        if one.name == other.name:
            why = "its data would count twice" if not edits(one, other) else "two need two names"
            raise NurecoilError(f"experiment {one.name} is given 2 times: {why}")
        if _of_one_file(one, other) or _alike(one, other):
            raise NurecoilError(
                f"{one.name} and {other.name} have the same observed counts, which would count twice: leave"
                " one out (detectors that saw the same belong in one card, masses and counts added up)"
            )


def _alike(*pair: Experiment) -> bool:
    one, other = ((e.statistics.observed, e.target, e.mass_kg, e.exposure) for e in pair)
    return bool(np.any(one[0])) and not edits(one, other)


def _of_one_file(one: Experiment, other: Experiment) -> bool:
    read = (
        e.as_read and not edits(e.as_read.statistics.observed, e.statistics.observed) for e in (one, other)
    )
    common = (
        max(a.edges[0], b.edges[0]) < min(a.edges[-1], b.edges[-1])
        for a, b in zip(one.axes, other.axes, strict=False)
    )
    return one.observed_in is not None and one.observed_in == other.observed_in and all(read) and all(common)


def check_finite(
    model: Model, experiments: Sequence[CompiledExperiment], values: Values, free: Collection[str]
) -> None:
    """Refuse experiments whose counts are infinite at the values, or where free parameters leave them."""
    moved = {p.name: _beside(p, float(values[p.name])) for p in model.parameters if p.name in free}
    for compiled in experiments:
        for at in (values, {**values, **moved}) if compiled.infinite.any() else ():
            compiled.require_finite(model.evaluate(at))


def _beside(parameter: Parameter, value: float) -> Array:
    """Return a value beside another, a small change away."""
    step = _SMALL * (abs(value) or 1.0)
    return np.array([value + step if value + step <= parameter.high else value - step])


def on_mixing_angle(experiments: Sequence[CompiledExperiment], fixed: Values) -> tuple[str, ...]:
    """Return how the Standard Model's counts, and what they leave to new physics, hang on a held s_W²."""
    value, other = fixed.get("sin2_theta_w", SIN2_THETA_W_AT_Z), SIN2_THETA_W_AT_Z
    if value == other:
        return ()
    held = {p.name: fixed[p.name] for p in STANDARD_MODEL.parameters}
    here, there = (STANDARD_MODEL.couplings(**held | {"sin2_theta_w": s2}) for s2 in (value, other))
    changes = {e.experiment.name: e.counts(there).sum() / e.counts(here).sum() - 1 for e in experiments}
    return (
        f"the limit hangs on sin2_theta_w: at {other} the Standard Model's counts change by"
        f" {', '.join(f'{100 * change:+.1f} % in {name}' for name, change in changes.items())}; --vary says"
        " how far the limit moves.",
    )


def _radius_pulls(experiment: Experiment) -> list[str]:
    """Return the pulls that change the form factor of an experiment's signal."""
    own = experiment.signal.form_factor
    return [s.pull.name for s in experiment.statistics.signal.shapes if s.up.form_factor is not own]


def _light_nuclides(experiment: Experiment) -> list[Nuclide]:
    """Return the nuclides of a target that have a spin and so few nucleons that it counts."""
    nuclei = dict(zip(experiment.target.nuclides, experiment.target.nuclei_per_kg, strict=True))
    least = _RARE * sum(nuclei.values())
    return [n for n in nuclei if n.A % 2 and n.A <= _LIGHT and nuclei[n] > least]


def _has_one_time_for_all(experiment: Experiment) -> bool:
    """Return whether an experiment's other axes do not tell the components of its source apart."""
    spread = experiment.signal.spread
    if spread is None or len(spread) == 1:
        return False
    shapes = spread / np.maximum(spread.sum(axis=2, keepdims=True), _TINY)
    return bool(np.allclose(shapes, shapes[:1], rtol=1e-6))


def _sees_mass_states(experiment: Experiment) -> bool:
    """Return whether a component of an experiment's source is several flavours at once."""
    return any(0 < share < 1 for c in experiment.flux.components for share in c.shares)


def _interferes_otherwise(model: Model, values: Values, free: Collection[str], electrons: bool) -> bool:
    """Return whether two flavours become one by other couplings than vector ones to nucleons."""
    beside = {p.name: _beside(p, float(values[p.name])) for p in model.parameters if p.name in free}
    moved = {**values, **beside}
    if sum(p.unit == "mu_B" and bool(moved[p.name]) for p in model.parameters) > 1:
        return True
    for couplings in (model.evaluate(values), model.evaluate(moved)):
        found = [couplings.axial_p, couplings.axial_n, couplings.tensor_p, couplings.tensor_n]
        if electrons:
            found += [couplings.electron_left, couplings.electron_right]
            if (light := couplings.light_vector) is not None and couplings.electron_left is not None:
                found.append(couplings.electron_left + light.electron_left)
        if any(np.any((x @ x.conj().swapaxes(-1, -2)) * (1 - np.eye(3))) for x in found if x is not None):
            return True
    return False


def _changes_flavours(model: Model, values: Values, free: Collection[str], flavours: int = 2) -> bool:
    """Return whether the parameters change how ν_e and ν_μ (and ν_τ) couple to nucleons by different factors.

    Those of new physics, at tree level: the radiative corrections of flavours differ, but by little.
    """
    values = {**values, **({"electroweak": "tree"} if "electroweak" in values else {})}
    before = _on_nucleons(model.evaluate(values), flavours)
    for p in (
        p for p in model.parameters if p.name in free and not p.choices and p not in STANDARD_MODEL.parameters
    ):
        moved = {**values, p.name: _beside(p, float(values[p.name]))}
        after = _on_nucleons(model.evaluate(moved), flavours)
        if not np.allclose(after * before[0], after[0] * before, rtol=_SAME, atol=0):
            return True
    return False


def _on_nucleons(couplings: Couplings, flavours: int) -> Array:
    """Return |g_p + g_n|² of the first flavours at a usual q, shape (flavours,), a scalar's over G_F²."""
    total = np.zeros(flavours)
    for name, unit in _ON_NUCLEONS.items():
        for terms, weight in PRODUCTS[name](couplings):
            at_q = np.ravel(weight([_Q])) if isinstance(weight, Weight) else 1.0
            total += sum(np.ravel(term[..., :flavours]) for term in terms) * at_q / unit
    return total
