"""Metadata documents of a simulated Sentinel-2 L2A product: MTD_MSIL2A.xml and MTD_TL.xml.

Elements and their order follow the products of processing baseline 05.xx (Sentinel-2 Products
Specification Document, S2-PDGS-TAS-DI-PSD). Viewing angle grids and quality masks are left out.
"""

from collections.abc import Mapping, Sequence

from lxml import etree

from services.demo.identity import Identity, add, images, instant, ring_text, stamp, to_bytes
from services.demo.spectra import BANDS, SCENE_CLASSES

_PRODUCT = "https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd"
_TILE = "https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd"


def product_document(
    identity: Identity, footprint: Sequence[tuple[float, float]], quality: Mapping[int, float]
) -> bytes:
    """``MTD_MSIL2A.xml``.

    Parameters
    ----------
    identity : Identity
    footprint : sequence of (float, float)
        Closed ring of longitude and latitude in degrees, WGS 84.
    quality : mapping of int to float
        Percentage of the cells in each scene class.

    Returns
    -------
    bytes
        UTF-8.
    """
    root = _root("Level-2A_User_Product", _PRODUCT)
    general = add(root, f"{{{_PRODUCT}}}General_Info")
    _product_info(general, identity)
    _characteristics(general)
    geometric = add(root, f"{{{_PRODUCT}}}Geometric_Info")
    outline = add(add(geometric, "Product_Footprint"), "Product_Footprint")
    add(add(outline, "Global_Footprint"), "EXT_POS_LIST", ring_text(footprint))
    add(geometric, "Coordinate_Reference_System")
    indicators = add(root, f"{{{_PRODUCT}}}Quality_Indicators_Info")
    add(indicators, "Cloud_Coverage_Assessment", f"{_cloudy(quality):.6f}")
    return to_bytes(root)


def tile_document(
    identity: Identity,
    *,
    epsg: int,
    corner: tuple[int, int],
    shapes: Mapping[int, int],
    sun: tuple[float, float],
    quality: Mapping[int, float],
) -> bytes:
    """``MTD_TL.xml``.

    Parameters
    ----------
    identity : Identity
    epsg : int
        Code of the UTM zone, northern hemisphere.
    corner : (int, int)
        Easting and northing of the upper left corner in metres.
    shapes : mapping of int to int
        Cells along a side for each resolution in metres.
    sun : (float, float)
        Mean zenith angle and azimuth in degrees.
    quality : mapping of int to float
        Percentage of the cells in each scene class.

    Returns
    -------
    bytes
        UTF-8.
    """
    root = _root("Level-2A_Tile_ID", _TILE)
    general = add(root, f"{{{_TILE}}}General_Info")
    add(general, "TILE_ID", identity.granule_identifier, metadataLevel="Brief")
    add(general, "DATASTRIP_ID", identity.datastrip, metadataLevel="Standard")
    add(general, "DOWNLINK_PRIORITY", "NOMINAL", metadataLevel="Standard")
    add(general, "SENSING_TIME", instant(identity.sensed), metadataLevel="Standard")
    archiving = add(general, "Archiving_Info", metadataLevel="Expertise")
    add(archiving, "ARCHIVING_CENTRE", "SIMU")
    add(archiving, "ARCHIVING_TIME", instant(identity.generated))
    geometric = add(root, f"{{{_TILE}}}Geometric_Info")
    coding = add(geometric, "Tile_Geocoding", metadataLevel="Brief")
    add(coding, "HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {epsg % 100:02d}N")
    add(coding, "HORIZONTAL_CS_CODE", f"EPSG:{epsg}")
    for resolution, cells in shapes.items():
        size = add(coding, "Size", resolution=str(resolution))
        add(size, "NROWS", str(cells))
        add(size, "NCOLS", str(cells))
    for resolution in shapes:
        place = add(coding, "Geoposition", resolution=str(resolution))
        add(place, "ULX", str(corner[0]))
        add(place, "ULY", str(corner[1]))
        add(place, "XDIM", str(resolution))
        add(place, "YDIM", str(-resolution))
    angle = add(add(geometric, "Tile_Angles", metadataLevel="Standard"), "Mean_Sun_Angle")
    add(angle, "ZENITH_ANGLE", f"{sun[0]:.4f}", unit="deg")
    add(angle, "AZIMUTH_ANGLE", f"{sun[1]:.4f}", unit="deg")
    _quality(add(root, f"{{{_TILE}}}Quality_Indicators_Info", metadataLevel="Standard"), quality)
    return to_bytes(root)


def _product_info(general: etree._Element, identity: Identity) -> None:
    info = add(general, "Product_Info")
    for name, text in (
        ("PRODUCT_START_TIME", instant(identity.sensed)),
        ("PRODUCT_STOP_TIME", instant(identity.sensed)),
        ("PRODUCT_URI", identity.product),
        ("PROCESSING_LEVEL", "Level-2A"),
        ("PRODUCT_TYPE", "S2MSI2A"),
        ("PROCESSING_BASELINE", identity.baseline),
        ("GENERATION_TIME", instant(identity.generated)),
        ("PREVIEW_IMAGE_URL", "Not applicable"),
        ("PREVIEW_GEO_INFO", "Not applicable"),
    ):
        add(info, name, text)
    name = f"GS2{identity.spacecraft}_{stamp(identity.sensed)}"
    datatake = add(
        info, "Datatake", datatakeIdentifier=f"{name}_{identity.orbit:06d}_N{identity.baseline}"
    )
    add(datatake, "SPACECRAFT_NAME", f"Sentinel-2{identity.spacecraft}")
    add(datatake, "DATATAKE_TYPE", "INS-TST")
    add(datatake, "DATATAKE_SENSING_START", instant(identity.sensed))
    add(datatake, "SENSING_ORBIT_NUMBER", str(identity.relative_orbit))
    add(datatake, "SENSING_ORBIT_DIRECTION", "DESCENDING")
    query = add(info, "Query_Options", completeSingleTile="false")
    add(query, "PRODUCT_FORMAT", "SAFE_COMPACT")
    granule = add(
        add(add(info, "Product_Organisation"), "Granule_List"),
        "Granule",
        datastripIdentifier=identity.datastrip,
        granuleIdentifier=identity.granule_identifier,
        imageFormat="JPEG2000",
    )
    for band, resolution in images():
        add(granule, "IMAGE_FILE", identity.image(band, resolution).removesuffix(".jp2"))


def _characteristics(general: etree._Element) -> None:
    info = add(general, "Product_Image_Characteristics")
    for label, value in (("NODATA", "0"), ("SATURATED", "65535")):
        special = add(info, "Special_Values")
        add(special, "SPECIAL_VALUE_TEXT", label)
        add(special, "SPECIAL_VALUE_INDEX", value)
    order = add(info, "Image_Display_Order")
    for channel, place in (("RED", "3"), ("GREEN", "2"), ("BLUE", "1")):
        add(order, f"{channel}_CHANNEL", place)
    scales = add(info, "QUANTIFICATION_VALUES_LIST")
    add(scales, "BOA_QUANTIFICATION_VALUE", "10000", unit="none")
    offsets = add(info, "BOA_ADD_OFFSET_VALUES_LIST")
    for number in range(13):
        add(offsets, "BOA_ADD_OFFSET", "-1000", band_id=str(number))
    spectral = add(info, "Spectral_Information_List")
    for band in BANDS:
        about = add(
            spectral, "Spectral_Information", bandId=str(band.number), physicalBand=band.physical
        )
        add(about, "RESOLUTION", str(band.resolution))
        wavelength = add(about, "Wavelength")
        add(wavelength, "MIN", str(band.low), unit="nm")
        add(wavelength, "MAX", str(band.high), unit="nm")
        add(wavelength, "CENTRAL", str(band.centre), unit="nm")
    classes = add(info, "Scene_Classification_List")
    for number, text in SCENE_CLASSES.items():
        entry = add(classes, "Scene_Classification_ID")
        add(entry, "SCENE_CLASSIFICATION_TEXT", f"SC_{text}")
        add(entry, "SCENE_CLASSIFICATION_INDEX", str(number))


def _quality(parent: etree._Element, quality: Mapping[int, float]) -> None:
    content = add(parent, "Image_Content_QI")
    add(content, "CLOUDY_PIXEL_PERCENTAGE", f"{_cloudy(quality):.6f}")
    for name, number in (
        ("NODATA_PIXEL", 0),
        ("SATURATED_DEFECTIVE_PIXEL", 1),
        ("DARK_FEATURES", 2),
        ("CLOUD_SHADOW", 3),
        ("VEGETATION", 4),
        ("NOT_VEGETATED", 5),
        ("WATER", 6),
        ("UNCLASSIFIED", 7),
        ("MEDIUM_PROBA_CLOUDS", 8),
        ("HIGH_PROBA_CLOUDS", 9),
        ("THIN_CIRRUS", 10),
        ("SNOW_ICE", 11),
    ):
        add(content, f"{name}_PERCENTAGE", f"{quality.get(number, 0.0):.6f}")


def _cloudy(quality: Mapping[int, float]) -> float:
    return sum(quality.get(number, 0.0) for number in (8, 9, 10))


def _root(name: str, namespace: str) -> etree._Element:
    return etree.Element(f"{{{namespace}}}{name}", nsmap={"n1": namespace})
