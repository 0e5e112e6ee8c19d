"""The folder beside the output in which a scan keeps its finished chunks until all are there.

Whatever is written gets its final name only when it is whole and on the disk, so the folder is a valid state
at any moment. The manifest says what the chunks belong to: without it there is no scan to resume.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nurecoil.errors import NurecoilError
from nurecoil.scans.work import Table

Identity = Mapping[str, Any]

_DIGEST = 32  # bytes at the beginning of a chunk's file
_CLOSE = 1e-9  # relative: another machine may round otherwise
_MOST_NAMED = 3


@dataclass(frozen=True)
class Checkpoint:
    """The finished chunks of one scan: its points in runs of equal length, of which the last may be shorter.

    Attributes
    ----------
    folder
        Where they are.
    columns
        What a chunk holds for each point.
    size, length
        How many points there are in all, and in a chunk.
    """

    folder: Path
    columns: np.dtype[np.void]
    size: int
    length: int

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return -(-self.size // self.length)

    def rows(self, chunk: int) -> range:
        """Return the numbers of a chunk's points."""
        return range(chunk * self.length, min((chunk + 1) * self.length, self.size))

    def write(self, chunk: int, table: Table) -> None:
        """Keep a finished chunk."""
        payload = table.tobytes()
        write_whole(self._path(chunk), _digest(chunk, payload) + payload)

    def read(self, chunk: int) -> Table | None:
        """Return a chunk; None if it is not there or damaged."""
        try:
            content = self._path(chunk).read_bytes()
        except FileNotFoundError:
            return None
        payload = content[_DIGEST:]
        whole = len(payload) == len(self.rows(chunk)) * self.columns.itemsize
        if not (whole and content[:_DIGEST] == _digest(chunk, payload)):
            return None
        return np.frombuffer(payload, self.columns)

    def tables(self) -> Iterator[Table]:
        """Yield all chunks, which must be there."""
        for chunk in range(self.count):
            table = self.read(chunk)
            if table is None:
                raise NurecoilError(f"{self.folder} was damaged during the scan: the same command repairs it")
            yield table

    def _path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:06d}.chunk"


def _digest(chunk: int, payload: bytes) -> bytes:
    """Return a checksum that also tells one chunk from another."""
    return hashlib.blake2b(payload, digest_size=_DIGEST, person=b"%d" % chunk).digest()


# --- the manifest -------------------------------------------------------------------------------------


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return what a folder's chunks belong to; None if it holds no scan that was begun."""
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise NurecoilError(f"{path} is damaged: start afresh with --restart (restart=True)") from None
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, object]) -> None:
    """Write what the chunks of a folder belong to."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    write_whole(folder / "manifest.json", text.encode())


def changes(old: object, new: object, name: str = "") -> list[str]:
    """Return in words where two trees of numbers and texts differ.

    >>> changes({"fixed": {"beta": 0.0}, "model": "a"}, {"fixed": {"beta": 1.0}, "model": "a"})
    ['fixed.beta was 0.0 and is 1.0']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = [*old, *(key for key in new if key not in old)]
        deeper = [changes(old.get(key), new.get(key), f"{name}.{key}".lstrip(".")) for key in names]
        return [text for texts in deeper for text in texts]
    return [] if old == new else [f"{name} was {old} and is {new}"]


def _close(old: object, new: object) -> bool:
    if not (isinstance(old, Sequence) and isinstance(new, Sequence) and len(old) == len(new)):
        return False
    return all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE))
        for a, b in zip(old, new, strict=True)
    )


def require_same(what: Path, old: Identity, new: Identity, remedy: str) -> None:
    """Refuse to go on with a scan that was begun under other conventions.

    The probe, χ² at some points, tells what nothing else shows: a card or code that was edited.
    """
    new = json.loads(json.dumps(new))
    found = changes({**old, "probe": None}, {**new, "probe": None})
    if not found and not _close(old["probe"], new["probe"]):
        found = ["χ² is not what it was at the same points: a card, data or code was edited"]
    if found:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        raise NurecoilError(
            f"{what} belongs to a scan under other conventions ({'; '.join(found[:_MOST_NAMED])}{more}):"
            f" {remedy}, or start afresh with --restart (restart=True)"
        )


# --- the folder ---------------------------------------------------------------------------------------


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, made if need be and removed if it holds no scan in the end; a second scan is refused."""
    import fcntl

    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            current = os.path.samestat(os.fstat(file.fileno()), os.stat(folder / "lock"))
        except (BlockingIOError, FileNotFoundError):
            current = False  # who held it may have removed it while this process opened it
        if not current:
            raise NurecoilError(f"another scan is writing to {folder} at this moment")
        try:
            yield
        finally:
            if not (folder / "manifest.json").exists():
                clear(folder)
                (folder / "lock").unlink()
                with suppress(OSError):  # somebody else keeps something in it
                    folder.rmdir()


def clear(folder: Path) -> None:
    """Remove what a scan keeps in its folder, the manifest first: what is left then is no scan."""
    (folder / "manifest.json").unlink(missing_ok=True)
    _to_disk(folder)
    for path in folder.iterdir():
        if path.suffix in {".chunk", ".writing"}:
            path.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is either not there or whole, whenever the process is killed."""
    unfinished = path.with_name(path.name + ".writing")
    with open(unfinished, "wb") as file:
        file.write(content)
    finish(unfinished, path)


def finish(unfinished: Path, path: Path) -> None:
    """Give a file that was written its name, once it is on the disk."""
    with open(unfinished, "rb") as file:
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    _to_disk(path.parent)


def _to_disk(folder: Path) -> None:
    """Make renamed and removed files of a folder last through a loss of power."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
