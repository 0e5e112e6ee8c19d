"""Where the files of a release are, mirror before cache, and whether they are whole; no downloads."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nurecoil.errors import NurecoilError
from nurecoil.experiment.datasets.registry import Content, DataFile, Release, load_release

Source = Literal["mirror", "cache"]


@dataclass(frozen=True)
class FileStatus:
    """Where a file was found, and its content: an accepted one if it is whole, else what is there."""

    file: DataFile
    state: Literal["whole", "changed", "missing"]
    source: Source | None = None
    where: Path | None = None
    content: Content | None = None

    @property
    def good(self) -> bool:
        """Return whether nothing is wrong; a file that no official record has may be missing."""
        return self.state == "whole" or (self.state == "missing" and not self.file.url)

    @property
    def note(self) -> str:
        """Return what should be known of the file."""
        origin = "" if self.file.url else "not part of the official release"
        return "; ".join(filter(None, [self.content.note if self.content else "", origin]))


def cache_directory() -> Path:
    """Return the folder of downloads: NURECOIL_CACHE, else the platform's cache; it may not exist yet."""
    if chosen := os.environ.get("NURECOIL_CACHE"):
        return Path(chosen).expanduser().resolve()
    import pooch  # type: ignore[import-untyped]

    return Path(pooch.os_cache("nurecoil"))


def verify(release: Release | str) -> list[FileStatus]:
    """Return the status of each file of a release, where it would be taken from; downloads nothing."""
    release = load_release(release)
    return [look(release, file) for file in release.files]


def state(statuses: Sequence[FileStatus]) -> str:
    """Return a release's state: mirror, cached, mirror and cached, incomplete, missing or changed."""
    if any(status.state == "changed" for status in statuses):
        return "changed"
    needed = [status for status in statuses if status.file.url] or list(statuses)
    if not all(status.state == "whole" for status in needed):
        return "incomplete" if any(status.state == "whole" for status in needed) else "missing"
    sources = {status.source for status in needed}
    return " and ".join(
        word for source, word in (("mirror", "mirror"), ("cache", "cached")) if source in sources
    )


def locate(release: Release | str) -> Path | None:
    """Return the folder, in the mirror or the cache, that has all files of the release whole, or None.

    Raises
    ------
    NurecoilError
        If a file of the mirror is changed.
    """
    release = load_release(release)
    for status in verify(release):
        if status.state == "changed" and status.source == "mirror":
            raise NurecoilError(problem(release, status))
    for folder in _folders(release):
        if all(inspect(file, folder / file.path).state == "whole" for file in release.needed):
            return folder
    return None


def problem(release: Release, status: FileStatus) -> str:
    """Return what is wrong with a file and what to do, in a sentence; empty if nothing is."""
    if status.good:
        return ""
    if status.state == "missing":
        return f"'{status.file.path}' is not here: `nurecoil data fetch {release.name}` gets it"
    if status.source == "mirror":
        remedy = "put the right file there, or unset NURECOIL_DATA"
    else:
        remedy = f"`nurecoil data fetch {release.name}` replaces it and keeps this one beside it"
    return f"'{status.where}' is not the file of {release.name}: {mismatch(status)}; {remedy}"


def mismatch(status: FileStatus) -> str:
    """Return found and expected checksums of a file."""
    expected = " or ".join(map(str, status.file.contents))
    return f"found {status.content or 'nothing'}, expected {expected}"


def look(release: Release, file: DataFile) -> FileStatus:
    """Return the status of the first such file: in the mirror, at its path or flat, else in the cache."""
    for folder in _mirrors(release):
        for path in (folder / file.path, folder / file.name):
            if (status := inspect(file, path, "mirror")).state != "missing":
                return status
    return inspect(file, cached(release, file), "cache")


def cached(release: Release, file: DataFile) -> Path:
    """Return the path of a file in the cache, where it need not be."""
    return cache_directory() / release.name / file.path


def inspect(file: DataFile, path: Path, source: Source | None = None) -> FileStatus:
    """Return the status of a file at a path."""
    if not path.is_file():
        return FileStatus(file, "missing")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NurecoilError(f"cannot read '{path}': {error.strerror or error}") from error
    found = Content(hashlib.sha256(data).hexdigest(), len(data))
    for content in file.contents:
        if content.sha256 == found.sha256 and content.size in (None, found.size):
            return FileStatus(file, "whole", source, path, content)
    return FileStatus(file, "changed", source, path, found)


def _mirrors(release: Release) -> tuple[Path, ...]:
    """Return the folders that NURECOIL_DATA gives the files of a release in; an error if it names none."""
    chosen = os.environ.get("NURECOIL_DATA")
    if not chosen:
        return ()
    folder = Path(chosen).expanduser().resolve()
    if not folder.is_dir():
        raise NurecoilError(f"NURECOIL_DATA is '{chosen}', which is not a directory")
    return folder / release.name, folder


def _folders(release: Release) -> Iterator[Path]:
    yield from _mirrors(release)
    yield cache_directory() / release.name
