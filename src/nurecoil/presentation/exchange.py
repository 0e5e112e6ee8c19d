"""What others read: the numbers of an answer as CSV, its tables for LaTeX, and a submission to HEPData."""

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.presentation.document import BINNED, Block, Figure, Panel, Series, Table
from nurecoil.scans.netcdf import require_netcdf

_LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "–": "--",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "∞": r"$\infty$",
    "√": r"$\surd$",
    "→": r"$\to$",
    "∪": r"$\cup$",
    "⟨": r"$\langle$",
    "⟩": r"$\rangle$",
    "′": "$'$",
}
Arrays = Mapping[str, tuple[tuple[str, ...], ArrayLike, str]]
"""Dimensions, values and unit of arrays by name; one along a dimension of its own name is a coordinate."""
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def to_latex(blocks: Iterable[Block]) -> str:
    """Return tables for LaTeX, with the rules of booktabs.

    >>> from nurecoil.presentation.document import Pairs
    >>> print(to_latex([Pairs("Δχ² at 90 %", (("best_fit", "2 TeV"),))]))
    % Δχ² at 90 %
    \\begin{tabular}{ll}
    \\toprule
    best\\_fit & 2 TeV \\\\
    \\bottomrule
    \\end{tabular}
    <BLANKLINE>
    """
    return "\n".join("\n".join(_tabular(block)) + "\n" for block in blocks if block.rows)


def _tabular(block: Block) -> Iterator[str]:
    rows = ([_latex(cell) for cell in row] for row in block.rows)
    heads = block.columns if isinstance(block, Table) else ()
    right = block.right if isinstance(block, Table) else ()
    yield f"% {block.title}"
    places = range(len(block.rows[0]))
    yield f"\\begin{{tabular}}{{{''.join('r' if n in right else 'l' for n in places)}}}"
    yield "\\toprule"
    if heads:
        yield " & ".join(map(_latex, heads)) + " \\\\"
        yield "\\midrule"
    for row in rows:
        yield " & ".join(row) + " \\\\"
    yield "\\bottomrule"
    yield "\\end{tabular}"


def _latex(text: str) -> str:
    plain = re.sub(r"</?su[bp]>", "", text.replace("$", ""))
    typeset = "".join(_LATEX.get(c) or _greek(c) for c in plain)
    raised = re.sub("[⁻⁰¹²³⁴-⁹]+", lambda found: f"$^{{{found[0].translate(_RAISED)}}}$", typeset)
    return raised.replace("$$", "")


def _greek(letter: str) -> str:
    """Return a Greek letter by its name, and any other as it is."""
    alphabet, _, name = unicodedata.name(letter, "").partition(" LETTER ")
    names = {"GREEK SMALL": name.lower(), "GREEK CAPITAL": name.title()}
    return f"$\\{names[alphabet]}$" if alphabet in names else letter


def to_csv(blocks: Iterable[Block]) -> str:
    """Return tables as CSV, one below the other, each after a line with its title (#)."""
    out = io.StringIO()
    for block in blocks:
        out.write(f"# {block.title}\n")
        heads = [block.columns] if isinstance(block, Table) else []
        csv.writer(out, lineterminator="\n").writerows([*heads, *block.rows])
    return out.getvalue()


def to_hepdata(figure: Figure, record: Mapping[str, Any], path: Path) -> None:
    """Write a submission to HEPData, a .zip of YAML (as JSON, which YAML contains): a table for each curve.

    Areas are the lines around them, a point a row. The record says what it rests on, and goes along as a
    file of its own.
    """
    tables = list(_tables(figure))
    about = {"comment": f"{figure.title}. {figure.caption}".strip(), "additional_resources": [
        {"location": "result.json", "description": "The result with all that it rests on (nurecoil)"}
    ]}  # fmt: skip
    documents: list[Mapping[str, Any]] = [about]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for number, (name, text, table) in enumerate(tables, start=1):
            file = f"table{number}.yaml"
            documents.append({
                "name": f"Table {number}: {name}"[:64],
                "description": text,
                "data_file": file,
                "keywords": [{"name": "reactions", "values": ["NU NUCLEUS --> NU NUCLEUS"]}],
            })  # fmt: skip
            _add(out, file, json.dumps(table, indent=1, allow_nan=False))
        _add(out, "submission.yaml", "".join(f"---\n{json.dumps(each, indent=1)}\n" for each in documents))
        _add(out, "result.json", json.dumps(record, indent=2, allow_nan=False) + "\n")


def to_netcdf(arrays: Arrays, record: Mapping[str, Any], path: Path) -> None:
    """Write arrays, and the whole record as JSON in the attribute `result`; the same bytes each time."""
    require_netcdf()
    from netCDF4 import Dataset

    with Dataset(path, "w", format="NETCDF4") as file:
        file.setncattr("result", json.dumps(record, ensure_ascii=False, allow_nan=False))
        for name, (dimensions, given, unit) in arrays.items():
            values = np.asarray(given, dtype=float)
            for dimension, size in zip(dimensions, values.shape, strict=True):
                if dimension not in file.dimensions:
                    file.createDimension(dimension, size)
            variable = file.createVariable(name, "f8", dimensions, contiguous=True, fill_value=False)
            variable.setncattr("units", unit or "1")
            variable[:] = values


def _add(out: zipfile.ZipFile, name: str, text: str) -> None:
    out.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)  # of no time: the same bytes each time


def _tables(figure: Figure) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for panel in figure.panels:
        if not isinstance(panel, Panel):
            continue
        x_name, y_name = _header(panel.x_label), _header(panel.y_label)
        for series in panel.series:
            yield (
                series.label,
                f"{panel.title or figure.title}: {series.label}",
                _columns(series, x_name, y_name),
            )
        for area in panel.areas:
            points = np.concatenate([*area.lines, np.empty((0, 2))])
            line = Series(points[:, 0], points[:, 1], area.label)
            yield area.label, f"The line around: {area.label}", _columns(line, x_name, y_name)


def _columns(series: Series, x_name: Mapping[str, str], y_name: Mapping[str, str]) -> dict[str, Any]:
    known = np.isfinite(series.y)
    if series.style in BINNED:
        edges = zip(series.x[:-1].tolist(), series.x[1:].tolist(), strict=True)
        x = [{"low": low, "high": high} for low, high in edges]
    else:
        x = [{"value": value} for value in series.x.tolist()]
    y: list[dict[str, Any]] = [{"value": value} for value in series.y.tolist()]
    if series.errors is not None:
        for value, (down, up) in zip(y, series.errors.T.tolist(), strict=True):
            value["errors"] = [{"asymerror": {"minus": -down, "plus": up}}]
    kept = np.flatnonzero(known).tolist()
    return {
        "independent_variables": [{"header": dict(x_name), "values": [x[n] for n in kept]}],
        "dependent_variables": [{"header": dict(y_name), "values": [y[n] for n in kept]}],
    }


def _header(label: str) -> dict[str, str]:
    """Return the name and the unit of an axis: "$m$ [TeV]"."""
    name, _, unit = label.partition(" [")
    return {"name": name, "units": unit.removesuffix("]")} if unit else {"name": name}
