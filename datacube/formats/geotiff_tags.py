"""What a GeoTIFF says of its values, and what it can hold.

The file carries what GDAL, QGIS and rasterio look for: the CRS, the no-data tag, scale, offset,
unit and description of each band, ``AREA_OR_POINT=Area``, and where the data come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.io import DatasetWriter, MemoryFile

from datacube.errors import InvalidFormat
from datacube.formats.nodata import filled
from datacube.model.axis import axis_values
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid

_TILED_FROM = 512 * 512
_WIDER = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the values of a file lie, in the words of GDAL; what is empty is chosen here.

    Parameters
    ----------
    compress : str, ``deflate``, ``lzw``, ``packbits``, ``zstd`` or ``none``
    predictor : str, ``1``, ``2`` or ``3``
    interleave : str, ``band`` or ``pixel``
    tile : (width, height), multiples of 16; (0, 0) is strips
    """

    compress: str = ""
    predictor: str = ""
    interleave: str = ""
    tile: tuple[int, int] | None = None

    @staticmethod
    def of(options: Mapping[str, str]) -> "Layout":
        """The layout that the options of an encoder ask for.

        Examples
        --------
        >>> Layout.of({"compression": "lzw", "tile": "256x128"}).tile
        (256, 128)
        """
        compress = options.get("compression", "").replace("none", "")
        width, _, height = options.get("tile", "").partition("x")
        tile = (int(width), int(height)) if height else None
        return Layout(compress, options.get("predictor", ""), options.get("interleave", ""), tile)


def written(
    coverage: Coverage, dtype: np.dtype[np.generic], nil: float | None, layout: Layout
) -> bytes:
    """A GeoTIFF file by GDAL, one picture for each field.

    Parameters
    ----------
    coverage : Coverage that fits
    dtype : of the values in the file
    nil : what stands for no data, None where there is none
    layout : Layout
    """
    description = coverage.description
    grid = description.domain.rectified
    blocks = tuple(coverage.blocks.values())
    profile = plain_profile(grid, len(blocks), dtype, nil) | {"BIGTIFF": "IF_SAFER"}
    profile |= laid_out_profile(grid, dtype, layout)
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            describe(file, texts_of(description), description.range_type.fields)
            for number, block in enumerate(blocks, start=1):
                values = north_up(grid, filled(block, dtype, nil))
                file.write(np.ascontiguousarray(values), number)
        return bytes(memory.read())


def wider_dtypes(dtype: np.dtype[np.generic]) -> tuple[np.dtype[np.generic], ...]:
    """The dtype and those that hold every number of it and more, the smallest first."""
    names = (name for name in _WIDER if np.dtype(name) != dtype and _exact(dtype, np.dtype(name)))
    return (dtype, *map(np.dtype, names))


def common_dtype(names: list[str]) -> np.dtype[np.generic]:
    """The smallest dtype of a GeoTIFF that keeps every number of all the fields.

    Raises
    ------
    InvalidFormat
        There is none (64-bit integers beside floats).

    Examples
    --------
    >>> str(common_dtype(["int16", "uint8"])), str(common_dtype(["int32", "float32"]))
    ('int16', 'float64')
    """
    stored = [np.dtype("float32") if name == "float16" else np.dtype(name) for name in names]
    stored = [np.dtype("uint8") if one.kind == "b" else one for one in stored]
    if len(set(stored)) == 1:
        return stored[0]
    for name in _WIDER:
        if all(_exact(one, np.dtype(name)) for one in stored):
            return np.dtype(name)
    raise InvalidFormat(
        f"fields of the types {', '.join(sorted(set(names)))} do not fit into one GeoTIFF without "
        "loss; ask for them one by one with RANGESUBSET, or for application/netcdf",
        subject="format",
    )


def north_up(grid: RectifiedGrid, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Rows from north to south and columns from west to east, size-1 axes dropped; (y, x)."""
    flat = values.reshape(grid.shape)
    return flat[:: -1 if grid.dy > 0 else 1, :: -1 if grid.dx < 0 else 1]


def _exact(source: np.dtype[np.generic], target: np.dtype[np.generic]) -> bool:
    """Whether target holds every number of source (numpy calls int64 -> float64 safe too)."""
    wide = source.kind in "iu" and source.itemsize == 8
    return not (wide and target.kind == "f") and np.can_cast(source, target, "safe")


def check(description: CoverageDescription) -> None:
    """Refuse what a GeoTIFF cannot hold.

    Raises
    ------
    InvalidFormat
        A further axis has several cells, the grid is not rectified, or the fields have no common
        dtype that keeps every number; the message names what would work.
    """
    domain = description.domain
    if not isinstance(domain.grid, RectifiedGrid):
        raise InvalidFormat(
            "a GeoTIFF cannot hold a grid with a position for each cell; ask for an output CRS or "
            "a size, which make equal cells of it, or for application/netcdf",
            subject="format",
        )
    long = [axis for axis in domain.axes if axis.size > 1]
    if long:
        sizes = ", ".join(f"{axis.name} ({axis.size})" for axis in long)
        raise InvalidFormat(
            f"a GeoTIFF holds x and y only, and the result has further axes: {sizes}; slice them, "
            f'for instance SUBSET={long[0].name}("{axis_values(long[0])[0]}"), '
            "or ask for application/netcdf or application/prs.coverage+json",
            subject="format",
        )
    common_dtype([field.dtype for field in description.range_type.fields])


def plain_profile(
    grid: RectifiedGrid, count: int, dtype: np.dtype[np.generic], nil: float | None
) -> dict[str, object]:
    """How rasterio shall make a file of so many bands: size, place and type of the values."""
    box = grid.bbox
    transform = Affine(abs(grid.dx), 0.0, box.left, 0.0, -abs(grid.dy), box.top)
    return {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": count,
        "dtype": dtype.name,
        "crs": _crs(grid.crs),
        "transform": transform,
        "nodata": nil,
        "interleave": "band",
    }


def laid_out_profile(
    grid: RectifiedGrid, dtype: np.dtype[np.generic], layout: Layout
) -> dict[str, object]:
    """How rasterio shall lay out the values of a file.

    Raises
    ------
    InvalidFormat
        A predictor of floats for whole numbers.
    """
    profile: dict[str, object] = {"num_threads": "ALL_CPUS"}
    if layout.compress and layout.compress != "none":
        profile["compress"] = layout.compress
        if layout.compress == "deflate":
            profile["zlevel"] = 1
        if layout.predictor == "3" and dtype.kind != "f":
            raise InvalidFormat(
                "the predictor of floats does not fit whole numbers; ask for horizontal",
                subject="predictor",
            )
        if layout.compress != "packbits":
            profile["predictor"] = int(layout.predictor or (3 if dtype.kind == "f" else 2))
    if layout.interleave:
        profile["interleave"] = layout.interleave
    tile = layout.tile
    if tile is None and layout.compress and grid.width * grid.height >= _TILED_FROM:
        tile = 512, 512
    if tile is not None and all(tile):
        profile |= {"tiled": True, "blockxsize": tile[0], "blockysize": tile[1]}
    return profile


def _crs(crs: Crs) -> CRS:
    if crs.key == "OGC:CRS84":  # GeoTIFF is x, y whatever the code says
        return CRS.from_epsg(4326)
    return CRS.from_epsg(int(crs.code)) if crs.authority == "EPSG" else CRS.from_wkt(crs.wkt)


def texts_of(description: CoverageDescription) -> dict[str, str]:
    """What a file says of all its values, by the names of GDAL's tags."""
    texts = {
        "TITLE": description.title,
        "ATTRIBUTION": description.attribution,
        "LICENCE": description.licence,
        "SNAPSHOT": description.snapshot,
        "TIFFTAG_IMAGEDESCRIPTION": description.title,
        "TIFFTAG_COPYRIGHT": description.attribution,
        "TIFFTAG_SOFTWARE": "datacube-server",
    }
    crs = description.domain.grid.crs
    if not crs.has_code:  # the keys of a GeoTIFF cannot say every CRS
        texts["crs_wkt"] = crs.wkt
    texts |= {axis.name: str(axis_values(axis)[0]) for axis in description.domain.axes}
    return {name: _tiff_text(text) for name, text in texts.items() if text}


def describe(file: DatasetWriter, texts: Mapping[str, str], fields: Sequence[Field]) -> None:
    """Write what the file and its bands mean: everything but CRS, place, type and values."""
    file.update_tags(AREA_OR_POINT="Area", **texts)
    for number, field in enumerate(fields, start=1):
        _describe_band(file, number, field)


def _tiff_text(text: str) -> str:
    return " ".join(text.split())


def _describe_band(file: DatasetWriter, number: int, field: Field) -> None:
    colours = _colours(field)
    if file.count == 1 and colours and file.dtypes[0] == "uint8":
        file.write_colormap(1, colours)
    elif number == 1:
        file.colorinterp = (ColorInterp.gray, *[ColorInterp.undefined] * (file.count - 1))
    file.set_band_description(number, field.name)
    file.set_band_unit(number, field.uom)
    file.scales = _replaced(file.scales, number, field.scale)
    file.offsets = _replaced(file.offsets, number, field.offset)
    names = {"long_name": field.title, "standard_name": field.standard_name}
    names |= {f"class_{one.value}": one.label for one in field.categories}
    file.update_tags(number, **{name: text for name, text in names.items() if text})


def _replaced(values: tuple[float, ...], number: int, value: float) -> tuple[float, ...]:
    return (*values[: number - 1], value, *values[number:])


def _colours(field: Field) -> dict[int, tuple[int, int, int, int]]:
    return {
        one.value: (*bytes.fromhex(one.color.removeprefix("#")), 255)
        for one in field.categories
        if len(one.color) == 7 and 0 <= one.value <= 255
    }
