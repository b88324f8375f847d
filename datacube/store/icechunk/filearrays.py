"""Arrays of a file as Zarr: their metadata, and where in the file their chunks lie."""

import base64
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_COPIED = 1 << 16
"""Cells of an array that is copied instead, such as coordinates."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk of a file.

    Parameters
    ----------
    index : tuple of int
    offset, length : int, bytes
    """

    index: tuple[int, ...]
    offset: int
    length: int


@dataclass(frozen=True, eq=False)
class FileArray:
    """A variable.

    Parameters
    ----------
    path : str
    metadata : mapping
        Of Zarr v3.
    pieces : tuple of Piece
        Empty where the values were read.
    values : array, optional
    """

    path: str
    metadata: Mapping[str, Any]
    pieces: tuple[Piece, ...] = ()
    values: NDArray[Any] | None = None


def planes(shape: Sequence[int]) -> tuple[int, ...]:
    """Sides of the chunks in which what lies in one piece is cut: its last two dimensions.

    Examples
    --------
    >>> planes((365, 720, 1440)), planes((5,))
    ((1, 720, 1440), (5,))
    """
    return (*(1 for _ in shape[:-2]), *shape[-2:])


def cut(shape: Sequence[int], itemsize: int, start: int) -> Iterator[Piece]:
    """The planes of an array that begins at a byte."""
    sides = planes(shape)
    length = prod(sides) * itemsize
    counts = (-(-size // max(side, 1)) for size, side in zip(shape, sides, strict=True))
    for number, index in enumerate(product(*map(range, counts))):
        yield Piece(index, start + number * length, length)


def array_document(
    dtype: np.dtype[Any],
    shape: Sequence[int],
    sides: Sequence[int],
    fill: Any,
    codecs: Sequence[Mapping[str, Any]],
    names: Sequence[str | None],
    attributes: Mapping[str, Any],
) -> dict[str, Any]:
    """Zarr v3 metadata of an array.

    Parameters
    ----------
    dtype : numpy dtype, with the byte order in which it is stored
    shape, sides : of the array and of its chunks
    fill : scalar
    codecs : after that of the bytes
    names : of the dimensions
    attributes : mapping
    """
    order = "big" if dtype.byteorder == ">" else "little"
    first = {"name": "bytes"}
    if dtype.itemsize > 1:
        first |= {"configuration": {"endian": order}}  # type: ignore[dict-item]
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype.newbyteorder("=").name,
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": [max(one, 1) for one in sides]},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": as_json(fill),
        "codecs": [first, *codecs],
        "dimension_names": list(names),
        "attributes": dict(attributes),
    }


def float_fill(value: Any) -> str:
    """The attribute ``_FillValue`` of floats as xarray writes it in Zarr v3."""
    number = float(np.asarray(value).reshape(-1)[0])
    return base64.standard_b64encode(struct.pack("<d", number)).decode()


def attribute(value: Any) -> Any:
    """An attribute of a file as JSON."""
    if isinstance(value, bytes | np.bytes_):
        return bytes(value).decode(errors="replace")
    if isinstance(value, np.ndarray):
        many = [attribute(one) for one in value.ravel()]
        return many[0] if len(many) == 1 else many
    return as_json(value) if isinstance(value, np.generic) else value


def as_json(value: Any) -> Any:
    """A number as Zarr's metadata have it."""
    number = np.asarray(value).item()
    if isinstance(number, float) and not np.isfinite(number):
        return "NaN" if np.isnan(number) else ("Infinity" if number > 0 else "-Infinity")
    return number
