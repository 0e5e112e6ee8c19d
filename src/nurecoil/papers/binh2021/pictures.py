"""Figures 1 to 8 of the paper and a summary of all limits; `report.toml` has their words and axes."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.inference.intervals import threshold
from nurecoil.papers.binh2021 import compute, paper, published
from nurecoil.papers.binh2021.compute import Computed, Intervals, LimitResult, intervals_text
from nurecoil.papers.binh2021.paper import BETA_OF, BETA_TEXT, EXPERIMENTS, LARGEST, SYSTEMATICS
from nurecoil.papers.binh2021.published import WORDS
from nurecoil.physics.nuclei import nuclide
from nurecoil.presentation.document import Bars, Figure, Panel, Reference, RowChart, Series, Style

BETA_LABEL = {beta: rf"$\beta$ = {text}" for beta, text in BETA_TEXT.items()}  # all of one height
BETA_COLOUR = dict(
    zip(BETA_OF, ("vermillion", "orange", "purple", "black", "green", "sky", "blue"), strict=True)
)
BETA_STYLES: tuple[Style, ...] = ("solid", "dashed", "dash-dotted", "dotted")  # by size, the largest first
BETA_STYLE = dict(zip(BETA_OF, BETA_STYLES + BETA_STYLES[2::-1], strict=True))  # and by sign in colour
VARIANT_TITLE: dict[str, str] = WORDS["variants"]
MASS_LABEL = r"$m_{Z'}$ [TeV]"
FIG4_POINTS = (("+sqrt3", 500, "vermillion"), ("-sqrt3", 2000, "sky"), ("-sqrt3", 5000, "blue"))
FIG3_STYLES: dict[int, Style] = {1: "solid", 3: "dashed"}  # by the mass in TeV
MAGNETIC_MOMENTS: tuple[tuple[float, int, Style], ...] = ((2.9, -11, "dashed"), (2.2, -12, "dotted"))


def all_figures(computed: Computed) -> tuple[Figure, ...]:
    """Return the figures of the report."""
    setup, limits = computed.setup, computed.limits
    return (
        summary_figure(limits),
        weak_charge_figure("fig1"),
        weak_charge_figure("fig2"),
        cross_section_figure(setup),
        events_figure(setup),
        profile_figure("fig5", EXPERIMENTS[:1], limits),
        profile_figure("fig6", EXPERIMENTS[1:2], limits),
        profile_figure("fig7", EXPERIMENTS[2:3], limits),
        profile_figure("fig8", EXPERIMENTS[3:], limits),
    )


def _figure(
    name: str, panels: Iterable[tuple[str, Iterable[Series]]], references: tuple[Reference, ...] = ()
) -> Figure:
    """Return a figure with its words and axes; each panel has a title and series."""
    words = WORDS["figures"][name]
    axes = {**WORDS["axes"][words["axes"]], **words.get("range", {})}
    shown = (
        Panel(series=tuple(series), references=references, title=title, **axes) for title, series in panels
    )
    return Figure(name, words["title"], _caption(*words["captions"]), tuple(shown))


def _caption(*names: str) -> str:
    return " ".join(WORDS["captions"][name].strip() for name in names)


def weak_charge_figure(name: str) -> Figure:
    """Return figure 1 or 2: R_W of caesium against the mass of the Z' for all β."""
    low, high = WORDS["figures"][name]["range"]["x_range"]
    masses, cs = np.linspace(low, high, 400), nuclide("Cs133")

    def curve(beta: str, variant: str) -> Series:
        correction = compute.weak_charge_correction(cs, beta, variant, masses * 1e6)
        return Series(masses, correction, BETA_LABEL[beta], BETA_COLOUR[beta], BETA_STYLE[beta])

    panels = ((title, [curve(b, variant) for b in BETA_OF]) for variant, title in VARIANT_TITLE.items())
    return _figure(name, panels, (Reference(0.0, "y", ""),))


def cross_section_figure(setup: paper.Setup) -> Figure:
    """Return figure 3: weak and magnetic cross sections of caesium, averaged over the source."""
    T = np.geomspace(5e-4, 45e-3, 300)
    caesium = compute.caesium_templates(setup, T)

    def weak(beta: str, variant: str, tev: int) -> Series:
        section = compute.weak_part(caesium, beta, variant, tev * 1e3)
        label = rf"{BETA_LABEL[beta]}, {tev:g} TeV"
        return Series(T * 1e3, section, label, BETA_COLOUR[beta], FIG3_STYLES[tev])

    def magnetic(digits: float, power: int, style: Style) -> Series:
        section = compute.magnetic_part(caesium, digits * 10.0**power)
        label = rf"magnetic, $\mu_\nu={digits}\times10^{{{power}}}\mu_\mathrm{{B}}$"
        return Series(T * 1e3, section, label, "grey", style)

    def panel(variant: str) -> list[Series]:
        return [
            Series(T * 1e3, caesium.evaluate(paper.standard_model()), "Standard Model", "black"),
            *(weak(beta, variant, tev) for beta in LARGEST for tev in FIG3_STYLES),
            *(magnetic(*moment) for moment in MAGNETIC_MOMENTS),
        ]

    return _figure("fig3", ((title, panel(variant)) for variant, title in VARIANT_TITLE.items()))


def events_figure(setup: paper.Setup) -> Figure:
    """Return figure 4: events per 2-PE bin beside the COHERENT data."""
    compiled = setup.experiments[paper.CSI]
    spectrum = compiled.experiment.spectrum
    if spectrum is None:
        raise ValueError("the card of binh2021-csi has no spectrum")
    edges, bins = np.array(compiled.experiment.axes[0].edges), np.array(spectrum.edges)
    shown = (edges[:-1] >= bins[0]) & (edges[1:] <= bins[-1])
    on, off = np.array(spectrum.coincidence), np.array(spectrum.anticoincidence)
    middles, errors = (bins[1:] + bins[:-1]) / 2, np.sqrt(on + off)
    data = Series(middles, on - off, "COHERENT 2017, C − AC", "black", "points", errors)

    def steps(counts: Array, label: str, colour: str) -> Series:
        return Series(bins, counts[shown], label, colour, "steps")

    def panel(variant: str) -> list[Series]:
        found = [data, steps(compiled.counts(paper.standard_model()), "Standard Model", "grey")]
        for beta, mass, colour in FIG4_POINTS:
            counts = compute.events(compiled, beta, variant, mass)
            found.append(steps(counts, rf"{BETA_LABEL[beta]}, {mass / 1e3:g} TeV", colour))
        return found

    return _figure("fig4", ((title, panel(variant)) for variant, title in VARIANT_TITLE.items()))


def profile_figure(name: str, experiments: Sequence[str], limits: Sequence[LimitResult]) -> Figure:
    """Return one of figures 5 to 8: Δχ² against the mass of the Z'; frozen pulls with the smaller σ_sys."""
    shown = [r for r in limits if (r.nuisances, r.systematic) != ("frozen", SYSTEMATICS[1])]
    panels = (
        (
            f"{experiment.rsplit('-', 1)[1]} kg, {title}" if len(experiments) > 1 else title,
            [_profile_series(r) for r in shown if (r.experiment, r.variant) == (experiment, variant)],
        )
        for experiment in experiments
        for variant, title in VARIANT_TITLE.items()
    )
    return _figure(name, panels, (Reference(threshold(paper.CL), "y", "90 % CL"),))


def _profile_series(result: LimitResult) -> Series:
    mass = result.profile.values / 1e6
    shown = np.flatnonzero((mass >= 0.09) & (mass <= 11))[::2]
    delta = result.profile.delta_chi2[shown]
    label = f"{BETA_LABEL[result.beta]}, {result.nuisances}"
    if result.systematic is not None:
        label += rf", $\sigma_{{sys}}$ = {result.systematic:g}"
    wide = result.systematic == SYSTEMATICS[1]
    style: Style = "dotted" if result.nuisances == "frozen" else "dashed" if wide else "solid"
    return Series(mass[shown], np.where(delta < 40, delta, np.nan), label, BETA_COLOUR[result.beta], style)


def summary_figure(limits: Sequence[LimitResult]) -> Figure:
    """Return the overlay of our limits, the paper's, and the other bounds that it quotes."""
    groups = {
        f'nurecoil, "{variant}", profiled': {
            f"{paper.DETECTORS[r.experiment]}, {BETA_LABEL[r.beta]}": r.allowed_tev
            for r in limits
            if (r.variant, r.nuisances) == (variant, "profiled") and r.systematic in (None, SYSTEMATICS[0])
        }
        for variant in VARIANT_TITLE
    }
    groups["printed in the paper"] = printed_intervals()
    groups["other bounds it quotes"] = {label: ((tev, None),) for label, tev in published.BOUNDS.items()}
    chart = limits_chart(groups, (0.05, 20.0))
    return Figure("summary", "Summary: limits on the Z′ mass", _caption("summary"), (chart,))


def printed_intervals() -> dict[str, Intervals]:
    """Return what the printed limits allow, each once, by detector and β."""
    return {f"{x.detector}, {BETA_LABEL[x.beta]}": ((x.tev, None),) for x in published.FIRST_LIMITS}


def limits_chart(groups: Mapping[str, Mapping[str, Intervals]], x_range: tuple[float, float]) -> RowChart:
    """Return a chart of the allowed masses (TeV), a row each with its intervals, coloured by group."""
    names: list[str] = []
    bars = []
    for group, rows in groups.items():
        pieces = []
        for name, allowed in rows.items():
            pieces += [(len(names), *np.clip((a, b or np.inf), *x_range)) for a, b in allowed]
            names.append(f"{name}: {intervals_text(allowed, x_range[0])}")
        numbers, low, high = np.array(pieces).reshape(-1, 3).T
        bars.append(Bars(numbers.astype(np.intp), low, high, group))
    return RowChart(MASS_LABEL, tuple(names), tuple(bars), x_log=True, x_range=x_range)
