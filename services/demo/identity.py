"""Names, times and XML pieces that all documents of a simulated product share."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from services.demo.spectra import BANDS

NOTICE = (
    "Simulated Sentinel-2 L2A, not an observation: "
    "made by the seeded generator of the datacube demo; no Copernicus data are contained."
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Names and times of a product.

    Attributes
    ----------
    spacecraft : str
        ``A`` or ``B``.
    sensed, generated : datetime.datetime
        UTC.
    orbit, relative_orbit : int
    tile : str
        ``32UPU``.
    baseline : str
        ``05.11``.
    """

    spacecraft: str
    sensed: dt.datetime
    generated: dt.datetime
    orbit: int
    relative_orbit: int
    tile: str
    baseline: str

    @property
    def product(self) -> str:
        """Name of the product's folder."""
        return (
            f"S2{self.spacecraft}_MSIL2A_{stamp(self.sensed)}_N{self.baseline.replace('.', '')}"
            f"_R{self.relative_orbit:03d}_T{self.tile}_{stamp(self.generated)}.SAFE"
        )

    @property
    def granule(self) -> str:
        """Name of the granule's folder."""
        return f"L2A_T{self.tile}_A{self.orbit:06d}_{stamp(self.sensed)}"

    @property
    def granule_identifier(self) -> str:
        """Long name of the granule; SIMU stands where the processing centre would."""
        return (
            f"S2{self.spacecraft}_OPER_MSI_L2A_TL_SIMU_{stamp(self.generated)}"
            f"_A{self.orbit:06d}_T{self.tile}_N{self.baseline}"
        )

    @property
    def datastrip(self) -> str:
        """Long name of the data strip."""
        return (
            f"S2{self.spacecraft}_OPER_MSI_L2A_DS_SIMU_{stamp(self.generated)}"
            f"_S{stamp(self.sensed)}_N{self.baseline}"
        )

    def image(self, band: str, resolution: int) -> str:
        """Path of an image file within the product."""
        name = f"T{self.tile}_{stamp(self.sensed)}_{band}_{resolution}m.jp2"
        return f"GRANULE/{self.granule}/IMG_DATA/R{resolution}m/{name}"


def stamp(when: dt.datetime) -> str:
    """An instant as in file names.

    Examples
    --------
    >>> stamp(dt.datetime(2024, 4, 5, 10, 10, 21, tzinfo=dt.UTC))
    '20240405T101021'
    """
    return when.strftime("%Y%m%dT%H%M%S")


def images() -> tuple[tuple[str, int], ...]:
    """Name and resolution in metres of each image of the product.

    Examples
    --------
    >>> images()[0], images()[-1], ("SCL", 20) in images()
    (('B02', 10), ('B09', 60), True)
    """
    every = [(band.name, band.resolution) for band in BANDS] + [("SCL", 20)]
    return tuple(sorted(every, key=lambda image: image[1]))


def ring_text(footprint: Sequence[tuple[float, float]]) -> str:
    """A ring as latitudes and longitudes, the order of EPSG:4326.

    Examples
    --------
    >>> ring_text([(11.5, 48.25)])
    '48.250000000 11.500000000'
    """
    return " ".join(f"{latitude:.9f} {longitude:.9f}" for longitude, latitude in footprint)


def instant(when: dt.datetime) -> str:
    """An instant as in the documents, with milliseconds and Z."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def add(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str
) -> etree._Element:
    """A new last child with that name, text and attributes."""
    child = etree.SubElement(parent, name, attrib=attributes)
    child.text = text
    return child


def to_bytes(root: etree._Element) -> bytes:
    """The document as UTF-8, opened by the notice that it is simulated."""
    root.addprevious(etree.Comment(f" {NOTICE} "))
    return etree.tostring(
        root.getroottree(), xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
