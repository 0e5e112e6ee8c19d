#!/usr/bin/env -S uv run --script

# /// script
# dependencies = ["nox>=2025.10.14"]
# ///

"""Sessions for development: `nox` runs lint, types, contracts and tests; `nox --list` has the others."""

from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "venv"


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and the import contract."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole test suite."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure speed and memory; see benchmarks/README.md."""
    session.install("-e", ".[test]")
    session.run("pytest", "benchmarks", "--benchmark-enable", "--benchmark-only", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build/html: its notebooks run, warnings are errors."""
    session.install("-e", ".[docs]")
    anew = ("-E", "-D", "nb_execution_mode=force")  # a notebook's results are those of today's code
    strictly = ("-n", "-W", "--keep-going")
    session.run("sphinx-build", "-j", "auto", *anew, *strictly, "docs", "docs/_build/html", *session.posargs)


@nox.session(default=False)
def package(session: nox.Session) -> None:
    """Build wheel and sdist into dist, and do the main job with each in an environment of its own."""
    session.install("build", "twine")
    dist = Path("dist")
    for old in dist.glob("nurecoil-*"):
        old.unlink()
    session.run("python", "-m", "build")
    built = [str(path) for path in sorted(dist.glob("nurecoil-*"))]
    session.run("twine", "check", "--strict", *built)
    for path in built:
        session.install("--force-reinstall", path)
        with session.chdir(session.create_tmp()):
            session.run("nurecoil", "reproduce", "binh2021")


@nox.session(default=False)
def notes(session: nox.Session) -> None:
    """Show what the files in changes/ add to CHANGELOG.md; `-- --version X.Y.Z --yes` moves them there."""
    session.install("towncrier")
    session.run("towncrier", "build", *(session.posargs or ("--draft", "--version", "next")))


@nox.session(default=False)
def review(session: nox.Session) -> None:
    """Check the repository's habits, and its workflows; what is ignored has its reason in pyproject.toml."""
    session.install("sp-repo-review[cli]", "zizmor", "cffconvert")
    session.run("repo-review", ".")
    session.run("zizmor", "--offline", ".github")
    session.run("cffconvert", "--validate")


if __name__ == "__main__":
    nox.main()
