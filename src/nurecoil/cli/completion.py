"""Completion of commands, models, experiments and parameters in a shell."""

import os
from pathlib import Path

import click

from nurecoil.errors import unknown_name

# Where each shell keeps the script, the file that it reads when it starts, and the line that it needs there
_SHELLS = {
    "bash": (".bash_completions/nurecoil.sh", ".bashrc", "source ~/.bash_completions/nurecoil.sh"),
    "zsh": (".zfunc/_nurecoil", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
    "fish": (".config/fish/completions/nurecoil.fish", "", ""),
}


def _script(ctx: click.Context) -> tuple[str, str]:
    """Return the user's shell, and what it reads to complete."""
    from click.shell_completion import get_completion_class

    shell = Path(os.environ.get("SHELL", "")).name
    if shell not in _SHELLS:
        raise unknown_name("shell in SHELL", shell, _SHELLS)
    found = get_completion_class(shell)
    assert found is not None
    return shell, found(ctx.command, {}, "nurecoil", "_NURECOIL_COMPLETE").source()


def show(ctx: click.Context) -> None:
    """Print the script."""
    click.echo(_script(ctx)[1])


def install(ctx: click.Context) -> None:
    """Write the script, and the line that reads it unless it is there already."""
    shell, script = _script(ctx)
    place, start, line = _SHELLS[shell]
    target, read = Path.home() / place, Path.home() / start
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(script, encoding="utf-8")
    if line:
        text = read.read_text(encoding="utf-8") if read.exists() else ""
        if line not in text.splitlines():
            read.write_text(f"{text}\n{line}\n", encoding="utf-8")
    click.echo(f"{shell} completes nurecoil from its next start on: {target}")
