"""Values of one field at the cells of an index map: plan, fetch the chunks, gather."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from datacube.engine.waiting import check_wanted
from datacube.model.fields import Field
from datacube.slicing.cells import IndexMap, PixelMap, ReadPlan, SeparableMap, Turn
from datacube.slicing.gather import gather
from datacube.slicing.plan import plan_read, stages, turns
from datacube.store.chunkrows import ChunkRows
from datacube.store.source import ChunkIndex, CubeSource

type Values = tuple[NDArray[np.generic], NDArray[np.bool_]]
type Plane = NDArray[np.generic]
type Fetched = Callable[[tuple[int, int]], Plane]

_HELD = 64 << 20  # bytes of decoded chunks that are held at a time
_FEW = 24 << 20  # bytes of chunks that the cache holds until they are looked at


def plan_field(cube: CubeSource, field: Field, level: int, cells: IndexMap) -> ReadPlan:
    """Which chunks of a field an index map on a level needs, at any one place."""
    height, width = cube.chunk_shape(field.name, level)[-2:]
    return plan_read(cells, (height, width))


def read_field(
    pool: ThreadPoolExecutor,
    cube: CubeSource,
    field: Field,
    level: int,
    plan: ReadPlan,
    place: tuple[int, ...],
) -> Values:
    """Stored values of a field for every target pixel, and where they are data.

    Parameters
    ----------
    pool : threads that read chunks at the same time
    cube : CubeSource
    level : int, the level that the plan's cells are on
    plan : ReadPlan
    place : index on each of the other axes, in array order

    Returns
    -------
    data : stored dtype, (y, x) of the target; nil (or 0) outside the cube
    valid : bool, (y, x)

    Raises
    ------
    StorageError
        A chunk is missing or damaged.
    """
    out = np.empty(plan.map.shape, field.dtype)
    read_stored(pool, cube, field, level, plan, place, out)
    good = field.valid(out)
    inside = mask_of(field, plan.map)
    if inside is not None:
        good &= inside
    return out, good


def read_stored(
    pool: ThreadPoolExecutor,
    cube: CubeSource,
    field: Field,
    level: int,
    plan: ReadPlan,
    place: tuple[int, ...],
    out: Plane,
) -> None:
    """Stored values of a field for every target pixel; as :func:`read_field`.

    Parameters
    ----------
    out : stored dtype, (y, x) of the target; filled
    """
    shape = cube.chunk_shape(field.name, level)
    if plan.map.gaps:
        out.fill(_nothing(field))
    chunk, within = split_place(place, shape[:-2])

    def fetched(places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Plane]:
        wanted = [(*chunk, *at) for at in places]
        found = fetch_chunks(pool, cube, field.name, level, wanted)
        return {(index[-2], index[-1]): one[within] for index, one in found.items()}

    reader = cube.row_reader(field.name, level, chunk)
    alone = isinstance(reader, ChunkRows)

    def fetched_rows(at: tuple[int, int]) -> Plane:
        values: Plane = reader(at, plan.rows[at])[within]
        return values

    held: dict[tuple[int, int], Plane] = {}
    for parts, needed in stages(plan, max(_HELD // (prod(shape) * out.itemsize), 1)):
        if alone or not _together(cube, field.name, level, [(*chunk, *at) for at in needed]):
            _gather_in_turn(turns(plan, parts), fetched_rows, out)
        else:
            kept = {at: held[at] for at in needed if at in held}
            held = kept | fetched([at for at in needed if at not in kept])
            gather(parts, held, out)


def mask_of(field: Field, cells: IndexMap) -> NDArray[np.bool_] | None:
    """Which target pixels lie on the cube: bool, (y, x); None where stored values say it."""
    if not cells.gaps or field.nil is not None or np.dtype(field.dtype).kind == "f":
        return None
    match cells:
        case SeparableMap(rows, columns):
            return (rows >= 0)[:, None] & (columns >= 0)
        case PixelMap():
            return ~cells.outside


def _together(cube: CubeSource, field: str, level: int, wanted: Sequence[ChunkIndex]) -> bool:
    """Whether chunks are read together: over a network, or where one object holds several."""
    return cube.remote or (len(wanted) > 1 and len(cube.groups(field, level, wanted)) < len(wanted))


def _gather_in_turn(parts: Iterable[Turn], fetched: Fetched, out: Plane) -> None:
    """Gather from each chunk as soon as it is there: the processor still has it at hand then.

    Raises
    ------
    Abandoned
        Nobody waits for it any more.
    """
    held: dict[tuple[int, int], Plane] = {}
    for part, new, done in parts:
        check_wanted()
        for at in new:
            held[at] = fetched(at)
        gather((part,), held, out)
        for at in done:
            del held[at]


@lru_cache(maxsize=1024)
def split_place(
    place: tuple[int, ...], lead: tuple[int, ...]
) -> tuple[ChunkIndex, tuple[int, ...]]:
    """Chunk of a place on the other axes, and the place within it."""
    both = [divmod(index, size) for index, size in zip(place, lead, strict=True)]
    return tuple(chunk for chunk, _ in both), tuple(inner for _, inner in both)


def fetch_chunks(
    pool: ThreadPoolExecutor,
    cube: CubeSource,
    field: str,
    level: int,
    wanted: Sequence[ChunkIndex],
) -> Mapping[ChunkIndex, NDArray[np.generic]]:
    """Chunks by index; those behind a network are read at the same time.

    From a disk of this machine the thread that asks reads them one after the other: they come from
    the system's memory, and other requests keep the other processors busy.

    Raises
    ------
    Abandoned
        Nobody waits for them any more.
    """
    check_wanted()
    if not cube.remote:
        return dict(zip(wanted, cube.chunks(field, level, wanted), strict=True))
    groups = cube.groups(field, level, wanted)

    def fetch(group: Sequence[ChunkIndex]) -> Sequence[NDArray[np.generic]]:
        return cube.chunks(field, level, group)

    read = pool.map(fetch, groups) if len(groups) > 1 else map(fetch, groups)
    return {
        index: values
        for group, chunks in zip(groups, read, strict=True)
        for index, values in zip(group, chunks, strict=True)
    }


def fetch_together(
    pool: ThreadPoolExecutor,
    cube: CubeSource,
    level: int,
    plans: Mapping[str, ReadPlan],
    place: tuple[int, ...],
) -> None:
    """Have the chunks of several fields read at the same time where a network lies before them.

    Whoever reads one field after the other finds them in the cache. Done where they are few.

    Parameters
    ----------
    plans : field -> its plan
    place : index on each of the other axes, in array order

    Raises
    ------
    StorageError
        A chunk cannot be read.
    """
    if not cube.remote or len(plans) < 2:
        return
    jobs: list[tuple[str, Sequence[ChunkIndex]]] = []
    nbytes = 0
    for name, plan in plans.items():
        shape = cube.chunk_shape(name, level)
        chunk, _ = split_place(place, shape[:-2])
        dtype = np.dtype(cube.description.range_type.field(name).dtype)
        nbytes += len(plan.chunks) * prod(shape) * dtype.itemsize
        groups = cube.groups(name, level, [(*chunk, *at) for at in plan.chunks])
        jobs += [(name, group) for group in groups]
    if nbytes <= _FEW:
        check_wanted()
        for _ in pool.map(lambda job: cube.chunks(job[0], level, job[1]), jobs):
            pass


def fetch_rows(
    pool: ThreadPoolExecutor,
    cube: CubeSource,
    field: str,
    level: int,
    wanted: Sequence[ChunkIndex],
    rows: tuple[int, int],
) -> Mapping[ChunkIndex, NDArray[np.generic]]:
    """The same of chunks of which only the rows from … to before … have to be right."""
    if _together(cube, field, level, wanted):
        return fetch_chunks(pool, cube, field, level, wanted)
    check_wanted()
    return {index: cube.row_reader(field, level, index[:-2])(index[-2:], rows) for index in wanted}


def _nothing(field: Field) -> int | float:
    if field.nil is not None:
        return field.nil
    return np.nan if np.dtype(field.dtype).kind == "f" else 0
