"""``datacube versions``, ``deleted``, ``rollback`` and ``compact``."""

from dataclasses import asdict

import click

from datacube.model.time import format_tick
from datacube.store.compact import compact, rollback
from datacube.store.cube import open_cube
from datacube.store.history import history
from datacube.store.home import locate
from datacube.store.manifest import Version
from datacube.store.url import open_store
from services.cli.cubes import of_ours
from services.cli.options import json_option, size_text, write_json, write_table
from services.cli.storage import store_option


@click.command("versions")
@click.argument("cube")
@store_option
@json_option
def versions_command(cube: str, store: str, as_json: bool) -> None:
    """List the versions of a cube, the newest first."""
    place = open_store(store)
    with of_ours(place, cube):
        objects, head = locate(place, cube)
    found = [one for _, one in history(objects, cube, head)]
    if as_json:
        write_json(
            [
                {
                    "version": one.number,
                    "committed": one.committed,
                    "slices": one.slices,
                    "message": one.message,
                }
                for one in found
            ]
        )
        return
    rows = [(str(one.number), one.committed, str(one.slices), one.message) for one in found]
    write_table(("VERSION", "COMMITTED", "SLICES", "MESSAGE"), rows)


@click.command("deleted")
@click.argument("cube")
@store_option
@json_option
def deleted_command(cube: str, store: str, as_json: bool) -> None:
    """List the times that were deleted of a cube: when, why, what they were made of."""
    objects = open_store(store)
    with of_ours(objects, cube):
        record = open_cube(objects, cube).record
    found = [{"time": _time(record, one.ticks), **asdict(one)} for one in record.deletions]
    if as_json:
        kept = ("time", "deleted", "cause", "sources", "bytes")
        write_json([{key: one[key] for key in kept} for one in found])
        return
    rows = [
        (
            one["time"],
            one["deleted"],
            size_text(one["bytes"]),
            one["cause"],
            " ".join(one["sources"]),
        )
        for one in found
    ]
    write_table(("TIME", "DELETED", "SIZE", "CAUSE", "SOURCES"), rows)


@click.command("rollback")
@click.argument("cube")
@click.argument("version", type=int)
@store_option
def rollback_command(cube: str, version: int, store: str) -> None:
    """Make a new version that holds what VERSION held; nothing is lost."""
    objects = open_store(store)
    with of_ours(objects, cube):
        made = rollback(objects, cube, version)
    click.echo(f"{cube}: version {made.version} holds what version {version} held")


@click.command("compact")
@click.argument("cube")
@store_option
def compact_command(cube: str, store: str) -> None:
    """Let plain Zarr readers see the newest version, after insertions, corrections, deletions."""
    objects = open_store(store)
    with of_ours(objects, cube):
        before = open_cube(objects, cube).version
    made = compact(objects, cube)
    done = "was up to date" if made.version == before else f"is version {made.version} now"
    click.echo(f"{cube}: the plain Zarr group {done}")


def _time(record: Version, ticks: int) -> str:
    axis = record.template.domain.time
    return str(ticks) if axis is None else format_tick(ticks, axis.calendar)
