"""Large cubes in small stores: most chunks are not written, or all times have the same bytes."""

from pathlib import Path

import numpy as np

from datacube.model.fields import Field
from datacube.store.create import create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.manifest import SourceRecord
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from tests.cubes import make_description, repeat_slices

DAY = 86_400_000
CHUNK = 512
NIL = -32768


def pattern(row: int, column: int, height: int, width: int) -> np.ndarray:
    """Values of a chunk whose first cell is (row, column): (7 * y + x) modulo 30011; int16."""
    y, x = np.arange(row, row + height)[:, None], np.arange(column, column + width)
    return ((7 * y + x) % 30_011).astype("int16")


def sparse_cube(
    store_url: Path, cube_id: str, width: int, height: int, every: int = 37
) -> CubeStore:
    """A cube without time of one int16 field ``v``; one chunk of ``every`` holds the pattern."""
    store = open_store(str(store_url))
    field = Field("v", "int16", uom="K", nil=NIL, scale=0.01, offset=273.15)
    made = make_description(
        cube_id, width=width, height=height, timed=False, fields=(field,), title="Sparse"
    )
    create_cube(store, made, chunks={"x": CHUNK, "y": CHUNK}, levels=1)
    across = -(-width // CHUNK)
    count = across * -(-height // CHUNK)
    with (
        transaction(store, cube_id, "made") as tx,
        tx.open_slice(None, SourceRecord("made")) as out,
    ):
        for number in range(0, count, every):
            row, column = (CHUNK * one for one in divmod(number, across))
            size = min(CHUNK, height - row), min(CHUNK, width - column)
            out.write("v", (), row, column, pattern(row, column, *size))
    return open_cube(store, cube_id)


def daily_cube(store_url: Path, cube_id: str, steps: int, written: int) -> CubeStore:
    """A cube of 1306 x 379 int16 cells and so many days: value 10 * y + x + t modulo 5.

    Only the first days are written; the others are listed with their chunks, in turn.
    """
    store = open_store(str(store_url))
    made = make_description(
        cube_id,
        width=1306,
        height=379,
        bbox=(-10, 30, 40, 60),
        fields=(Field("v", "int16", nil=NIL),),
    )
    create_cube(store, made, levels=1)  # the map looks closer than the cells anyway
    y, x = np.arange(379)[:, None], np.arange(1306)
    base = (10 * y + x).astype("int16")
    with transaction(store, cube_id, "made") as tx:
        for t in range(written):
            tx.write_slice(t * DAY, {"v": base + np.int16(t % 5)}, SourceRecord(str(t)))
    return repeat_slices(store, cube_id, range(0, steps * DAY, DAY))


def noise_cube(store_url: Path, cube_id: str, width: int, height: int) -> CubeStore:
    """A cube without time of random int16 numbers, some of them missing."""
    store = open_store(str(store_url))
    made = make_description(
        cube_id, width=width, height=height, timed=False, fields=(Field("v", "int16", nil=NIL),)
    )
    create_cube(store, made, levels=1)
    values = np.random.default_rng(1).integers(NIL, -NIL, (height, width), "int16")
    with transaction(store, cube_id, "made") as tx:
        tx.write_slice(None, {"v": values}, SourceRecord("made"))
    return open_cube(store, cube_id)


def scene_cube(store_url: Path, cube_id: str, side: int) -> CubeStore:
    """Three fields of a scene in UTM on two days: smooth with noise, and some of it missing."""
    store = open_store(str(store_url))
    fields = (
        Field("t", "int16", nil=NIL, scale=0.01),
        Field("u", "float32", standard_name="eastward_wind"),
        Field("v", "float32", standard_name="northward_wind"),
    )
    made = make_description(
        cube_id, width=side, height=side, fields=fields, crs="EPSG:32632",
        bbox=(6e5, 5.3e6 - 10.0 * side, 6e5 + 10.0 * side, 5.3e6),
    )  # fmt: skip
    create_cube(store, made)
    y, x = np.arange(side)[:, None] / 300, np.arange(side) / 300
    noise = np.random.default_rng(1).random((side, side), "float32")
    wave = (np.sin(x) * np.cos(y)).astype("float32")
    values = {
        "t": np.where(noise < 0.01, NIL, 2000 * wave + 100 * noise).astype("int16"),
        "u": 10 * wave + noise,
        "v": 10 * wave.T - noise,
    }
    with transaction(store, cube_id, "made") as tx:
        for day in range(2):
            tx.write_slice(day * DAY, values, SourceRecord(str(day)))
    return open_cube(store, cube_id)
