"""``datacube gc``."""

from datetime import timedelta

import click

from datacube.store.collect import Collected, collect
from datacube.store.index import list_cubes
from datacube.store.url import open_store
from services.cli.cubes import of_ours
from services.cli.options import Duration, grace_option, size_text
from services.cli.storage import store_option


@click.command("gc")
@click.argument("cube", required=False)
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Keep the newest N versions.")
@click.option(
    "--older-than",
    type=Duration(),
    metavar="D",
    help="Remove versions superseded so long ago: 30d.",
)
@grace_option
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@store_option
def gc_command(
    cube: str | None,
    keep: int | None,
    older_than: timedelta | None,
    grace: timedelta,
    dry_run: bool,
    store: str,
) -> None:
    """Remove old versions of a cube, or of all, and everything that no remaining one needs.

    Without --keep and --older-than all versions stay, and only what dead writers have left goes.
    """
    objects = open_store(store)
    for name in [cube] if cube is not None else list_cubes(objects):
        with of_ours(objects, name):
            found = collect(
                objects, name, keep=keep, older_than=older_than, grace=grace, dry_run=dry_run
            )
        click.echo(collected_line(found, dry_run=dry_run))


def collected_line(found: Collected, *, dry_run: bool = False) -> str:
    """What went, in words.

    Examples
    --------
    >>> collected_line(Collected("sst", (9, 8), (7,), 12, 3_400_000, 0))
    'sst: removed 1 version, 12 objects, 3.4 MB; 2 versions kept'
    """
    verb = "would remove" if dry_run else "removed"
    gone = f"{_count(len(found.expired), 'version')}, {_count(found.objects, 'object')}"
    held = f"; {_count(found.busy, 'object')} in use by a writer" if found.busy else ""
    kept = _count(len(found.kept), "version")
    return f"{found.cube}: {verb} {gone}, {size_text(found.bytes)}; {kept} kept{held}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
