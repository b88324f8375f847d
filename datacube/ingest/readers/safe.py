"""The metadata of a Sentinel-2 SAFE product, read without entities or network.

MTD_MSIL2A.xml or MTD_MSIL1C.xml; product specification S2-PDGS-TAS-DI-PSD.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from datacube.errors import InvalidTime, SourceError
from datacube.ingest.readers.files import ProductFiles
from datacube.model.time import Timestamp

_IMAGE = re.compile(r"_(?P<band>B\d\d|B8A|SCL)(?:_\d\dm)?$")
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
    images : tuple of (band, name of the file), as listed
    level : str
        ``L1C`` (top of atmosphere) or ``L2A`` (bottom of atmosphere).
    """

    level: str
    name: str
    tile: str
    sensing: int
    baseline: str
    quantification: float
    nil: int
    images: tuple[tuple[str, str], ...]
    offsets: dict[str, float] = field(default_factory=dict)
    wavelengths: dict[str, float] = field(default_factory=dict)


def level_of(files: ProductFiles) -> str | None:
    """``L1C`` or ``L2A`` by the document that a product has; None of anything else."""
    return next((one for one in ("L2A", "L1C") if files.has(f"MTD_MSI{one}.xml")), None)


def read_product(files: ProductFiles) -> Product:
    """Read the user product's document.

    Raises
    ------
    SourceError
        The document is damaged, or lacks what is needed.
    """
    level = level_of(files) or "L2A"
    document = f"MTD_MSI{level}.xml"
    try:
        root = fromstring(files.read(document))
    except (ParseError, DefusedXmlException) as error:
        raise SourceError(f"{document} cannot be read: {error}", subject=str(files.path)) from error
    name = _text(root, "PRODUCT_URI", files.name).removesuffix(".SAFE")
    listed = [one.text or "" for tag in ("IMAGE_FILE", "IMAGE_ID") for one in root.iter(tag)]
    added = "BOA_ADD_OFFSET" if level == "L2A" else "RADIO_ADD_OFFSET"
    return Product(
        level,
        name,
        _tile(name, listed),
        _sensing(root),
        _text(root, "PROCESSING_BASELINE", ""),
        _quantification(root),
        _nil(root),
        _images(listed),
        {BAND_IDS[int(one.get("band_id", "0"))]: float(one.text or 0) for one in root.iter(added)},
        _wavelengths(root),
    )


def _text(root: Element, tag: str, default: str | None = None) -> str:
    found = next((one.text for one in root.iter(tag) if one.text), default)
    if found is None:
        raise SourceError(f"the product's metadata have no {tag}")
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
        raise SourceError(f"the product's metadata: {error.message}") from error


def _quantification(root: Element) -> float:
    tags = ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE")
    text = next((found for tag in tags if (found := _text(root, tag, ""))), "")
    if not text or float(text) <= 0:
        raise SourceError("the product's metadata have no quantification value")
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


def _images(listed: list[str]) -> tuple[tuple[str, str], ...]:
    """The bands' images; a name that leads out of the folder is refused."""
    images = []
    for text in listed:
        found = _IMAGE.search(text.strip())
        if found is None:
            continue
        name = PurePosixPath(f"{text.strip()}.jp2")
        if name.is_absolute() or ".." in name.parts:
            raise SourceError(f"the product's metadata name an image outside the product: {text}")
        images.append((found["band"], str(name)))
    if not images:
        raise SourceError("the product's metadata list no image of a band")
    return tuple(images)
