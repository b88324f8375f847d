"""The root command: its subcommands are loaded when they are called, errors become sentences."""

import atexit
import os
import sys
from importlib import import_module
from typing import Any, NoReturn, override

import click

from datacube import __version__
from datacube.errors import ConfigError, DatacubeError
from services.cli.lines import carried_on, reader_gone

_COMMANDS = {
    "ingest": ("services.cli.ingest", "ingest_command", "Put products into cubes of a store."),
    "watch": ("services.cli.watch", "watch_command", "Ingest what arrives in a folder or bucket."),
    "recipe": ("services.cli.recipe", "recipe_command", "Draft a recipe for a product."),
    "serve": ("services.cli.serve", "serve_command", "Serve every cube of a store."),
    "seed": ("services.cli.seed", "seed_command", "Draw tiles ahead into the tile cache."),
    "ls": ("services.cli.cubes", "ls_command", "List the cubes of a store."),
    "show": ("services.cli.cubes", "show_command", "Show one cube: axes, fields, versions."),
    "verify": ("services.cli.cubes", "verify_command", "Check every stored chunk."),
    "versions": ("services.cli.versions", "versions_command", "List the versions of a cube."),
    "deleted": ("services.cli.versions", "deleted_command", "List what was deleted of a cube."),
    "rollback": ("services.cli.versions", "rollback_command", "Go back to an earlier version."),
    "extend": ("services.cli.extend", "extend_command", "Give a cube fields, or a larger grid."),
    "compact": ("services.cli.versions", "compact_command", "Renew what plain Zarr readers see."),
    "gc": ("services.cli.collect", "gc_command", "Remove what no version needs."),
    "register": ("services.cli.register", "register_command", "Publish a Zarr where it lies."),
    "retention": ("services.cli.retention", "retention_command", "Delete what a policy ends."),
    "plan": ("services.cli.plan", "plan_command", "Tell what a request would read."),
    "config": ("services.cli.config", "config_group", "Look at a configuration."),
    "demo": ("services.cli.demo", "demo_command", "Make the demo store."),
}


NOT_DONE = 2
"""Exit code of a command that could not do what was asked, as of one that is written wrongly."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command = getattr(import_module(module), name)
        return command if isinstance(command, click.Command) else None

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="datacube")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def datacube(context: click.Context, debug: bool) -> None:
    """One Zarr cube, every door: ingest products, serve them as WMS, WMTS, WCS and OGC API.

    Every command leaves with 0 when it did what was asked, 2 when it could not, whatever the
    reason; ingest and watch with 3 when a part went in, verify with 1 when it found damage.
    """
    context.obj = {"debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process where None.
    """
    code = run(sys.argv[1:] if arguments is None else arguments)
    if "icechunk" in sys.modules:
        _leave(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line; its exit code.

    Every failure is a sentence on standard error: 2 where a command could not do what was asked,
    130 after an interrupt. What else a command means by a number it says itself. ``--debug`` lets
    exceptions through.
    """
    debug = "--debug" in arguments
    try:
        result: Any = datacube.main(arguments, prog_name="datacube", standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say("datacube: interrupted", 130)
    except (BrokenPipeError, SystemExit):  # click leaves where nobody reads
        reader_gone()
        return 0
    except Exception as error:
        if debug:
            raise
        return _say(_sentence(error), NOT_DONE)
    return result if isinstance(result, int) else 0


def _leave(code: int) -> NoReturn:
    """End without taking the interpreter down.

    A thread of icechunk may give back an object of Python an instant after it has handed over its
    result; where the interpreter is gone by then the process dies of a segmentation fault.
    """
    atexit._run_exitfuncs()  # noqa: SLF001
    with carried_on():
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _sentence(error: Exception) -> str:
    match error:
        case ConfigError():  # a line for each problem, with its file
            return error.message
        case DatacubeError():
            return f"datacube: {error.message}"
        case OSError() if error.strerror:
            return f"datacube: {error.filename or 'the system'}: {error.strerror}"
        case _:
            kind = type(error).__name__
            return f"datacube: unexpected {kind}: {error} (datacube --debug … shows where)"


def _say(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code
