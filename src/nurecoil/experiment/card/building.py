"""From a checked card to an experiment: signal, statistics, backgrounds and pulls."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial, reduce
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import require
from nurecoil.detector.efficiency import ConstantEfficiency, Efficiency, FileEfficiency, TabulatedEfficiency
from nurecoil.detector.quenching import (
    ConstantQuenching,
    FileQuenching,
    Quenching,
    TabulatedQuenching,
    levelled,
)
from nurecoil.detector.response import Detector
from nurecoil.detector.smearing import NoSmearing
from nurecoil.errors import NurecoilError
from nurecoil.experiment import Axis, Component, Experiment, Shape, Signal, Statistics, Variance
from nurecoil.experiment.card import schema, signal_schema
from nurecoil.experiment.card.spreading import Spreading
from nurecoil.experiment.card.tables import Tables, last_columns
from nurecoil.experiment.formula import FUNCTIONS, formula
from nurecoil.experiment.histograms import exponential, histogram, mirrored, require_columns
from nurecoil.parameters import Parameter
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import FormFactor, form_factor
from nurecoil.physics.nuclei import Nuclide
from nurecoil.sources import Flux, PionDecayAtRest

_EMPTY = 0.5  # counts, in place of none


def build(card: schema.Card | schema.WeakChargeCard, folder: Path) -> Experiment:
    """Return the experiment of a card; data files that stand beside it are looked up in `folder`."""
    if isinstance(card, schema.WeakChargeCard):
        return _of_weak_charge(card)
    return _Builder(card, folder).experiment()


def _of_weak_charge(card: schema.WeakChargeCard) -> Experiment:
    """Return the experiment of a weak charge: one Gaussian number, and no neutrinos."""
    charge, any_ = card.weak_charge, (ConstantQuenching(1.0), 1.0, NoSmearing(), ConstantEfficiency(1.0))
    signal = Signal(Detector("weak charge", (0.0, 1.0), *any_), form_factor("point"))
    return Experiment(
        name=card.name,
        title=card.title,
        reference=card.reference,
        target=charge.nuclide,
        mass_kg=0.0,
        flux=Flux("none", (), card.reference),
        exposure=PionDecayAtRest(0.0, 0.0, 1.0),
        conventions=Conventions(),
        axes=(Axis("energy", "weak charge", (charge.value - charge.width, charge.value + charge.width)),),
        statistics=Statistics(
            np.array([charge.value]), Component("signal", signal), variance=Variance(charge.width**2, 0.0)
        ),
    )


class _Builder:
    """Builds the experiment of one card."""

    def __init__(self, card: schema.Card, folder: Path) -> None:
        self.card = card
        self.target = card.target.material
        edges = {axis.key: axis.edges for axis in card.axes}
        self.tables = Tables(card.data.release if card.data else None, folder, edges, last_columns(card))

    def experiment(self) -> Experiment:
        """Return the whole experiment."""
        card = self.card
        if card.data:
            self.tables.find(card.data.observed)  # first: if it cannot be had, no other need be tried
        detector, self.flux = _each(
            [("detector", self.detector), ("source", partial(card.source.neutrinos, self.tables))]
        )
        self.spreading = Spreading(card, self.flux, self.tables)
        (spread,) = _each([("signal", self.spreading.nominal)])
        self.signal = Signal(detector, card.target.form_factor, spread)
        statistics = self.counting() if card.statistics else self.binned()
        return Experiment(
            name=card.name,
            title=card.title,
            reference=card.reference,
            target=self.target,
            mass_kg=card.target.mass_kg,
            flux=self.flux,
            exposure=card.source,
            conventions=Conventions(**vars(card.cross_section)),
            axes=card.axes,
            statistics=statistics,
            spectrum=card.spectrum,
            data_hashes=tuple(sorted(self.tables.hashes.items())),
            overlaps=card.overlaps,
            caution=card.caution,
            observed_in=self.tables.source(card.data.observed) if card.data else None,
            spread_per_component=self.spreading.of_pulse(),
        )

    def detector(self) -> Detector:
        """Return the detector, its efficiency and quenching read."""
        card = self.card.detector
        efficiency, quenching = self.efficiency(card.efficiency), self.quenching(card.quenching)
        return replace(card, efficiency=efficiency, quenching=quenching)

    def quenching(self, card: Quenching) -> Quenching:
        """Return a quenching, which may stand in a data file."""
        if not isinstance(card, FileQuenching):
            return card
        table = self.tables.read(card.file)
        require_columns(table, card.recoil_kev, card.factor)
        try:
            kev, factor = (tuple(table[:, column].tolist()) for column in (card.recoil_kev, card.factor))
            return levelled(kev, factor) if card.levelled else TabulatedQuenching(kev, factor)
        except NurecoilError as error:
            raise NurecoilError(f"{card.file}: {error}") from None

    def efficiency(self, card: Efficiency) -> Efficiency:
        """Return an efficiency in energy, which may stand in a data file."""
        if not isinstance(card, FileEfficiency):
            return card
        files = card.file if isinstance(card.file, Mapping) else {card.file: 1.0}
        parts = []
        for table in (self.tables.read(file, card.release) for file in files):
            require_columns(table, card.x, card.efficiency)
            parts.append(TabulatedEfficiency(*map(tuple, table[:, [card.x, card.efficiency]].T.tolist())))
        if len(parts) == 1:
            return parts[0]
        x = np.unique(np.concatenate([part.x for part in parts]))
        mean = np.average([part(x) for part in parts], axis=0, weights=list(files.values()))
        return TabulatedEfficiency(tuple(x.tolist()), tuple(mean.tolist()))

    def counting(self) -> Statistics:
        """Return the statistics of a counting experiment: one Gaussian bin."""
        card, name = self.card.statistics, self.card.name
        assert card is not None
        width = card.background_pull_width
        known = () if width is None else (rate_pull(f"{name}_background", width, "the background"),)
        background = Component("background", np.array([card.background]), known)
        rate = rate_pull(f"{name}_signal", card.signal_pull_width, "the signal")
        rates, shapes = of_source(self.flux, self.signal, {rate.name})
        return Statistics(
            observed=None if card.observed == "standard-model" else np.array([card.observed]),
            signal=Component("signal", self.signal, (rate, *rates), shapes),
            backgrounds=(background,) if card.background or known else (),
            variance=Variance(card.variance_counts, 1 + card.variance_fraction),
        )

    # bins

    def binned(self) -> Statistics:
        """Return the observed bins, backgrounds and pulls of a binned experiment."""
        card = self.card
        assert card.data is not None
        rates = [p for p in card.signal_pulls if isinstance(p, schema.NormalisationPull)]
        shapes = [p for p in card.signal_pulls if not isinstance(p, schema.NormalisationPull)]
        gaussian = card.data.sigma is not None
        observed, variances, *found = _each(
            [
                ("data.observed", partial(self.tables.counts, card.data.observed, negative=gaussian)),
                ("data.sigma", self.variances if gaussian else lambda: None),
                *((f"backgrounds.{b.name}", partial(self.background, b)) for b in card.backgrounds),
                *((f"formulas.{b.name}", partial(self.of_formula, b)) for b in card.formulas),
                *((f"signal_pulls.{p.name}", partial(self.variation, p)) for p in shapes),
            ]
        )
        self.require_used(card.parameters)
        if not gaussian and (observed % 1 != 0).any():
            raise NurecoilError(
                f"data.observed: {card.data.observed.file}: {observed[observed % 1 != 0][0]:g} is not a whole"
                " number of counts"
            )
        backgrounds = tuple(chain.from_iterable(found[: len(card.all_backgrounds)]))
        named = {pull.name for b in backgrounds for pull in b.pulls} | {p.name for p in card.signal_pulls}
        of_flux, varied = of_source(self.flux, self.signal, named)
        signal = Component(
            "signal",
            self.signal,
            (*(rate_pull(p.name, p.width, "the signal") for p in rates), *of_flux),
            (*found[len(card.all_backgrounds) :], *varied),
        )
        variance = Variance(variances, 0.0) if gaussian else None
        return Statistics(self.spreading.kept.ravel() * observed.ravel(), signal, backgrounds, variance)

    def require_used(self, symbols: Iterable[str]) -> None:
        """Refuse parameters that are in no formula, as no data could say anything of them."""
        text = " ".join(each.counts for each in self.card.formulas)
        for symbol in symbols:
            if not re.fullmatch(r"[A-Za-z]\w*", symbol) or symbol in ("E", "pi", *FUNCTIONS):
                raise NurecoilError(f"parameters: '{symbol}' cannot be the name of a parameter of a formula")
            if not re.search(rf"\b{symbol}\b", text):
                raise NurecoilError(f"parameters.{symbol} is in none of the [[formulas]]")

    def variances(self) -> Array:
        """Return the squares of the observed counts' standard deviations; those of rows in one bin add up."""
        data = self.card.data
        assert data is not None
        assert data.sigma is not None
        rows = self.tables.read(data.observed.file).copy()
        require_columns(rows, data.sigma)
        sigma = rows[:, data.sigma]
        require(bool((sigma > 0).all()), f"a sigma of {data.observed.file}", sigma.min(), "above 0")
        rows[:, data.sigma] **= 2
        return histogram(rows, data.observed.columns, self.tables.edges, data.sigma).ravel()

    def variation(self, card: schema.SignalPull) -> Shape[Signal]:
        """Return the signal at +1 and -1 of a pull that changes its shape."""
        base, detector, is_mirrored = self.signal, self.signal.detector, False
        assert isinstance(detector, Detector)
        match card:
            case schema.QuenchingPull():
                quenchings = self.quenching(card.up), self.quenching(card.down)
                ends = [replace(base, detector=replace(detector, quenching=q)) for q in quenchings]
            case schema.EfficiencyPull():
                efficiencies = self.efficiency(card.up), self.efficiency(card.down)
                ends = [replace(base, detector=replace(detector, efficiency=e)) for e in efficiencies]
            case schema.OnsetPull():
                shifts = card.shift_us, -card.shift_us
                ends = [replace(base, spread=self.spreading.in_time(shift)) for shift in shifts]
            case schema.TemplatePull():
                *spreads, is_mirrored = _sides(card, base.spread, self.spreading.of_template)
                ends = [replace(base, spread=spread) for spread in spreads]
            case _:
                assert isinstance(card, schema.RadiusPull)
                return self.radius_variation(card)
        up, down = ends
        return Shape(shape_pull(card.name, card.effect), up, down, mirrored=is_mirrored)

    def radius_variation(self, card: schema.RadiusPull) -> Shape[Signal]:
        """Return the signal with all neutron radii scaled by 1 ± step."""
        nuclides, form_factor = self.target.nuclides, self.signal.form_factor
        weights = np.where([n.N > 0 for n in nuclides], self.target.nuclei_per_kg, 0.0)
        if not weights.any():
            raise NurecoilError(f"the target {self.target.formula} has no neutrons")
        radii = [n.neutron_radius_fm or n.charge_radius_fm for n in nuclides]
        mean = float(np.average(radii, weights=weights))
        neutrons = [partial(_scaled_neutron, form_factor, 1 + sign * card.step) for sign in (1, -1)]
        up, down = (replace(self.signal, form_factor=replace(form_factor, neutron=n)) for n in neutrons)
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

    def background(self, card: schema.Background) -> tuple[Component[Array], ...]:
        """Return a background with its shape and pulls, or one for each bin of an axis."""
        factors = [self.factor_counts(factor) for factor in card.factors]
        seen = self.off_sample(card, factors) if card.width == "off-sample" else None
        product = reduce(np.multiply, factors).ravel()
        if not product.sum() > 0:
            raise NurecoilError("the product of its factors is empty in the bins")
        shape, kept = product / product.sum(), self.spreading.kept.ravel()
        counts = card.scale * (float(factors[0].sum()) if card.counts == "table" else card.counts)
        nominal, variations = counts * shape * kept, []
        if card.each:
            counts_in_bins = nominal.reshape([len(a.edges) - 1 for a in self.card.axes])
            return tuple(self.in_bins(card, card.each, counts_in_bins, seen))
        for pull in card.shape_pulls:
            up, down, is_mirrored = _sides(pull, shape, self.tables.unit_shape)
            parameter = shape_pull(pull.name, card.name)
            up, down = counts * up * kept, counts * down * kept
            variations.append(Shape(parameter, up, down, mirrored=is_mirrored))
        rate, off = _rate_and_off(card, card.pull, card.name, counts, None if seen is None else seen[0])
        return (Component(card.name, nominal, (rate,), tuple(variations), off),)

    def of_formula(self, card: schema.FormulaBackground) -> tuple[Component[Array], ...]:
        """Return a background given by a formula of the energy."""
        others = reduce(np.multiply, map(self.factor_counts, card.factors), np.ones(1)).ravel()
        if not others.sum() > 0:
            raise NurecoilError("the product of its factors is empty in the bins")
        share = self.spreading.kept * others / others.sum()  # of what is at each energy

        def spread(weights: Array) -> Array:
            found: Array = share[:, :, np.newaxis] * weights[:, np.newaxis]
            return found.reshape(-1, weights.shape[1])

        parameters = {symbol: self.parameter(symbol, each) for symbol, each in self.card.parameters.items()}
        found = formula(card.counts, parameters, self.card.detector.edges, spread)
        return (Component(card.name, found.counts, formula=found),)

    def parameter(self, symbol: str, card: schema.Free) -> Parameter:
        """Return a parameter of formulas."""
        return Parameter(
            f"{self.card.plain_name}_{symbol}",
            card.what,
            latex="",
            default=card.value,
            low=card.low,
            high=card.high,
            prior_width=card.width or math.inf,
        )

    def off_sample(self, card: schema.Background, factors: list[Array]) -> Array:
        """Return the counts of an off sample, one or in each bin of an axis.

        A bin without any is given half a count in the factors: a rate of 0 has no fraction that could be
        fitted.
        """
        table = card.factors[0].table
        assert table is not None
        assert self.card.data is not None
        self.tables.require_bins_of(table, self.card.data.observed)
        place = self.card.axis_keys.index(card.each) if card.each else None
        others = tuple(n for n in range(factors[0].ndim) if n != place)
        seen = factors[0].sum(axis=others, keepdims=True)
        empty = np.broadcast_to(seen == 0, factors[0].shape)
        factors[0] = np.where(empty, _EMPTY * seen.size / factors[0].size, factors[0])
        return np.asarray(seen.ravel())

    def in_bins(
        self, card: schema.Background, key: str, counts: Array, seen: Array | None
    ) -> Iterator[Component[Array]]:
        """Yield what is in each bin of an axis that is not masked, each with a pull of its own."""
        place = self.card.axis_keys.index(key)
        kept = self.spreading.kept.reshape(counts.shape)
        for number, (low, high) in enumerate(pairwise(self.card.axes[place].edges)):
            part = np.zeros_like(counts)
            cells = (slice(None),) * place + (number,)
            part[cells] = counts[cells]
            if part.sum() > 0:
                what, name = f"{card.name} from {low:g} to {high:g}", f"{card.pull}_{number}"
                off = None if seen is None else seen[number]
                rate, measured = _rate_and_off(card, name, what, float(part.sum()), off)
                yield Component(card.name, part.ravel(), (rate,), off=measured)
            elif kept[cells].any():
                raise NurecoilError(
                    f"each = '{key}' needs counts in all bins that are not masked, but from {low:g} to"
                    f" {high:g} there are none"
                )

    def factor_counts(self, factor: schema.Factor) -> Array:
        """Return the counts of one factor, with all axes; those that it is not on have one bin."""
        keys = self.card.axis_keys
        if factor.exponential_rate_per_us is not None:
            counts = exponential(self.tables.edges["time"], factor.exponential_rate_per_us)
            return counts.reshape([counts.size if key == "time" else 1 for key in keys])
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
        others = tuple(i for i, key in enumerate(keys) if key not in factor.axes)
        return np.asarray(counts.sum(axis=others, keepdims=True))


def of_source(
    flux: Flux, signal: Signal, named: set[str]
) -> tuple[tuple[Parameter, ...], tuple[Shape[Signal], ...]]:
    """Return the pulls of all neutrinos of a source together, and those of some: (1 + width)^t of them.

    `named` are the pulls that the card has already.
    """
    rates, shapes = [], []
    spread = np.ones((1, signal.detector.bins, 1)) if signal.spread is None else signal.spread
    for part in flux.uncertainties:
        if part.pull in named:
            raise NurecoilError(f"the pull {part.pull} is there twice: the source has it already")
        pull = rate_pull(part.pull, part.width, "the signal")
        own = np.array([c.name in part.components for c in flux.components])[:, np.newaxis, np.newaxis]
        if own.all():
            rates.append(pull)
            continue
        change = np.where(own, 1 + part.width, 1.0)
        up, down = (replace(signal, spread=spread * factor) for factor in (change, 1 / change))
        shapes.append(Shape(pull, up, down))
    return tuple(rates), tuple(shapes)


def _each(parts: Iterable[tuple[str, Callable[[], Any]]]) -> list[Any]:
    """Return what some parts of a card give, or say all at once what is wrong with them, by name."""
    found, problems = [], []
    for name, part in parts:
        try:
            found.append(part())
        except NurecoilError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise NurecoilError("; ".join(problems))
    return found


def _sides(
    card: schema.ShapePull, nominal: Any, shape: Callable[[signal_schema.Table], Array]
) -> tuple[Array, Array, bool]:
    """Return the shapes at +1 and -1 of a pull, and whether the latter is a mirror."""
    up = shape(card.up)
    return up, shape(card.down) if card.down else mirrored(nominal, up), card.down is None


def rate_pull(name: str, width: float, what: str) -> Parameter:
    """Return a pull that is a fractional change of a rate."""
    description = f"fractional change of the rate of {what}"
    return Parameter(name, description, latex="", default=0.0, low=-1.0, prior_width=width)


def _rate_and_off(
    card: schema.Background, name: str, what: str, counts: float, seen: float | None
) -> tuple[Parameter, tuple[float, float] | None]:
    """Return the pull of a background's rate, and what an off sample that saw so much expects and saw.

    The pull then floats: from no background to ten standard deviations above what was seen.
    """
    if seen is None:
        return rate_pull(name, _width(card, counts), what), None
    expected = max(float(seen), _EMPTY)
    high = (seen + 10 * math.sqrt(seen) + 30) / expected - 1
    return replace(rate_pull(name, math.inf, what), high=float(high)), (expected, float(seen))


def shape_pull(name: str, what: str) -> Parameter:
    """Return a pull in standard deviations of a shape."""
    description = f"shape of {what}, in standard deviations"
    return Parameter(name, description, latex="", default=0.0, prior_width=1.0)


def _width(card: schema.Background, counts: float) -> float:
    """Return the width of the pull of a background's rate, of so many counts."""
    return math.sqrt(card.scale / counts) if isinstance(card.width, str) else card.width


def _scaled_neutron(base: FormFactor, factor: float, q: Array, nuclide: Nuclide) -> Array:
    radius = factor * (nuclide.neutron_radius_fm or nuclide.charge_radius_fm)
    return base.neutron(q, replace(nuclide, neutron_radius_fm=radius))
