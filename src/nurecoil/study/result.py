"""What every question returns: the answer, whether it converged, and what it rests on."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from nurecoil._version import __version__
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, at_border
from nurecoil.physics import constants
from nurecoil.presentation.document import Block, Figure, Pairs
from nurecoil.presentation.labels import spelled, value_label
from nurecoil.presentation.look import DRAWN, Look
from nurecoil.presentation.staging import staged_file
from nurecoil.study.arguments import several
from nurecoil.study.card import StudyCard
from nurecoil.study.ledger import ledger
from nurecoil.study.record import strict_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from nurecoil.presentation.exchange import Arrays

Conventions = Mapping[str, Any]
FORMATS = (".json", ".toml", ".csv", ".nc", ".tex", ".zip", *DRAWN)
"""A result is saved as: JSON, its question as a study card, numbers, arrays, tables, HEPData's, a figure."""

_MOST_EDITS = 5
_OF_FILES = ("statistics", "data_hashes", "compiled")  # edits of what data files say


class Shown:
    """What an answer has in common with others: how it is read by programs and by people."""

    def __repr__(self) -> str:
        """Return a line that says what it is, and what it has."""
        return f"<{type(self).__name__} with {', '.join(vars(self))}>"

    def record(self, result: "Result[Any]") -> dict[str, object]:
        """Return the answer as plain data in the units at the border, for JSON."""
        raise NotImplementedError

    def blocks(self, result: "Result[Any]") -> Iterable[Block]:
        """Return the answer as tables of text."""
        raise NotImplementedError

    def figure(self, result: "Result[Any]") -> Figure:
        """Return the answer as a figure."""
        raise NurecoilError(f"{result.question} has no figure")

    def canvas(self, result: "Result[Any]", look: Look) -> "Canvas":
        """Return the figure, drawn."""
        from nurecoil.presentation import figures

        return figures.draw(look.on(self.figure(result)), look.width)

    def arrays(self, result: "Result[Any]") -> "Arrays":
        """Return the answer as arrays with dimensions, in the units at the border; none where it has none."""
        return {}

    def write(self, result: "Result[Any]", path: Path) -> None:
        """Write what else there is of it to a file."""
        raise NurecoilError(
            f"cannot save a {result.question} as '{path.suffix}': it must end in {', '.join(FORMATS)}"
        )


Answer = TypeVar("Answer", bound=Shown)


@dataclass(frozen=True, repr=False)
class Result(Generic[Answer]):
    """The answer to one question, with all that is needed to trust it and to ask it again.

    Printed, it is what the command line prints; in a notebook it is tables.

    Attributes
    ----------
    question, model, experiments
        The names of the question, "predict", "limit", "fit", ..., and of what was asked.
    values
        The answer, a frozen dataclass of its own for each question.
    converged, notes
        Whether every minimisation behind the answer converged; and what the reader should know, in sentences.
    parameters, fixed
        Those of the model, and the values of those that were held (inside units).
    conventions, provenance
        What the numbers depend on besides the parameters (schemes, form factors, pull widths, data), and what
        it takes to ask again: versions, and the settings of the question.
    card
        The question as it was asked, where a text can say it.

    Examples
    --------
    >>> from nurecoil import Study
    >>> result = Study("nsi", "binh2021-csi").limit("eps_u_ee", "-0.5..1")
    >>> result.question, result.converged
    ('limit', True)
    >>> [[round(end, 3) for end in interval] for interval in result.record()["allowed"]]
    [[-0.092, 0.491]]
    >>> result.model, result.experiments, result.blocks()[0].rows[0]
    ('nsi', ('binh2021-csi',), ('allowed', '-0.09165 to 0.4912'))
    >>> result.plot(title=False).get_title()  # of matplotlib's axes
    ''
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     result.save(f"{folder}/limit.csv")
    """

    question: str
    values: Answer
    converged: bool
    fixed: Values
    notes: tuple[str, ...]
    conventions: Conventions
    provenance: dict[str, object]
    parameters: tuple[Parameter, ...] = ()
    card: StudyCard | None = None

    @property
    def model(self) -> str:
        """The name of the model."""
        return str(self.conventions["model"])

    @property
    def experiments(self) -> tuple[str, ...]:
        """The names of the experiments."""
        return tuple(self.conventions["experiments"])

    def record(self) -> dict[str, object]:
        """Return the result as plain data: the answer at the border units, and all that it rests on."""
        return {
            "question": self.question,
            "model": self.model,
            "experiments": list(self.experiments),
            "converged": self.converged,
            "parameters": at_border(self.parameters, self.fixed),
            "notes": self.notes,
            "conventions": self.conventions,
            "provenance": self.provenance | ({"card": self.card.record()} if self.card else {}),
            **self.values.record(self),
        }

    def blocks(self, conventions: bool = False) -> list[Block]:
        """Return what is printed: the answer, notes, and in short, or as a whole, what it rests on."""
        notes = Pairs("Notes", tuple(("-", note) for note in self.notes))
        rest = ledger(self.parameters, self.fixed, self.conventions, conventions)
        return [*self.values.blocks(self), notes, *rest]

    def title(self, what: str) -> str:
        """Return the title of an answer, which names the model and the experiments."""
        return f"{what}: {self.model}, {' + '.join(self.experiments)}"

    @property
    def facts(self) -> tuple[str, ...]:
        """What a figure rests on: model, experiments, parameters off their defaults, pulls that are held."""
        experiments = self.conventions["experiments"]
        pulls = {name: width for each in experiments.values() for name, width in each["pull_widths"].items()}
        settings = []
        for p in self.parameters:
            value = self.fixed.get(p.name, p.default)
            if value is not None and value != p.default:
                shown = value if isinstance(value, str) else value_label(p, float(value))
                settings.append(f"{p.name if p.choices else f'${p.latex}$'} = {shown}")
        held = (f"{spelled(name)} fixed" for name, width in pulls.items() if width == 0)
        return spelled(self.model), " + ".join(map(spelled, experiments)), *settings, *held

    def convergence(self, otherwise: str = "see the notes") -> tuple[str, str]:
        """Return the row that says whether the result has converged."""
        return "converged", "yes" if self.converged else f"NO: {otherwise}"

    def __str__(self) -> str:
        """Return the text that the command line prints."""
        from nurecoil.presentation.terminal import text_of

        return text_of(self.blocks())

    def __repr__(self) -> str:
        """Return a line that says what it is."""
        return f"<Result {self.title(self.question)}{'' if self.converged else ', NOT CONVERGED'}>"

    def _repr_html_(self) -> str:
        from nurecoil.presentation.report import html_of

        return html_of(self.blocks())

    def plot(
        self, axes: "Axes | None" = None, title: bool = True, overlay: Sequence[Path | str] = ()
    ) -> "Axes":
        """Draw the answer on axes that are there, or on new ones (`axes.figure`), and return them.

        Curves of others, from CSV files, are laid over it: x, y in the axes' units, a name in the first line.
        """
        look = Look(title, overlay=tuple(several(overlay, "overlay", str | Path)))
        if axes is None:
            return self.values.canvas(self, look).axes[0]
        from nurecoil.presentation import figures

        return figures.draw_on(axes, look.on(self.values.figure(self)))

    def save(
        self,
        path: Path | str,
        title: bool = True,
        width: float | None = None,
        overlay: Sequence[Path | str] = (),
    ) -> None:
        """Write the result to a file, as its suffix says.

        .json: all of it; .toml: the question, for `nurecoil run`; .csv: the numbers of its figure or tables;
        .nc: its arrays, for xarray; .tex: its tables; .zip: a submission to HEPData; .png (600 dpi), .svg,
        .pdf: its figure. Samples have .npz too.

        Parameters
        ----------
        title, width, overlay
            Of a figure: whether it has a title, how many inches it is wide (3.4 for a column of a journal),
            and files with curves to lay over it, as of `plot`.
        """
        if not isinstance(path, str | PathLike):
            raise NurecoilError(f"cannot save to {path!r}: give the path of a file")
        path = Path(path)
        with staged_file(path) as target:
            self.write_to(target, Look(title, width, tuple(several(overlay, "overlay", str | Path))))

    def write_to(self, path: Path, look: Look) -> None:
        """Write it to a file that is known to be writable."""
        from nurecoil.presentation import exchange, figures

        kind = path.suffix.lower()
        if kind == ".json":
            path.write_text(strict_json(self.record()) + "\n", encoding="utf-8")
        elif kind in DRAWN:
            self.save_figure(path, look)
        elif kind == ".toml":
            path.write_text(self.study_card.toml(), encoding="utf-8")
        elif kind == ".tex":
            path.write_text(exchange.to_latex(self.values.blocks(self)), encoding="utf-8")
        elif kind == ".csv" and type(self.values).write is Shown.write:
            figure = self.figure
            text = figures.numbers(figure) if figure else exchange.to_csv(self.values.blocks(self))
            path.write_text(text, encoding="utf-8", newline="")
        elif kind == ".nc":
            arrays = self.values.arrays(self)
            exchange.to_netcdf(arrays, json.loads(strict_json(self.record())), path)
        elif kind == ".zip":
            record = json.loads(strict_json(self.record()))
            exchange.to_hepdata(self.values.figure(self), record, path)
        else:
            self.write(path)  # refuses what it cannot be

    @property
    def figure(self) -> Figure | None:
        """The answer as a figure, if it has one."""
        return None if type(self.values).figure is Shown.figure else self.values.figure(self)

    @property
    def study_card(self) -> StudyCard:
        """The question as a study card, with what the answer rests on."""
        if self.card is None:
            raise NurecoilError(
                f"this {self.question} has no study card: its study was given objects and not names, so that"
                " no text can ask it again"
            )
        return replace(self.card, rests_on=self.rests_on)

    @property
    def rests_on(self) -> dict[str, Any]:
        """Versions, and the hashes of cards and data."""
        experiments = self.conventions["experiments"]
        assert isinstance(experiments, Mapping)
        hashes: dict[str, list[str]] = {}
        for name, each in experiments.items():
            files = (f"{file} {sha}" for file, sha in each.get("data", {}).items())
            hashes[name] = [each.get("card", ""), *files]
        return {"nurecoil": __version__, "numpy": np.__version__, **hashes}

    def save_figure(self, path: Path, look: Look) -> None:
        """Write the figure as a journal takes it, a .png at 600 dpi."""
        from nurecoil.presentation import figures

        figures.save_canvas(self.values.canvas(self, look), path, dpi=600)

    def write(self, path: Path) -> None:
        """Write what else there is, such as samples."""
        self.values.write(self, path)


def conventions(
    model: Model, experiments: Sequence[CompiledExperiment], widths: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return what a result depends on besides its parameters, for printing beside it."""
    return {
        "nurecoil": __version__,
        "model": model.name,
        "axial": "axial-vector part "
        + ("by spin responses of the shell model" if "axial" in model.channels else "neglected"),
        "G_F [1/MeV^2]": constants.FERMI_CONSTANT,
        "m_Z [MeV]": constants.Z_MASS,
        "experiments": {c.experiment.name: _experiment_conventions(c, widths or {}) for c in experiments},
    }


def _experiment_conventions(compiled: CompiledExperiment, widths: Mapping[str, float]) -> dict[str, object]:
    experiment = compiled.experiment
    terms, edits = experiment.conventions, compiled.edits()
    more = f" and {len(edits) - _MOST_EDITS} more" if len(edits) > _MOST_EDITS else ""
    edited = f"edited in Python: {', '.join(edits[:_MOST_EDITS])}{more}"
    hashes = {} if any(edit.startswith(_OF_FILES) for edit in edits) else dict(experiment.data_hashes)
    of_recoils = {
        "source": f"{experiment.flux.name}; {experiment.flux.reference}",
        "quenching": experiment.signal.detector.recoils,
        "form_factor": experiment.signal.form_factor.description,
        "vector cross section": "with T/E" if terms.vector_recoil_term else "without T/E",
        "magnetic cross section": ("with T/4E²" if terms.magnetic_recoil_term else "without T/4E²")
        + (", F_p²" if terms.magnetic_form_factor else ", F_p = 1"),
    }
    return {
        "reference": experiment.reference,
        **(
            {"card": edited if edits else f"sha256 {experiment.card_hash[:16]}"} if experiment.as_read else {}
        ),
        "target": experiment.target.composition,
        **({"form_factor": "none (a weak charge)"} if experiment.of_weak_charge else of_recoils),
        "pull_widths": {p.name: widths.get(p.name, p.prior_width) for p in experiment.statistics.pulls},
        **({"data": hashes} if hashes else {}),
    }


def provenance(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the versions that computed a result, and the settings of the question."""
    return {
        "nurecoil": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "settings": dict(settings),
    }
