"""What every command has: how far it is, errors in one sentence, and options that several share."""

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nurecoil.cli.progress import Shown
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.progress import heard_by

INTERRUPTED = 128 + signal.SIGINT


class _File(click.Path):
    """A path; of "", which `$UNSET` gives, `Path` would make the folder one is in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            what = param.opts[0] if param else "FILE"
            raise NurecoilError(f"{what} '' is not allowed: it must be the name of a file")
        return super().convert(value, param, ctx)


FILE = _File(path_type=Path)


def folder(default: str) -> click.Option:
    """Return the option of the folder that a command writes."""
    return click.Option(
        ["--output", "-o"], metavar="DIR", help="Directory to write to.", show_default=default
    )


def eager(flag: str, act: Callable[[click.Context], None], text: str) -> click.Option:
    """Return an option that does one thing and ends the program."""

    def callback(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            act(ctx)
            ctx.exit()

    return click.Option([flag], is_flag=True, is_eager=True, expose_value=False, callback=callback, help=text)


class Command(click.Command):
    """A command that shows how far it is; of an option given twice the last would win."""

    def invoke(self, ctx: click.Context) -> Any:
        """Show how far the command is; Ctrl-C ends it quietly."""
        shown = Shown(self.name or "nurecoil")
        try:
            with heard_by(shown.say, shown.watch):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for repetitions, then parse."""
        try:
            _, _, given = self.make_parser(ctx).parse_args(list(args))
            for option, times in Counter(given).items():
                if times > 1 and isinstance(option, click.Option) and not (option.is_flag or option.multiple):
                    raise NurecoilError(f"{option.opts[0]} is given {times} times: {self.name} takes it once")
            return super().parse_args(ctx, list(args))
        except click.UsageError as error:
            raise _plainly(error, ctx, args) from None


class Group(click.Group):
    """Commands that say in one sentence what is wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which they were added."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; where nothing is given the error is the help."""
        try:
            return super().parse_args(ctx, list(args))
        except click.UsageError as error:
            raise (_plainly(error, ctx, args) if args else error) from None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the name of the command that is called, the command, and its arguments."""
        names = self.list_commands(ctx)
        if args[0] not in names and not ctx.resilient_parsing:
            raise unknown_name("command", args[0], names)
        return super().resolve_command(ctx, args)


def _plainly(error: click.UsageError, ctx: click.Context, args: list[str]) -> NurecoilError:
    """Return an error that names what is wrong, and what is allowed."""
    flags = {flag: param for param in ctx.command.get_params(ctx) for flag in param.opts}
    option: Any = getattr(error, "param", None) or flags.get(getattr(error, "option_name", ""))
    form = " ".join(filter(None, [*(f for f in option.opts if "-" in f), option.metavar])) if option else ""
    told = option.help[:1].lower() + option.help[1:] if option else ""
    match error:
        case click.MissingParameter():
            text = f"{ctx.info_name} needs {form}: {told}"
        case click.NoSuchOption():
            return unknown_name("option", error.option_name, [f for f in flags if f.startswith("--")])
        case click.BadOptionUsage() if option.is_flag:
            text = f"{option.opts[0]} takes no value"
        case click.BadOptionUsage():
            text = f"{option.opts[0]} needs a value, {option.metavar}: {told}"
        case click.BadParameter():
            value = ctx.command.make_parser(ctx).parse_args(list(args))[0][option.name]
            what = "number" if option.type is click.FLOAT else "whole number"
            text = f"{option.opts[0]} {value} is not allowed: it must be a {what}"
        case _:
            more = ctx.command.make_parser(ctx).parse_args(list(args))[1]
            text = f"{ctx.info_name} has no use for '{' '.join(more)}': quote what has spaces"
    return NurecoilError(f"{text.removesuffix('.')} (more: {ctx.command_path} --help)")
