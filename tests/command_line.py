"""The command line as tests call it: in this process, or as a process of its own."""

import io
import json
import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from unittest.mock import patch

import pytest

from nurecoil import cli


class Terminal(io.StringIO):
    """A text that counts as a terminal."""

    def isatty(self):
        """Claim to be one."""
        return True


def run(*arguments, progress=None, terminal=False):
    """Run a command in this process: status, stdout, stderr.

    How far it is is shown only after so many seconds as `progress` says, however slow the machine.
    """
    out, err = io.StringIO(), Terminal() if terminal else io.StringIO()
    soon = {"SOON": progress or 1e6, "SOON_IN_A_LOG": progress or 1e6, "BLINK": 0.01, "LONGEST_SILENCE": 0.01}
    with (
        patch.multiple(cli.progress, **soon),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ending,
    ):
        cli.main([str(argument) for argument in arguments])
    return ending.value.code or 0, out.getvalue(), err.getvalue()


def read_json(text):
    """Read strict JSON: NaN and Infinity are none."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def result(*arguments):
    """Run with --json, which goes well and silently: what is printed.

    All tests are one process: the work of those before may have been so long that loops are compiled now.
    """
    status, out, err = run(*arguments, "--json")
    said = [line for line in err.splitlines() if "compiling the fast engine" not in line]
    assert (status, said) == (0, [])
    return read_json(out)


def but_card(found):
    """Return a result without the card that has its question as it was written."""
    del found["provenance"]["card"]
    return found


ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONUTF8": "1"}


@contextmanager
def start(program, **options):
    """Start Python, which imports what this process imports; wait for its end, or end it if a test fails."""
    usual = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENVIRONMENT}
    with subprocess.Popen([sys.executable, *program], **(usual | options)) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def finished(program, **options):
    """Run Python until it ends: status, stdout, stderr."""
    with start(program, **options) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err
