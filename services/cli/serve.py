"""``datacube serve``."""

from pathlib import Path

import click

from datacube.config.load import load_config
from services.app import create_app, memory
from services.app.serve import GRACE, configure_logging, serve
from services.app.status import absence
from services.cli.options import store_option


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
@click.pass_context
def serve_command(
    context: click.Context,
    store: str,
    config_file: Path | None,
    host: str,
    port: int,
    grace: float,
) -> None:
    """Serve every cube of a store until Ctrl-C or SIGTERM.

    A cube that appears or grows later is served within a second. Access lines (JSON) go to
    standard output, everything else to standard error.
    """
    memory.settle()
    debug = bool(context.find_root().obj["debug"])
    config = load_config(config_file)
    configure_logging(debug=debug)
    app = create_app(config, store)
    cubes = len(app.context.catalog.cubes())
    if reason := absence(app.store):
        click.echo(f"Warning: {reason}", err=True)
    noun = "cube" if cubes == 1 else "cubes"
    serve(
        app,
        host,
        port,
        lambda url: click.echo(f"Serving {cubes} {noun} of {store} on {url}", err=True),
        grace,
    )
