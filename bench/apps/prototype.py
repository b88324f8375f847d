"""The bare pipeline over our own chunks, for closed requests: no protocol, no plan, no limits.

A request is ``/W1?…`` with numbers that the asker has already worked out. Chunks are read and
decoded anew each time; nothing is cached but what a process knows for ever (tables, PROJ).
"""

import os
import struct
from binascii import crc32
from functools import lru_cache
from itertools import pairwise
from math import atan, ceil, pi, sinh
from urllib.parse import parse_qsl

import numpy as np
from isal import isal_zlib
from matplotlib import colormaps
from netCDF4 import Dataset
from numcodecs import blosc
from pyproj import Transformer

STORE = os.environ["BENCH_STORE"]
R = 20_037_508.342789244
blosc.use_threads = False
SHAPES = {
    name: tuple(map(int, text.split(",")))
    for name, text in (part.split("=") for part in os.environ["BENCH_SHAPES"].split(";"))
}
DAYS, SST_H, SST_W = SHAPES["sst"]
S2_SIDE = SHAPES["s2"][1]
_, LEVELS, OCEAN_H, OCEAN_W = SHAPES["ocean"]
C = 512
PACKED = np.empty(2 << 20, np.uint8)
DECODED = np.empty(C * C * 4, np.uint8)


def chunk(path, dtype, height, width):
    """One chunk, good until the next is asked for; None where nothing was written."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            size = file.readinto(PACKED)
    except FileNotFoundError:
        return None
    height, width = min(C, height), min(C, width)
    values = DECODED[: height * width * np.dtype(dtype).itemsize].view(dtype)
    blosc.decompress(PACKED[:size], values)
    return values.reshape(height, width)


def folder(cube, level, field, *lead):
    over = f"overviews/{level}/" if level else ""
    return f"{STORE}/{cube}/{over}{field}/c/" + "".join(f"{one}/" for one in lead)


def separable(base, dtype, nil, rows, columns, shape):
    """Values at rows x columns of a level."""
    out = np.full((len(rows), len(columns)), nil, dtype)
    for r0, r1, row in runs(rows // C):
        for c0, c1, column in runs(columns // C):
            values = chunk(f"{base}{row}/{column}", dtype, *shape)
            if values is not None:
                out[r0:r1, c0:c1] = values.take(rows[r0:r1] - row * C, 0).take(
                    columns[c0:c1] - column * C, 1
                )
    return out


def runs(chunks):
    edges = [0, *(np.flatnonzero(np.diff(chunks)) + 1).tolist(), len(chunks)]
    return [(a, b, int(chunks[a])) for a, b in pairwise(edges) if chunks[a] >= 0]


def window(base, dtype, nil, shape, r0, r1, c0, c1):
    """A window of whole cells."""
    out = np.full((r1 - r0, c1 - c0), nil, dtype)
    for row in range(r0 // C, (r1 - 1) // C + 1):
        for column in range(c0 // C, (c1 - 1) // C + 1):
            values = chunk(f"{base}{row}/{column}", dtype, *shape)
            if values is None:
                continue
            a, b = max(r0, row * C), min(r1, (row + 1) * C)
            left, right = max(c0, column * C), min(c1, (column + 1) * C)
            out[a - r0 : b - r0, left - c0 : right - c0] = values[
                a - row * C : b - row * C, left - column * C : right - column * C
            ]
    return out


@lru_cache(1)
def sst_table():
    values = np.arange(65536, dtype=np.uint32).astype(np.uint16).view(np.int16)
    index = np.clip((values * 0.01 / 30 * 255), 0, 254).astype(np.uint8) + 1
    index[values == -32768] = 0
    colors = (colormaps["viridis"](np.linspace(0, 1, 255))[:, :3] * 255).astype(np.uint8)
    palette = np.concatenate([np.zeros((1, 3), np.uint8), colors])
    return index, piece(b"PLTE", palette.tobytes()) + piece(b"tRNS", b"\0")


def piece(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(data, crc32(kind)))


def png(kind, rows, width, before=b""):
    head = struct.pack(">IIBBBBB", width, len(rows), 8, kind, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            piece(b"IHDR", head),
            before,
            piece(b"IDAT", isal_zlib.compress(rows, 1)),
            piece(b"IEND", b""),
        )
    )


def indexed(index, before):
    rows = np.zeros((index.shape[0], index.shape[1] + 1), np.uint8)
    rows[:, 1:] = index
    return png(3, rows, index.shape[1], before)


def sst_png(packed):
    index, before = sst_table()
    return indexed(index.take(packed.view(np.uint16)), before)


def level_of(ratio, count):
    return min(max(int(np.floor(np.log2(max(ratio, 1e-9)) + 1e-6)), 0), count - 1)


def level_count(height, width):
    return 1 + max(0, ceil(np.log2(max(height, width) / C)))


def shape_of(height, width, level):
    return -(-height // 2**level), -(-width // 2**level)


def sst_map(day, rows, columns, ratio):
    level = level_of(ratio, level_count(SST_H, SST_W))
    shape = shape_of(SST_H, SST_W, level)
    return separable(
        folder("sst", level, "sst", day), np.int16, -32768, rows >> level, columns >> level, shape
    )


def w1(z, x, y, day):
    side = 2 * R / 2**z
    north = R - (y * side + (np.arange(256) + 0.5) * side / 256)
    lat = np.degrees(np.arctan(np.sinh(north * (pi / R))))
    rows = ((90 - lat) * (SST_H / 180)).astype(np.intp)
    columns = ((x * side + (np.arange(256) + 0.5) * side / 256) * (SST_W / (2 * R))).astype(np.intp)
    top, bottom = (atan(sinh(pi * (R - e * side) / R)) for e in (y, y + 1))
    ratio = max(SST_W / 256 / 2**z, (top - bottom) / pi * SST_H / 256)
    return sst_png(sst_map(day, rows, columns, ratio))


def degrees_cells(left, bottom, right, top, width, height):
    lon = left + (np.arange(width) + 0.5) * ((right - left) / width)
    lat = top - (np.arange(height) + 0.5) * ((top - bottom) / height)
    return ((90 - lat) * (SST_H / 180)).astype(np.intp), ((lon + 180) * (SST_W / 360)).astype(
        np.intp
    )


def w3(left, bottom, right, top, width, height, day):
    rows, columns = degrees_cells(left, bottom, right, top, width, height)
    return sst_png(sst_map(day, rows, columns, (right - left) / width * SST_W / 360))


def w7(left, bottom, right, top, width, height):
    rows, columns = degrees_cells(left, bottom, right, top, width, height)
    ratio = (right - left) / width * SST_W / 360
    total = np.zeros((height, width), np.int32)
    count = np.zeros((height, width), np.int32)
    for day in range(DAYS):
        packed = sst_map(day, rows, columns, ratio)
        good = packed != -32768
        total += np.where(good, packed, 0)
        count += good
    mean = np.where(count > 0, total / np.maximum(count, 1), -32768)
    return sst_png(mean.astype(np.int16))


TO_UTM = Transformer.from_crs("EPSG:3857", "EPSG:32632", always_xy=True)


@lru_cache(4)
def weights(size):
    at = (np.arange(size) + 0.5) * (8 / size)
    left = np.minimum(at.astype(int), 7)
    result = np.zeros((size, 9))
    result[np.arange(size), left] = 1 - (at - left)
    result[np.arange(size), left + 1] = at - left
    return result


def s2_cells(left, bottom, right, top, width, height):
    xs, ys = np.meshgrid(np.linspace(left, right, 9), np.linspace(top, bottom, 9))
    e, n = TO_UTM.transform(xs, ys)
    u, v = (e - 600_000.0) / 10, (5_700_000.0 - n) / 10
    ratio = max(
        np.hypot(u[4, 4] - u[4, 3], v[4, 4] - v[4, 3]) * 8 / width,
        np.hypot(u[4, 4] - u[3, 4], v[4, 4] - v[3, 4]) * 8 / height,
    )
    down, across = weights(height), weights(width).T
    return (down @ u @ across).astype(np.int32), (down @ v @ across).astype(np.int32), ratio


def s2_values(bands, box, width, height, date):
    """Bands at the pixels: read the window of the level, pick by one flat index."""
    columns, rows, ratio = s2_cells(*box, width, height)
    level = level_of(ratio, level_count(S2_SIDE, S2_SIDE))
    shape = shape_of(S2_SIDE, S2_SIDE, level)
    outside = (columns < 0) | (rows < 0) | (columns >= S2_SIDE) | (rows >= S2_SIDE)
    np.clip(columns, 0, S2_SIDE - 1, out=columns)
    np.clip(rows, 0, S2_SIDE - 1, out=rows)
    columns >>= level
    rows >>= level
    r0, r1, c0, c1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    flat = ((rows - r0) * (c1 - c0) + (columns - c0)).astype(np.intp)
    if outside.all():
        return [np.zeros((height, width), np.uint16) for _ in bands]
    values = [
        window(folder("s2", level, band, date), np.uint16, 0, shape, r0, r1, c0, c1)
        .reshape(-1)
        .take(flat, mode="clip")
        for band in bands
    ]
    if outside.any():
        for one in values:
            one[outside] = 0
    return values


def rgb(box, width, height, date):
    bands = s2_values(("B04", "B03", "B02"), box, width, height, date)
    pixels = np.empty((height, width, 3), np.uint8)
    for place, band in enumerate(bands):
        stretched = band * np.float32(0.085)
        np.minimum(stretched, 255, out=stretched)
        pixels[..., place] = stretched
    flat = pixels.reshape(height, width * 3)
    rows = np.empty((height, width * 3 + 1), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    return png(2, rows, width)


def w8(box, width, height, date):
    nir, red = (
        one.astype(np.float32) for one in s2_values(("B08", "B04"), box, width, height, date)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        index = (nir - red) / (nir + red)
    index += 1
    index *= 127
    index[~(index >= 0)] = 0
    return indexed(index.astype(np.uint8), sst_table()[1])


def w5a(row, column, rows, columns, step):
    file = Dataset("answer.nc", "w", memory=rows * columns * LEVELS * 4 + 65536)
    for name, size in (("depth", LEVELS), ("lat", rows), ("lon", columns)):
        file.createDimension(name, size)
    variable = file.createVariable("temperature", "f4", ("depth", "lat", "lon"))
    out = np.empty((LEVELS, rows, columns), np.float32)
    for level in range(LEVELS):
        out[level] = window(
            folder("ocean", 0, "temperature", step, level),
            np.float32,
            np.nan,
            (OCEAN_H, OCEAN_W),
            row,
            row + rows,
            column,
            column + columns,
        )
    variable[:] = out
    return bytes(file.close())


def w5b(row, column, rows, columns, step):
    values = window(
        folder("sst", 0, "sst", step),
        np.int16,
        -32768,
        (SST_H, SST_W),
        row,
        row + rows,
        column,
        column + columns,
    )
    step_x = 360 / SST_W
    doubles = [step_x, step_x, 0.0, 0, 0, 0, -180 + column * step_x, 90 - row * step_x, 0]
    keys = [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326]
    extra = struct.pack("<9d16H", *doubles, *keys)
    first = 8 + 2 + 12 * 13 + 4
    tags = [
        (256, 4, 1, columns),
        (257, 4, 1, rows),
        (258, 3, 1, 16),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, first + len(extra)),
        (277, 3, 1, 1),
        (278, 4, 1, rows),
        (279, 4, 1, values.nbytes),
        (339, 3, 1, 2),
        (33550, 12, 3, first),
        (33922, 12, 6, first + 24),
        (34735, 3, 16, first + 72),
    ]
    ifd = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + ifd + struct.pack("<I", 0)
    return head + extra + values.tobytes()


def w6(row, column):
    values = []
    for day in range(DAYS):
        one = chunk(
            f"{folder('sst', 0, 'sst', day)}{row // C}/{column // C}", np.int16, SST_H, SST_W
        )
        packed = -32768 if one is None else int(one[row % C, column % C])
        values.append("" if packed == -32768 else f"{packed * 0.01:.2f}")
    return "\n".join(("sst", *values)).encode()


def boxed(q):
    return tuple(float(q[name]) for name in ("l", "b", "r", "t"))


ANSWERS = {
    "/W1": lambda q: w1(int(q["z"]), int(q["x"]), int(q["y"]), int(q["d"])),
    "/W2": lambda q: rgb(boxed(q), 256, 256, int(q["d"])),
    "/W3": lambda q: w3(*boxed(q), 1024, 768, int(q["d"])),
    "/W4": lambda q: rgb(boxed(q), 1024, 768, int(q["d"])),
    "/W5a": lambda q: w5a(*(int(q[k]) for k in "ijmnd")),
    "/W5b": lambda q: w5b(*(int(q[k]) for k in "ijmnd")),
    "/W6": lambda q: w6(int(q["i"]), int(q["j"])),
    "/W7": lambda q: w7(*boxed(q), 512, 512),
    "/W8": lambda q: w8(boxed(q), 256, 256, int(q["d"])),
}


async def app(scope, _receive, send):
    """ASGI; one request at a time in each of two processes."""
    if scope["type"] != "http":
        return
    answer = ANSWERS.get(scope["path"])
    body = answer(dict(parse_qsl(scope["query_string"].decode()))) if answer else b"none"
    headers = [(b"content-length", str(len(body)).encode())]
    await send(
        {"type": "http.response.start", "status": 200 if answer else 404, "headers": headers}
    )
    await send({"type": "http.response.body", "body": body})
