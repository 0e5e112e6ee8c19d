"""`nurecoil data`: the official data releases: list, fetch, verify, and where they are."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from nurecoil.cli.answering import AS_JSON, print_json
from nurecoil.cli.usage import Command, Group
from nurecoil.errors import NurecoilError
from nurecoil.presentation.terminal import print_table

if TYPE_CHECKING:
    from nurecoil.experiment.datasets import FileStatus, Release

COLOURS = {"whole": "green", "changed": "red", "missing": "yellow"}
NAMES = click.argument(
    "names", nargs=-1, required=True, metavar="NAME...", help="See `nurecoil data list`; all for all of them."
)


@click.group("data", Group, short_help="Official data: list, fetch, verify, path.", no_args_is_help=True)
def data() -> None:
    """Official data releases: which there are, where they are, and whether they are whole.

    Files are looked for in the folder that NURECOIL_DATA names (one folder a release, or the files
    themselves), then in the cache (NURECOIL_CACHE, else the platform's), and are downloaded only if they are
    in neither.

    \b
    Examples:
      nurecoil data list
      nurecoil data fetch coherent-lar-2020
      nurecoil data verify all
      nurecoil data path coherent-csi-2017
    """


@data.command("list", Command, short_help="List the releases.", params=[AS_JSON])
def list_(as_json: bool) -> None:
    """List the releases, and where each is: mirror, cached, missing, incomplete or changed."""
    from nurecoil.experiment.datasets import load_release, release_names, state, verify

    releases = [load_release(name) for name in release_names()]
    states = [state(verify(release)) for release in releases]
    if as_json:
        rows = [_release_json(release, word) for release, word in zip(releases, states, strict=True)]
        print_json({"releases": rows})
        return
    cells = [
        [r.name, r.title, r.doi, str(len(r.files)), f"{_bytes(r) / 1024:.0f} kB", word]
        for r, word in zip(releases, states, strict=True)
    ]
    columns = ["name", "what it is", "DOI", "files", "size", "state"]
    print_table("Data releases", columns, cells, right=(3, 4), whole=(0,))


@data.command("fetch", Command, short_help="Download what is missing.")
@NAMES
def fetch(names: Sequence[str]) -> None:
    """Download what is missing, compare all checksums, and print each release's folder.

    A changed file in the cache is replaced and kept beside the new one.
    """
    from nurecoil.experiment import datasets

    say = partial(print, file=sys.stderr, flush=True)
    for release in _chosen(names):
        if "all" in names and not (release.needed[0].url or datasets.locate(release)):
            say(f"{release.name}: left out, as no official record has it, only a mirror (NURECOIL_DATA)")
        else:
            print(datasets.fetch(release, replace=True, say=say))


@data.command("verify", Command, short_help="Compare all checksums.", params=[AS_JSON])
@NAMES
def verify(names: Sequence[str], as_json: bool) -> None:
    """Compare the checksum of each file; exit status 1 if one is missing or changed. Downloads nothing."""
    from nurecoil.experiment import datasets

    found = [(release, status) for release in _chosen(names) for status in datasets.verify(release)]
    problems = list(filter(None, (datasets.problem(release, status) for release, status in found)))
    if as_json:
        rows = [_status_json(release, status) for release, status in found]
        print_json({"good": not problems, "files": rows})
    else:
        columns = ["release", "file", "state", "from", "note"]
        print_table("Files", columns, (_cells(release, status) for release, status in found), whole=(2,))
        print("\n".join(problems or ["All whole."]))
    if problems:
        raise click.exceptions.Exit(1)


@data.command("path", Command, short_help="Print where a release is.")
@click.argument(
    "name", required=False, metavar="[NAME]", help="See `nurecoil data list`; the cache if left out."
)
def path(name: str | None) -> None:
    """Print the folder that has all files of a release, or the cache's folder."""
    from nurecoil.experiment.datasets import cache_directory, locate

    if name is None:
        print(cache_directory())
    elif folder := locate(name):
        print(folder)
    else:
        raise NurecoilError(f"{name} is not all here: `nurecoil data fetch {name}` gets it")


def _cells(release: "Release", status: "FileStatus") -> list[str | tuple[str, str]]:
    shown = (status.state, COLOURS[status.state])
    return [release.name, status.file.path, shown, status.source or "–", status.note]


def _chosen(names: Sequence[str]) -> "list[Release]":
    from nurecoil.experiment.datasets import load_release, release_names

    return [load_release(name) for name in (release_names() if "all" in names else names)]


def _bytes(release: "Release") -> int:
    return sum(file.size for file in release.files)


def _release_json(release: "Release", state: str) -> dict[str, object]:
    names = ("name", "title", "doi", "url", "licence", "citation")
    return {
        **{name: getattr(release, name) for name in names},
        "files": [file.path for file in release.files],
        "bytes": _bytes(release),
        "state": state,
    }


def _status_json(release: "Release", status: "FileStatus") -> dict[str, object]:
    from nurecoil.experiment.datasets import problem

    return {
        "release": release.name,
        "file": status.file.path,
        "state": status.state,
        "from": status.source,
        "path": str(status.where) if status.where else None,
        "sha256": status.content.sha256 if status.content else None,
        "expected_sha256": [content.sha256 for content in status.file.contents],
        "note": status.note,
        "problem": problem(release, status),
    }
