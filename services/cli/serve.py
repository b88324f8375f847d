"""``datacube serve``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from datacube.store.heap import keep_freed
from services.app.board import Board
from services.app.place import GRACE, Place
from services.app.serve import ARENAS, configure_logging, serve, usual_workers
from services.cli.storage import store_option

if TYPE_CHECKING:
    from datacube.config.settings import Config
    from services.app.asgi import Application


@click.command("serve")
@store_option
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML with titles, styles, limits, contact, public URL.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one.",
)
@click.option(
    "--grace",
    default=GRACE,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds that requests under way get when the server is stopped.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes that answer; one for each core by default, at most 4.",
)
@click.pass_context
def serve_command(
    context: click.Context,
    store: str,
    config_file: Path | None,
    host: str,
    port: int,
    grace: float,
    workers: int | None,
) -> None:
    """Serve every cube of a store until Ctrl-C or SIGTERM.

    A cube that appears or grows later is served within a second. Access lines (JSON) go to
    standard output, everything else to standard error.
    """
    keep_freed(ARENAS)
    config = None if config_file is None else _loaded(config_file)
    configure_logging(debug=bool(context.find_root().obj["debug"]))

    def started(url: str, cubes: int, missing: str) -> None:
        if missing:
            click.echo(f"Warning: {missing}", err=True)
        noun = "cube" if cubes == 1 else "cubes"
        click.echo(f"Serving {cubes} {noun} of {store} on {url}", err=True)

    def prepare(board: Board) -> "Callable[[int], Application]":
        from services.app.asgi import applications  # noqa: PLC0415  all that requests need

        return applications(config or _loaded(None), store, board)

    said = workers or (config and config.server.workers)
    serve(prepare, Place(host, port, grace), started, said or usual_workers())


def _loaded(config_file: Path | None) -> "Config":
    from datacube.config.load import load_config  # noqa: PLC0415  much is loaded with it

    return load_config(config_file)
