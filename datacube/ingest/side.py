"""Files that belong to a product but hold none of its values: metadata, checksums, quick looks."""

import json
from pathlib import Path

_SUFFIXES = (".aux.xml", ".ovr", ".msk", ".md5", ".sha256", ".idx", ".tfw", ".wld", ".prj")
_TEXTS = (".xml", ".json", ".txt", ".html", ".gml", ".xsd", ".safe", ".md")
_IMAGES = (".tif", ".tiff", ".jp2", ".nc", ".nc4", ".grib", ".grib2", ".grb")
_LANDSAT = ("_MTL.txt", "_MTL.json", "_MTL.xml", "_ANG.txt")
_LARGEST = 2**24


def side_of(path: Path) -> str | None:
    """What a file is a side file of, in words; None where it is none.

    Parameters
    ----------
    path : Path
        A file that no reader knows.
    """
    if not path.is_file():
        return None
    found = (said(path) for said in (_of_safe, _of_file, _of_scene, _of_image, _of_product))
    return next((text for text in found if text), None)


def _of_safe(path: Path) -> str | None:
    safe = next((one for one in path.parents if one.name.upper().endswith(".SAFE")), None)
    if safe is None or not path.name.lower().endswith(_TEXTS):
        return None
    return f"a side file of the product {safe.name}; give the folder"


def _of_file(path: Path) -> str | None:
    if not path.name.lower().endswith(_SUFFIXES):
        return None
    return f"a side file of {path.name.rpartition('.')[0].removesuffix('.aux')}"


def _of_scene(path: Path) -> str | None:
    if not path.name.endswith(_LANDSAT):
        return None
    return f"a side file of the scene {path.name.rpartition('_')[0]}; give the folder"


def _of_image(path: Path) -> str | None:
    if not path.name.lower().endswith(_TEXTS):
        return None
    beside = (path.with_suffix(suffix) for suffix in (*_IMAGES, *(i.upper() for i in _IMAGES)))
    image = next((one for one in beside if one.is_file()), None)
    return None if image is None else f"a side file of {image.name}, which it describes"


def _of_product(path: Path) -> str | None:
    """The product that productInfo.json or tileInfo.json of an open-data bucket describes."""
    if path.suffix.lower() != ".json" or path.stat().st_size > _LARGEST:
        return None
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return None
    said = document if isinstance(document, dict) else {}
    if "path" not in said or not said.keys() & {"productType", "utmZone", "tiles"}:
        return None
    product = said.get("id") or said.get("name") or said.get("productName") or said["path"]
    return f"a side file of the product {product}, which it describes; give its images"
