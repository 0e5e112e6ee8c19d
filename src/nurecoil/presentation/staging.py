"""Files, all of them or none: a command that fails midway leaves nothing behind."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from nurecoil.errors import NurecoilError

_TRIED = 100_000  # bytes


def ending_of(path: Path | str, allowed: Collection[str], doing: str) -> str:
    """Return "png" of a path that ends so, of the allowed ones; else what one is `doing` to it is refused.

    >>> ending_of("limit.PDF", ("png", "pdf"), "draw")
    'pdf'
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in allowed:
        raise NurecoilError(f"cannot {doing} to '{path}': the file must end in .{', .'.join(allowed)}")
    return kind


@contextmanager
def staged(directory: Path | str) -> Iterator[Path]:
    """Yield an empty folder whose files move into `directory` when the block ends without an error.

    An error or Ctrl-C leaves `directory` as it was. That it can be written is tried before the block
    runs. The folder lies inside `directory`, or inside its nearest parent that exists, so that each move
    is one `os.replace` on one file system. A directory or a file that cannot be written is a NurecoilError.

    >>> target = Path(tempfile.mkdtemp()) / "report"
    >>> with staged(target) as folder:
    ...     _ = (folder / "report.md").write_text("# Report")
    ...     target.exists()
    False
    >>> [path.name for path in target.iterdir()]
    ['report.md']
    """
    directory = Path(directory)
    with _refusals(directory):
        stage = Path(tempfile.mkdtemp(prefix=".nurecoil-", dir=_nearest_folder(directory)))
        try:
            _try(stage / "some.bytes")
            yield stage
            _move(stage, directory)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def staged_file(path: Path | str) -> Iterator[Path]:
    """Yield a path to write, of the same suffix; it becomes `path` when the block ends without an error.

    Its folder must exist: a new one would be a slip of the keyboard.
    """
    path = Path(path)
    with _refusals(path):
        if _nearest_folder(path.parent) != path.parent:
            raise NurecoilError(f"cannot write to '{path}': there is no folder '{path.parent}'")
        if path.exists() and not path.is_file():
            kind = "directory, not a file" if path.is_dir() else "device or a pipe, not a plain file"
            raise NurecoilError(f"cannot write to '{path}': it is a {kind}")
        if path.exists() and not os.access(path, os.W_OK):
            raise NurecoilError(f"cannot write to '{path}': it is read-only")
    with staged(path.parent) as stage:
        with _refusals(path):
            _try(stage / path.name)
        yield stage / path.name


def _try(path: Path) -> None:
    """Write as much as a figure has, and take it away: a full disk may well have room for names."""
    path.write_bytes(bytes(_TRIED))
    path.unlink()


@contextmanager
def _refusals(target: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NurecoilError(f"cannot write to '{target}': {error.strerror or error}") from error


def _nearest_folder(directory: Path) -> Path:
    for folder in (directory, *directory.parents):
        if folder.is_dir():
            return folder
        if os.path.lexists(folder):
            raise NurecoilError(f"cannot write to '{directory}': '{folder}' is not a directory")
    raise NurecoilError(f"cannot write to '{directory}': no parent directory exists")


def _move(stage: Path, directory: Path) -> None:
    """Move all files, after a look at everything that could be in their way."""
    files = [path for path in sorted(stage.rglob("*")) if path.is_file()]
    moves = [(path, directory / path.relative_to(stage)) for path in files]
    for _, target in moves:
        _nearest_folder(target.parent)
        if target.is_dir():
            raise NurecoilError(f"cannot write '{target}': it is a directory, not a file")
    for path, target in moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
