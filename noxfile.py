"""Sessions for development: `nox` runs lint, types, contracts and tests; `nox -s benchmarks` measures,
`nox -s docs` builds the documentation."""

import nox

nox.options.sessions = ["lint", "tests"]
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


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure speed and memory; see benchmarks/README.md."""
    session.install("-e", ".[test]")
    session.run("pytest", "benchmarks", "--benchmark-enable", "--benchmark-only", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build/html: its notebooks run, warnings are errors."""
    session.install("-e", ".[docs]")
    session.run(
        "sphinx-build", "-j", "auto", "-nW", "--keep-going", "docs", "docs/_build/html", *session.posargs
    )
