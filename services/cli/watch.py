"""``datacube watch``."""

import signal
from pathlib import Path
from threading import Event as Stop

import click

from datacube.ingest.arrivals import Settling
from datacube.ingest.report import Event, SourceResult
from datacube.ingest.watch import Watcher
from datacube.store.create import Storage
from services.cli.after import After, after_option
from services.cli.ingest import Display
from services.cli.options import (
    bad_option,
    cube_option,
    label_option,
    recipe_of,
    recipe_option,
    retries_option,
    storage_option,
)
from services.cli.storage import store_option


@click.command("watch")
@click.argument("place", metavar="FOLDER|URL")
@store_option
@cube_option
@recipe_option
@storage_option
@bad_option
@label_option
@retries_option
@after_option
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Pause between two looks.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="A file is complete when it has not changed for so long.",
)
@click.option("--marked", is_flag=True, help="Take only what has an empty NAME.done beside it.")
@click.option("--once", is_flag=True, help="Look once and end, for cron.")
def watch_command(
    place: str,
    store: str,
    cube: str | None,
    recipe_file: Path | None,
    storage: Storage | None,
    bad_folder: Path | None,
    labels: tuple[str, ...],
    retries: int,
    after: tuple[str, ...] | None,
    every: float,
    settle: float,
    *,
    marked: bool,
    once: bool,
) -> int:
    """Ingest what arrives in a folder or bucket, as soon as it is complete.

    A line for each commit. SIGTERM or Ctrl-C ends it after the source under way. With --once the
    exit code is that of ingest, and 0 where nothing is new.
    """
    if "://" not in place and not Path(place).is_dir():
        raise click.BadParameter(f"there is no folder {place}", param_hint="FOLDER")
    recipe = recipe_of(recipe_file, labels, storage)
    stop = Stop()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    with Display() as display:
        told = After(after, store, display.event)

        def report(event: Event) -> None:
            if not isinstance(event, SourceResult) or event.status != "already":
                told.event(event)

        watcher = Watcher(
            place,
            store,
            Settling(settle, marks_only=marked),
            cube,
            recipe,
            bad_folder,
            retries,
            report,
            stop,
        )
        if once:
            found = watcher.look()
            return told.code(found.exit_code if found.results else 0)
        watcher.run(every)
    return 0
