"""The documentation, but for its build, which is `nox -s docs`: pages, references, public names."""

import importlib.util
import inspect
import re
import subprocess
from pathlib import Path

import pytest

import nurecoil
from nurecoil.verbs import VERBS

HOME = Path(__file__).parents[1]
DOCS = HOME / "docs"
SPEC = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
make_reference = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_reference)

KEY = r"(?<![\w:/])[A-Z][A-Za-z+-]+:[12]\d{3}(?:[a-z]{2,3})?\b"
ENTRIES = re.findall(r"^@\w+\{(.*),$", (DOCS / "references.bib").read_text(encoding="utf-8"), re.MULTILINE)
WRITTEN = {f"{name}.md": page for name, page in make_reference.PAGES.items()}  # by the build
PAGES = {
    str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
    for path in DOCS.rglob("*.md")
    if "_build" not in path.parts and path != DOCS / "gallery" / "README.md"
} | {name: page() for name, page in WRITTEN.items()}


def cited(text):
    return set(re.findall(KEY, text))


def test_each_page_is_in_a_table_of_contents():
    found = {"index.md"}
    for name, text in PAGES.items():
        for entries in re.findall(r"```\{toctree\}\n(.*?)```", text, flags=re.DOTALL):
            for entry in entries.splitlines():
                if entry and not entry.startswith(":"):
                    target = re.sub(r".*<(.*)>", r"\1", entry)
                    found.add(f"{(Path(name).parent / target).as_posix()}.md")
    assert found == set(PAGES)


def test_references_are_those_that_are_cited():
    source = [path for path in (HOME / "src").rglob("*") if path.suffix in (".py", ".toml", ".csv")]
    source.append(HOME / "CONTRIBUTING.md")
    in_source = set().union(*(cited(path.read_text(encoding="utf-8")) for path in source))
    placeholders = {"Author:2026"}
    assert in_source - placeholders - set(ENTRIES) == set()
    assert set(ENTRIES) - in_source - set().union(*map(cited, PAGES.values())) == set()
    assert len(ENTRIES) == len(set(ENTRIES))


def test_links_lead_somewhere():
    for name, text in PAGES.items():
        folder = (DOCS / name).parent
        for target in re.findall(r"\]\(([^)#\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            where = (folder / target).resolve()
            assert target.startswith("https://") or where.exists() or str(where.relative_to(DOCS)) in WRITTEN


def test_what_the_build_writes_is_not_committed():
    outputs = ["docs/_build/html/index.html", *(f"docs/{name}" for name in WRITTEN)]
    found = subprocess.run(["git", "check-ignore", *outputs], cwd=HOME, capture_output=True, text=True)
    if found.returncode == 128:
        pytest.skip("no git checkout")
    assert found.stdout.split() == outputs


def test_each_public_name_is_documented():
    page = PAGES["reference/api.md"]
    assert set(re.findall(r":: nurecoil\.(\w+)$", page, flags=re.MULTILINE)) == set(nurecoil.__all__)
    methods = re.search(r"autoclass:: nurecoil.Study\n   :members: (.*)", page)[1].split(", ")
    assert set(VERBS) < set(methods)
    assert [name for name in methods if not inspect.getdoc(getattr(nurecoil.Study, name))] == []


@pytest.mark.parametrize("verb", VERBS)
def test_each_parameter_of_a_verb_is_documented(verb):
    ask = getattr(nurecoil.Study, verb)
    documented = ", ".join(re.findall(r"^(\w[\w, ]*?)(?: : .*)?$", inspect.getdoc(ask), flags=re.MULTILINE))
    assert set(inspect.signature(ask).parameters) - {"study"} <= set(documented.split(", "))


def test_each_public_name_has_an_example_that_runs():
    """`pytest` runs the doctests of src. An instance has the docstring of its class."""
    things = {name: getattr(nurecoil, name) for name in nurecoil.__all__ if name != "__version__"}
    things |= {f"Study.{name}": getattr(nurecoil.Study, name) for name in VERBS}
    assert [name for name, thing in things.items() if ">>> " not in inspect.getdoc(thing)] == []


@pytest.mark.parametrize(
    ("name", "members"),
    re.findall(r"autoclass:: nurecoil\.(\w+)\n   :members: (.*)", PAGES["reference/api.md"]),
)
def test_each_member_is_documented_and_has_an_example_that_runs(name, members):
    """Its own, or that of its class."""
    owner = getattr(nurecoil, name)
    used = "\n".join(re.findall(r"(?:>>>|\.\.\.) (.*)\n", f"{inspect.getdoc(owner)}\n"))
    for member in members.split(", "):
        told = inspect.getdoc(getattr(owner, member))
        assert ">>> " in told or re.search(rf"\.{member}\b", used), member
