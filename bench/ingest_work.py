"""One way of writing a source, in a process of its own: ``python -m bench.ingest_work WAY CASE``.

``ours`` is ``datacube ingest``; ``plain`` compresses and writes the samples, which lie in memory
before the clock starts, in the same chunks with the same codec on as many threads; ``all`` does so
with the overviews too, every array that ingest writes; ``durable`` does the same and syncs it by
what ingest syncs with; ``read`` does what ``durable`` does, but reads the samples from the file, as
ingest reads them; ``one`` does what ``all`` does on one thread; ``xarray`` opens the same file and
calls ``to_zarr`` with the same chunks and codec. The process prints one line of JSON: seconds,
processor seconds and the peak of resident memory, children included. What it has written is left
behind empty, for the reason that :mod:`bench.ingest` tells.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.ingest_data import CASES, FOLDER, Case, slices_of

SIDE = 512
THREADS = 2

type Work = Callable[[], None]


def main(way: str, name: str) -> None:
    """Prepare, then measure."""
    case = next(one for one in CASES if one.name == name)
    target = FOLDER / f"out-{way}-{name}-{os.getpid()}"
    try:
        work = WORK[way](case, target)
        before, begin = _processor(), time.perf_counter()
        work()
        seconds, processor = time.perf_counter() - begin, _processor() - before
        stored = sum(one.stat().st_size for one in target.rglob("*") if one.is_file())
    finally:
        for one in target.rglob("*"):
            if one.is_file():
                os.truncate(one, 0)
    peak = sum(
        resource.getrusage(who).ru_maxrss * 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    found = {"seconds": seconds, "processor": processor, "peak": peak, "stored": stored}
    print(json.dumps(found))


def ours(case: Case, target: Path) -> Work:
    """The command's own functions."""
    from datacube.ingest.pipeline import ingest  # noqa: PLC0415  loads PROJ
    from datacube.store.heap import keep_freed  # noqa: PLC0415

    def work() -> None:
        keep_freed()
        report = ingest([str(case.path)], store=str(target))
        if report.exit_code:
            raise SystemExit(report.results[0].line)

    return work


def plain(case: Case, target: Path) -> Work:
    """Chunks of the samples through the codec into files."""
    return _write([_Array(*one) for one in _samples(case)], target)


def everything(case: Case, target: Path, *, threads: int = THREADS, durable: bool = False) -> Work:
    """The same of the samples and their overviews."""
    return _write(_levels(case), target, threads, durable=durable)


def read(case: Case, target: Path) -> Work:
    """The same, synced; the samples are read by the threads that write them."""
    from datacube.ingest.readers import default_readers, find_reader  # noqa: PLC0415
    from datacube.ingest.source import ReadOptions  # noqa: PLC0415
    from datacube.store.heap import keep_freed  # noqa: PLC0415

    above = [one for one in _levels(case) if not one.name.startswith("0/")]
    reader = find_reader(default_readers(), case.path)
    assert reader is not None
    writer = _Writer(target, durable=True)

    def copied(band: Any, window: tuple[int, int, int, int], folder: Path) -> None:
        values = band.read((), *window)
        shape = tuple(min(SIDE, side) for side in case.shape[2:])
        for row in range(0, values.shape[0], SIDE):
            for column in range(0, values.shape[1], SIDE):
                path = folder / f"{window[0] + row}.{window[2] + column}"
                writer.write(path, values[row : row + SIDE, column : column + SIDE], shape)

    def work() -> None:
        keep_freed()
        writer.begin()
        with (
            reader.open(case.path.absolute(), ReadOptions()) as (granule,),
            ThreadPoolExecutor(THREADS) as pool,
        ):
            jobs = [pool.submit(writer.write, *one) for one in _parts(above, target)]
            for number, one in enumerate(granule.slices):
                for name, band in one.bands.items():
                    folder = target / f"0/{name}/c/{number}"
                    folder.mkdir(parents=True)
                    jobs += [pool.submit(copied, band, window, folder) for window in _fours(case)]
            for job in jobs:
                job.result()
        writer.end()

    return work


def _fours(case: Case) -> Iterator[tuple[int, int, int, int]]:
    """Windows of two by two chunks, as ingest reads them; a small plane is one."""
    height, width = case.shape[2:]
    side = max(height, width) if height * width <= 4 * SIDE**2 else 2 * SIDE
    for row in range(0, height, side):
        for column in range(0, width, side):
            yield row, min(row + side, height), column, min(column + side, width)


def _levels(case: Case) -> "list[_Array]":
    """The samples and their overviews in memory."""
    from datacube.model.fields import Field  # noqa: PLC0415
    from datacube.store.layout import ChunkGrid  # noqa: PLC0415
    from datacube.store.overview import Pyramid  # noqa: PLC0415

    found = []
    for name, values in _samples(case):
        levels = [values]
        while max(levels[-1].shape) > SIDE:
            halves = [-(-side // 2) for side in levels[-1].shape]
            levels.append(np.empty(halves, values.dtype))
        sides = [(one.shape[0], one.shape[1]) for one in levels]
        grids = tuple(ChunkGrid(h, w, min(SIDE, h), min(SIDE, w)) for h, w in sides)
        field = Field("v", values.dtype.name, nil=case.nil)
        pyramid = Pyramid(field, grids)
        for row, column in np.ndindex(*grids[0].counts):
            part = values[grids[0].cells(row, column)]
            for level, place, made in pyramid.add(row, column, part):
                levels[level][grids[level].cells(*place)] = made
        found += [_Array(f"{level}/{name}", one) for level, one in enumerate(levels)]
    return found


@dataclass(frozen=True, eq=False)
class _Array:
    name: str
    values: NDArray[Any]


def _samples(case: Case) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every plane of a source in memory."""
    for number, fields in enumerate(slices_of(case)):
        for name, values in fields.items():
            yield f"{name}/c/{number}", values


def _write(
    arrays: Sequence[_Array], target: Path, threads: int = THREADS, *, durable: bool = False
) -> Work:
    writer = _Writer(target, durable=durable)

    def work() -> None:
        writer.begin()
        with ThreadPoolExecutor(threads) as pool:
            for job in [pool.submit(writer.write, *one) for one in _parts(arrays, target)]:
                job.result()
        writer.end()

    return work


class _Writer:
    """Chunks through the codec into files below a folder, synced as ingest syncs or not."""

    def __init__(self, target: Path, *, durable: bool) -> None:
        from numcodecs import Blosc  # noqa: PLC0415

        from datacube.store.durable import Disk  # noqa: PLC0415

        self._target = target
        self._disk = Disk(str(target.parent)) if durable else None
        self._codec = Blosc("lz4", 5, Blosc.SHUFFLE)

    def begin(self) -> None:
        if self._disk is not None:
            self._disk.watch()

    def write(self, path: Path, part: NDArray[Any], shape: tuple[int, ...]) -> None:
        whole = np.zeros(shape, part.dtype)
        whole[: part.shape[0], : part.shape[1]] = part
        written = path.write_bytes(self._codec.encode(whole))
        if self._disk is not None:
            self._disk.wrote(written)

    def end(self) -> None:
        if self._disk is not None:
            self._disk.sync([str(one) for one in (self._target, *self._target.rglob("*"))])


def _parts(
    arrays: Sequence[_Array], target: Path
) -> Iterator[tuple[Path, NDArray[Any], tuple[int, ...]]]:
    """File, values and whole shape of every chunk; folders are made on the way."""
    for one in arrays:
        folder = target / one.name
        folder.mkdir(parents=True)
        shape = tuple(min(SIDE, side) for side in one.values.shape)
        for row in range(0, one.values.shape[0], SIDE):
            for column in range(0, one.values.shape[1], SIDE):
                part = one.values[row : row + SIDE, column : column + SIDE]
                yield folder / f"{row}.{column}", part, shape


def to_zarr(case: Case, target: Path) -> Work:
    """What xarray's users write."""
    import pyproj  # noqa: F401, PLC0415  before ecCodes
    import xarray as xr  # noqa: PLC0415
    from zarr.codecs import BloscCodec  # noqa: PLC0415

    codec = BloscCodec(cname="lz4", clevel=5, shuffle="shuffle")

    def work() -> None:
        if case.name == "scene":
            import rioxarray  # noqa: PLC0415

            opened: Any = rioxarray.open_rasterio(case.path, band_as_variable=True)
        elif case.name == "grib":
            opened = xr.open_dataset(case.path, engine="cfgrib", backend_kwargs={"indexpath": ""})
        else:
            opened = xr.open_dataset(case.path, engine="netcdf4", mask_and_scale=False)
        with opened:
            encoding = {}
            for name, values in opened.data_vars.items():
                values.encoding.clear()
                values.attrs.pop("_FillValue", None)
                *front, rows, columns = values.shape
                chunks = (*[1] * len(front), min(rows, SIDE), min(columns, SIDE))
                encoding[name] = {"chunks": chunks, "compressors": (codec,)}
            opened.to_zarr(target, encoding=encoding, zarr_format=3, consolidated=False)

    return work


WORK = {
    "ours": ours,
    "plain": plain,
    "all": everything,
    "durable": partial(everything, durable=True),
    "read": read,
    "one": partial(everything, threads=1),
    "xarray": to_zarr,
}


def _processor() -> float:
    """Seconds of all threads, and of children that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


if __name__ == "__main__":
    main(*sys.argv[1:])
