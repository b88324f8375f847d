"""``datacube ingest``."""

from pathlib import Path
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from datacube.config.load import load_recipe
from datacube.ingest.pipeline import ingest
from datacube.ingest.report import BytesRead, Event, SlicePlanned, SourceResult, SourceStarted
from services.cli.options import size_text, store_option


@click.command("ingest")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE…")
@store_option
@click.option("--cube", metavar="ID", help="Cube id; else made from the product.")
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML that says which fields, names and texts.",
)
@click.option("--time", metavar="ISO", help="Time of sources that hold one and do not say it.")
def ingest_command(
    sources: tuple[str, ...],
    store: str,
    cube: str | None,
    recipe_file: Path | None,
    time: str | None,
) -> int:
    """Put products into cubes: CF NetCDF, GRIB, GeoTIFF/COG, Sentinel-2 SAFE.

    Each source goes in wholly or leaves no trace. The exit code is 0 when all went in (or were in
    already), 3 when some did, 2 when none did.
    """
    recipe = None if recipe_file is None else load_recipe(recipe_file)
    with Watch() as watch:
        report = ingest(
            sources, store=store, cube=cube, recipe=recipe, time=time, report=watch.event
        )
    return report.exit_code


class Watch:
    """Lines for each source as it ends, and a progress bar where standard error is a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def event(self, event: Event) -> None:
        """Show what has happened."""
        match event:
            case SourceStarted():
                name = Path(event.source).name or event.source
                text = f"{name[:24]} ({event.position}/{event.total})"
                self._bar.reset(self._task, description=text, total=None)
            case SlicePlanned():
                before = self._bar.tasks[0].total or 0
                self._bar.update(self._task, total=before + event.bytes)
            case BytesRead():
                self._bar.advance(self._task, event.bytes)
            case SourceResult():
                self._ended(event)

    def _ended(self, result: SourceResult) -> None:
        """The line of a source: what went in to standard output, a refusal to standard error."""
        self._bar.stop()
        click.echo(result_line(result), err=result.status == "refused")
        self._bar.start()


def result_line(result: SourceResult) -> str:
    """Cube, slices added, bytes, seconds; or what is wrong with which file.

    Examples
    --------
    >>> result_line(SourceResult("a.nc", ("sst",), "ingested", 2, 14_600_000, 1.25))
    'a.nc: cube sst, 2 slices added, 14.6 MB, 1.2 s'
    """
    match result.status:
        case "refused":
            return f"{result.source}: {result.reason}"
        case "already":
            return f"{result.source}: cube {result.cube}, already there, 0 slices added"
        case "ingested":
            slices = f"{result.slices_added} slice{'' if result.slices_added == 1 else 's'} added"
            amount = f"{size_text(result.bytes)}, {result.seconds:.1f} s"
            return f"{result.source}: cube {result.cube}, {slices}, {amount}"
