"""STAC items: a JSON document whose assets are images beside it.

An asset is looked for where its address leads, if that is a path, and else under its file's name
beside the item. Scale, offset, no data and unit are those of ``raster:bands``. Assets that are
not there are left out with a warning.
"""

import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from datacube.errors import InvalidTime, SourceError
from datacube.ingest.readers.images import BandImage, parts_of
from datacube.ingest.readers.parts import Origin, granules_of, opening
from datacube.ingest.readers.raster import grid_of_raster, open_raster, sample_type
from datacube.ingest.readers.sentinel2 import CLASSES
from datacube.ingest.source import Granule, ReadOptions, instant, magic
from datacube.model.fields import Field, held_nil
from datacube.model.naming import base_id, identifier
from datacube.model.time import Timestamp

_SENTINEL2 = re.compile(r"^(B\d\d|B8A|SCL)$")
_IMAGES = ("image/tiff", "image/jp2")
_LARGEST = 2**24

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StacReader:
    """Reader of STAC items with images on this machine."""

    name: str = "stac"

    def sniff(self, path: Path) -> bool:
        """Whether the file is a JSON object with a STAC version and assets."""
        if not magic(path).lstrip().startswith(b"{") or path.stat().st_size > _LARGEST:
            return False
        try:
            found = json.loads(path.read_bytes())
        except ValueError:
            return False
        return bool(found.get("type") == "Feature" and {"stac_version", "assets"} <= found.keys())

    def open(self, path: Path, options: ReadOptions) -> AbstractContextManager[tuple[Granule, ...]]:
        """The item as granules; see :class:`~datacube.ingest.source.SourceReader`."""
        return opening(
            path, lambda stack: _granules(path, json.loads(path.read_bytes()), options, stack)
        )


def _granules(
    path: Path, item: Json, options: ReadOptions, stack: ExitStack
) -> tuple[Granule, ...]:
    wanted = _images(item["assets"])
    files = {key: _beside(path, str(one.get("href", ""))) for key, one in wanted.items()}
    here = {key: file for key, file in files.items() if file is not None}
    if not here:
        raise SourceError(
            f"none of the {len(wanted)} images of the STAC item lies beside it or at its address"
        )
    properties: Json = item.get("properties", {})
    opened = []
    for key, file in here.items():
        image = open_raster(file, stack)
        nodata = _nodata(_said(wanted[key]), image)
        dtype = sample_type(image.dtypes[0])
        field = _field(key, file, wanted[key], dtype.name, properties)
        field = replace(field, nil=held_nil(nodata, dtype))
        opened.append(BandImage(field, image, grid_of_raster(image, file), file, nodata))
    given = instant(options, 1, "standard", path)
    absent = sorted(wanted.keys() - here.keys())
    shown = ", ".join(absent[:5]) + (" …" if len(absent) > 5 else "")
    origin = Origin(
        path,
        f"{item.get('id', path.stem)}:{'+'.join(sorted(here))}",
        title=str(properties.get("title") or item.get("id", "")),
        abstract=str(properties.get("description", "")),
        attribution=_attribution(properties),
        licence=str(properties.get("license", "")),
        warnings=(f"{len(absent)} of {len(wanted)} images are not here: {shown}",) * bool(absent),
        processor=str(properties.get("s2:processing_baseline", "")),
    )
    parts = parts_of(opened, _instant(properties) if given is None else given)
    return granules_of(parts, origin, options, base_id(str(item.get("id", path.stem))))


def _images(assets: Mapping[str, Json]) -> dict[str, Json]:
    """The assets that are images of values; of two formats of an image the first of the list."""
    found = {key: one for key, one in assets.items() if _is_data(one)}
    kinds = {str(one["type"]).partition(";")[0].strip() for one in found.values()}
    best = next((kind for kind in _IMAGES if kind in kinds), "")
    return {key: one for key, one in found.items() if str(one["type"]).startswith(best)}


def _is_data(asset: Json) -> bool:
    """Whether an asset is an image of values: no metadata, no quick look, no colours."""
    roles = set(asset.get("roles") or ["data"])
    media = str(asset.get("type", "")).partition(";")[0].strip()
    bands = asset.get("raster:bands") or asset.get("eo:bands") or [{}]
    return media in _IMAGES and not roles & {"thumbnail", "overview", "visual"} and len(bands) == 1


def _beside(item: Path, address: str) -> Path | None:
    """The file of an asset on this machine: at its path below the item's folder, or by its name."""
    parts = urlsplit(address)
    inner = Path(unquote(parts.path))
    folder = item.parent
    own = folder / inner
    if not parts.scheme and own.is_file() and own.resolve().is_relative_to(folder.resolve()):
        return own
    by_name = folder / inner.name
    return by_name if inner.name and by_name.is_file() else None


def _said(asset: Json) -> Json:
    """What an asset says of its values: of STAC 1.1 itself or its band, of 1.0 in an extension."""
    band: Json = (asset.get("raster:bands") or asset.get("bands") or [{}])[0]
    own = {**asset, **band}
    return own | {
        key: own[f"raster:{key}"] for key in ("scale", "offset") if f"raster:{key}" in own
    }


def _nodata(said: Json, image: Any) -> float | None:
    """The number that marks no data: the item's, else that of the image; "nan" is a text."""
    number = said.get("nodata")
    if isinstance(number, int | float):
        return number
    found: float | None = image.nodatavals[0]
    return found


def _field(key: str, file: Path, asset: Json, dtype: str, properties: Json) -> Field:
    """The field of an asset; Sentinel-2 bands are called as in the SAFE product."""
    said = _said(asset)
    name = file.stem if _SENTINEL2.match(file.stem) else identifier(key, "_")
    classes = CLASSES if name == "SCL" else ()
    applied = bool(properties.get("earthsearch:boa_offset_applied"))
    return Field(
        name,
        dtype,
        uom=str(said.get("unit") or ""),
        scale=1.0 if classes else float(said.get("scale", 1.0)),
        offset=0.0 if classes or applied else float(said.get("offset", 0.0)),
        title=str(asset.get("title") or key),
        categories=classes,
        overview="nearest" if classes else "mean",
    )


def _instant(properties: Json) -> int | None:
    text = properties.get("datetime") or properties.get("start_datetime")
    if text is None:
        return None
    try:
        return Timestamp.parse(str(text)).ticks("standard")
    except InvalidTime as error:
        raise SourceError(f"the item's datetime is none: {error.message}") from error


def _attribution(properties: Json) -> str:
    sentinel = str(properties.get("constellation", "")).lower().startswith("sentinel")
    return "Contains modified Copernicus Sentinel data" if sentinel else ""
