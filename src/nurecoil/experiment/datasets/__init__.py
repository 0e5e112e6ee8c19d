"""Official data releases: which there are, where their files are, and how to get them.

A file comes from the mirror that NURECOIL_DATA names, else from the cache, else from the official record.
Its checksum is compared before its path is handed out, wherever it comes from, and a download gets its name
in the cache only then.
"""

from nurecoil.experiment.datasets.client import Client, fetch, file_path
from nurecoil.experiment.datasets.places import (
    FileStatus,
    cache_directory,
    locate,
    mirror_directory,
    problem,
    state,
    verify,
)
from nurecoil.experiment.datasets.registry import Content, DataFile, Release, load_release, release_names

__all__ = [
    "Client",
    "Content",
    "DataFile",
    "FileStatus",
    "Release",
    "cache_directory",
    "fetch",
    "file_path",
    "load_release",
    "locate",
    "mirror_directory",
    "problem",
    "release_names",
    "state",
    "verify",
]
