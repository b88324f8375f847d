"""Products of several files: zips, L1C, Landsat scenes, STAC items, mosaics, side files."""

import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from rasterio.transform import from_origin

from datacube.config.products import MosaicSettings, RecipeSettings, TargetSettings
from datacube.ingest.pipeline import ingest
from datacube.model.fields import Field
from tests.unit.ingest.products import opened, whole, write_safe, write_tiff

BANDS = {
    "B04": (10, np.arange(144, dtype="u2").reshape(12, 12)),
    "B11": (20, np.arange(36, dtype="u2").reshape(6, 6) + 500),
}


def zipped(folder: Path) -> Path:
    target = folder.with_suffix(".zip")
    with ZipFile(target, "w") as archive:
        for one in sorted(folder.rglob("*")):
            archive.write(one, f"{folder.name}/{one.relative_to(folder)}")
    return target


def go(store, *paths, **options):
    return ingest([str(path) for path in paths], store=str(store), **options)


def test_a_zip_is_read_as_its_folder(tmp_path):
    path = zipped(write_safe(tmp_path, BANDS, boa_offset=-1000, baseline="05.09"))
    report = go(tmp_path / "store", path)
    assert report.results[0].cubes == ("s2-l2a-29RKH",), report.results
    cube = opened(tmp_path / "store", "s2-l2a-29RKH")
    np.testing.assert_array_equal(whole(cube, "B04"), BANDS["B04"][1])
    np.testing.assert_array_equal(
        whole(cube, "B11"), BANDS["B11"][1].repeat(2, axis=0).repeat(2, axis=1)
    )
    field = cube.description.range_type.field("B04")
    assert (field.scale, field.offset) == (1e-4, -0.1)


def test_provenance_names_file_and_baseline(tmp_path):
    path = write_safe(tmp_path, BANDS, baseline="05.09", boa_offset=-1000)
    go(tmp_path / "store", path)
    cube = opened(tmp_path / "store", "s2-l2a-29RKH")
    ((record, ticks),) = cube.record.sources.values()
    assert record.uri == str(path)
    assert record.attributes == {"processor": "processing baseline 05.09"}
    assert record.ingested.endswith("Z")
    assert ticks == (int(cube.description.domain.time.ticks[0]),)


def test_level_1c_has_its_own_offsets_and_cube(tmp_path):
    folder = write_safe(tmp_path, BANDS, boa_offset=-1000)
    text = (folder / "MTD_MSIL2A.xml").read_text()
    for before, after in (
        ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET"),
        ("BOA_QUANTIFICATION_VALUE", "QUANTIFICATION_VALUE"),
        ("MSIL2A", "MSIL1C"),
    ):
        text = text.replace(before, after)
    for image in folder.rglob("*_10m.jp2"):  # names of level 1C do not say the resolution
        image.rename(image.with_name(image.name.replace("_10m", "")))
    (folder / "MTD_MSIL1C.xml").write_text(text.replace("_10m</IMAGE", "</IMAGE"))
    (folder / "MTD_MSIL2A.xml").unlink()
    report = go(tmp_path / "store", folder)
    assert report.results[0].cubes == ("s2-l1c-29RKH",), report.results
    field = opened(tmp_path / "store", "s2-l1c-29RKH").description.range_type.field("B04")
    assert (field.offset, field.standard_name) == (-0.1, "toa_bidirectional_reflectance")


def bucket_tile(folder, baseline, images):
    """A tile in the bucket's layout: names of images, each of four cells and its metres."""
    for name, metres in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cells = 240 // metres
        values = np.full((1, cells, cells), 4 if "SCL" in name else 3000, "u2")
        write_tiff(
            folder / name,
            values,
            driver="JP2OpenJPEG",
            transform=from_origin(199980, 2800020, metres, metres),
            crs="EPSG:32629",
            REVERSIBLE="YES",
            QUALITY="100",
        )
    product = f"S2A_MSIL2A_20220219T112111_N{baseline}_R037_T29RKH_20220219T123947"
    said = {"utmZone": 29, "latitudeBand": "R", "gridSquare": "KH", "productName": product}
    (folder / "tileInfo.json").write_text(json.dumps({**said, "path": "tiles/29/R/KH"}))
    return folder


def test_old_and_new_baselines_of_the_bucket_give_the_same_reflectance(tmp_path):
    fine = {"R10m/B04.jp2": 10, "R20m/B04.jp2": 20, "R20m/B11.jp2": 20, "R20m/SCL.jp2": 20}
    for baseline, offset in (("0301", 0.0), ("0400", -0.1)):
        tile = bucket_tile(tmp_path / baseline, baseline, fine)
        store = tmp_path / f"store{baseline}"
        report = go(store, tile / "tileInfo.json")
        assert report.results[0].cubes == ("s2-l2a-29RKH",), report.results
        cube = opened(store, "s2-l2a-29RKH")
        assert cube.description.range_type.names == ("B04", "B11", "SCL")
        assert cube.description.range_type.field("B11").offset == offset
        assert cube.description.domain.time.iso == ("2022-02-19T11:21:11Z",)
        assert cube.description.domain.rectified.dx == 10
    old = bucket_tile(tmp_path / "again", "0301", fine)
    assert go(tmp_path / "store0400", old).results[0].status == "ingested"
    # 3000 without an offset is 4000 with it: the cube keeps its packing, and the reflectance stays
    assert set(np.unique(whole(opened(tmp_path / "store0400", "s2-l2a-29RKH"), "B11"))) == {4000}


def test_level_1c_of_the_bucket(tmp_path):
    tile = bucket_tile(tmp_path / "t", "0209", {"B04.jp2": 10, "B10.jp2": 60})
    assert go(tmp_path / "store", tile).results[0].cubes == ("s2-l1c-29RKH",)


def landsat(folder, day, place="014032", *, left=500000, value=7):
    scene = folder / f"LC08_L1TP_{place}_{day}_{day}_01_T1"
    scene.mkdir(parents=True)
    for band, cells, side in (("B4", 4, 30), ("B8", 8, 15), ("BQA", 4, 30)):
        values = np.full((1, cells, cells), 2720 if band == "BQA" else value, "u2")
        values[0, 0, 0] = 1 if band == "BQA" else 0
        origin = left - (7.5 if band == "B8" else 0)
        write_tiff(
            scene / f"LC08_L1TP_{place}_{day}_{band}.TIF",
            values,
            transform=from_origin(origin, 4000000, side, side),
        )
    return scene


def test_a_landsat_scene_is_a_cube_and_its_panchromatic_band_another(tmp_path):
    scene = landsat(tmp_path, "20180311")
    (scene / f"{scene.name}_MTL.txt").write_text('SCENE_CENTER_TIME = "15:40:03.1Z"\n')
    report = go(tmp_path / "store", scene)
    main, pan = report.results[0].cubes
    assert (main, pan) == ("landsat-lc08-l1tp-014032", "landsat-lc08-l1tp-014032-b8")
    cube = opened(tmp_path / "store", main)
    assert cube.description.range_type.names == ("B4", "BQA")
    assert cube.description.domain.time.iso == ("2018-03-11T15:40:03Z",)
    assert opened(tmp_path / "store", pan).description.domain.rectified.dx == 15


def test_a_folder_of_scenes_is_all_its_scenes(tmp_path):
    for day in ("20180311", "20180327"):
        landsat(tmp_path / "scenes", day)
    (tmp_path / "scenes" / "notes.csv").write_text("a,b\n")
    report = go(tmp_path / "store", tmp_path / "scenes")
    assert [one.status for one in report.results] == ["ingested", "ingested", "refused"]
    assert report.exit_code == 3


@pytest.mark.parametrize(("rule", "shared"), [("first", 7), ("last", 9), ("min", 7), ("max", 9)])
def test_scenes_of_a_day_are_one_slice_by_the_rule(tmp_path, rule, shared):
    one = landsat(tmp_path, "20180311", "014032", value=7)
    two = landsat(tmp_path, "20180311", "014031", left=500060, value=9)
    target = TargetSettings((30.0, 30.0), None, (500000.0, 3999880.0, 500180.0, 4000000.0))
    recipe = RecipeSettings(cube="l8", grid=target, mosaic=MosaicSettings("day", rule))
    report = go(tmp_path / "store", one, two, one, recipe=recipe)
    assert [result.status for result in report.results] == ["ingested", "ingested", "already"]
    cube = opened(tmp_path / "store", "l8")
    assert cube.description.domain.time.iso == ("2018-03-11T00:00:00Z",)
    assert len(cube.sources) == 2
    values = whole(cube, "B4")
    assert values[1].tolist() == [7, 7, shared, shared, 9, 9]
    assert values[0].tolist() == [0, 7, 7, shared, 9, 9]  # where one has no data, the other


def test_a_stac_item_takes_its_images_from_beside_it(tmp_path):
    folder = tmp_path / "item"
    folder.mkdir()
    write_tiff(folder / "B04.tif", np.full((1, 4, 4), 1234, "u2"))
    write_tiff(
        folder / "SCL.tif",
        np.full((1, 2, 2), 4, "u1"),
        transform=from_origin(500000, 4000000, 20, 20),
    )
    scaled = [{"nodata": 0, "scale": 0.0001, "offset": -0.1}]
    assets = {
        "red": {"href": "https://example.org/x/B04.tif", "raster:bands": scaled},
        "scl": {"href": "./SCL.tif"},
        "nir": {"href": "./B08.tif"},
        "meta": {"href": "./m.xml", "type": "application/xml"},
    }
    for one in list(assets.values())[:3]:
        one["type"] = "image/tiff; application=geotiff"
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "S2A_29RKH_20200219_0_L2A",
        "properties": {"datetime": "2020-02-19T11:34:25Z", "constellation": "sentinel-2"},
        "assets": assets,
    }
    (folder / "item.json").write_text(json.dumps(item))
    result = go(tmp_path / "store", folder / "item.json").results[0]
    assert (result.status, result.cubes) == ("partial", ("S2A_29RKH_0_L2A",)), result
    assert result.reason == "1 of 3 images are not here: nir"
    cube = opened(tmp_path / "store", "S2A_29RKH_0_L2A")
    assert cube.description.domain.time.iso == ("2020-02-19T11:34:25Z",)
    field = cube.description.range_type.field("B04")
    assert (field.nil, field.scale, field.offset) == (0, 0.0001, -0.1)
    assert whole(cube, "SCL").tolist() == [[4] * 4] * 4
    shutil.rmtree(tmp_path / "store")
    item["properties"]["earthsearch:boa_offset_applied"] = True
    (folder / "item.json").write_text(json.dumps(item))
    go(tmp_path / "store", folder / "item.json")
    again: Field = opened(tmp_path / "store", "S2A_29RKH_0_L2A").description.range_type.field("B04")
    assert again.offset == 0
    shutil.rmtree(tmp_path / "store")
    scaled[0]["nodata"] = -9999  # no uint16 is
    (folder / "item.json").write_text(json.dumps(item))
    go(tmp_path / "store", folder / "item.json")
    assert whole(opened(tmp_path / "store", "S2A_29RKH_0_L2A"), "B04").tolist() == [[1234] * 4] * 4


def test_side_files_are_passed_over(tmp_path):
    write_tiff(tmp_path / "a.tif", np.ones((1, 3, 3), "u1"))
    for name in ("a.xml", "a.tif.aux.xml"):
        (tmp_path / name).write_text("<x/>")
    (tmp_path / "tileInfo.json").write_text('{"path": "tiles/29/R", "utmZone": 29}')
    (tmp_path / "b.json").write_text('{"a": 1}')
    (tmp_path / "X.SAFE").mkdir()
    (tmp_path / "X.SAFE" / "report.xml").write_text("<x/>")
    names = ("a.tif", "a.xml", "a.tif.aux.xml", "tileInfo.json", "X.SAFE/report.xml", "b.json")
    report = go(tmp_path / "store", *(tmp_path / name for name in names))
    states = [one.status for one in report.results]
    assert states == ["ingested", "side", "side", "side", "side", "refused"]
    assert report.exit_code == 3
    assert go(tmp_path / "other", tmp_path / "a.xml").exit_code == 2


def test_a_dry_run_says_what_would_go_in_and_writes_nothing(tmp_path):
    path = write_tiff(tmp_path / "a_20200101.tif", np.ones((1, 30, 40), "u2"))
    bad = tmp_path / "bad.bin"
    bad.write_bytes(b"hello")
    report = go(tmp_path / "store", path, bad, dry_run=True, bad_folder=tmp_path / "bad")
    first = report.results[0]
    assert (first.status, first.cubes, first.slices_added, first.bytes) == (
        "planned",
        ("a",),
        1,
        2400,
    )
    assert report.exit_code == 3
    assert bad.exists()
    assert not (tmp_path / "store").exists()
    document = json.loads(json.dumps(report.dump()))
    assert document["exit_code"] == 3
    assert document["sources"][0]["bytes"] == 2400


def test_bad_files_are_set_aside_with_their_reason(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "bad.bin").write_bytes(b"hello")
    aside = tmp_path / "aside"
    paths = [tmp_path / folder / "bad.bin" for folder in ("one", "two")]
    go(tmp_path / "store", *paths, bad_folder=aside)
    assert not any(path.exists() for path in paths)
    assert sorted(one.name for one in aside.iterdir()) == [
        "2-bad.bin",
        "2-bad.bin.reason.txt",
        "bad.bin",
        "bad.bin.reason.txt",
    ]
    assert "no known format" in (aside / "bad.bin.reason.txt").read_text()
