"""A Zarr group (format 2, consolidated) in a zip, as xarray and GDAL open it without unpacking."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import Buffer

from datacube.formats import cf
from datacube.formats.netcdf import global_attributes
from datacube.formats.nodata import filled, nil_for
from datacube.model.coverage import Coverage
from datacube.model.grid import ReferenceableGrid

_SIDE = 512
_DATE = (1980, 1, 1, 0, 0, 0)


def encode(coverage: Coverage, options: Mapping[str, str]) -> bytes:
    """The packed numbers with their CF attributes; the same coverage gives the same bytes.

    Parameters
    ----------
    coverage : Coverage
    options : mapping
        ``history`` is written as that attribute of the group.
    """
    files: dict[str, Buffer] = {}
    domain = coverage.description.domain
    attributes = global_attributes(coverage.description, options)
    store = zarr.storage.MemoryStore(files)
    group = zarr.create_group(store, zarr_format=2, attributes=attributes)
    for one in cf.coordinates(domain):
        values = one.values.astype(str) if one.values.dtype == object else one.values
        _add(group, one.name, one.dims, values, one.attributes)
    positions = isinstance(domain.grid, ReferenceableGrid)
    for name, block in coverage.blocks.items():
        dtype = np.dtype("uint8") if block.data.dtype == bool else block.data.dtype
        nil = nil_for([block], dtype)
        values = filled(block, dtype, nil)
        named = cf.field_attributes(block.field, positions=positions)
        _add(group, name, cf.dimension_names(domain), values, named, nil)
    zarr.consolidate_metadata(store, zarr_format=2)
    return _zipped({name: one.to_bytes() for name, one in files.items()})


def _add(
    group: zarr.Group,
    name: str,
    dims: tuple[str, ...],
    values: NDArray[Any],
    attributes: Mapping[str, Any],
    nil: float | None = None,
) -> None:
    sides = tuple(min(side, _SIDE) for side in values.shape[-2:])
    chunks = (*(1 for _ in values.shape[:-2]), *sides)
    group.create_array(
        name,
        data=values,
        chunks=chunks if values.ndim > 1 else values.shape,
        fill_value=nil,
        attributes={"_ARRAY_DIMENSIONS": list(dims), **_listed(attributes)},
    )


def _listed(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _DATE), files[name])
    return out.getvalue()
