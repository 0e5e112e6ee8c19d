"""The figure of one experiment: residual spectra on each axis, and the profile of the signal."""

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import Axis
from nurecoil.presentation.document import Figure, Panel, Reference, Series
from nurecoil.validation.fits import SignalFits
from nurecoil.validation.published import WORDS, published
from nurecoil.validation.signal import standard_model

_HIGHEST = 9.0  # Δχ² shown


def figure(fits: SignalFits) -> Figure:
    """Return the figure of one experiment."""
    experiment = fits.experiment
    spectra = tuple(_spectrum(fits, number, axis) for number, axis in enumerate(experiment.axes))
    return Figure(
        name=f"validation-{experiment.name}",
        title=experiment.title,
        caption=WORDS["spectra"],
        panels=(*spectra, _profile(fits)),
        columns=3 if len(spectra) == 2 else 2,
        alt=f"{experiment.name}: residual spectra with the best fit, and the profile of the signal",
    )


def _spectrum(fits: SignalFits, number: int, axis: Axis) -> Panel:
    shape, fit = fits.experiment.shape, fits.main
    edges = np.array(axis.edges)
    width, middles = np.diff(edges), (edges[1:] + edges[:-1]) / 2
    others = tuple(other for other in range(len(shape)) if other != number)

    def density(counts: Array) -> Array:
        summed: Array = counts.reshape(shape).sum(axis=others) / width
        return summed

    signal = fit.components["signal"]
    variance = fits.statistics.variance
    squares = fit.observed if variance is None else variance.of(fit.observed)
    residual, error = density(fit.observed - fit.expected + signal), np.sqrt(density(squares) / width)
    name, _, unit = axis.name.removesuffix("]").partition(" [")
    unit = "μs" if unit == "us" else unit
    return Panel(
        x_label=f"{name} [{unit}]" if unit else name,
        y_label=f"events / {unit or ('PE' if name == 'photoelectrons' else name)}",
        series=(
            Series(edges, density(standard_model(fits.compiled)), "Standard Model", "grey", "steps"),
            Series(edges, density(signal), "signal, best fit", "blue", "steps"),
            Series(middles, residual, "data − backgrounds", "black", "points", error),
        ),
        references=(Reference(0.0, "y", ""),),
        x_range=(float(edges[0]), float(edges[-1])),
    )


def _profile(fits: SignalFits) -> Panel:
    profile = fits.main.profile
    shown = profile.delta_chi2 < 1.5 * _HIGHEST
    events = profile.events[shown]
    series = [Series(events, profile.delta_chi2[shown], "nurecoil", "blue")]
    number = published(fits.experiment.name, "best_fit_signal").printed
    if number.value is not None and number.error:
        parabola = ((events - number.value) / number.error) ** 2
        label = f"published, {number.value:g} ± {number.error:g}"
        series.append(Series(events, parabola, label, "vermillion", "dashed"))
    return Panel(
        x_label="signal events N",
        y_label=r"$-2\,\Delta\ln L$",
        series=tuple(series),
        references=(Reference(1.0, "y", "1σ"), Reference(4.0, "y", "2σ")),
        y_range=(0.0, _HIGHEST),
    )
