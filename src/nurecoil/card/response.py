"""From the sections of a card to the objects of the detector response."""

from nurecoil.card import signal_schema as schema
from nurecoil.card.tables import Tables
from nurecoil.detector import Detector
from nurecoil.efficiency import (
    ConstantEfficiency,
    Efficiency,
    LogisticEfficiency,
    ShiftedLogisticEfficiency,
    TabulatedEfficiency,
)
from nurecoil.fluxes.timing import ConstantTimeEfficiency, PlateauThenExponential
from nurecoil.histograms import require_columns
from nurecoil.quenching import (
    ConstantQuenching,
    LinearQuenching,
    PolynomialQuenching,
    Quenching,
    TabulatedQuenching,
)
from nurecoil.smearing import GammaSmearing, GaussianSmearing, NoSmearing, PoissonSmearing, Smearing


def detector(card: schema.Detector, tables: Tables) -> Detector:
    """Return the detector that a card describes."""
    return Detector(
        observable=card.observable,
        edges=card.edges,
        quenching=quenching(card.quenching),
        light_yield=card.light_yield_per_kev,
        smearing=smearing(card.smearing),
        efficiency=efficiency(card.efficiency, tables),
        efficiency_at=card.efficiency_at,
        step=card.step,
    )


def efficiency(card: schema.Efficiency, tables: Tables) -> Efficiency:
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
            table = tables.read(card.file)
            require_columns(table, card.x, card.efficiency)
            return TabulatedEfficiency(tuple(table[:, card.x]), tuple(table[:, card.efficiency]))


def quenching(card: schema.Quenching) -> Quenching:
    """Return a quenching."""
    match card:
        case schema.ConstantQ():
            return ConstantQuenching(card.factor)
        case schema.LinearQ():
            return LinearQuenching(card.a, card.b_per_kev)
        case schema.PolynomialQ():
            return PolynomialQuenching(card.coefficients)
        case schema.TabulatedQ():
            return TabulatedQuenching(card.recoil_kev, card.factor)


def smearing(card: schema.Smearing) -> Smearing:
    """Return a smearing."""
    match card:
        case schema.NoS():
            return NoSmearing()
        case schema.GaussianS():
            return GaussianSmearing(card.a, card.b, card.at)
        case schema.PoissonS():
            return PoissonSmearing()
        case schema.GammaS():
            return GammaSmearing(card.a, card.b)


def time_efficiency(
    card: schema.ConstantT | schema.PlateauT,
) -> ConstantTimeEfficiency | PlateauThenExponential:
    """Return an efficiency in time."""
    if isinstance(card, schema.PlateauT):
        return PlateauThenExponential(card.start, card.rate_per_us)
    return ConstantTimeEfficiency(card.value)
