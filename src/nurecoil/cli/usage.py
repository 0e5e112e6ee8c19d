"""What is wrong with a command line: one sentence, whatever the command."""

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from nurecoil.errors import NurecoilError, unknown_name

_UsageError: Any = typer.BadParameter.__mro__[1]  # of the click inside typer, or beside it


class PlainCommand(TyperCommand):
    """A command that says in one sentence what is wrong; of an option given twice the last would win."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look for repetitions, then parse."""
        try:
            _, _, given = self.make_parser(ctx).parse_args(list(args))
            for option, times in Counter(given).items():
                flag, repeatable = getattr(option, "is_flag", False), getattr(option, "multiple", False)
                if times > 1 and option.param_type_name == "option" and not (flag or repeatable):
                    raise NurecoilError(f"{option.opts[0]} is given {times} times: {self.name} takes it once")
            return super().parse_args(ctx, list(args))
        except _UsageError as error:
            raise _plainly(error, ctx, args) from None


class PlainGroup(TyperGroup):
    """Commands that say in one sentence what is wrong."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; where nothing is given the error is the help."""
        try:
            return super().parse_args(ctx, list(args))
        except _UsageError as error:
            raise (_plainly(error, ctx, args) if args else error) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name of the command that is called, the command, and its arguments."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise unknown_name("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def _plainly(error: Any, ctx: Any, args: list[str]) -> NurecoilError:
    """Return an error that names what is wrong, and what is allowed."""
    name, flags = ctx.info_name, {flag: o for o in ctx.command.get_params(ctx) for flag in o.opts}
    option: Any = getattr(error, "param", None) or flags.get(getattr(error, "option_name", None))
    form = " ".join(filter(None, [*(f for f in option.opts if "-" in f), option.metavar])) if option else ""
    match type(error).__name__:
        case "MissingParameter":
            text = f"{name} needs {form}: {option.help}"
        case "NoSuchOption":
            known = [flag for flag in flags if flag.startswith("--")]
            return unknown_name("option", error.option_name, known)
        case "BadParameter":
            value = ctx.command.make_parser(ctx).parse_args(list(args))[0][option.name]
            text = f"{option.opts[0]} {value} is not allowed: it must be a whole number"
        case "BadOptionUsage" if option and option.is_flag:
            text = f"{option.opts[0]} takes no value"
        case "BadOptionUsage" if option:
            text = f"{option.opts[0]} needs a value, {option.metavar}: {option.help}"
        case _:
            more = ctx.command.make_parser(ctx).parse_args(list(args))[1]
            text = f"{name} has no use for '{' '.join(more)}': quote what has spaces"
    return NurecoilError(f"{text.removesuffix('.')} (more: {ctx.command_path} --help)")
