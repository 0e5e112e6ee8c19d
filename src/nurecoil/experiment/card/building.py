"""From a checked card to an experiment: signal, statistics, backgrounds and pulls."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.detector.efficiency import Efficiency, FileEfficiency, TabulatedEfficiency
from nurecoil.detector.response import Detector
from nurecoil.errors import NurecoilError
from nurecoil.experiment import (
    Axis,
    Component,
    Experiment,
    Shape,
    Signal,
    Statistics,
    Variance,
)
from nurecoil.experiment.card import schema, signal_schema
from nurecoil.experiment.card.spreading import Spreading
from nurecoil.experiment.card.tables import Tables
from nurecoil.experiment.histograms import exponential, mirrored, require_columns
from nurecoil.parameters import Parameter
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import FormFactor
from nurecoil.physics.nuclei import Nuclide

T = TypeVar("T")


def build(card: schema.Card, folder: Path) -> Experiment:
    """Return the experiment of a card; data files that stand beside it are looked up in `folder`."""
    return _Builder(card, folder).experiment()


class _Tried:
    """Collects what is wrong with several parts, to say it all at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, section: str, build: Callable[..., T], *arguments: object) -> list[T]:
        """Return what was built, or nothing."""
        try:
            return [build(*arguments)]
        except NurecoilError as error:
            self.problems.append(f"{section}: {error}")
            return []

    def check(self) -> None:
        """Raise an error that lists all problems, if there are any."""
        if self.problems:
            raise NurecoilError("; ".join(self.problems))


class _Builder:
    """Builds the experiment of one card."""

    def __init__(self, card: schema.Card, folder: Path) -> None:
        self.card = card
        self.target = card.target.material
        self.axes = _axes(card)
        edges = {key: axis.edges for key, axis in zip(card.axis_keys, self.axes, strict=True)}
        self.tables = Tables(card.data.release if card.data else None, folder, edges)
        self.spreading = Spreading(card, self.tables)

    def experiment(self) -> Experiment:
        """Return the whole experiment."""
        card, tried = self.card, _Tried()
        if card.data:
            self.tables.find(card.data.observed)  # first: if it cannot be had, no other need be tried
        response = tried("detector", self.detector)
        tried.check()
        spread = tried("signal", self.spreading.nominal)
        tried.check()
        self.signal = Signal(response[0], card.target.form_factor, spread[0])
        statistics = self.counting() if card.statistics else self.binned()
        return Experiment(
            name=card.name,
            title=card.title,
            reference=card.reference,
            target=self.target,
            mass_kg=card.target.mass_kg,
            flux=card.source.flux,
            exposure=card.source.exposure,
            conventions=Conventions(**vars(card.cross_section)),
            axes=self.axes,
            statistics=statistics,
            spectrum=card.spectrum,
            data_hashes=tuple(sorted(self.tables.hashes.items())),
            overlaps=card.overlaps,
            observed_in=self.tables.source(card.data.observed) if card.data else None,
            spread_per_component=self.spreading.of_pulse(),
        )

    def detector(self) -> Detector:
        """Return the detector, its efficiency read."""
        return replace(self.card.detector, efficiency=self.efficiency(self.card.detector.efficiency))

    def efficiency(self, card: Efficiency) -> Efficiency:
        """Return an efficiency in energy, which may stand in a data file."""
        if not isinstance(card, FileEfficiency):
            return card
        table = self.tables.read(card.file)
        require_columns(table, card.x, card.efficiency)
        return TabulatedEfficiency(tuple(table[:, card.x]), tuple(table[:, card.efficiency]))

    def counting(self) -> Statistics:
        """Return the statistics of a counting experiment: one Gaussian bin."""
        card, name = self.card.statistics, self.card.name
        assert card is not None
        width = card.background_pull_width
        rates = () if width is None else (_rate_pull(f"{name}_background", width, "the background"),)
        background = Component("background", np.array([card.background]), rates)
        rate = _rate_pull(f"{name}_signal", card.signal_pull_width, "the signal")
        return Statistics(
            observed=None if card.observed == "standard-model" else np.array([card.observed]),
            signal=Component("signal", self.signal, (rate,)),
            backgrounds=(background,) if card.background or rates else (),
            variance=Variance(card.variance_counts, 1 + card.variance_fraction),
        )

    # bins

    def binned(self) -> Statistics:
        """Return the observed bins, backgrounds and pulls of a binned experiment."""
        card = self.card
        assert card.data is not None
        pulls = card.signal_pulls
        shapes = [p for p in pulls if not isinstance(p, schema.NormalisationPull)]
        tried = _Tried()
        observed = tried("data.observed", self.tables.counts, card.data.observed)
        backgrounds = [tried(f"backgrounds.{b.name}", self.background, b) for b in card.backgrounds]
        variations = [tried(f"signal_pulls.{p.name}", self.variation, p) for p in shapes]
        tried.check()
        if (observed[0] % 1 != 0).any():
            whole = observed[0][observed[0] % 1 != 0][0]
            raise NurecoilError(
                f"data.observed: {card.data.observed.file}: {whole:g} is not a whole number of counts"
            )
        rates = [p for p in pulls if isinstance(p, schema.NormalisationPull)]
        signal = Component(
            "signal",
            self.signal,
            tuple(_rate_pull(p.name, p.width, "the signal") for p in rates),
            tuple(v for found in variations for v in found),
        )
        return Statistics(np.ravel(observed[0]), signal, tuple(b for found in backgrounds for b in found))

    def variation(self, card: schema.SignalPull) -> Shape[Signal]:
        """Return the signal at +1 and -1 of a pull that changes its shape."""
        base = self.signal
        match card:
            case schema.QuenchingPull():
                changed = [replace(base.detector, quenching=end) for end in (card.up, card.down)]
                signals = [replace(base, detector=d) for d in changed]
            case schema.EfficiencyPull():
                ends = self.efficiency(card.up), self.efficiency(card.down)
                changed = [replace(base.detector, efficiency=e) for e in ends]
                signals = [replace(base, detector=d) for d in changed]
            case schema.RadiusPull():
                return self.radius_variation(card)
            case schema.OnsetPull():
                shifts = card.shift_us, -card.shift_us
                signals = [replace(base, spread=self.spreading.in_time(shift)) for shift in shifts]
            case schema.TemplatePull():
                up = self.spreading.of_template(card.up)
                assert base.spread is not None
                down = self.spreading.of_template(card.down) if card.down else mirrored(base.spread, up)
                signals = [replace(base, spread=spread) for spread in (up, down)]
            case schema.NormalisationPull():
                raise AssertionError(card)
        one_sided = isinstance(card, schema.TemplatePull) and not card.down
        return Shape(_shape_pull(card.name, card.effect), signals[0], signals[1], mirrored=one_sided)

    def radius_variation(self, card: schema.RadiusPull) -> Shape[Signal]:
        """Return the signal with all neutron radii scaled by 1 ± step."""
        nuclides = self.target.nuclides
        weights = np.where([n.N > 0 for n in nuclides], self.target.nuclei_per_kg, 0.0)
        if not weights.any():
            raise NurecoilError(f"the target {self.target.formula} has no neutrons")
        radii = [n.neutron_radius_fm or n.charge_radius_fm for n in nuclides]
        mean = float(np.average(radii, weights=weights))
        base = self.signal
        up, down = (
            replace(base, form_factor=_with_neutron_radii(base.form_factor, 1 + sign * card.step))
            for sign in (1, -1)
        )
        pull = Parameter(
            name=card.name,
            description=f"mean neutron rms radius of {self.target.formula}, all nuclides scaled together",
            latex=rf"R_n(\mathrm{{{self.target.formula}}})",
            default=mean,
            unit="fm",
            low=0.5 * mean,
            high=1.5 * mean,
            prior_width=card.width * mean,
        )
        return Shape(pull, up, down, step=card.step * mean)

    def background(self, card: schema.Background) -> Component[Array]:
        """Return a background with its shape and pulls."""
        shape, total = self.background_shape(card)
        counts = card.scale * (total if card.counts == "table" else card.counts)
        width = 1 / math.sqrt(counts) if card.width == "poisson" else card.width
        variations = []
        for pull in card.shape_pulls:
            up = self.tables.unit_shape(pull.up)
            down = self.tables.unit_shape(pull.down) if pull.down else mirrored(shape, up)
            parameter = _shape_pull(pull.name, card.name)
            variations.append(Shape(parameter, counts * up, counts * down, mirrored=not pull.down))
        rate = _rate_pull(card.pull, width, card.name)
        return Component(card.name, counts * shape, (rate,), tuple(variations))

    def background_shape(self, card: schema.Background) -> tuple[Array, float]:
        """Return the shape over all bins, of unit sum, and the counts in the tables of its first factor."""
        keys = self.card.axis_keys
        shape, total = np.ones([1] * len(keys)), 0.0
        for number, factor in enumerate(card.factors):
            counts = self.factor_counts(factor)
            total = float(counts.sum()) if number == 0 else total
            places = [keys.index(axis) for axis in keys if axis in factor.axes]
            shape = shape * counts.reshape(
                [counts.shape[places.index(i)] if i in places else 1 for i in range(len(keys))]
            )
        if not shape.sum() > 0:
            raise NurecoilError("the product of its factors is empty in the bins")
        return (shape / shape.sum()).ravel(), total

    def factor_counts(self, factor: schema.Factor) -> Array:
        """Return the counts of one factor on its axes."""
        if factor.exponential_rate_per_us is not None:
            return exponential(self.tables.edges[factor.axes[0]], factor.exponential_rate_per_us)
        assert factor.table is not None
        efficiencies: dict[str, Callable[[Array], Array]] = {}
        if factor.times_efficiency and "energy" in factor.axes:
            efficiencies["energy"] = self.signal.detector.efficiency
        if factor.times_efficiency and "time" in factor.axes:
            time = self.card.time
            if not isinstance(time, signal_schema.PulsedTime):
                raise NurecoilError("times_efficiency on the time axis needs an efficiency in [time]")
            efficiencies["time"] = time.efficiency
        counts = self.tables.counts(factor.table, efficiencies)
        kept = [key for key in self.card.axis_keys if key in factor.table.columns]
        others = tuple(i for i, key in enumerate(kept) if key not in factor.axes)
        return np.asarray(counts.sum(axis=others))


def _axes(card: schema.Card) -> tuple[Axis, ...]:
    energy = Axis(card.detector.observable, card.detector.edges)
    if card.time:
        return energy, Axis("time [us]", card.time.edges_us)
    others = card.template.axes if card.template else ()
    return energy, *(Axis(axis.name, axis.edges) for axis in others)


def _rate_pull(name: str, width: float, what: str) -> Parameter:
    """Return a pull that is a fractional change of a rate."""
    latex = rf"a_\mathrm{{{name.replace('_', ' ')}}}"
    return Parameter(
        name, f"fractional change of the rate of {what}", latex, default=0.0, low=-1.0, prior_width=width
    )


def _shape_pull(name: str, what: str) -> Parameter:
    """Return a pull in standard deviations of a shape."""
    latex = rf"x_\mathrm{{{name.replace('_', ' ')}}}"
    return Parameter(name, f"shape of {what}, in standard deviations", latex, default=0.0, prior_width=1.0)


def _with_neutron_radii(base: FormFactor, factor: float) -> FormFactor:
    return replace(base, neutron=partial(_scaled_neutron, base, factor))


def _scaled_neutron(base: FormFactor, factor: float, q: Array, nuclide: Nuclide) -> Array:
    radius = factor * (nuclide.neutron_radius_fm or nuclide.charge_radius_fm)
    return base.neutron(q, replace(nuclide, neutron_radius_fm=radius))
