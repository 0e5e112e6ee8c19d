"""What a card may say of an experiment whose release tabulates counts: in bins, at energies and at pulls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from nurecoil.checks import Positive, require
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.schema import Name, NormalisationPull, Width
from nurecoil.experiment.card.signal_schema import Column, CrossSection, Target
from nurecoil.sources import Source


@dataclass(frozen=True)
class Run:
    """A run: a block of the bins, with an exposure, edges, files and backgrounds of its own."""

    name: str
    exposure: Annotated[Positive, "in units of the target's mass times the source's live time"]
    templates: Annotated[str, "the file of arrays (.npz)"]
    events: Annotated[str, "the file of events, one a row"]


@dataclass(frozen=True)
class TemplateAxis:
    """One axis of the bins of a run."""

    key: str
    name: Annotated[str, "what is printed, with the unit"]
    edges: Annotated[str, "the array of its edges; where those of runs differ, bins are numbered"]
    column: Annotated[Column, "of the events, the first being 0"]


@dataclass(frozen=True)
class Expected:
    """The Standard Model's signal as another release has it: the response in each bin is scaled to it."""

    release: Annotated[str, "which has a file of the same name for each run"]
    signal: Annotated[str, "the array of its counts per unit of exposure, at the values of the pulls"]
    spectrum: Annotated[
        str, "its file of recoils (JSON): `rate`, and energies in keV (`map`) at which so much lies below"
    ]


@dataclass(frozen=True)
class Templates:
    """The signal: how often recoils of one energy are counted in each bin."""

    energies: Annotated[str, "the array of the energies in keV; no recoil outside of them counts"]
    signal: Annotated[str, "the array of efficiencies: energies, values of both pulls, axes of the bins"]
    pulls: Annotated[
        Mapping[str, str],
        "two pulls, in standard deviations, and the arrays of values that they are given at",
    ]
    step: Annotated[Positive, "the shapes at so many standard deviations, and at none, are used"]
    axes: tuple[TemplateAxis, ...]
    runs: tuple[Run, ...]
    release: Annotated[str | None, "where the files are (`nurecoil data list`); else beside the card"] = None
    expected: Expected | None = None

    def __post_init__(self) -> None:
        """Refuse other numbers of pulls, and what has no bins."""
        require(len(self.pulls) == 2, "pulls", list(self.pulls), "two, of which templates are given")
        for name in ("axes", "runs"):
            require(bool(getattr(self, name)), name, (), "one or more")


@dataclass(frozen=True)
class TemplateBackground:
    """A background: counts in bins per unit of exposure, of which those of a run may hang on the pulls."""

    name: str
    template: Annotated[
        str, "the array of its counts: axes of the bins, or values of both pulls before those"
    ]
    pull: Annotated[str, "the name of the pull of its rate"]
    width: Annotated[Width, "how well the rate is known"]
    runs: Annotated[tuple[str, ...], "in which it is; all if left out"] = ()
    release: Annotated[str | None, "of the array, if it is another"] = None


@dataclass(frozen=True)
class TemplateCard:
    """A whole card of released templates."""

    name: Name
    title: Annotated[str, "what the experiment is"]
    reference: Annotated[str, "where its numbers are from"]
    target: Target
    source: Source
    cross_section: CrossSection
    templates: Templates
    overlaps: Annotated[tuple[str, ...], "names of experiments that contain some of the same data"] = ()
    backgrounds: tuple[TemplateBackground, ...] = ()
    signal_pulls: tuple[NormalisationPull, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that stand for nothing, or for two things."""
        runs = [run.name for run in self.templates.runs]
        for background in self.backgrounds:
            for run in background.runs:
                if run not in runs:
                    raise NurecoilError(f"backgrounds.{background.name}: there is no run '{run}'")
        pulls = [*self.templates.pulls, *(p.name for p in self.signal_pulls)]
        for what, names in (
            ("run", runs),
            ("axis", [axis.key for axis in self.templates.axes]),
            ("background", ["signal", *(b.name for b in self.backgrounds)]),
            ("pull", [*pulls, *(b.pull for b in self.backgrounds)]),
        ):
            for name in sorted({name for name in names if names.count(name) > 1}):
                raise NurecoilError(f"the {what} {name} is there twice: each needs a name of its own")
