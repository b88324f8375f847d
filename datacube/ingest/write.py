"""One source into the cubes of a store: all of its parts, or none."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial

import numpy as np

from datacube.config.products import RecipeSettings
from datacube.errors import ConflictError, CoverageNotFound, SourceError, StorageError
from datacube.ingest.amount import (
    LATER,
    SAME,
    Written,
    further_axes,
    outranked,
    own_revisions,
    rank_of,
    remark_of,
    size_of,
    some_fields,
)
from datacube.ingest.fetch import without_secrets
from datacube.ingest.filling import Job
from datacube.ingest.gone import Gone, summed
from datacube.ingest.opened import looked_at
from datacube.ingest.part import fields_noted, is_there
from datacube.ingest.places import places_of
from datacube.ingest.report import SlicePlanned
from datacube.ingest.revision import timeliness_of
from datacube.ingest.source import Granule
from datacube.model.time import format_ticks
from datacube.store.create import create_cube
from datacube.store.cube import open_cube
from datacube.store.history import read_head
from datacube.store.layout import SERIES_STEPS
from datacube.store.manifest import SourceRecord, head_key
from datacube.store.objects import ObjectStore
from datacube.store.slots import writing_since
from datacube.store.transaction import Transaction, transaction

_log = logging.getLogger(__name__)


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
    lost = 0
    done = False
    try:
        with ExitStack() as stack:
            changes += [stack.enter_context(_change(store, one, job.recipe, made)) for one in ready]
            plain = [one.id for one in changes if not read_head(store, one.id).storage]
            for granule, change in zip(ready, changes, strict=True):
                _stand(change, granule)
                count = len(granule.slices)
                job.report(SlicePlanned(job.source, granule.cube_id, count, size_of(granule)))
                lost += _write(store, change, granule, job)
                if not change.slices_written:
                    _remember(change, granule, job)
                # it was read before its name was known
                if not granule.again and _has(store, change, granule):
                    raise ConflictError(f"cube '{change.id}' has it at other times")
        done = True
    finally:
        if not done:
            _remove(store, made)
    slices = sum(change.slices_written for change in changes)
    if not slices:
        every = sum(len(one.slices) for one in ready)
        return Written(cubes, 0, 0, LATER if lost == every else SAME, gone=gone)
    return Written(
        cubes,
        slices,
        sum(change.bytes_written for change in changes),
        remark_of(granules),
        _behind(changes, plain),
        gone=gone,
        notes=granules[0].notes,
        fields=some_fields([one.description for one in changes], ready),
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
    axes, own = further_axes(granule.description), further_axes(change.description)
    if [one.size for one in axes] != [one.size for one in own]:
        change.widen(axes)


def _has(store: ObjectStore, change: Transaction, granule: Granule) -> bool:
    """Whether a granule is in the cube on which a change stands."""
    return granule.id in change.sources and is_there(granule, open_cube(store, change.id))


def _missing(
    store: ObjectStore, granules: Sequence[Granule], recipe: RecipeSettings
) -> tuple[list[Granule], Gone]:
    """The granules that are not in their cubes yet, in their packing; what of them stays out."""
    found = [looked_at(store, granule, recipe) for granule in granules]
    gone = summed(granules, [one for _, one in found])
    return [one for one, _ in found if one is not None], gone


def _change(
    store: ObjectStore, granule: Granule, recipe: RecipeSettings, made: list[str]
) -> Transaction:
    """A transaction on the granule's cube, which is made where there is none.

    Raises
    ------
    ConflictError
        Another writer has meanwhile made it, perhaps with other fields in another packing.
    """
    try:
        open_cube(store, granule.cube_id)
        if not granule.fits:
            raise ConflictError(
                f"another writer has meanwhile made cube '{granule.cube_id}'",
                subject=granule.cube_id,
            )
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
        attributes={
            **recipe.attributes,
            "history": f"{_now()} datacube ingest {granule.product}",
        },
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
    lost = 0
    with job.hands.filling(store, granule, job) as filling:
        records = _records(granule, job.source)
        change.expect(len(granule.slices))
        for position, (one, record) in enumerate(zip(granule.slices, records, strict=True)):
            known = own_revisions(change.revisions(one.ticks), one)
            lost += outranked(known, one, granule, job.recipe)
            writer = change.open_slice(
                one.ticks,
                record,
                bounds=_bounds(granule, position),
                revision=rank_of(known, granule, job.recipe),
            )
            filling.fill(writer, position)
            if known:  # where it brings nothing new, the next one gets its slot
                filling.finish()
    return lost


def _remember(change: Transaction, granule: Granule, job: Job) -> None:
    """Note a granule whose values are all there, so that the next run need not read it."""
    for one, record in zip(granule.slices, _records(granule, job.source), strict=True):
        change.add_source(record(), (one.ticks,))


def _records(granule: Granule, source: str) -> Iterator[Callable[[], SourceRecord]]:
    """What is noted of the granule with each of its slices; made when its name is known."""
    attributes = {}
    if timeliness := timeliness_of(granule.product):
        attributes["timeliness"] = timeliness
    if granule.bbox is not None:
        attributes["bbox"] = ",".join(f"{edge:.6g}" for edge in granule.bbox)
    if granule.processor:
        attributes["processor"] = granule.processor
    attributes |= fields_noted(granule)
    place = places_of(granule)
    starts = [one.reference_ticks for one in granule.slices if one.reference_ticks is not None]
    runs = iter(format_ticks(np.array(starts, np.int64)))  # at once: each alone takes as long
    for one in granule.slices:
        run = {} if one.reference_ticks is None else {"reference_time": next(runs)}
        yield partial(_record, granule, source, _now(), {**place, **run, **attributes})


def _record(granule: Granule, source: str, when: str, said: Mapping[str, str]) -> SourceRecord:
    checksum = granule.id.partition("@")[0] if granule.id.startswith("sha256:") else ""
    uri = without_secrets(source)
    return SourceRecord(granule.id, granule.product, uri, checksum, when, said)


def _bounds(granule: Granule, position: int) -> tuple[int, int] | None:
    time = granule.description.domain.time
    if time is None or time.bounds is None:
        return None
    first, last = time.bounds[position].tolist()
    return int(first), int(last)


def _remove(store: ObjectStore, made: Sequence[str]) -> None:
    """Remove cubes that were made here, into which nobody has written or does; the head first."""
    for cube_id in made:
        with suppress(CoverageNotFound, StorageError, SourceError):
            if writing_since(store, cube_id) is None and not open_cube(store, cube_id).sources:
                store.delete([head_key(cube_id)])
                store.delete(store.list(f"{cube_id}/"))
                _log.debug("removed the empty cube %s", cube_id)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
