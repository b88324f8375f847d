"""``datacube demo``."""

from pathlib import Path
from time import perf_counter

import click

from services.cli.storage import store_option
from services.demo.store import make_demo


@click.command("demo")
@store_option
@click.option(
    "--cache",
    default=".demo/sources",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder that keeps what was downloaded and simulated.",
)
def demo_command(store: str, cache: Path) -> None:
    """Make the demo store: real forecasts and a simulated Sentinel-2 series."""
    started = perf_counter()
    make_demo(store, cache=cache, report=lambda line: click.echo(f"   {line}"))
    click.echo(f"   The demo store is ready after {perf_counter() - started:.0f} s")
