"""The data files of a card: looked up in its release or beside it, read, binned on its axes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.detector.efficiency import FileEfficiency
from nurecoil.detector.quenching import FileQuenching
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.schema import Data
from nurecoil.experiment.card.signal_schema import Table, TabulatedTime
from nurecoil.experiment.datasets import file_path, load_release, locate
from nurecoil.experiment.histograms import histogram, read_columns, require_columns, require_one_row_each
from nurecoil.sources import FluxTable


def last_columns(part: object) -> dict[str, int]:
    """Return the last column that a card, or a part of one, uses of each data file."""
    match part:
        case Table():
            last = 10**9 if part.across else 0  # then all are used, however many they are
            return {part.file: max(*part.columns.values(), part.weight or 0, last)}
        case FileQuenching():
            return {part.file: max(part.recoil_kev, part.factor)}
        case FileEfficiency():
            files = [part.file] if isinstance(part.file, str) else part.file
            return dict.fromkeys(files, max(part.x, part.efficiency))
        case TabulatedTime():
            return {part.prompt_file: 1, part.delayed_file: 1}
        case FluxTable():
            return {part.file: max(part.columns.values())}
        case Data() if part.sigma is not None:
            return {file: max(last, part.sigma) for file, last in last_columns(part.observed).items()}
    parts = part if isinstance(part, tuple) else vars(part).values() if is_dataclass(part) else ()
    found: dict[str, int] = {}
    for file, last in (use for each in parts for use in last_columns(each).items()):
        found[file] = max(last, found.get(file, 0))
    return found


@dataclass(frozen=True)
class Tables:
    """The data files of one card, in its release or its folder, binned on edges of each axis; read once."""

    release: str | None
    folder: Path
    edges: Mapping[str, tuple[float, ...]]
    last: Mapping[str, int] = field(default_factory=dict)  # columns that are used, by file
    hashes: dict[str, str] = field(default_factory=dict)
    contents: dict[str, Array] = field(default_factory=dict)

    def unit_shape(self, table: Table) -> Array:
        """Return a shape over all bins, of unit sum."""
        counts = self.counts(table).ravel()
        if not counts.sum() > 0:
            raise NurecoilError(f"{table.file} is empty in the bins")
        return np.asarray(counts / counts.sum())

    def counts(
        self,
        table: Table,
        efficiencies: Mapping[str, Callable[[Array], Array]] | None = None,
        negative: bool = False,
    ) -> Array:
        """Return the counts of a data file, with all axes; those that it has no column for have one bin."""
        try:
            rows = self.read(table.file)
            if table.across:
                rows, table = _unfolded(rows, table, self.edges[table.across])
            counts = histogram(rows, table.columns, self.edges, table.weight, efficiencies)
            if (counts < 0).any() and not negative:
                raise NurecoilError(f"counts must not be negative, but one is {counts.min():g}")
            if table.weight is not None:
                require_one_row_each(rows, table.columns, self.edges)
        except NurecoilError as error:
            raise NurecoilError(f"{table.file}: {error}") from None
        return np.expand_dims(counts, [i for i, key in enumerate(self.edges) if key not in table.columns])

    def require_bins_of(self, table: Table, observed: Table) -> None:
        """Refuse counts that are not whole, or whose rows stand at other places than those observed."""
        if table.weight is None or observed.weight is None:  # events
            return
        rows, others = self.read(table.file), self.read(observed.file)
        counts = rows[:, table.weight : None if table.across else table.weight + 1]
        if (counts % 1 != 0).any():
            wrong = counts[counts % 1 != 0][0]
            raise NurecoilError(f"{table.file}: {wrong:g} is not a whole number of counts")
        for axis in table.columns.keys() & observed.columns.keys():
            wrong = np.setxor1d(rows[:, table.columns[axis]], others[:, observed.columns[axis]])
            if wrong.size:
                raise NurecoilError(
                    f"{table.file}: its rows are at other places on the axis {axis} than those of"
                    f" {observed.file}, first at {wrong[0]:g}: an off sample needs the bins of the data"
                )

    def source(self, table: Table) -> tuple[str, int | None]:
        """Return the hash of a file that was read, and the column of its counts."""
        return self.hashes[table.file], table.weight

    def find(self, table: Table) -> None:
        """Look up the file of the observed counts in the release, so that one error says it cannot be had."""
        if self.release is None:
            return
        try:
            release = load_release(self.release)
            if table.file in [file.path for file in release.files] and locate(release) is None:
                file_path(release, table.file)
        except NurecoilError as error:
            raise NurecoilError(f"data.observed: {table.file}: {error}") from None

    def read(self, name: str, release: str | None = None) -> Array:
        """Return the numbers of a data file, of a release (the card's unless given) or beside the card."""
        if name not in self.contents:
            self.contents[name] = read_columns(self.path(name, release), self.last.get(name))[0]
        return self.contents[name]

    def path(self, name: str, release: str | None = None) -> Path:
        """Return where a data file is, of a release (the card's unless given) or beside the card."""
        release = release or self.release
        path = file_path(release, name) if release else self.folder / name
        if not path.is_file():
            raise NurecoilError(f"there is no data file {path}")
        found = sha256(path.read_bytes()).hexdigest()
        own = self.hashes.get(name, found) == found  # two releases may have files of one name
        self.hashes[name if own else f"{release}/{name}"] = found
        return path


def _unfolded(rows: Array, table: Table, edges: tuple[float, ...]) -> tuple[Array, Table]:
    """Return a table with a column of counts for each bin of an axis as one with a row for each."""
    require_columns(rows, *table.columns.values())
    first, middles = table.weight or 0, (np.array(edges[1:]) + edges[:-1]) / 2
    if rows.shape[1] - first != middles.size:
        raise NurecoilError(
            f"the axis {table.across} has {middles.size} bins, but there are {rows.shape[1] - first} columns"
            f" from {first} on"
        )
    each, n = rows.repeat(middles.size, axis=0), rows.shape[1]
    long = np.column_stack([each, np.tile(middles, len(rows)), rows[:, first:].ravel()])
    return long, replace(table, columns={**table.columns, str(table.across): n}, weight=n + 1, across=None)
