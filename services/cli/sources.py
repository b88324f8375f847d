"""Where the slices of a cube came from, as a table or as JSON."""

from collections.abc import Iterator
from typing import Any

from datacube.model.time import format_tick
from datacube.store.cube import CubeStore
from datacube.store.source import CubeSource
from services.cli.options import write_json, write_table

_DIGITS = 19  # of a checksum in the table


def write_sources(cube: CubeSource, *, as_json: bool) -> None:
    """Write the sources of a cube in the order of their ingest; others' Zarr has none."""
    found = list(sources_of(cube)) if isinstance(cube, CubeStore) else []
    if as_json:
        write_json(found)
        return
    rows = [
        (
            one["product"],
            _span(one["times"]),
            one["ingested"],
            one["attributes"].get("processor") or "-",
            one["checksum"][:_DIGITS] or "-",
        )
        for one in found
    ]
    write_table(("PRODUCT", "TIMES", "INGESTED", "PROCESSOR", "CHECKSUM"), rows)


def sources_of(cube: CubeStore) -> Iterator[dict[str, Any]]:
    """Each source: product, address, checksum, time of ingest, attributes, times of its slices."""
    time = cube.description.domain.time
    ordered = sorted(cube.record.sources.values(), key=lambda one: one[0].ingested)
    for record, ticks in ordered:
        known = [one for one in ticks if one is not None] if time is not None else []
        calendar = "standard" if time is None else time.calendar
        yield record.dump() | {"times": [format_tick(one, calendar) for one in sorted(known)]}


def _span(times: list[str]) -> str:
    if not times:
        return "-"
    return times[0] if len(times) == 1 else f"{len(times)} ({times[0]} .. {times[-1]})"
