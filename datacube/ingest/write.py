"""One source into the cubes of a store: all of its parts, or none."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from datacube.config.settings import RecipeSettings
from datacube.errors import CoverageNotFound, SourceError, StorageError
from datacube.ingest.fit import fitted
from datacube.ingest.mosaic import over_stored
from datacube.ingest.report import BytesRead, Event, SlicePlanned
from datacube.ingest.revision import revision_of
from datacube.ingest.source import Granule, SliceSource
from datacube.model.axis import Axis, TimeAxis
from datacube.model.time import format_tick
from datacube.store.create import create_cube
from datacube.store.cube import open_cube
from datacube.store.layout import SERIES_STEPS
from datacube.store.manifest import SourceRecord, head_key
from datacube.store.objects import ObjectStore
from datacube.store.transaction import Transaction, transaction
from datacube.store.writer import SliceWriter

WINDOW_BYTES = 32 * 2**20
"""About how many bytes of a field are held at once."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What a source has added: the cubes that it is in, slices, stored bytes, what was left out."""

    cubes: tuple[str, ...]
    slices: int
    bytes: int
    remark: str = ""


def write_source(
    store: ObjectStore,
    source: str,
    granules: Sequence[Granule],
    recipe: RecipeSettings,
    report: Callable[[Event], None],
) -> Written:
    """Write the granules of a source that are not in their cubes yet, and commit them.

    Everything is checked before anything is written; cubes that are made for a source which then
    fails are removed again.

    Raises
    ------
    SourceError
        A granule does not fit its cube, or cannot be read.
    ConflictError
        Another writer has written the same times.
    """
    cubes = tuple(one.cube_id for one in granules)
    ready = _missing(store, granules, recipe)
    if not ready:
        return Written(cubes, 0, 0)
    made: list[str] = []
    done = False
    try:
        with ExitStack() as changes:
            open_changes = [
                (granule, changes.enter_context(_change(store, granule, recipe, made)))
                for granule in ready
            ]
            for granule, change in open_changes:
                report(SlicePlanned(source, granule.cube_id, len(granule.slices), _size(granule)))
                # a mosaic is made of what its slice holds already, whatever its rank
                revision = revision_of(granule.product) if recipe.mosaic is None else 0
                _write(change, granule, source, revision, report)
        done = True
    finally:
        if not done:
            _remove(store, made)
    return Written(
        cubes,
        sum(len(one.slices) for one in ready),
        sum(change.bytes_written for _, change in open_changes),
        _remark(granules),
    )


def plan_source(store: ObjectStore, granules: Sequence[Granule], recipe: RecipeSettings) -> Written:
    """What :func:`write_source` would add: slices, and bytes of their values, unpacked.

    Raises
    ------
    SourceError
        A granule does not fit its cube.
    """
    ready = _missing(store, granules, recipe)
    return Written(
        tuple(one.cube_id for one in granules),
        sum(len(one.slices) for one in ready),
        sum(_size(one) for one in ready),
        _remark(ready),
    )


def _missing(
    store: ObjectStore, granules: Sequence[Granule], recipe: RecipeSettings
) -> list[Granule]:
    """The granules that are not in their cubes yet, each in its cube's packing."""
    ready = (_ready(store, granule, recipe) for granule in granules)
    return [one for one in ready if one is not None]


def _remark(granules: Sequence[Granule]) -> str:
    return "; ".join(dict.fromkeys(text for one in granules for text in one.warnings))


def _ready(store: ObjectStore, granule: Granule, recipe: RecipeSettings) -> Granule | None:
    """The granule in its cube's packing, over what it meets there; None where it is there."""
    try:
        cube = open_cube(store, granule.cube_id)
    except CoverageNotFound:
        return granule
    if granule.id in cube.sources:
        return None
    ready = fitted(granule, cube.description)
    return ready if recipe.mosaic is None else over_stored(ready, cube, recipe.mosaic.rule)


def _change(
    store: ObjectStore, granule: Granule, recipe: RecipeSettings, made: list[str]
) -> Transaction:
    """A transaction on the granule's cube, which is made where there is none."""
    try:
        open_cube(store, granule.cube_id)
    except CoverageNotFound:
        try:
            _create(store, granule, recipe)
        except StorageError:  # its head may stand already
            made.append(granule.cube_id)
            raise
        made.append(granule.cube_id)
    return transaction(store, granule.cube_id, f"ingest {granule.product}")


def _create(store: ObjectStore, granule: Granule, recipe: RecipeSettings) -> None:
    create_cube(
        store,
        granule.description,
        chunks=None if recipe.chunk is None else {"x": recipe.chunk, "y": recipe.chunk},
        attributes={"history": f"{_now()} datacube ingest {granule.product}"},
        series=_series(recipe.series),
    )


def _series(wanted: bool | int) -> int | None:
    """Times in a segment of the series copy; None for no such copy."""
    if wanted is True:
        return SERIES_STEPS
    return wanted or None


def _write(
    change: Transaction,
    granule: Granule,
    source: str,
    revision: int,
    report: Callable[[Event], None],
) -> None:
    sizes = [axis.size for axis in _further(granule)]
    height, width = granule.description.domain.grid.shape
    for position, one in enumerate(granule.slices):
        record = _record(granule, one, source)
        bounds = _bounds(granule, position)
        with change.open_slice(one.ticks, record, bounds=bounds, revision=revision) as writer:
            for name, band in one.bands.items():
                dtype = np.dtype(granule.description.range_type.field(name).dtype)
                windows = list(_windows(writer, height, width, dtype.itemsize))
                for index in np.ndindex(*sizes):
                    for row0, row1, column0, column1 in windows:
                        values = band.read(index, row0, row1, column0, column1)
                        writer.write(name, index, row0, column0, values)
                        report(BytesRead(source, granule.cube_id, values.nbytes))


def _windows(
    writer: SliceWriter, height: int, width: int, itemsize: int
) -> Iterator[tuple[int, int, int, int]]:
    """Windows of whole chunks, of bounded size: bands of rows, cut only where they are long."""
    rows, columns = writer.chunk_shape
    across = max(1, WINDOW_BYTES // (rows * columns * itemsize))
    wide = min(-(-width // columns), across)
    tall = max(1, across // wide)
    for row in range(0, height, rows * tall):
        for column in range(0, width, columns * wide):
            bottom, right = row + rows * tall, column + columns * wide
            yield row, min(bottom, height), column, min(right, width)


def _record(granule: Granule, one: SliceSource, source: str) -> SourceRecord:
    attributes = {}
    if one.reference_ticks is not None:
        attributes["reference_time"] = format_tick(one.reference_ticks)
    if granule.processor:
        attributes["processor"] = granule.processor
    checksum = granule.id.partition("@")[0] if granule.id.startswith("sha256:") else ""
    return SourceRecord(granule.id, granule.product, source, checksum, _now(), attributes)


def _bounds(granule: Granule, position: int) -> tuple[int, int] | None:
    time = granule.description.domain.time
    if time is None or time.bounds is None:
        return None
    first, last = time.bounds[position].tolist()
    return int(first), int(last)


def _further(granule: Granule) -> list[Axis]:
    axes = granule.description.domain.axes
    return [axis for axis in axes if not isinstance(axis, TimeAxis)]


def _size(granule: Granule) -> int:
    """Bytes of all values, unpacked from their file but as they are stored."""
    cells = int(np.prod(granule.description.domain.shape, dtype=np.int64))
    return cells * sum(
        np.dtype(field.dtype).itemsize for field in granule.description.range_type.fields
    )


def _remove(store: ObjectStore, made: Sequence[str]) -> None:
    """Remove cubes that were made here and are still empty; the head goes first."""
    for cube_id in made:
        with suppress(CoverageNotFound, StorageError, SourceError):
            if not open_cube(store, cube_id).sources:
                store.delete([head_key(cube_id)])
                store.delete(store.list(f"{cube_id}/"))
                _log.debug("removed the empty cube %s", cube_id)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
