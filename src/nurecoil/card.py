"""Experiment cards: one TOML file describes one experiment; read, checked, built.

`nurecoil.experiments` holds the cards that come with the package; a path to a card of one's own is
accepted wherever a name is. `card_schema` says what a card may contain.
"""

import hashlib
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from importlib import resources
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from nurecoil import card_schema as schema
from nurecoil.cross_section import Conventions
from nurecoil.datasets import file_path
from nurecoil.detector import Detector
from nurecoil.efficiency import (
    ConstantEfficiency,
    Efficiency,
    LogisticEfficiency,
    ShiftedLogisticEfficiency,
    TabulatedEfficiency,
)
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import (
    Axis,
    Background,
    BackgroundVariation,
    BinnedStatistics,
    CountingStatistics,
    Experiment,
    Exposure,
    ResidualSpectrum,
    Signal,
    Variation,
)
from nurecoil.fluxes import Flux, load_flux
from nurecoil.fluxes.timing import ConstantTimeEfficiency, PlateauThenExponential, PulsedSource
from nurecoil.form_factors import FormFactor, form_factor
from nurecoil.histograms import exponential, histogram, read_columns
from nurecoil.nuclei import Material, Nuclide, material
from nurecoil.parameters import Parameter
from nurecoil.quenching import (
    ConstantQuenching,
    LinearQuenching,
    PolynomialQuenching,
    Quenching,
    TabulatedQuenching,
)
from nurecoil.smearing import GammaSmearing, GaussianSmearing, NoSmearing, PoissonSmearing, Smearing

Array = NDArray[np.float64]
T = TypeVar("T")


def experiment_names() -> tuple[str, ...]:
    """Return the names of the experiments that come with the package."""
    return tuple(sorted(path.stem for path in _cards()))


def load_experiment(name: str | Path) -> Experiment:
    """Return an experiment by name, or by the path of its card (a file that ends in .toml).

    Raises
    ------
    NurecoilError
        For an unknown name, a missing card or data file, and, all at once, for every error of a card.
    """
    path, card = read_card(name)
    try:
        return _Builder(card, path.parent).experiment()
    except NurecoilError as error:
        what = f"experiment {card.name}" if str(name) == card.name else f"the experiment card {path}"
        raise NurecoilError(f"{what}: {error}") from None


def read_card(name: str | Path) -> tuple[Path, schema.Card]:
    """Return the path of a card and the card itself, checked, without reading any data file."""
    path = _path(name)
    try:
        return path, schema.Card.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise NurecoilError(f"cannot read the experiment card {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NurecoilError(f"the experiment card {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise NurecoilError(f"the experiment card {path} is not TOML: {error}") from None
    except ValidationError as error:
        raise NurecoilError(f"the experiment card {path} has {_listing(error)}") from None


def _path(name: str | Path) -> Path:
    if str(name).endswith(".toml"):
        if not Path(name).is_file():
            raise NurecoilError(f"there is no experiment card {name}")
        return Path(name)
    by_name = {card.stem: card for card in _cards()}
    if str(name) not in by_name:
        raise unknown_name("experiment", str(name), experiment_names())
    return by_name[str(name)]


def _cards() -> Iterator[Path]:
    for entry in resources.files("nurecoil.experiments").iterdir():
        if entry.name.endswith(".toml") and isinstance(entry, Path):
            yield entry


def _listing(error: ValidationError) -> str:
    lines = []
    for item in error.errors(include_url=False):
        field = ".".join(str(part) for part in item["loc"]) or "card"
        message = item["msg"].removeprefix("Value error, ")
        given = item["input"]
        shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
        lines.append(f"[{field}] {message}{shown}")
    return f"{len(lines)} error{'s' if len(lines) > 1 else ''}: " + "; ".join(lines)


class _Tried:
    """Collects what is wrong with several parts, to say it all at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, section: str, build: Callable[..., T], *arguments: object) -> list[T]:
        """Return what was built, or nothing."""
        try:
            return [build(*arguments)]
        except NurecoilError as error:
            self.problems.append(f"[{section}] {error}")
            return []

    def check(self) -> None:
        """Raise an error that lists all problems, if there are any."""
        if self.problems:
            raise NurecoilError("; ".join(self.problems))


class _Builder:
    """Builds the experiment of one card; data files are looked up in its release."""

    def __init__(self, card: schema.Card, folder: Path) -> None:
        self.card = card
        self.folder = folder
        self.hashes: dict[str, str] = {}

    def experiment(self) -> Experiment:
        """Return the whole experiment."""
        card, tried = self.card, _Tried()
        for section in ("detector", "signal"):
            tried(section, getattr, self, section)
            tried.check()
        statistics = self.counting() if card.statistics else self.binned()
        return Experiment(
            name=card.name,
            title=card.title,
            reference=card.reference,
            target=self.target,
            mass_kg=card.target.mass,
            flux=self.flux,
            exposure=Exposure(
                card.source.protons_on_target, card.source.neutrinos_per_proton, card.source.baseline
            ),
            conventions=Conventions(**card.cross_section.model_dump()),
            signal=self.signal,
            axes=self.axes,
            statistics=statistics,
            spectrum=ResidualSpectrum(**card.spectrum.model_dump()) if card.spectrum else None,
            data_hashes=tuple(sorted(self.hashes.items())),
        )

    # the signal

    @cached_property
    def target(self) -> Material:
        return material(self.card.target.material)

    @cached_property
    def flux(self) -> Flux:
        return load_flux(self.card.source.flux)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        card = self.card
        energy = Axis(card.detector.observable, card.detector.edges)
        if card.time:
            return energy, Axis("time [us]", card.time.edges_us)
        others = card.template.axes if card.template else ()
        return energy, *(Axis(axis.name, axis.edges) for axis in others)

    @cached_property
    def edges(self) -> dict[str, tuple[float, ...]]:
        return {key: axis.edges for key, axis in zip(self.card.axis_keys, self.axes, strict=True)}

    @cached_property
    def signal(self) -> Signal:
        spread = None
        if self.card.time:
            spread = self.time_spread(0.0)
        if self.card.template:
            spread = self.template_spread(self.card.template.table)
        return Signal(self.detector, form_factor(self.card.target.form_factor), spread)

    @cached_property
    def detector(self) -> Detector:
        card = self.card.detector
        return Detector(
            observable=card.observable,
            edges=card.edges,
            quenching=_quenching(card.quenching),
            light_yield=card.light_yield_per_kev,
            smearing=_smearing(card.smearing),
            efficiency=self.efficiency(card.efficiency),
            efficiency_at=card.efficiency_at,
            step=card.step,
        )

    def efficiency(self, card: schema.Efficiency) -> Efficiency:
        """Return an efficiency in energy."""
        match card:
            case schema.ConstantE():
                return ConstantEfficiency(card.value)
            case schema.LogisticE():
                return LogisticEfficiency(card.a, card.k, card.x0, card.steps)
            case schema.ShiftedLogisticE():
                return ShiftedLogisticEfficiency(card.a, card.b, card.c, card.d)
            case schema.TabulatedE():
                return TabulatedEfficiency(card.x, card.efficiency)
            case schema.FileE():
                table = self.read(card.file)
                return TabulatedEfficiency(tuple(table[:, card.x]), tuple(table[:, card.efficiency]))

    def time_spread(self, shift: float) -> Array:
        """Return the fraction of each component's counts in each time bin, (components, energies, times)."""
        time = self.card.time
        assert time is not None
        if isinstance(time, schema.TabulatedTime):
            fractions = {
                kind: self.table_counts(schema.Table(file=file, columns={"time": 0}, weight=1))
                for kind, file in (("prompt", time.prompt_file), ("delayed", time.delayed_file))
            }
        else:
            source = PulsedSource(time.pulse_mean + shift, time.pulse_width)
            efficiency = _time_efficiency(time.efficiency)
            fractions = {
                "prompt": source.fractions("prompt", time.edges_us, efficiency),
                "delayed": source.fractions("delayed", time.edges_us, efficiency),
            }
        return self.by_component(fractions, time)

    def by_component(self, fractions: Mapping[str, Array], arrivals: schema.Arrivals) -> Array:
        """Return fractions for each component of the source, prompt or delayed, (components, energies, n)."""
        kinds = {name: kind for kind in ("prompt", "delayed") for name in getattr(arrivals, kind)}
        names = [component.name for component in self.flux.components]
        if sorted(kinds) != sorted(names):
            raise NurecoilError(f"each of {', '.join(names)} must be named once, as prompt or delayed")
        energies = len(self.card.detector.edges) - 1
        return np.array([np.tile(fractions[kinds[name]], (energies, 1)) for name in names])

    def template_spread(self, table: schema.Table) -> Array:
        """Return the template's share of each cell at each energy, the same for all components.

        An energy bin that is empty in the template takes the shares of the last one that is not.
        """
        counts = self.table_counts(table)
        rows = counts.reshape(len(counts), -1)
        totals = rows.sum(axis=1)
        if not (totals > 0).any():
            raise NurecoilError(f"the template {table.file} is empty")
        shares = np.zeros_like(rows)
        last = rows[np.flatnonzero(totals > 0)[0]]
        for number, (row, total) in enumerate(zip(rows, totals, strict=True)):
            last = row if total > 0 else last
            shares[number] = last / last.sum()
        return self.inside_window() * shares

    def inside_window(self) -> Array:
        """Return the fraction of each component's arrivals inside the template's time axis."""
        template = self.card.template
        assert template is not None
        window = template.window
        if window is None:
            return np.ones((len(self.flux.components), 1, 1))
        source = PulsedSource(window.pulse_mean, window.pulse_width)
        edges = self.edges["time"]
        ends = np.array([edges[0], edges[-1]])
        fractions = {
            "prompt": source.fractions("prompt", ends, ConstantTimeEfficiency()),
            "delayed": source.fractions("delayed", ends, ConstantTimeEfficiency()),
        }
        return self.by_component(fractions, window)

    # one number of counts

    def counting(self) -> CountingStatistics:
        """Return the statistics of a counting experiment."""
        card = self.card.statistics
        assert card is not None
        width = card.background_pull_width
        return CountingStatistics(
            observed=card.observed,
            background=card.background,
            variance_counts=card.variance_counts,
            variance_fraction=card.variance_fraction,
            signal_pull=self.rate_pull(f"{self.card.name}_signal", card.signal_pull_width, "the signal"),
            background_pull=None
            if width is None
            else self.rate_pull(f"{self.card.name}_background", width, "the background"),
        )

    # bins

    def binned(self) -> BinnedStatistics:
        """Return the observed bins, backgrounds and pulls of a binned experiment."""
        card = self.card
        assert card.data is not None
        pulls = card.signal_pulls
        shapes = [p for p in pulls if not isinstance(p, schema.NormalisationPull)]
        tried = _Tried()
        observed = tried("data.observed", self.table_counts, card.data.observed)
        backgrounds = [tried(f"backgrounds.{b.name}", self.background, b) for b in card.backgrounds]
        variations = [tried(f"signal_pulls.{p.name}", self.variation, p) for p in shapes]
        tried.check()
        return BinnedStatistics(
            observed=np.ravel(observed[0]),
            backgrounds=tuple(b for found in backgrounds for b in found),
            normalisations=tuple(
                self.rate_pull(p.name, p.width, "the signal")
                for p in pulls
                if isinstance(p, schema.NormalisationPull)
            ),
            variations=tuple(v for found in variations for v in found),
        )

    def variation(self, card: schema.SignalPull) -> Variation:
        """Return the signal at +1 and -1 of a pull that changes its shape."""
        base = self.signal
        match card:
            case schema.QuenchingPull():
                changed = [replace(base.detector, quenching=_quenching(c)) for c in (card.up, card.down)]
                signals = [replace(base, detector=d) for d in changed]
            case schema.EfficiencyPull():
                changed = [
                    replace(base.detector, efficiency=self.efficiency(c)) for c in (card.up, card.down)
                ]
                signals = [replace(base, detector=d) for d in changed]
            case schema.RadiusPull():
                return self.radius_variation(card)
            case schema.OnsetPull():
                signals = [replace(base, spread=self.time_spread(s)) for s in (card.shift, -card.shift)]
            case schema.TemplatePull():
                up = self.template_spread(card.up)
                assert base.spread is not None
                down = self.template_spread(card.down) if card.down else 2 * base.spread - up
                signals = [replace(base, spread=spread) for spread in (up, down)]
            case schema.NormalisationPull():
                raise AssertionError(card)
        return Variation(self.shape_pull(card.name, card.effect), signals[0], signals[1])

    def radius_variation(self, card: schema.RadiusPull) -> Variation:
        """Return the signal with all neutron radii scaled by 1 ± width."""
        nuclides, weights = self.target.nuclides, self.target.nuclei_per_kg
        radii = [n.neutron_radius_fm or n.charge_radius_fm for n in nuclides]
        mean = float(np.average(radii, weights=weights))
        base = self.signal
        up, down = (
            replace(base, form_factor=_with_neutron_radii(base.form_factor, 1 + sign * card.width))
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
        return Variation(pull, up, down)

    def background(self, card: schema.Background) -> Background:
        """Return a background with its shape and pulls."""
        shape, total = self.background_shape(card)
        counts = card.scale * (total if card.counts == "table" else card.counts)
        width = 1 / math.sqrt(counts) if card.width == "poisson" else card.width
        variations = []
        for pull in card.shape_pulls:
            up = self.unit_shape(pull.up)
            down = self.unit_shape(pull.down) if pull.down else 2 * shape - up
            variations.append(
                BackgroundVariation(self.shape_pull(pull.name, card.name), counts * up, counts * down)
            )
        return Background(
            card.name, counts * shape, self.rate_pull(card.pull, width, card.name), tuple(variations)
        )

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
            return exponential(self.edges[factor.axes[0]], factor.exponential_rate_per_us)
        assert factor.table is not None
        efficiencies: dict[str, Callable[[Array], Array]] = {}
        if factor.times_efficiency and "energy" in factor.axes:
            efficiencies["energy"] = self.detector.efficiency
        if factor.times_efficiency and "time" in factor.axes:
            time = self.card.time
            if not isinstance(time, schema.PulsedTime):
                raise NurecoilError("times_efficiency on the time axis needs an efficiency in [time]")
            efficiencies["time"] = _time_efficiency(time.efficiency)
        counts = self.table_counts(factor.table, efficiencies)
        kept = [key for key in self.card.axis_keys if key in factor.table.columns]
        others = tuple(i for i, key in enumerate(kept) if key not in factor.axes)
        return np.asarray(counts.sum(axis=others))

    def unit_shape(self, table: schema.Table) -> Array:
        """Return a shape over all bins, of unit sum."""
        counts = self.table_counts(table).ravel()
        if not counts.sum() > 0:
            raise NurecoilError(f"{table.file} is empty in the bins")
        return np.asarray(counts / counts.sum())

    # data files

    def table_counts(
        self, table: schema.Table, efficiencies: Mapping[str, Callable[[Array], Array]] | None = None
    ) -> Array:
        """Return the counts of a data file on the axes that it has columns for."""
        try:
            counts = histogram(self.read(table.file), table.columns, self.edges, table.weight, efficiencies)
        except NurecoilError as error:
            raise NurecoilError(f"{table.file}: {error}") from None
        if (counts < 0).any():
            raise NurecoilError(f"{table.file}: counts must not be negative, but one is {counts.min():g}")
        return counts

    def read(self, name: str) -> Array:
        """Return the numbers of a data file of the card's release, or of one beside the card."""
        assert self.card.data is not None
        release = self.card.data.release
        path = self.folder / name if release == "beside-the-card" else file_path(release, name)
        if not path.is_file():
            raise NurecoilError(f"there is no data file {path}")
        self.hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return read_columns(path)

    # pulls

    def rate_pull(self, name: str, width: float, what: str) -> Parameter:
        """Return a pull that is a fractional change of a rate."""
        return Parameter(
            name=name,
            description=f"fractional change of the rate of {what}",
            latex=rf"a_\mathrm{{{name.replace('_', ' ')}}}",
            default=0.0,
            prior_width=width,
        )

    def shape_pull(self, name: str, what: str) -> Parameter:
        """Return a pull in standard deviations of a shape."""
        return Parameter(
            name=name,
            description=f"shape of {what}, in standard deviations",
            latex=rf"x_\mathrm{{{name.replace('_', ' ')}}}",
            default=0.0,
            prior_width=1.0,
        )


def _quenching(card: schema.Quenching) -> Quenching:
    match card:
        case schema.ConstantQ():
            return ConstantQuenching(card.factor)
        case schema.LinearQ():
            return LinearQuenching(card.a, card.b_per_kev)
        case schema.PolynomialQ():
            return PolynomialQuenching(card.coefficients)
        case schema.TabulatedQ():
            return TabulatedQuenching(card.recoil_kev, card.factor)


def _smearing(card: schema.Smearing) -> Smearing:
    match card:
        case schema.NoS():
            return NoSmearing()
        case schema.GaussianS():
            return GaussianSmearing(card.a, card.b, card.at)
        case schema.PoissonS():
            return PoissonSmearing()
        case schema.GammaS():
            return GammaSmearing(card.a, card.b)


def _time_efficiency(
    card: schema.ConstantT | schema.PlateauT,
) -> ConstantTimeEfficiency | PlateauThenExponential:
    if isinstance(card, schema.PlateauT):
        return PlateauThenExponential(card.start, card.rate_per_us)
    return ConstantTimeEfficiency(card.value)


def _with_neutron_radii(base: FormFactor, factor: float) -> FormFactor:
    return replace(base, neutron=partial(_scaled_neutron, base, factor))


def _scaled_neutron(base: FormFactor, factor: float, q: Array, nuclide: Nuclide) -> Array:
    radius = factor * (nuclide.neutron_radius_fm or nuclide.charge_radius_fm)
    return base.neutron(q, replace(nuclide, neutron_radius_fm=radius))
