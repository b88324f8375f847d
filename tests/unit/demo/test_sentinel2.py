"""The simulated products are SAFE folders with true JPEG 2000 images, and say what they are."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from lxml import etree
from rasterio.transform import from_origin

from services.demo.scene import PASSES, SEED, land_of, make_scene
from services.demo.sentinel2 import CORNER, make_series
from services.demo.spectra import BANDS

SIZE = 60
NAMES = re.compile(r"S2[AB]_MSIL2A_\d{8}T\d{6}_N0511_R022_T32UPU_\d{8}T\d{6}\.SAFE")


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return make_series(tmp_path_factory.mktemp("safe"), size=SIZE, passes=PASSES[:2])


@pytest.fixture(scope="module")
def product(series):
    return series[0]


def parse(path: Path) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.parse(path, parser).getroot()


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as image:
        return np.asarray(image.read(1))


def checksums(products) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(pixels(path).tobytes()).hexdigest()
        for product in products
        for path in product.rglob("*.jp2")
    }


def test_tree_of_a_product(product):
    assert NAMES.fullmatch(product.name)
    assert {path.name for path in product.iterdir()} == {
        "manifest.safe",
        "MTD_MSIL2A.xml",
        "GRANULE",
    }
    (granule,) = (product / "GRANULE").iterdir()
    assert {path.name for path in granule.iterdir()} == {"MTD_TL.xml", "IMG_DATA"}
    images = {path.parent.name + "/" + path.name for path in granule.rglob("*.jp2")}
    stem = "T32UPU_20240405T101021"
    expected = {f"R{b.resolution}m/{stem}_{b.name}_{b.resolution}m.jp2" for b in BANDS}
    assert images == expected | {f"R20m/{stem}_SCL_20m.jp2"}


def test_no_other_files_are_left_beside_the_products(series):
    assert sorted(path.name for path in series[0].parent.iterdir()) == sorted(
        path.name for path in series
    )


@pytest.mark.parametrize(("cell", "count"), [(10, 4), (20, 7), (60, 2)])
def test_images_carry_their_grid(product, cell, count):
    paths = sorted(product.rglob(f"R{cell}m/*.jp2"))
    assert len(paths) == count
    for path in paths:
        with rasterio.open(path) as image:
            assert image.driver == "JP2OpenJPEG"
            assert image.crs.to_epsg() == 32632
            assert image.transform == from_origin(*CORNER, cell, cell)
            assert image.shape == (SIZE * 10 // cell,) * 2
            assert image.dtypes == ("uint8" if "SCL" in path.name else "uint16",)
            assert "not an observation" in image.tags()["TIFFTAG_IMAGEDESCRIPTION"]


def test_images_are_lossless(product):
    scene = make_scene(PASSES[0], land_of(SIZE), SEED)
    for name, values in (*scene.bands.items(), ("SCL", scene.classes)):
        (path,) = product.rglob(f"*_{name}_*.jp2")
        np.testing.assert_array_equal(pixels(path), values)


def test_same_seed_same_pixels_another_seed_others(series, tmp_path):
    again = make_series(tmp_path / "again", size=SIZE, passes=PASSES[:2])
    assert checksums(again) == checksums(series)
    other = make_series(tmp_path / "other", size=SIZE, passes=PASSES[:2], seed=SEED + 1)
    ours, theirs = checksums(series), checksums(other)
    assert ours.keys() == theirs.keys()
    assert all(ours[name] != theirs[name] for name in ours)


def test_products_that_are_there_are_left_alone(series):
    before = {path: path.stat().st_mtime_ns for path in series[0].rglob("*")}
    lines: list[str] = []
    again = make_series(series[0].parent, size=SIZE, passes=PASSES[:2], report=lines.append)
    assert again == series
    assert lines == []
    assert {path: path.stat().st_mtime_ns for path in series[0].rglob("*")} == before


def test_product_metadata(product):
    root = parse(product / "MTD_MSIL2A.xml")
    assert etree.QName(root).localname == "Level-2A_User_Product"
    assert root.findtext(".//PRODUCT_URI") == product.name
    assert root.findtext(".//PRODUCT_START_TIME") == "2024-04-05T10:10:21.000Z"
    assert root.findtext(".//PROCESSING_BASELINE") == "05.11"
    assert root.findtext(".//SPACECRAFT_NAME") == "Sentinel-2A"
    assert root.findtext(".//BOA_QUANTIFICATION_VALUE") == "10000"
    offsets = root.findall(".//BOA_ADD_OFFSET")
    assert [offset.get("band_id") for offset in offsets] == [str(n) for n in range(13)]
    assert {offset.text for offset in offsets} == {"-1000"}
    special = {
        value.findtext("SPECIAL_VALUE_TEXT"): value.findtext("SPECIAL_VALUE_INDEX")
        for value in root.iterfind(".//Special_Values")
    }
    assert special == {"NODATA": "0", "SATURATED": "65535"}
    for image in root.iterfind(".//IMAGE_FILE"):
        assert (product / f"{image.text}.jp2").is_file()


def test_tile_metadata(product):
    (path,) = product.rglob("MTD_TL.xml")
    root = parse(path)
    assert root.findtext(".//HORIZONTAL_CS_CODE") == "EPSG:32632"
    for cell in (10, 20, 60):
        (size,) = root.findall(f".//Size[@resolution='{cell}']")
        (place,) = root.findall(f".//Geoposition[@resolution='{cell}']")
        assert [child.text for child in size] == [str(SIZE * 10 // cell)] * 2
        assert [child.text for child in place] == ["660000", "5364000", str(cell), str(-cell)]


def test_quality_percentages_count_the_classes(product):
    (path,) = product.rglob("*_SCL_20m.jp2")
    classes = pixels(path)
    (tile,) = product.rglob("MTD_TL.xml")
    water = float(parse(tile).findtext(".//WATER_PERCENTAGE") or "nan")
    assert water == pytest.approx(100 * (classes == 6).mean(), abs=1e-5)
    cloudy = float(parse(tile).findtext(".//CLOUDY_PIXEL_PERCENTAGE") or "nan")
    assert cloudy == pytest.approx(100 * np.isin(classes, (8, 9, 10)).mean(), abs=1e-5)


def test_manifest_lists_every_file_with_its_checksum(product):
    root = parse(product / "manifest.safe")
    listed = {}
    for stream in root.iterfind(".//byteStream"):
        location = stream.find("fileLocation")
        assert location is not None
        path = product / str(location.get("href"))
        content = path.read_bytes()
        assert stream.get("size") == str(len(content))
        checksum = hashlib.sha3_256(content).hexdigest().upper()
        assert stream.findtext("checksum") == checksum
        listed[path.resolve()] = checksum
    files = {path.resolve() for path in product.rglob("*") if path.is_file()}
    assert files - listed.keys() == {(product / "manifest.safe").resolve()}
    pointers = {pointer.get("dataObjectID") for pointer in root.iterfind(".//dataObjectPointer")}
    assert pointers == {thing.get("ID") for thing in root.iterfind(".//dataObject")}


def test_footprint_is_around_the_pixels(product):
    text = parse(product / "MTD_MSIL2A.xml").findtext(".//EXT_POS_LIST") or ""
    numbers = [float(number) for number in text.split()]
    latitudes, longitudes = numbers[::2], numbers[1::2]
    assert len(latitudes) == 5
    assert latitudes[0] == latitudes[-1]
    assert max(latitudes) == pytest.approx(48.4, abs=0.05)
    assert min(longitudes) == pytest.approx(11.16, abs=0.05)


def test_every_document_says_that_it_is_simulated(product):
    documents = [path for path in product.rglob("*") if path.suffix in {".xml", ".safe"}]
    assert len(documents) == 3
    for path in documents:
        text = path.read_text(encoding="utf-8")
        assert "Simulated Sentinel-2 L2A, not an observation" in text[:400]


def test_failed_product_leaves_no_trace(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.demo.sentinel2.manifest_document", broken)
    with pytest.raises(OSError, match="No space left"):
        make_series(tmp_path, size=SIZE, passes=PASSES[:1])
    assert list(tmp_path.iterdir()) == []
