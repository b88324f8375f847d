"""``datacube retention``."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from datacube.config.load import load_retention
from datacube.store.collect import Collected, collect
from datacube.store.cube import open_cube
from datacube.store.index import list_cubes
from datacube.store.retention import Expiry, delete_expired, expiries
from datacube.store.url import open_store
from services.cli.collect import collected_line
from services.cli.cubes import of_ours
from services.cli.options import (
    grace_option,
    json_option,
    size_text,
    write_json,
    write_table,
)
from services.cli.storage import store_option


@click.command("retention")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("cube", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why.")
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="ISO",
    help="Another instant than the present one.",
)
@grace_option
@store_option
@json_option
def retention_command(
    policy: Path,
    cube: str | None,
    dry_run: bool,
    now: datetime | None,
    grace: timedelta,
    store: str,
    as_json: bool,
) -> None:
    """Delete the slices whose time is over by the file POLICY, and free their space.

    Of the cubes from which slices were deleted, only the newest version is kept. What was deleted,
    when and why, stays in the list of `datacube deleted`.
    """
    rules = load_retention(policy)
    instant = now.replace(tzinfo=UTC) if now else datetime.now(UTC)
    objects = open_store(store)
    found: list[Expiry] = []
    freed: list[Collected] = []
    for name in [cube] if cube is not None else list_cubes(objects):
        with of_ours(objects, name):
            opened = open_cube(objects, name)
        ending = expiries(opened, rules, instant)
        found += ending
        if not dry_run and (delete_expired(opened, ending) or opened.record.deletions):
            freed.append(collect(objects, name, keep=1, grace=grace))
    if as_json:
        write_json(
            {"slices": [asdict(one) for one in found], "freed": [asdict(one) for one in freed]}
        )
        return
    rows = [
        (one.cube, one.time, size_text(one.bytes), f"held: {one.held}" if one.held else one.cause)
        for one in found
    ]
    write_table(("CUBE", "TIME", "SIZE", "CAUSE"), rows)
    going = [one for one in found if not one.held]
    verb = "would go" if dry_run else "deleted"
    size = size_text(sum(one.bytes for one in going))
    click.echo(f"{len(going)} slice{'' if len(going) == 1 else 's'} {verb}, {size}")
    for each in freed:
        click.echo(collected_line(each))
