"""The command line: parses, calls, prints; computes nothing.

Most commands are made of verbs (`commands`), the others have a file each. One that is called reads no other;
what costs time to import is imported inside.
"""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import click

from nurecoil._version import __version__
from nurecoil.cli import completion
from nurecoil.cli.usage import Group, eager
from nurecoil.errors import NurecoilError
from nurecoil.verbs import VERBS

__all__ = ["app", "main"]

HELP = """Limits on new physics from coherent elastic neutrino-nucleus scattering.

A model turns parameters into neutrino couplings, an experiment turns couplings into counts, and counts into
limits.

\b
Examples; each command has more, as in nurecoil limit --help:
  nurecoil list                      what there is: models, experiments, parameters, pulls
  nurecoil reproduce binh2021        recompute a paper; a report with a verdict on each number
  nurecoil predict --model standard-model --experiment binh2021-csi

\b
Values are written as in a paper, energies always with their unit; mu_nu is in Bohr magnetons:
  m_zprime=2TeV    m_zprime=500GeV    mu_nu=2.9e-11    beta=-1/sqrt(3)
Quote what has parentheses, because a shell would read them: --set 'beta=-sqrt(3)'

\b
Exit status:
  0  all is well
  2  bad input, or a file that cannot be written: said in one sentence
  3  the answer is printed, but did not converge"""
TERMINATED = 128 + signal.SIGTERM

COMMANDS = {name.replace("_", "-"): name for name in VERBS}
_FIRST, _LAST = ("reproduce", "explore"), ("scan", "run", "validate", "list", "card", "new-card", "data")


class Commands(Group):
    """All commands. Of a verb only its name and purpose are known until it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return [*_FIRST, *COMMANDS, *_LAST]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, for a list of all."""
        if name in COMMANDS:
            return click.Command(name, short_help=VERBS[COMMANDS[name]])
        if name not in self.list_commands(ctx):
            return None
        file = "listing" if name == "list" else name.replace("-", "_")
        command: click.Command = getattr(import_module(f"nurecoil.cli.{file}"), file)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the name of the command that is called, the command, and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            from nurecoil.cli.commands import command_of

            command = command_of(COMMANDS[name])
        return name, command, rest


app = Commands(
    "nurecoil",
    help=HELP,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        eager("--version", lambda ctx: click.echo(f"nurecoil {__version__}"), "Print the version."),
        eager(
            "--install-completion",
            completion.install,
            "Let this shell complete commands, models and parameters.",
        ),
        eager("--show-completion", completion.show, "Print what that writes, for a place of your own."),
    ],
)


def main(argv: list[str] | None = None) -> None:
    """Run the command line; always ends in SystemExit.

    Bad input gives one sentence on stderr and exit status 2, an answer that did not converge status 3, and
    SIGTERM status 143, with nothing half-written.
    """
    if sys.stderr is None:  # closed by `2>&-`; print(file=None) would write to stdout
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        print("Error: cannot write the output: stdout is closed", file=sys.stderr)
        raise SystemExit(2)
    own_process = argv is None
    if own_process:
        gc.set_threshold(100_000)  # imports make many objects and no garbage: looking for it costs 30 ms
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an old terminal shows "?" for β instead of a traceback
    try:
        try:
            with _orderly_end():
                app(args=argv, prog_name="nurecoil")
        finally:
            sys.stdout.flush()
            if own_process:
                gc.freeze()  # nor is it looked for at the end
    except NurecoilError as error:
        print("Error:", " ".join(str(error).split()), file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:  # such as `nurecoil list | head -1`: nobody reads on, no reason to complain
        _forget_output()
        raise SystemExit(1) from None
    except OSError as error:  # such as a full disk behind `nurecoil list > file`
        if error.filename is not None:
            raise
        _forget_output()
        print(f"Error: cannot write the output: {error.strerror or error}", file=sys.stderr)
        raise SystemExit(2) from None


@contextmanager
def _orderly_end() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what is staged vanishes, what a scan has finished stays."""
    if current_thread() is not main_thread():  # which alone may handle signals
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not end the tidying up
    raise SystemExit(TERMINATED)


def _forget_output() -> None:
    """Send what is left in stdout's buffer nowhere, or Python would try once more, and complain, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
