"""What a commit does to a session: rows in the order of time, and the metadata of the group."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count

from datacube.store.icechunk.documents import (
    SLICES,
    VERSION,
    boundless_array,
    closed,
    documents_array,
    group,
)
from datacube.store.icechunk.library import INTERPRETER
from datacube.store.icechunk.session import Session
from datacube.store.layout import level_path
from datacube.store.manifest import Version
from datacube.store.plain import plain_objects, position_objects


def arrange(session: Session, version: Version, rows: dict[tuple[int, int], int]) -> None:
    """Move the rows of every array to the places of their slices.

    Parameters
    ----------
    session : Session
    version : Version
        As it will be.
    rows : (layout, slot) -> row
        Everything that is in the session; rows of no slice go.
    """
    if not version.timed:
        return
    rows = dict(rows)  # a slice of nothing but fill has no row yet
    fresh = count(max(rows.values(), default=-1) + 1)
    for one in version.slices:
        if (one.layout, one.slot) not in rows:
            rows[one.layout, one.slot] = next(fresh)
    sources = [rows[one.layout, one.slot] for one in version.slices]
    if sources == list(range(len(rows))):
        return
    places = {row: place for place, row in enumerate(sources)}
    for path, dimensions in [*arrays_of(version), (SLICES, 1)]:
        if session.read(f"{path}/zarr.json") is None:
            continue
        session.write(f"{path}/zarr.json", boundless_array(dimensions))
        with INTERPRETER.alone():
            session.inner.reindex_array(f"/{path}", _mapping(places), _mapping(sources))


def _mapping(
    places: dict[int, int] | list[int],
) -> Callable[[Iterable[int]], list[int] | None]:
    """Where a chunk goes whose row goes somewhere; None for another."""
    known = places if isinstance(places, dict) else dict(enumerate(places))

    def moved(index: Iterable[int]) -> list[int] | None:
        row, *rest = index
        place = known.get(row)
        return None if place is None else [place, *rest]

    return moved


def describe(session: Session, version: Version, packed: bytes, before: Version | None) -> None:
    """Write the metadata of the Zarr group, its coordinates and the version's document.

    Parameters
    ----------
    session : Session
    version : Version
        As it will be.
    packed : bytes
        Its document.
    before : Version, optional
        At the session's snapshot.
    """
    times = len(version.slices)
    documents, chunks = plain_objects(replace(version, layout=0, plain=times))
    documents[""].pop("consolidated_metadata")  # icechunk reads all metadata at once anyway
    if before is None:
        chunks |= position_objects(version)
    for path in sorted(documents):
        at = f"{path}/zarr.json" if path else "zarr.json"
        _changed(session, at, json.dumps(documents[path]).encode())
    known = _coordinates(before) if before else {}  # to read them would take a request each
    for path, data in chunks.items():
        if known.get(path) != data:
            session.write(path, data)
    _changed(session, "manifest/zarr.json", group())
    _changed(session, f"{SLICES}/zarr.json", documents_array(times))
    _changed(session, f"{VERSION}/zarr.json", documents_array(1))
    session.write(f"{VERSION}/c/0", closed(packed))
    kept = set(_segments(version))
    for path in _segments(before) if before else ():
        if path not in kept:
            session.remove(path)


def _coordinates(version: Version) -> Mapping[str, bytes]:
    """Chunks of coordinates as a version has them."""
    return plain_objects(replace(version, layout=0, plain=len(version.slices)))[1]


def _changed(session: Session, path: str, data: bytes) -> None:
    if session.read(path) != data:
        session.write(path, data)


def arrays_of(version: Version) -> Iterator[tuple[str, int]]:
    """Path and number of dimensions of every array of a field."""
    for name, levels in version.arrays.items():
        for level, metadata in enumerate(levels):
            yield level_path(level) + name, len(metadata["shape"])


def _segments(version: Version) -> Iterator[str]:
    """Paths of the arrays of the series copy."""
    for segment in version.series.segments if version.series else ():
        for field, name in segment.documents.items():
            yield f"series/{field}/{name.rpartition('-')[0]}"
            yield f"manifest/segments/{name}"
