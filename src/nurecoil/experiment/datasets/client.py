"""Getting files: from the mirror, the cache or the official record, never a part of one.

A download is written to a folder of its own and moved to its name in the cache once its checksum agrees.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nurecoil._version import __version__
from nurecoil.errors import NurecoilError
from nurecoil.experiment.datasets.places import (
    cache_directory,
    cached,
    inspect,
    locate,
    look,
    mismatch,
    problem,
)
from nurecoil.experiment.datasets.registry import DataFile, Release, load_release
from nurecoil.progress import tell

if TYPE_CHECKING:
    from requests import RequestException

USER_AGENT = f"nurecoil/{__version__} (analysis of coherent neutrino scattering; fetches each file once)"
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # answers that may be better later

Say = Callable[[str], None]


@dataclass(frozen=True)
class Client:
    """How patiently a file is downloaded: the number of tries, and times in seconds.

    The first wait doubles with each try; what a server asks for with Retry-After comes first. A wait
    longer than `longest_wait` ends the download at once.
    """

    tries: int = 4
    timeout: float = 30.0
    first_wait: float = 1.0
    longest_wait: float = 120.0
    sleep: Callable[[float], None] = time.sleep


PATIENT = Client()


def file_path(release: Release | str, filename: str, *, client: Client = PATIENT) -> Path:
    """Return the path of one file, whole and verified; it is downloaded if it is nowhere.

    `filename` is its path or name in a release, which is given itself or by name. An error if the file is
    changed, cannot be downloaded, or is not the expected one.
    """
    release = load_release(release)
    file = release.file(filename)
    status = look(release, file)
    if status.state == "changed":
        raise NurecoilError(problem(release, status))
    return status.where or _into_cache(release, file, client, tell)


def fetch(
    release: Release | str, *, replace: bool = False, client: Client = PATIENT, say: Say = tell
) -> Path:
    """Return a folder that has all files of a release, whole and verified; what is missing is downloaded.

    With `replace`, a changed file in the cache is replaced and kept beside the new one, instead of refused.
    `say` is called with a line of text before each download and each wait. An error if a file is changed,
    cannot be downloaded, or is not the expected one; whole files stay.
    """
    release = load_release(release)
    if folder := locate(release):
        return folder
    for file in release.needed:
        _into_cache(release, file, client, say, replace)
    return cache_directory() / release.name


def _into_cache(release: Release, file: DataFile, client: Client, say: Say, replace: bool = False) -> Path:
    """Return the file's path in the cache, after a copy from the mirror or a download if it is not there."""
    target = cached(release, file)
    old = inspect(file, target, "cache")
    if old.state == "whole":
        return target
    if old.state == "changed" and not replace:
        raise NurecoilError(problem(release, old))
    first = look(release, file)
    with _part(target) as part:
        if first.source == "mirror" and first.where:
            shutil.copyfile(first.where, part)
        else:
            _download(release, file, part, client, say)
        new = inspect(file, part)
        if new.state != "whole":
            raise NurecoilError(
                f"'{file.path}' of {release.name} was not taken from {file.url}: {mismatch(new)}; "
                f"try again later, or {_by_hand(release)}"
            )
        if old.state == "changed" and old.content:
            shutil.copyfile(target, target.with_name(f"{file.name}.{old.content.sha256[:8]}.changed"))
        os.replace(part, target)
    return target


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """Yield a path to write, in a folder of its own beside `target`; what is left there goes at the end."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".nurecoil-", dir=target.parent) as folder:
            yield Path(folder) / target.name
    except OSError as error:
        raise NurecoilError(
            f"cannot write '{target}': {error.strerror or error}; NURECOIL_CACHE can name another folder"
        ) from error


def _download(release: Release, file: DataFile, part: Path, client: Client, say: Say) -> None:
    """Write what the file's address gives to `part`; what may be better later is tried again after a wait."""
    if not file.url:
        note = "".join(f" ({content.note})" for content in file.contents if content.note)
        raise NurecoilError(
            f"'{file.path}' is not part of the official {release.name}, {release.url}{note}: only a mirror"
            " has it, a folder that NURECOIL_DATA names"
        )
    import pooch  # type: ignore[import-untyped]
    import requests

    get = pooch.HTTPDownloader(headers={"User-Agent": USER_AGENT}, timeout=client.timeout)
    say(f"{release.name}: downloading {file.path}")
    for attempt in range(client.tries):
        try:
            get(file.url, str(part), None)
            return
        except requests.RequestException as error:
            reason, passing, asked = _explained(error, client)
            wait = client.first_wait * 2**attempt if asked is None else asked
            if not passing or wait > client.longest_wait or attempt + 1 == client.tries:
                raise NurecoilError(
                    f"cannot download '{file.path}' of {release.name} from {file.url}: {reason}; "
                    f"try again later, or {_by_hand(release)}"
                ) from error
        say(f"{release.name}: {reason}; next try in {wait:g} s")
        client.sleep(wait)


def _by_hand(release: Release) -> str:
    return f"get it from {release.url} and name its folder in NURECOIL_DATA"


def _explained(error: "RequestException", client: Client) -> tuple[str, bool, float | None]:
    """Return what went wrong, whether it may pass, and how many seconds the server asks to wait."""
    import requests

    if (response := error.response) is not None:
        response.close()
        asked = _seconds(response.headers.get("Retry-After", ""))
        wish = "" if asked is None else f" and asks to wait {asked:.0f} s"
        reason = f"the server answers {response.status_code} {response.reason}{wish}"
        return reason, response.status_code in PASSING, asked
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is refused", False, None
    if isinstance(error, requests.Timeout):
        return f"no answer within {client.timeout:g} s", True, None
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off", True, None
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached", True, None
    return str(error), False, None


def _seconds(retry_after: str) -> float | None:
    """Return the seconds that a Retry-After asks for, which may be a date; None if it says nothing.

    >>> _seconds("30"), _seconds("Wed, 21 Oct 2015 07:28:00 GMT"), _seconds("soon")
    (30.0, 0.0, None)
    """
    if retry_after.strip().isdecimal():
        return float(retry_after)
    from email.utils import parsedate_to_datetime  # 7 ms of every command

    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
