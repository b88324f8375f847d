"""Ingest by the workers of a dask.distributed scheduler: what one process does, value for value."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from datacube.config.products import MosaicSettings, RecipeSettings
from datacube.errors import InvalidParameter, StorageError
from datacube.ingest import cluster as module
from datacube.ingest.pipeline import ingest
from datacube.ingest.report import BytesRead, SlicePlanned
from datacube.store.cube import open_cube
from datacube.store.maintain import verify
from datacube.store.url import open_store
from tests.cubes import read_level, time_of

REPOSITORY = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH = 520, 700
RECIPE = RecipeSettings(chunk=128)
IN_ICECHUNK = RecipeSettings(chunk=128, storage="icechunk")
STORAGES = ["plain", "icechunk"]


class Processes:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._where = folder / "scheduler.json"
        self._folder = folder
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self._all = [self._started("dask_scheduler", *options, "--scheduler-file", self._where)]

    @property
    def address(self) -> str:
        for _ in range(600):
            if self._where.exists() and (text := self._where.read_text()):
                return json.loads(text)["address"]
            time.sleep(0.1)
        raise AssertionError("no scheduler")

    def worker(self) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "1GiB")
        return self._started("dask_worker", self.address, *options)

    def stop(self) -> None:
        for one in self._all:
            one.kill()
            one.wait()

    def _started(self, name: str, *arguments: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{name}", *map(str, arguments)],
            cwd=REPOSITORY,
            env=os.environ | {"DASK_TEMPORARY_DIRECTORY": str(self._folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._all.append(process) if name == "dask_worker" else None
        return process


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    found = Processes(tmp_path_factory.mktemp("dask"))
    found.workers = [found.worker(), found.worker()]
    yield found
    found.stop()


def make_source(folder: Path, count: int, seed: int = 0, first: int = 0) -> str:
    """Times of many chunks each, with gaps, deflated."""
    folder.mkdir(exist_ok=True)
    path = folder / f"sst{seed}.nc"
    rng = np.random.default_rng(seed)
    with netCDF4.Dataset(path, "w") as file:
        for name, values, units in (
            ("time", first + np.arange(count), "days since 2020-01-01"),
            ("lat", 60 - np.arange(HEIGHT) * 0.125, "degrees_north"),
            ("lon", np.arange(WIDTH) * 0.125, "degrees_east"),
        ):
            file.createDimension(name, len(values))
            one = file.createVariable(name, "f8", (name,))
            one.units = units
            one[:] = values
        dimensions = ("time", "lat", "lon")
        v = file.createVariable("v", "i2", dimensions, zlib=True, fill_value=-1)
        for day in range(count):
            values = rng.integers(0, 3000, (HEIGHT, WIDTH)).astype("i2")
            values[: HEIGHT // 3, : WIDTH // (day + 2)] = -1
            v[day] = values
    return str(path)


def same_cube(first: str, second: str) -> None:
    """Every level of every time; lengths, checksums and statistics too, which name the slices."""
    same_values(first, second)
    cubes = [open_cube(open_store(url), "sst") for url in (first, second)]
    names = [{part.ticks: part.name for part in cube.record.slices} for cube in cubes]
    assert names[0] == names[1]


def same_values(first: str, second: str) -> None:
    """Every level of every time, and nothing of it damaged."""
    one, other = (open_cube(open_store(url), "sst") for url in (first, second))
    assert time_of(one).iso == time_of(other).iso
    for t in range(time_of(one).size):
        for level in range(len(one.description.levels)):
            expected, found = (read_level(cube, "v", t, level) for cube in (one, other))
            np.testing.assert_array_equal(found, expected)
    assert verify(other) == []


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [RECIPE, IN_ICECHUNK], ids=STORAGES)
def test_a_cluster_makes_the_same_cube(processes, tmp_path, monkeypatch, recipe):
    monkeypatch.setattr("datacube.ingest.filling.WINDOW_BYTES", 2**18)  # units of 2 x 2 chunks
    source = make_source(tmp_path / "in", 3)
    alone, together = str(tmp_path / "alone"), str(tmp_path / "together")
    assert ingest([source], store=alone, cube="sst", recipe=RECIPE).exit_code == 0
    events: list[object] = []
    (result,) = ingest(
        [source],
        store=together,
        cube="sst",
        recipe=recipe,
        scheduler=processes.address,
        report=events.append,
    ).results
    assert (result.status, result.slices_added) == ("ingested", 3), result
    same_cube(alone, together)
    read = [one.bytes for one in events if isinstance(one, BytesRead)]
    assert sum(read) == sum(one.bytes for one in events if isinstance(one, SlicePlanned))
    assert len(read) == 3 * 3 * 3
    again = ingest([source], store=together, cube="sst", recipe=recipe, scheduler=processes.address)
    assert [one.status for one in again.results] == ["already"]


@pytest.mark.slow
@pytest.mark.parametrize("storage", STORAGES)
def test_mosaics_are_laid_over_what_is_there(processes, tmp_path, storage):
    recipe = RecipeSettings(chunk=128, mosaic=MosaicSettings("max"), storage=storage)
    sources = [make_source(tmp_path / "in", 2, seed) for seed in (1, 2)]
    alone, together = str(tmp_path / "alone"), str(tmp_path / "together")
    assert ingest(sources, store=alone, cube="sst", recipe=recipe).exit_code == 0
    report = ingest(sources, store=together, cube="sst", recipe=recipe, scheduler=processes.address)
    assert report.exit_code == 0, report
    same_cube(alone, together)


@pytest.mark.slow
def test_what_was_deleted_comes_back_by_a_cluster(processes, tmp_path):
    source = make_source(tmp_path / "in", 3, seed=7)
    alone, together = str(tmp_path / "alone"), str(tmp_path / "together")
    options = {"cube": "sst", "recipe": RECIPE}
    for store in (alone, together):
        ingest([source], store=store, **options)
    cube = open_cube(open_store(together), "sst")
    with cube.transaction("wrong") as tx:
        tx.delete(int(time_of(cube).ticks[1]))
    report = ingest([source], store=together, **options, again=True, scheduler=processes.address)
    assert report.results[0].slices_added == 1, report
    same_values(alone, together)


@pytest.mark.slow
def test_the_memory_of_a_worker_does_not_grow_with_the_source(processes, tmp_path):
    path, side = tmp_path / "scene_20240601.tif", 8192
    kind = {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512}
    place = {"crs": "EPSG:32632", "transform": from_origin(600_000, 5_700_000, 10, 10)}
    size = {"count": 3, "height": side, "width": side, "dtype": "uint16"}
    with rasterio.open(
        path, "w", **kind, **place, **size, compress="deflate", interleave="band"
    ) as file:
        for band in (1, 2, 3):
            file.write(np.full((side, side), band, np.uint16), band)
    store = str(tmp_path / "store")
    assert ingest([str(path)], store=store, scheduler=processes.address).exit_code == 0
    raw = 3 * side * side * 2
    peaks = [peak_of(one) for one in processes.workers]
    assert max(peaks) < 350e6 < raw, peaks


def peak_of(process: subprocess.Popen[bytes]) -> int:
    """Most bytes that a process has held."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.slow
def test_others_commit_while_a_cluster_writes_into_a_repository(processes, tmp_path, monkeypatch):
    monkeypatch.setattr("datacube.ingest.filling.WINDOW_BYTES", 2**18)
    first, second, third = (make_source(tmp_path / "in", 2, seed, 10 * seed) for seed in (3, 1, 2))
    alone, together = str(tmp_path / "alone"), str(tmp_path / "together")
    for source in (first, second, third):
        ingest([source], store=alone, cube="sst", recipe=RECIPE)
    ingest([first], store=together, cube="sst", recipe=IN_ICECHUNK)
    seen: list[object] = []

    def tell(event: object) -> None:
        if isinstance(event, BytesRead) and not seen:
            seen.append(event)
            ingest([third], store=together, cube="sst", recipe=IN_ICECHUNK)

    report = ingest(
        [second],
        store=together,
        cube="sst",
        recipe=IN_ICECHUNK,
        scheduler=processes.address,
        report=tell,
    )
    assert report.exit_code == 0, report
    cube = open_cube(open_store(together), "sst")
    assert (cube.version, time_of(cube).size) == (4, 6)
    same_values(alone, together)


@pytest.mark.slow
@pytest.mark.parametrize("storage", STORAGES)
def test_what_a_cube_without_time_holds_is_never_overwritten(processes, tmp_path, storage):
    recipe, store = RecipeSettings(chunk=128, storage=storage), str(tmp_path / "store")
    first, second = (make_map(tmp_path / f"{value}.nc", value) for value in (3, 4))
    ingest([first], store=store, cube="sst", recipe=recipe)
    (result,) = ingest(
        [second], store=store, cube="sst", recipe=recipe, scheduler=processes.address
    ).results
    assert (result.status, "already holds other values" in result.reason) == ("failed", True)
    cube = open_cube(open_store(store), "sst")
    assert verify(cube) == []
    assert (cube.chunk("v", 0, (0, 0)) == 3).all()


def make_map(path: Path, value: int) -> str:
    """The same value everywhere, at no time."""
    with netCDF4.Dataset(path, "w") as file:
        for name, count, units in (("lat", 256, "degrees_north"), ("lon", 384, "degrees_east")):
            file.createDimension(name, count)
            one = file.createVariable(name, "f8", (name,))
            one.units = units
            one[:] = np.arange(count) * 0.125
        v = file.createVariable("v", "i2", ("lat", "lon"), fill_value=-1)
        v[:] = value
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [RECIPE, IN_ICECHUNK], ids=STORAGES)
def test_a_killed_worker_loses_nothing(processes, tmp_path, monkeypatch, recipe):
    monkeypatch.setattr("datacube.ingest.filling.WINDOW_BYTES", 2**18)
    source = make_source(tmp_path / "in", 6)
    alone, together = str(tmp_path / "alone"), str(tmp_path / "together")
    ingest([source], store=alone, cube="sst", recipe=RECIPE)
    seen: list[int] = []

    def tell(event: object) -> None:
        if isinstance(event, BytesRead):
            seen.append(event.bytes)
            if len(seen) == 4:
                processes.workers.pop(0).kill()
                processes.workers.append(processes.worker())

    report = ingest(
        [source],
        store=together,
        cube="sst",
        recipe=recipe,
        scheduler=processes.address,
        report=tell,
    )
    assert report.exit_code == 0, report
    same_cube(alone, together)


@pytest.mark.slow
def test_what_fails_on_a_worker_leaves_no_trace(processes, tmp_path):
    source = make_source(tmp_path / "in", 3)
    data = bytearray(Path(source).read_bytes())
    data[len(data) // 2] ^= 0xFF
    Path(source).write_bytes(data)
    store = str(tmp_path / "store")
    (result,) = ingest(
        [source], store=store, cube="sst", recipe=RECIPE, scheduler=processes.address
    ).results
    assert (result.status, result.slices_added) == ("refused", 0)
    assert open_store(store).list("sst") == []


def test_without_scheduler_or_workers_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ANSWER", 0.5)
    with pytest.raises(StorageError, match=r"tcp://127\.0\.0\.1:9 does not answer"):
        ingest(["none.nc"], store=str(tmp_path), scheduler="tcp://127.0.0.1:9")
    with pytest.raises(StorageError, match="somewhere does not answer"):
        ingest(["none.nc"], store=str(tmp_path), scheduler="somewhere")


def test_without_the_package_it_is_said(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, module.__name__)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidParameter, match=r"pip install 'datacube-server\[distributed\]'"):
        ingest(["none.nc"], store=str(tmp_path), scheduler="tcp://127.0.0.1:8786")
