"""``datacube ingest``."""

from pathlib import Path
from typing import Self, assert_never

import click
from rich.progress import DownloadColumn

from datacube.ingest.pipeline import ingest
from datacube.ingest.report import (
    BytesRead,
    Event,
    Retrying,
    SlicePlanned,
    SourceResult,
    SourceStarted,
)
from datacube.store.create import Storage
from datacube.store.heap import keep_freed
from services.cli.after import After, after_option
from services.cli.lines import carried_on, one_line
from services.cli.options import (
    bad_option,
    cube_option,
    label_option,
    recipe_of,
    recipe_option,
    retries_option,
    size_text,
    storage_option,
    write_json,
)
from services.cli.progress import progress_bar
from services.cli.storage import store_option


@click.command("ingest")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE…")
@store_option
@cube_option
@recipe_option
@storage_option
@click.option(
    "--time", metavar="ISO", help="Time of sources that hold one, whatever they say of it."
)
@click.option(
    "--ref-time",
    "run",
    metavar="ISO",
    help="Start of the model run of NetCDF that does not say it.",
)
@click.option("--again", is_flag=True, help="Bring back what was deleted of the sources.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@bad_option
@label_option
@retries_option
@after_option
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Let the workers of a dask.distributed scheduler read and write: tcp://host:8786.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on standard output.")
def ingest_command(
    sources: tuple[str, ...],
    store: str,
    cube: str | None,
    recipe_file: Path | None,
    storage: Storage | None,
    time: str | None,
    run: str | None,
    bad_folder: Path | None,
    labels: tuple[str, ...],
    retries: int,
    after: tuple[str, ...] | None,
    scheduler: str | None,
    *,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Put products into cubes: CF NetCDF, GRIB, GeoTIFF/COG, Sentinel, Landsat, STAC items.

    Each source goes in wholly or leaves no trace. The exit code is 0 when all went in (or were in
    already, or were deleted and stay out), 3 when some did, or one in part, 2 when none did.
    """
    recipe = recipe_of(recipe_file, labels, storage)
    keep_freed()
    with Display(lines=not as_json) as display:
        told = After(after, store, display.event)
        report = ingest(
            sources,
            store=store,
            cube=cube,
            recipe=recipe,
            time=time,
            run=run,
            again=again,
            dry_run=dry_run,
            bad_folder=bad_folder,
            retries=retries,
            scheduler=scheduler,
            report=told.event,
        )
    if not report.results:
        click.echo(f"there is no file in {', '.join(sources)}", err=True)
    if as_json:
        write_json(report.dump())
    return told.code(report.exit_code)


class Display:
    """Lines for each source as it ends, and a progress bar where standard error is a terminal."""

    def __init__(self, *, lines: bool = True) -> None:
        self._lines = lines
        self._bar = progress_bar(DownloadColumn())
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
            case Retrying():
                again = f"tried again in {event.seconds:g} s"
                self._line(f"{event.source}: {again}: {event.reason}", error=True)
            case SourceResult():
                # what went in to standard output, the rest to standard error
                bad = event.status in {"refused", "failed", "side", "deleted"}
                self._line(result_line(event), error=bad)

    def _line(self, text: str, *, error: bool) -> None:
        if not self._lines:
            return
        self._bar.stop()
        with carried_on():  # what was begun is done, whoever still reads of it
            click.echo(one_line(text), err=error)
        self._bar.start()


def result_line(result: SourceResult) -> str:
    """Cube, slices added, bytes, seconds; or what is wrong with which file.

    Examples
    --------
    >>> result_line(SourceResult("a.nc", ("sst",), "ingested", 2, 14_600_000, 1.25))
    'a.nc: cube sst, 2 slices added, 14.6 MB, 1.2 s'
    >>> result_line(SourceResult("a.nc", ("t",), "ingested", 1, 1, 1, behind=("t",)))
    'a.nc: cube t, 1 slice added, 1 B, 1.0 s; plain Zarr readers see it after datacube compact t'
    >>> result_line(SourceResult("a.nc", ("t",), "ingested", 2, 80, 1, fields=("tp",)))
    'a.nc: cube t, 2 slices of tp added, 80 B, 1.0 s'
    >>> result_line(SourceResult("a.nc", ("t",), "planned", 3, 9, slices_replaced=2))
    'a.nc: cube t, would add 3 slices, 9 B uncompressed, 2 of them in place of what is there'
    """
    match result.status:
        case "refused" | "failed":
            return f"{result.source}: {result.reason}"
        case "side":
            return f"{result.source}: passed over, {result.reason}"
        case "already":
            why = result.reason or "already there"
            return f"{result.source}: cube {result.cube}, {why}, 0 slices added{result.out}"
        case "deleted":
            hint = "datacube ingest --again brings it back"
            return f"{result.source}: passed over, {result.deleted}; {hint}"
        case "planned":
            amount = f"{size_text(result.bytes)} uncompressed"
            line = f"{result.source}: cube {result.cube}, would add {result.slices}, {amount}"
            return f"{line}{result.instead}{result.out}"
        case "ingested" | "partial":
            amount = f"{size_text(result.bytes)}, {result.seconds:.1f} s"
            line = (
                f"{result.source}: cube {result.cube}, {result.slices} added, {amount}{result.out}"
            )
            for cube in result.behind:
                line += f"; plain Zarr readers see it after datacube compact {cube}"
            return f"{line}; in part: {result.reason}" if result.status == "partial" else line
        case _:
            assert_never(result.status)
