"""One source into the cubes of a store: all of its parts, or none."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np

from datacube.config.products import RecipeSettings
from datacube.errors import ConflictError, CoverageNotFound, SourceError, StorageError
from datacube.ingest.filling import Job, places
from datacube.ingest.gone import Gone, summed
from datacube.ingest.opened import looked_at
from datacube.ingest.places import places_of
from datacube.ingest.report import SlicePlanned
from datacube.ingest.revision import revision_of, timeliness_of
from datacube.ingest.source import Granule
from datacube.model.axis import Axis, TimeAxis
from datacube.model.coverage import CoverageDescription
from datacube.model.time import format_ticks
from datacube.store.create import create_cube
from datacube.store.cube import open_cube
from datacube.store.history import read_head
from datacube.store.layout import SERIES_STEPS
from datacube.store.manifest import SourceRecord, head_key
from datacube.store.objects import ObjectStore
from datacube.store.transaction import Transaction, transaction

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What a source has added: the cubes that it is in, slices, stored bytes, what was left out.

    Plain Zarr readers see the cubes that are behind as they were, until they are compacted. Of a
    plan it is said too how many of the slices are at times that their cubes have already. What was
    deleted and stays out is gone. Notes say what was asked for and does not apply.
    """

    cubes: tuple[str, ...]
    slices: int
    bytes: int
    remark: str = ""
    behind: tuple[str, ...] = ()
    replaced: int = 0
    gone: Gone = field(default_factory=Gone)
    notes: tuple[str, ...] = ()


_SAME = "every value is there already"
_LATER = "a later stage is there already"
_COMPARED = "it has values and no time, and these would only be compared with them"


def write_source(store: ObjectStore, granules: Sequence[Granule], job: Job) -> Written:
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
    ready, gone = _missing(store, granules, job.recipe)
    if not ready:
        return Written(cubes, 0, 0, gone=gone)
    changes: list[Transaction] = []
    made: list[str] = []
    outranked = 0
    done = False
    try:
        with ExitStack() as stack:
            changes += [stack.enter_context(_change(store, one, job.recipe, made)) for one in ready]
            plain = [one.id for one in changes if not read_head(store, one.id).storage]
            for granule, change in zip(ready, changes, strict=True):
                _stand(change, granule)
                count = len(granule.slices)
                job.report(SlicePlanned(job.source, granule.cube_id, count, _size(granule)))
                outranked += _write(store, change, granule, job)
                if not change.slices_written:
                    _remember(change, granule, job)
                # it was read before its name was known
                if granule.id in change.sources and not granule.again:
                    raise ConflictError(f"cube '{change.id}' has it at other times")
        done = True
    finally:
        if not done:
            _remove(store, made)
    slices = sum(change.slices_written for change in changes)
    if not slices:
        every = sum(len(one.slices) for one in ready)
        return Written(cubes, 0, 0, _LATER if outranked == every else _SAME, gone=gone)
    return Written(
        cubes,
        slices,
        sum(change.bytes_written for change in changes),
        _remark(granules),
        _behind(changes, plain),
        gone=gone,
        notes=granules[0].notes,
    )


def _behind(changes: Sequence[Transaction], plain: Collection[str]) -> tuple[str, ...]:
    """The plain cubes whose times do not lie in order now, or lie elsewhere than before."""
    made = ((one.id, one.committed) for one in changes if one.id in plain)
    return tuple(cube_id for cube_id, one in made if one is not None and not one.in_order)


def _stand(change: Transaction, granule: Granule) -> None:
    """See that a change stands where the granule does, with its places along every axis.

    Raises
    ------
    ConflictError
        Another writer has changed the cube since its values were looked at.
    """
    if granule.over is None:
        return
    if granule.over != change.base:
        raise ConflictError(
            f"another writer has meanwhile changed cube '{change.id}'", subject=change.id
        )
    axes, own = _further(granule.description), _further(change.description)
    if [one.size for one in axes] != [one.size for one in own]:
        change.widen(axes)


def plan_source(store: ObjectStore, granules: Sequence[Granule], recipe: RecipeSettings) -> Written:
    """What :func:`write_source` would add: slices, and bytes of their values, unpacked.

    Raises
    ------
    SourceError
        A granule does not fit its cube.
    """
    ready, gone = _missing(store, granules, recipe)
    going: list[Granule] = []
    replaced, why = 0, _LATER
    for granule in ready:
        known = _revisions(store, granule)
        why = _COMPARED if None in known else why
        kept = [
            one
            for one in granule.slices
            if not _outranked(known.get(one.ticks, {}), granule, recipe) and None not in known
        ]
        replaced += sum(1 for one in kept if one.ticks in known)
        going.append(replace(granule, slices=tuple(kept)))
    slices = sum(len(one.slices) for one in going)
    return Written(
        tuple(one.cube_id for one in granules),
        slices,
        sum(_size(one) for one in going),
        why if ready and not slices else _remark(ready),
        replaced=replaced,
        gone=gone,
        notes=granules[0].notes if slices else (),
    )


def _revisions(store: ObjectStore, granule: Granule) -> dict[int | None, Mapping[str, int]]:
    """The revision of each field at the instants that a granule and its cube have."""
    try:
        cube = open_cube(store, granule.cube_id)
    except CoverageNotFound:
        return {}
    wanted = {one.ticks for one in granule.slices}
    found: dict[int | None, Mapping[str, int]] = {}
    for place, one in enumerate(cube.record.slices):
        if one.ticks in wanted:
            document = cube.slice_document(place)
            found[one.ticks] = {name: document.revisions.get(name, 0) for name in document.fields}
    return found


def _outranked(known: Mapping[str, int], granule: Granule, recipe: RecipeSettings) -> bool:
    """Whether every field of a slice is there in a later stage."""
    return bool(known) and min(known.values()) > _rank(known, granule, recipe)


def _missing(
    store: ObjectStore, granules: Sequence[Granule], recipe: RecipeSettings
) -> tuple[list[Granule], Gone]:
    """The granules that are not in their cubes yet, in their packing; what of them stays out."""
    found = [looked_at(store, granule, recipe) for granule in granules]
    gone = summed(granules, [one for _, one in found])
    return [one for one, _ in found if one is not None], gone


def _remark(granules: Sequence[Granule]) -> str:
    return "; ".join(dict.fromkeys(text for one in granules for text in one.warnings))


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
        storage=recipe.storage,
    )


def _series(wanted: bool | int) -> int | None:
    """Times in a segment of the series copy; None for no such copy."""
    if wanted is True:
        return SERIES_STEPS
    return wanted or None


def _write(store: ObjectStore, change: Transaction, granule: Granule, job: Job) -> int:
    """Write the slices of a granule; how many of them are there in a later stage."""
    outranked = 0
    with job.hands.filling(store, granule, job) as filling:
        records = _records(granule, job.source)
        change.expect(len(granule.slices))
        for position, (one, record) in enumerate(zip(granule.slices, records, strict=True)):
            known = change.revisions(one.ticks)
            outranked += _outranked(known, granule, job.recipe)
            writer = change.open_slice(
                one.ticks,
                record,
                bounds=_bounds(granule, position),
                revision=_rank(known, granule, job.recipe),
            )
            filling.fill(writer, position)
            if known:  # where it brings nothing new, the next one gets its slot
                filling.finish()
    return outranked


def _remember(change: Transaction, granule: Granule, job: Job) -> None:
    """Note a granule whose values are all there, so that the next run need not read it."""
    for one, record in zip(granule.slices, _records(granule, job.source), strict=True):
        change.add_source(record(), (one.ticks,))


def _rank(known: Mapping[str, int], granule: Granule, recipe: RecipeSettings) -> int:
    """The revision of a slice, by those of its fields that are there."""
    if recipe.mosaic is not None:  # made of what its slice holds already, whatever its rank
        return 0
    rank = revision_of(granule.product)
    return max((rank, *known.values())) if granule.joined else rank


def _records(granule: Granule, source: str) -> Iterator[Callable[[], SourceRecord]]:
    """What is noted of the granule with each of its slices; made when its name is known."""
    attributes = {}
    if timeliness := timeliness_of(granule.product):
        attributes["timeliness"] = timeliness
    if granule.bbox is not None:
        attributes["bbox"] = ",".join(f"{edge:.6g}" for edge in granule.bbox)
    if granule.processor:
        attributes["processor"] = granule.processor
    place = places_of(granule)
    starts = [one.reference_ticks for one in granule.slices if one.reference_ticks is not None]
    runs = iter(format_ticks(np.array(starts, np.int64)))  # at once: each alone takes as long
    for one in granule.slices:
        run = {} if one.reference_ticks is None else {"reference_time": next(runs)}
        yield partial(_record, granule, source, _now(), {**place, **run, **attributes})


def _record(granule: Granule, source: str, when: str, said: Mapping[str, str]) -> SourceRecord:
    checksum = granule.id.partition("@")[0] if granule.id.startswith("sha256:") else ""
    return SourceRecord(granule.id, granule.product, source, checksum, when, said)


def _bounds(granule: Granule, position: int) -> tuple[int, int] | None:
    time = granule.description.domain.time
    if time is None or time.bounds is None:
        return None
    first, last = time.bounds[position].tolist()
    return int(first), int(last)


def _further(description: CoverageDescription) -> list[Axis]:
    return [axis for axis in description.domain.axes if not isinstance(axis, TimeAxis)]


def _size(granule: Granule) -> int:
    """Bytes of all values, unpacked from their file but as they are stored."""
    height, width = granule.description.domain.grid.shape
    fields = granule.description.range_type
    return sum(
        height
        * width
        * sum(1 for _ in places(granule, band))
        * np.dtype(fields.field(name).dtype).itemsize
        for one in granule.slices
        for name, band in one.bands.items()
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
