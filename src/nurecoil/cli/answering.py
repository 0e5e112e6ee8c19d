"""From a question to its answer: computed, written to files, printed, and judged by the exit status."""

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import typer

from nurecoil.cli.arguments import quiet
from nurecoil.cli.reading import Asked
from nurecoil.cli.terminal import at_border, print_basis, print_json
from nurecoil.presentation.staging import staged_file
from nurecoil.progress import watched

if TYPE_CHECKING:
    from nurecoil.presentation.document import Figure
    from nurecoil.study.result import Result

Values = TypeVar("Values")
AnyAsked = TypeVar("AnyAsked", bound=Asked)
NOT_CONVERGED = 3  # the exit status of an answer that is not to be trusted


@dataclass(frozen=True)
class File(Generic[Values]):
    """A file that is made of a result: what it is called, where it goes, and what writes it."""

    kind: str
    path: Path | None
    write: "Callable[[Result[Values], Path], None]"


def plot_of(path: Path | None, exhibit: "Callable[[Result[Values]], Figure]") -> File[Values]:
    """Return the figure of a result as a file."""

    def write(result: "Result[Values]", target: Path) -> None:
        from nurecoil.presentation import figures

        figures.save_as(exhibit(result), target)

    return File("Plot", path, write)


def answer(
    asked: AnyAsked,
    compute: "Callable[[], Result[Values]]",
    to_json: "Callable[[AnyAsked, Result[Values]], dict[str, object]]",
    show: "Callable[[AnyAsked, Result[Values]], None]",
    as_json: bool,
    files: Sequence[File[Values]] = (),
) -> None:
    """Compute a result, write its files, and print it; exit status 3 if it has not converged.

    That files can be written is tried first. Where one cannot be after all, the others and the answer are not
    lost: the error comes when these are written.
    """
    written, failures = [], list[Exception]()
    with ExitStack() as stages:
        own = [(file, file.path, stages.enter_context(ExitStack())) for file in files if file.path]
        targets = [(file, stage, stage.enter_context(staged_file(path))) for file, path, stage in own]
        # Minuit prints to stdout
        with quiet(), redirect_stdout(io.StringIO()), watched():
            result = compute()
            for file, stage, target in targets:
                try:
                    with stage:
                        file.write(result, target)
                    written.append(file)
                except Exception as failure:
                    failures.append(failure)
    if as_json:
        print_json(_envelope(asked, result) | to_json(asked, result))
    else:
        show(asked, result)
        print_basis(asked.model.parameters, result.fixed, result.notes, result.conventions)
    for file in written:
        print(f"{file.kind}: {file.path}", file=sys.stderr if as_json else sys.stdout)
    if not result.converged:
        print("Warning: the answer did not converge, so its numbers may be wrong", file=sys.stderr)
    if failures:
        raise failures[0]
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)


def _envelope(asked: Asked, result: "Result[Values]") -> dict[str, object]:
    """Return what the JSON of every answer has."""
    return {
        "question": result.question,
        "model": asked.model.name,
        "experiments": asked.names,
        "converged": result.converged,
        "parameters": at_border(asked.model.parameters, result.fixed),
        "notes": result.notes,
        "conventions": result.conventions,
        "provenance": result.provenance,
    }


def convergence(result: "Result[Values]", otherwise: str = "see the notes") -> tuple[str, str]:
    """Return the row that says whether a result has converged."""
    return "converged", "yes" if result.converged else f"NO: {otherwise}"
