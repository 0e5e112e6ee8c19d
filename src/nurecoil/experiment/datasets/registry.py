"""The releases that nurecoil knows; `releases.toml` lists them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from nurecoil.errors import unknown_name


@dataclass(frozen=True)
class Content:
    """An accepted content of a file: SHA-256, bytes (None if not known), what is known of its origin."""

    sha256: str
    size: int | None = None
    note: str = ""

    def __str__(self) -> str:
        """Return checksum and size, for messages."""
        return f"SHA-256 {self.sha256}" + ("" if self.size is None else f" ({self.size} bytes)")


@dataclass(frozen=True)
class DataFile:
    """A file of a release: its path below the release's folder, its address, and its accepted contents.

    The address is empty for a file that no official record has and that only a mirror can give.
    """

    path: str
    url: str
    contents: tuple[Content, ...]

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def size(self) -> int:
        """Return the bytes, of the first accepted content for which they are known."""
        return next((content.size for content in self.contents if content.size is not None), 0)


@dataclass(frozen=True)
class Release:
    """An official data release: what it is, its record, its licence, how to cite it, and its files."""

    name: str
    title: str
    doi: str
    url: str
    licence: str
    citation: str
    files: tuple[DataFile, ...]

    @property
    def needed(self) -> tuple[DataFile, ...]:
        """Return the files of the official record; all where there is no such record."""
        return tuple(file for file in self.files if file.url) or self.files

    def file(self, filename: str) -> DataFile:
        """Return the file of this path or name."""
        for file in self.files:
            if filename in (file.path, file.name):
                return file
        raise unknown_name(f"file of {self.name}", filename, [file.path for file in self.files])


def release_names() -> tuple[str, ...]:
    """Return the names of all releases.

    >>> release_names()[:3]
    ('coherent-csi-2017', 'coherent-csi-2021', 'coherent-ge-2024')
    """
    return tuple(_registry())


def load_release(name: Release | str) -> Release:
    """Return a release by name; one that is given itself, as it is.

    >>> load_release("coherent-csi-2017").file("promptPDF.txt").size
    1298
    """
    if isinstance(name, Release):
        return name
    releases = _registry()
    if name not in releases:
        raise unknown_name("data release", name, releases)
    return releases[name]


@cache
def _registry() -> dict[str, Release]:
    text = resources.files("nurecoil.experiment.datasets").joinpath("releases.toml").read_text("utf-8")
    return {name: _release(name, entry) for name, entry in tomllib.loads(text).items()}


def _release(name: str, entry: dict[str, Any]) -> Release:
    files, address = entry.pop("files"), entry.pop("download")
    return Release(name, files=tuple(_file(path, files[path], address) for path in files), **entry)


def _file(path: str, entry: Any, address: str) -> DataFile:
    entries = entry if isinstance(entry, list) else [entry]
    official = {content.pop("official", True) for content in entries} == {True}
    name = quote(path.rpartition("/")[2], safe="")
    url = address.format(name=name, path=quote(path)) if official else ""
    return DataFile(path, url, tuple(Content(**content) for content in entries))
