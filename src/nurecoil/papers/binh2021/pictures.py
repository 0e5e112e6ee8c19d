"""Figures 1 to 8 of the paper and a summary of all limits, as data for `nurecoil.presentation.figures`."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from nurecoil.inference.intervals import threshold
from nurecoil.models import STANDARD_MODEL, ZPRIME_331
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult
from nurecoil.papers.binh2021.published import Published, load_words
from nurecoil.papers.binh2021.setup import (
    BETA_OF,
    BETA_TEXT,
    CL,
    DETECTOR_TEXT,
    PROJECTIONS,
    SIN2_THETA_W,
    SYSTEMATICS,
    Setup,
)
from nurecoil.physics.nuclei import nuclide
from nurecoil.presentation.document import Figure, LimitBar, LimitBars, Panel, Reference, Series, Style

Array = NDArray[np.float64]

BETA_LABEL = {
    beta: rf"$\beta={text}$".replace("−", "-").replace("√3", r"\sqrt{3}") for beta, text in BETA_TEXT.items()
}
BETA_COLOUR = dict(
    zip(BETA_OF, ("vermillion", "orange", "purple", "black", "green", "sky", "blue"), strict=True)
)
VARIANT_TITLE = {
    "equations": 'variant "equations": what the paper derives',
    "numbers": 'variant "numbers": what its tables follow',
}
MASS_LABEL = r"$m_{Z'}$ [TeV]"
FIG4_POINTS = (("+sqrt3", 500, "vermillion"), ("-sqrt3", 2000, "sky"), ("-sqrt3", 5000, "blue"))
FIG3_STYLES: dict[int, Style] = {1: "solid", 3: "dashed"}  # by the mass in TeV
MAGNETIC_MOMENTS: tuple[tuple[float, int, Style], ...] = ((2.9, -11, "dashed"), (2.2, -12, "dotted"))


def _caption(*names: str) -> str:
    return " ".join(load_words()["captions"][name].strip() for name in names)


def _figure(number: int, title: str, panels: Iterable[Panel], *captions: str) -> Figure:
    return Figure(f"fig{number}", f"Figure {number}: {title}", _caption(*captions), tuple(panels))


def weak_charge_figure(number: int, masses_tev: tuple[float, float]) -> Figure:
    """Return figure 1 or 2: R_W of caesium against the mass of the Z' for all β."""
    masses, cs = np.linspace(*masses_tev, 400), nuclide("Cs133")

    def curve(beta: str, variant: str) -> Series:
        correction = compute.weak_charge_correction(cs, beta, variant, masses * 1e6)
        return Series(masses, correction, BETA_LABEL[beta], colour=BETA_COLOUR[beta])

    panels = (
        Panel(
            x_label=MASS_LABEL,
            y_label=r"$R_W = \Delta Q_W / Q_W^{SM}$",
            title=title,
            series=tuple(curve(beta, variant) for beta in BETA_OF),
            references=(Reference(0.0, "y", ""),),
            x_range=masses_tev,
            y_range=(-0.15, 0.15),
        )
        for variant, title in VARIANT_TITLE.items()
    )
    return _figure(number, f"weak charge correction up to {masses_tev[1]:g} TeV", panels, "weak_charge")


def cross_section_figure(setup: Setup) -> Figure:
    """Return figure 3: weak and magnetic cross sections of caesium, averaged over the source."""
    T = np.geomspace(5e-4, 45e-3, 300)
    caesium = compute.caesium_templates(setup, T)
    standard = caesium.evaluate(STANDARD_MODEL.couplings(sin2_theta_w=SIN2_THETA_W))

    def weak(beta: str, variant: str, tev: int) -> Series:
        section = caesium.evaluate(ZPRIME_331.couplings(**compute.weak_point(beta, variant, tev * 1e3)))
        label, style = rf"{BETA_LABEL[beta]}, {tev:g} TeV", FIG3_STYLES[tev]
        return Series(T * 1e3, section, label, colour=BETA_COLOUR[beta], style=style)

    def magnetic(digits: float, power: int, style: Style) -> Series:
        section = caesium["magnetic"].sum(axis=(1, 2)) * (digits * 10.0**power) ** 2
        label = rf"magnetic, $\mu_\nu={digits}\times10^{{{power}}}\mu_B$"
        return Series(T * 1e3, section, label, colour="grey", style=style)

    panels = (
        Panel(
            x_label=r"recoil energy $E_R$ [keV]",
            y_label=r"$d\sigma/dE_R$ [cm$^2$/keV]",
            title=title,
            series=(
                Series(T * 1e3, standard, "Standard Model", colour="black"),
                *(weak(beta, variant, tev) for beta in ("+sqrt3", "-sqrt3") for tev in FIG3_STYLES),
                *(magnetic(*moment) for moment in MAGNETIC_MOMENTS),
            ),
            x_log=True,
            y_log=True,
            x_range=(0.5, 45.0),
            y_range=(1e-46, 1e-38),
        )
        for variant, title in VARIANT_TITLE.items()
    )
    return _figure(3, "contributions to the cross section", panels, "cross_section")


def events_figure(setup: Setup) -> Figure:
    """Return figure 4: events per 2-PE bin beside the COHERENT data."""
    compiled = setup.experiments["binh2021-csi"]
    spectrum = compiled.experiment.spectrum
    if spectrum is None:
        raise ValueError("the card of binh2021-csi has no spectrum")
    edges, bins = np.array(compiled.experiment.axes[0].edges), np.array(spectrum.edges)
    shown = (edges[:-1] >= bins[0]) & (edges[1:] <= bins[-1])
    on, off = np.array(spectrum.coincidence), np.array(spectrum.anticoincidence)
    data = Series(
        (bins[1:] + bins[:-1]) / 2,
        on - off,
        "COHERENT 2017, C − AC",
        colour="black",
        style="points",
        y_error=np.sqrt(on + off),
    )
    standard = compiled.counts(STANDARD_MODEL.couplings(sin2_theta_w=SIN2_THETA_W))

    def steps(counts: Array, label: str, colour: str) -> Series:
        return Series(bins, counts[shown], label, colour=colour, style="steps")

    panels = (
        Panel(
            x_label="photoelectrons",
            y_label="events / 2 PE",
            title=title,
            series=(
                data,
                steps(standard, "Standard Model", "grey"),
                *(
                    steps(
                        compute.events(compiled, beta, variant, mass),
                        rf"{BETA_LABEL[beta]}, {mass / 1e3:g} TeV",
                        colour,
                    )
                    for beta, mass, colour in FIG4_POINTS
                ),
            ),
            x_range=(6, 30),
        )
        for variant, title in VARIANT_TITLE.items()
    )
    return _figure(4, "events against the COHERENT data", panels, "events")


def profile_figure(
    number: int, title: str, experiments: Sequence[str], limits: Sequence[LimitResult]
) -> Figure:
    """Return one of figures 5 to 8: Δχ² against the mass of the Z'; frozen pulls with the smaller σ_sys."""
    shown = [r for r in limits if (r.nuisances, r.systematic) != ("frozen", SYSTEMATICS[1])]
    panels = (
        Panel(
            x_label=MASS_LABEL,
            y_label=r"$\Delta\chi^2$",
            title=f"{name.rsplit('-', 1)[1]} kg, {of_variant}" if len(experiments) > 1 else of_variant,
            series=tuple(_profile_series(r) for r in shown if (r.experiment, r.variant) == (name, variant)),
            references=(Reference(threshold(CL), "y", "90 % CL"),),
            x_log=True,
            x_range=(0.1, 10),
            y_range=(-1, 10),
        )
        for name in experiments
        for variant, of_variant in VARIANT_TITLE.items()
    )
    captions = ["profile", *(["profile_projection"] if set(experiments) & set(PROJECTIONS) else [])]
    return _figure(number, f"Δχ² of {title}", panels, *captions)


def _profile_series(result: LimitResult) -> Series:
    mass = result.profile.values / 1e6
    shown = np.flatnonzero((mass >= 0.09) & (mass <= 11))[::2]
    delta = result.profile.delta_chi2[shown]
    label = f"{BETA_LABEL[result.beta]}, {result.nuisances}"
    if result.systematic is not None:
        label += rf", $\sigma_{{sys}}$ = {result.systematic:g}"
    wide = result.systematic == SYSTEMATICS[1]
    return Series(
        mass[shown],
        np.where(delta < 40, delta, np.nan),
        label,
        colour=BETA_COLOUR[result.beta],
        style="dotted" if result.nuisances == "frozen" else "dashed" if wide else "solid",
    )


def summary_figure(published: Published, limits: Sequence[LimitResult]) -> Figure:
    """Return the overlay of our limits, the paper's, and the other bounds that it quotes."""
    rows = [
        LimitBar(
            f"{DETECTOR_TEXT[r.experiment]}, {BETA_LABEL[r.beta]}",
            r.lower_limit_tev,
            f'nurecoil, "{r.variant}", profiled',
            allowed=r.allowed_tev,
        )
        for variant in VARIANT_TITLE
        for r in limits
        if (r.variant, r.nuisances) == (variant, "profiled") and r.systematic in (None, SYSTEMATICS[0])
    ]
    rows += printed_bars(published, "printed in the paper")
    rows += [LimitBar(b.label, b.tev, "other bounds it quotes") for b in published.bounds]
    return Figure(
        name="summary",
        title="Summary: limits on the Z′ mass",
        caption=_caption("summary"),
        panels=(LimitBars(MASS_LABEL, tuple(rows), x_range=(0.05, 20)),),
    )


def printed_bars(published: Published, group: str) -> list[LimitBar]:
    """Return the printed limits, each once."""
    return [LimitBar(f"{p.detector}, {BETA_LABEL[p.beta]}", p.tev, group) for p in published.first_limits]
