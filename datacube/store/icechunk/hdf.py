"""An HDF5 or NetCDF-4 file as Zarr: metadata of its arrays, and where in it their chunks lie."""

from collections.abc import Iterator
from math import prod
from typing import Any

import h5py
import numpy as np

from datacube.errors import SourceError
from datacube.store.icechunk.filearrays import (
    MOST_COPIED,
    FileArray,
    Piece,
    array_document,
    attribute,
    cut,
    float_fill,
    planes,
)

_HIDDEN = ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME")
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"


def read_groups(file: h5py.File) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and attributes of every group, the root ``""`` first."""
    yield "", _attributes(file)
    found: list[str] = []
    file.visititems(lambda name, node: found.append(name) if isinstance(node, h5py.Group) else None)
    for name in found:
        yield name, _attributes(file[name])


def read_arrays(file: h5py.File, name: str) -> Iterator[FileArray]:
    """Every variable of numbers.

    Parameters
    ----------
    file : h5py.File
    name : str
        For messages.

    Raises
    ------
    SourceError
        A variable has a codec that Zarr does not have.
    """
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, node: found.append(node) if isinstance(node, h5py.Dataset) else None)
    for dataset in found:
        plain = dataset.dtype.kind in "iuf" and dataset.dtype.itemsize <= 8
        if plain and not bytes(dataset.attrs.get("NAME", b"")).startswith(_NO_VARIABLE):
            yield _array(dataset, name)


def _array(dataset: h5py.Dataset, file: str) -> FileArray:
    path = dataset.name.strip("/")
    if prod(dataset.shape) <= MOST_COPIED and len(dataset.shape) < 2:
        values = np.asarray(dataset[()])
        return FileArray(path, _metadata(dataset, dataset.shape, []), (), values)
    codecs = _codecs(dataset, file)
    if dataset.chunks is None:
        sides, pieces = planes(dataset.shape), tuple(_cut(dataset, file))
    else:
        sides, pieces = dataset.chunks, tuple(_chunks(dataset, file))
    return FileArray(path, _metadata(dataset, sides, codecs), pieces)


def _codecs(dataset: h5py.Dataset, file: str) -> list[dict[str, Any]]:
    """Codecs after that of the bytes, in the order in which they were applied."""
    made: list[dict[str, Any]] = []
    settings = dataset.id.get_create_plist()
    for number in range(settings.get_nfilters()):
        code, _, options, name = settings.get_filter(number)
        if code == h5py.h5z.FILTER_SHUFFLE:
            size = {"elementsize": dataset.dtype.itemsize}
            made.append({"name": "numcodecs.shuffle", "configuration": size})
        elif code == h5py.h5z.FILTER_DEFLATE:
            level = {"level": int(options[0]) if options else 1}
            made.append({"name": "numcodecs.zlib", "configuration": level})
        else:
            what = bytes(name).decode(errors="replace") or f"number {code}"
            raise SourceError(
                f"{file} cannot be served without a copy: the filter '{what}' of its variable "
                f"'{dataset.name}' is none of shuffle and deflate; ingest it instead",
                subject=file,
            )
    return made


def _chunks(dataset: h5py.Dataset, file: str) -> Iterator[Piece]:
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)
    for one in found:
        if one.filter_mask:
            raise SourceError(
                f"{file} cannot be served without a copy: chunks of its variable "
                f"'{dataset.name}' lack filters of the others; ingest it instead",
                subject=file,
            )
        index = tuple(at // side for at, side in zip(one.chunk_offset, dataset.chunks, strict=True))
        yield Piece(index, int(one.byte_offset), int(one.size))


def _cut(dataset: h5py.Dataset, file: str) -> Iterator[Piece]:
    """Planes of a variable that lies in one piece; none of one that was never written."""
    start = dataset.id.get_offset()
    if start is None:
        if dataset.id.get_storage_size():
            raise SourceError(
                f"{file} cannot be served without a copy: its variable '{dataset.name}' lies in "
                "the file's headers; ingest it instead",
                subject=file,
            )
        return
    yield from cut(dataset.shape, dataset.dtype.itemsize, start)


def _metadata(
    dataset: h5py.Dataset, sides: tuple[int, ...], codecs: list[dict[str, Any]]
) -> dict[str, Any]:
    attributes = _attributes(dataset)
    fill = dataset.attrs.get("_FillValue")
    fill = dataset.fillvalue if fill is None else np.asarray(fill).reshape(-1)[0]
    return array_document(
        dataset.dtype, dataset.shape, sides, fill, codecs, _dimensions(dataset), attributes
    )


def _dimensions(dataset: h5py.Dataset) -> list[str | None]:
    """Names of a variable's dimensions; a coordinate's own where it is one."""
    own = dataset.name.rpartition("/")[2]
    if dataset.is_scale and len(dataset.shape) == 1:
        return [own]
    names: list[str | None] = []
    for dimension in dataset.dims:
        scale = dimension[0].name.rpartition("/")[2] if len(dimension) else None
        names.append(scale)
    return names


def _attributes(node: Any) -> dict[str, Any]:
    found = {}
    for name, value in node.attrs.items():
        if name in _HIDDEN or name.startswith(("_Netcdf4", "_nc3", "_NC")):
            continue
        if isinstance(value, h5py.Empty) or getattr(value, "dtype", np.dtype("u1")).kind == "O":
            continue
        found[name] = attribute(value)
    if "_FillValue" in found and isinstance(node, h5py.Dataset) and node.dtype.kind == "f":
        found["_FillValue"] = float_fill(node.attrs["_FillValue"])
    return found
