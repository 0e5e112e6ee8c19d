"""Where the tests find the official data: NURECOIL_DATA, else ../shared/data; skipped if absent."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def data_folder() -> Path:
    """Return the folder with one folder for each release, which need not exist."""
    return Path(os.environ.get("NURECOIL_DATA") or SHARED)


def release_file(release: str, name: str) -> Path:
    """Return the path of a data file, or skip the test that asks for it."""
    path = data_folder() / release / name
    if not path.is_file():
        pytest.skip(f"no data file {path}: set NURECOIL_DATA to a folder with {release}/")
    return path
