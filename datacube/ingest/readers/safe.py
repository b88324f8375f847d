"""The metadata of a Sentinel-2 SAFE product: MTD_MSIL2A.xml, read without entities or network.

Product specification S2-PDGS-TAS-DI-PSD, level-2A user product.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from datacube.errors import InvalidTime, SourceError
from datacube.model.time import Timestamp

_IMAGE = re.compile(r"(?P<band>B\d\d|B8A|SCL)_(?P<nominal>\d\d)m$")
_TILE = re.compile(r"_T(?P<tile>\d\d[A-Z]{3})_")
BAND_IDS = (
    *("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08"),
    *("B8A", "B09", "B10", "B11", "B12"),
)


@dataclass(frozen=True, slots=True)
class Product:
    """What the product says of itself.

    Parameters
    ----------
    name : str
        The product's name without ``.SAFE``.
    tile : str
        Military grid tile, ``29RKH``.
    sensing : int
        Start of the datatake's sensing; ticks, standard calendar.
    baseline : str
        ``02.14``.
    quantification : float
        Digital numbers for a reflectance of one.
    offsets : mapping of band name to digital numbers that are added before dividing
    nil : int
    wavelengths : mapping of band name to nanometres
    images : tuple of (band, path), as listed
    """

    name: str
    tile: str
    sensing: int
    baseline: str
    quantification: float
    nil: int
    images: tuple[tuple[str, Path], ...]
    offsets: dict[str, float] = field(default_factory=dict)
    wavelengths: dict[str, float] = field(default_factory=dict)


def read_product(folder: Path) -> Product:
    """Read MTD_MSIL2A.xml of a SAFE folder.

    Raises
    ------
    SourceError
        The document is damaged, or lacks what is needed.
    """
    document = folder / "MTD_MSIL2A.xml"
    try:
        root = parse(document).getroot()
    except (ParseError, DefusedXmlException) as error:
        raise SourceError(f"MTD_MSIL2A.xml cannot be read: {error}", subject=str(folder)) from error
    name = _text(root, "PRODUCT_URI", folder.name).removesuffix(".SAFE")
    listed = [one.text or "" for tag in ("IMAGE_FILE", "IMAGE_ID") for one in root.iter(tag)]
    return Product(
        name,
        _tile(name, listed),
        _sensing(root),
        _text(root, "PROCESSING_BASELINE", ""),
        _quantification(root),
        _nil(root),
        _images(folder, listed),
        {
            BAND_IDS[int(one.get("band_id", "0"))]: float(one.text or 0)
            for one in root.iter("BOA_ADD_OFFSET")
        },
        _wavelengths(root),
    )


def _text(root: Element, tag: str, default: str | None = None) -> str:
    found = next((one.text for one in root.iter(tag) if one.text), default)
    if found is None:
        raise SourceError(f"MTD_MSIL2A.xml has no {tag}")
    return found.strip()


def _tile(name: str, listed: list[str]) -> str:
    for text in (name, *listed):
        if found := _TILE.search(f"_{text}_"):
            return found["tile"]
    raise SourceError("neither the product's name nor its images name a tile such as T29RKH")


def _sensing(root: Element) -> int:
    text = _text(root, "DATATAKE_SENSING_START", "") or _text(root, "PRODUCT_START_TIME")
    try:
        return Timestamp.parse(text).ticks("standard")
    except InvalidTime as error:
        raise SourceError(f"MTD_MSIL2A.xml: {error.message}") from error


def _quantification(root: Element) -> float:
    tags = ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE")
    text = next((found for tag in tags if (found := _text(root, tag, ""))), "")
    if not text or float(text) <= 0:
        raise SourceError("MTD_MSIL2A.xml has no BOA_QUANTIFICATION_VALUE")
    return float(text)


def _nil(root: Element) -> int:
    for special in root.iter("Special_Values"):
        if _text(special, "SPECIAL_VALUE_TEXT", "").upper() == "NODATA":
            return int(_text(special, "SPECIAL_VALUE_INDEX", "0"))
    return 0


def _wavelengths(root: Element) -> dict[str, float]:
    found = {}
    for one in root.iter("Spectral_Information"):
        central = next(one.iter("CENTRAL"), None)
        if central is not None and central.text:
            found[BAND_IDS[int(one.get("bandId", "0"))]] = float(central.text)
    return found


def _images(folder: Path, listed: list[str]) -> tuple[tuple[str, Path], ...]:
    """The bands' images; a name that leads out of the folder is refused."""
    images = []
    for text in listed:
        found = _IMAGE.search(text.strip())
        if found is None:
            continue
        path = folder / f"{text.strip()}.jp2"
        if not path.resolve().is_relative_to(folder.resolve()):
            raise SourceError(f"MTD_MSIL2A.xml names an image outside the product: {text}")
        images.append((found["band"], path))
    if not images:
        raise SourceError("MTD_MSIL2A.xml lists no image of a band")
    return tuple(images)
