"""What a release is made of: how it is cited and deposited, and the files of its notes."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nurecoil

HOME = Path(__file__).parents[1]
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
NOTES = PROJECT["tool"]["towncrier"]


def test_zenodo_and_the_citation_say_the_same():
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((HOME / "CITATION.cff").read_text(encoding="utf-8"))
    deposit = json.loads((HOME / ".zenodo.json").read_text(encoding="utf-8"))
    for name in ("title", "version", "keywords"):
        assert deposit[name] == cited[name]
    assert deposit["version"] == nurecoil.__version__
    assert deposit["license"]["id"] == cited["license"] == PROJECT["project"]["license"]
    assert deposit["creators"] == cited["authors"] == PROJECT["project"]["authors"]
    (paper,), (of,) = deposit["related_identifiers"], cited["references"]
    assert paper["identifier"] == f"arXiv:{of['identifiers'][0]['value'].removeprefix('arXiv:')}"
    assert f"eprint = {{{paper['identifier'][6:]}}}" in (HOME / "docs" / "references.bib").read_text("utf-8")


def test_notes_are_of_kinds_that_the_changelog_has():
    kinds = {kind["directory"] for kind in NOTES["type"]}
    for path in (HOME / NOTES["directory"]).iterdir():
        if path.name not in NOTES["ignore"]:
            name, kind, suffix = path.name.split(".")
            assert name.isdecimal() or name.startswith("+")
            assert (kind in kinds, suffix) == (True, "md")
            assert path.read_text(encoding="utf-8").strip()
    assert (HOME / NOTES["filename"]).read_text(encoding="utf-8").count(NOTES["start_string"]) == 1


def test_notes_move_into_the_changelog(tmp_path):
    pytest.importorskip("towncrier")
    for name in ("pyproject.toml", NOTES["filename"]):
        (tmp_path / name).write_bytes((HOME / name).read_bytes())
    (tmp_path / NOTES["directory"]).mkdir()
    (tmp_path / NOTES["directory"] / "12.fix.md").write_text("Ticks do not touch.\n", encoding="utf-8")
    build = ("-m", "towncrier", "build", "--version", "9.9.9", "--date", "2030-01-01", "--yes")
    subprocess.run([sys.executable, *build], cwd=tmp_path, check=True, capture_output=True)
    _, _, below = (tmp_path / NOTES["filename"]).read_text(encoding="utf-8").partition(NOTES["start_string"])
    new, _, before = below.partition("\n## Unreleased")
    assert " ".join(new.split()) == "## 9.9.9 (2030-01-01) ### Mended - Ticks do not touch. (issue 12)"
    assert before
    assert not list((tmp_path / NOTES["directory"]).glob("*.md"))
