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
    experiment = fits.compiled.experiment
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
    shape, fit = fits.compiled.experiment.shape, fits.main
    edges = np.array(axis.edges)
    width = np.diff(edges)
    others = tuple(other for other in range(len(shape)) if other != number)

    def density(counts: Array) -> Array:
        summed: Array = counts.reshape(shape).sum(axis=others) / width
        return summed

    backgrounds = fit.expected - fit.components["signal"]
    name, _, unit = axis.name.removesuffix("]").partition(" [")
    unit = "μs" if unit == "us" else unit
    return Panel(
        x_label=f"{name} [{unit}]" if unit else name,
        y_label=f"events / {unit or ('PE' if name == 'photoelectrons' else name)}",
        series=(
            Series(
                edges, density(standard_model(fits.compiled)), "Standard Model", colour="grey", style="steps"
            ),
            Series(
                edges, density(fit.components["signal"]), "signal, best fit", colour="blue", style="steps"
            ),
            Series(
                (edges[1:] + edges[:-1]) / 2,
                density(fit.observed - backgrounds),
                "data − backgrounds",
                colour="black",
                style="points",
                y_error=np.sqrt(density(fit.observed) / width),
            ),
        ),
        references=(Reference(0.0, "y", ""),),
        x_range=(float(edges[0]), float(edges[-1])),
    )


def _profile(fits: SignalFits) -> Panel:
    profile = fits.main.profile
    shown = profile.delta_chi2 < 1.5 * _HIGHEST
    series = [Series(profile.events[shown], profile.delta_chi2[shown], "nurecoil", colour="blue")]
    number = published(fits.compiled.experiment.name, "best_fit_signal").printed
    if number.value is not None and number.error:
        parabola = ((profile.events[shown] - number.value) / number.error) ** 2
        label = f"published, {number.value:g} ± {number.error:g}"
        series.append(Series(profile.events[shown], parabola, label, colour="vermillion", style="dashed"))
    return Panel(
        x_label="signal events N",
        y_label=r"$-2\,\Delta\ln L$",
        series=tuple(series),
        references=(Reference(1.0, "y", "1σ"), Reference(4.0, "y", "2σ")),
        y_range=(0.0, _HIGHEST),
    )
