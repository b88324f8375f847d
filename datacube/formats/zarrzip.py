"""A Zarr group (format 2, consolidated) in a zip, as xarray and GDAL open it without unpacking.

It is written forward: the documents and coordinates, then the chunks of every field, each when its
rows have been read.
"""

import zipfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from datacube.formats import cf
from datacube.formats.netcdf import global_attributes
from datacube.formats.nodata import filled, nil_ahead, nil_for
from datacube.formats.pieces import Streamed, gathered
from datacube.model.coverage import Coverage
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.model.stream import CoverageStream, stream_of

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer
    from zarr.storage import MemoryStore

_SIDE = 512
_ROWS_BYTES = 16 << 20  # of the rows that become chunks together
_DATE = (1980, 1, 1, 0, 0, 0)
_WIDER: Mapping[str, tuple[str, ...]] = {
    "int8": ("int16",),
    "uint8": ("int16",),
    "int16": ("int32",),
    "uint16": ("int32",),
    "int32": ("int64",),
    "uint32": ("int64",),
}

type Stored = tuple[np.dtype[Any], float | None]
type Bands = Iterator[NDArray[np.generic]]


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes:
    """The packed numbers with their CF attributes; the same coverage gives the same bytes.

    Parameters
    ----------
    coverage : Coverage
    options : mapping
        ``history`` is written as that attribute of the group.
    """
    kinds = {
        name: (_dtype(block.field), nil_for([block], _dtype(block.field)))
        for name, block in coverage.blocks.items()
    }
    return b"".join(_forward(stream_of(coverage), kinds, options))


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:
    """The same while the coverage is read; how long it gets is not known.

    A number that stands for no data must be known before the values are: where a field has none,
    the array may take a wider dtype than :func:`encode`.

    Parameters
    ----------
    coverage : CoverageStream
    options : as of :func:`encode`
    """
    kinds = {
        one.name: _ahead(one, gaps=coverage.gaps) for one in coverage.description.range_type.fields
    }
    return Streamed(gathered(b"", _forward(coverage, kinds, options)))


def _ahead(field: Field, *, gaps: bool) -> Stored:
    dtype = _dtype(field)
    wider = map(np.dtype, _WIDER.get(dtype.name, ()))
    return nil_ahead([field], [dtype, *wider], gaps=gaps)


def _dtype(field: Field) -> np.dtype[Any]:
    return np.dtype("uint8") if field.dtype == "bool" else np.dtype(field.dtype)


class _Sent:
    """Where the archive is written to: what came since the last time it was taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes, /) -> int:
        """Keep a part."""
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """What has been written, once."""
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


def _forward(
    coverage: CoverageStream, kinds: Mapping[str, Stored], options: Mapping[str, str]
) -> Iterator[bytes]:
    """The archive piece by piece."""
    # imported where it is needed: few ask for it, and it takes 8 MB
    from zarr.storage import MemoryStore  # noqa: PLC0415

    files: dict[str, Buffer] = {}
    store = MemoryStore(files)
    arrays = _group(store, coverage, kinds, options)
    sent = _Sent()
    with zipfile.ZipFile(sent, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _DATE), files[name].to_bytes())
        yield sent.taken()
        parts = zip(coverage.parts(), coverage.by_field(), strict=True)
        for (name, place), found in groupby(parts, lambda one: (one[0].field, one[0].place)):
            array, (dtype, nil) = arrays[name], kinds[name]
            bands = (_plane(filled(block, dtype, nil)) for _, block in found)
            for row, rows in enumerate(_cut(bands, array.chunks[-2])):
                for key, chunk in _chunks(array, (*place, row), rows):
                    archive.writestr(zipfile.ZipInfo(f"{name}/{key}", _DATE), chunk)
                yield sent.taken()
    yield sent.taken()


def _group(
    store: "MemoryStore",
    coverage: CoverageStream,
    kinds: Mapping[str, Stored],
    options: Mapping[str, str],
) -> dict[str, Any]:
    """The documents of the group, the coordinates, and the arrays of the fields, still empty."""
    import zarr  # noqa: PLC0415  as above

    description = coverage.description
    domain = description.domain
    attributes = global_attributes(description, options)
    group = zarr.create_group(store, zarr_format=2, attributes=attributes)
    for one in cf.coordinates(domain):
        values = one.values.astype(str) if one.values.dtype == object else one.values
        sides = tuple(min(side, _SIDE) for side in values.shape)
        group.create_array(
            one.name,
            data=values,
            chunks=sides if values.ndim > 1 else values.shape,
            fill_value=None,
            attributes=_named(one),
        )
    made = {}
    for field in description.range_type.fields:
        dtype, nil = kinds[field.name]
        made[field.name] = group.create_array(
            field.name,
            shape=domain.shape,
            dtype=dtype,
            chunks=_chunk_shape(domain.shape, dtype),
            fill_value=nil,
            attributes=_listed(_field_attributes(field, domain)),
        )
    zarr.consolidate_metadata(store, zarr_format=2)
    return made


def _chunk_shape(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """One place of each further axis; as many rows as are held at a time, at most a square."""
    height, width = shape[-2:]
    rows = min(height, _SIDE, max(_ROWS_BYTES // (width * dtype.itemsize), 1))
    return (*(1 for _ in shape[:-2]), rows, min(width, _SIDE))


def _field_attributes(field: Field, domain: DomainSet) -> dict[str, Any]:
    positions = isinstance(domain.grid, ReferenceableGrid)
    dims = list(cf.dimension_names(domain))
    return {"_ARRAY_DIMENSIONS": dims, **cf.field_attributes(field, positions=positions)}


def _named(one: cf.Variable) -> dict[str, Any]:
    return _listed({"_ARRAY_DIMENSIONS": list(one.dims), **one.attributes})


def _listed(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _plane(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return values.reshape(values.shape[-2:])


def _cut(bands: Bands, height: int) -> Bands:
    """The rows of some bands in parts of equal height, the last one perhaps lower.

    Examples
    --------
    >>> rows = np.arange(7)[:, np.newaxis]
    >>> [part[:, 0].tolist() for part in _cut(iter([rows[:2], rows[2:6], rows[6:]]), 3)]
    [[0, 1, 2], [3, 4, 5], [6]]
    """
    held: list[NDArray[np.generic]] = []
    for band in bands:
        held.append(band)
        while sum(map(len, held)) >= height:
            rows = np.concatenate(held) if len(held) > 1 else held[0]
            yield rows[:height]
            held = [rows[height:]] if len(rows) > height else []
    if held:
        yield np.concatenate(held)


def _chunks(
    array: Any, where: tuple[int, ...], rows: NDArray[np.generic]
) -> Iterator[tuple[str, bytes]]:
    """The chunks of some rows by their keys, those that hold something."""
    height, width = array.chunks[-2:]
    fill, compressor = array.fill_value, array.compressors[0]
    for column, left in enumerate(range(0, rows.shape[1], width)):
        part = rows[:, left : left + width]
        if fill is not None and _all_are(part, fill):
            continue
        if part.shape != (height, width):
            whole = np.full((height, width), 0 if fill is None else fill, part.dtype)
            whole[: part.shape[0], : part.shape[1]] = part
            part = whole
        little = part.astype(part.dtype.newbyteorder("<"), copy=False)
        key = ".".join(map(str, (*where, column)))
        yield key, bytes(compressor.encode(np.ascontiguousarray(little)))


def _all_are(values: NDArray[np.generic], number: Any) -> bool:
    floating = values.dtype.kind == "f" and np.isnan(number)
    return bool(np.isnan(values).all() if floating else (values == number).all())
