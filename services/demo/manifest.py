"""The manifest of a simulated Sentinel-2 L2A product in SAFE format (``manifest.safe``)."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from services.demo.identity import NOTICE, Identity, add, instant, ring_text, to_bytes

_XFDU = "urn:ccsds:schema:xfdu:1"
_SAFE = "http://www.esa.int/safe/sentinel/1.1"
_GML = "http://www.opengis.net/gml"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the product, for the manifest.

    Attributes
    ----------
    path : str
        Within the product, with ``/``.
    size : int
        Bytes.
    sha3 : str
        SHA3-256 in hexadecimal.
    """

    path: str
    size: int
    sha3: str


def manifest_document(
    identity: Identity, footprint: Sequence[tuple[float, float]], files: Sequence[StoredFile]
) -> bytes:
    """``manifest.safe``: what the product consists of.

    Parameters
    ----------
    identity : Identity
    footprint : sequence of (float, float)
        Closed ring of longitude and latitude in degrees, WGS 84.
    files : sequence of StoredFile
        All other files.

    Returns
    -------
    bytes
        UTF-8.
    """
    root = etree.Element(
        f"{{{_XFDU}}}XFDU",
        nsmap={"gml": _GML, "safe": _SAFE, "xfdu": _XFDU},
        version="esa/safe/sentinel/1.1/sentinel-2/msi/archive_l2a_user_product",
    )
    unit = add(
        add(root, "informationPackageMap"),
        f"{{{_XFDU}}}contentUnit",
        dmdID="acquisitionPeriod platform",
        pdiID="processing",
        textInfo=f"SENTINEL-2 MSI Level-2A User Product. {NOTICE}",
        unitType="Product_Level-2A",
    )
    for stored in files:
        inner = add(
            unit,
            f"{{{_XFDU}}}contentUnit",
            ID=f"{_identifier(stored.path)}_Unit",
            unitType=_unit_type(stored.path),
        )
        add(inner, "dataObjectPointer", dataObjectID=_identifier(stored.path))
    _safe_metadata(add(root, "metadataSection"), identity, footprint)
    objects = add(root, "dataObjectSection")
    for stored in files:
        thing = add(objects, "dataObject", ID=_identifier(stored.path))
        kind = "application/xml" if stored.path.endswith(".xml") else "application/octet-stream"
        stream = add(thing, "byteStream", mimeType=kind, size=str(stored.size))
        add(stream, "fileLocation", href=f"./{stored.path}", locatorType="URL")
        add(stream, "checksum", stored.sha3.upper(), checksumName="SHA3-256")
    return to_bytes(root)


def _safe_metadata(
    section: etree._Element, identity: Identity, footprint: Sequence[tuple[float, float]]
) -> None:
    period = _wrapped(section, "acquisitionPeriod", "DMD", "Acquisition Period")
    _safe(_safe(period, "acquisitionPeriod"), "startTime", instant(identity.sensed))
    orbits = _wrapped(section, "measurementOrbitReference", "DMD", "Orbit Reference")
    reference = _safe(orbits, "orbitReference")
    number = _safe(reference, "orbitNumber", f"{identity.orbit:06d}")
    number.attrib.update({"groundTrackDirection": "descending", "type": "start"})
    relative = _safe(reference, "relativeOrbitNumber", f"{identity.relative_orbit:03d}")
    relative.set("type", "start")
    platform = _safe(_wrapped(section, "platform", "DMD", "Platform Description"), "platform")
    _safe(platform, "familyName", "SENTINEL")
    _safe(platform, "number", f"2{identity.spacecraft}")
    instrument = _safe(_safe(platform, "instrument"), "familyName", "Multi-Spectral Instrument")
    instrument.set("abbreviation", "MSI")
    processing = _safe(_wrapped(section, "processing", "PDI", "Processing"), "processing")
    processing.set("name", f"Simulation of Level-2A User Product. {NOTICE}")
    processing.set("start", instant(identity.generated))
    frames = _safe(_wrapped(section, "measurementFrameSet", "DMD", "Frame Set"), "frameSet")
    outline = _safe(frames, "footPrint")
    outline.set("srsName", "http://www.opengis.net/gml/srs/epsg.xml#4326")
    add(outline, f"{{{_GML}}}coordinates", ring_text(footprint))


def _wrapped(section: etree._Element, name: str, category: str, text: str) -> etree._Element:
    kind = "DESCRIPTION" if category == "DMD" else "PROVENANCE"
    thing = add(section, "metadataObject", ID=name, category=category, classification=kind)
    wrap = add(
        thing, "metadataWrap", mimeType="text/xml", textInfo=text, vocabularyName="Sentinel-SAFE"
    )
    return add(wrap, "xmlData")


def _safe(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    return add(parent, f"{{{_SAFE}}}{name}", text)


def _identifier(path: str) -> str:
    """Identifier of a file in the manifest."""
    name = path.rsplit("/", 1)[-1]
    if name == "MTD_MSIL2A.xml":
        return "S2_Level-2A_Product_Metadata"
    if name == "MTD_TL.xml":
        return "S2_Level-2A_Tile1_Metadata"
    band, resolution = name.removesuffix(".jp2").split("_")[-2:]
    return f"IMG_DATA_Band_{band}_{resolution}_Tile1_Data"


def _unit_type(path: str) -> str:
    return "Metadata Unit" if path.endswith(".xml") else "Measurement Data Unit"
