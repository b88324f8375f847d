"""One way of writing a source, in a process of its own: ``python -m bench.ingest_work WAY CASE``.

``ours`` is ``datacube ingest``; ``plain`` compresses and writes the arrays, which lie in memory
before the clock starts, chunk by chunk with the same codec on as many threads; ``xarray`` opens
the same file and calls ``to_zarr`` with the same chunks and codec. The process prints one line of
JSON: seconds, processor seconds and the peak of resident memory, children included.
"""

import json
import resource
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.ingest_data import CASES, FOLDER, Case, slices_of

SIDE = 512
THREADS = 2

type Work = Callable[[], None]


def main(way: str, name: str) -> None:
    """Prepare, then measure."""
    case = next(one for one in CASES if one.name == name)
    target = FOLDER / f"out-{way}-{name}"
    shutil.rmtree(target, ignore_errors=True)
    try:
        work = {"ours": ours, "plain": plain, "xarray": to_zarr}[way](case, target)
        before, begin = _processor(), time.perf_counter()
        work()
        seconds, processor = time.perf_counter() - begin, _processor() - before
        stored = sum(one.stat().st_size for one in target.rglob("*") if one.is_file())
    finally:
        shutil.rmtree(target, ignore_errors=True)
    peak = sum(
        resource.getrusage(who).ru_maxrss * 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    found = {"seconds": seconds, "processor": processor, "peak": peak, "stored": stored}
    print(json.dumps(found))


def ours(case: Case, target: Path) -> Work:
    """The command's own function."""
    from datacube.ingest.pipeline import ingest  # noqa: PLC0415  loads PROJ

    def work() -> None:
        report = ingest([str(case.path)], store=str(target))
        if report.exit_code:
            raise SystemExit(report.results[0].line)

    return work


def plain(case: Case, target: Path) -> Work:
    """Chunks of the arrays through the codec into files."""
    import numpy as np  # noqa: PLC0415
    from numcodecs import Blosc  # noqa: PLC0415

    slices = slices_of(case)
    codec = Blosc("lz4", 5, Blosc.SHUFFLE)

    def write(path: Path, part: Any) -> None:
        whole = np.zeros((SIDE, SIDE), part.dtype)
        whole[: part.shape[0], : part.shape[1]] = part
        path.write_bytes(codec.encode(whole))

    def work() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            jobs = []
            for number, fields in enumerate(slices):
                for name, values in fields.items():
                    folder = target / name / "c" / str(number)
                    folder.mkdir(parents=True)
                    for row in range(0, values.shape[0], SIDE):
                        for column in range(0, values.shape[1], SIDE):
                            part = values[row : row + SIDE, column : column + SIDE]
                            jobs.append(pool.submit(write, folder / f"{row}.{column}", part))
            for job in jobs:
                job.result()

    return work


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


def _processor() -> float:
    """Seconds of all threads, and of children that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


if __name__ == "__main__":
    main(*sys.argv[1:])
