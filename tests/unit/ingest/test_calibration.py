"""Sentinel-1 backscatter: by hand from amplitudes, calibration vectors and noise."""

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint

from datacube.config.products import CalibrationSettings, RecipeSettings, TargetSettings
from datacube.errors import SourceError
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers.sentinel1 import Sentinel1Reader
from datacube.ingest.source import ReadOptions
from tests.unit.ingest.products import opened, whole

HEIGHT, WIDTH = 40, 60
ROWS, COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH]
AMPLITUDE = (100 + 2 * ROWS + COLUMNS).astype("u2")
AMPLITUDE[5, 7] = 0
GAIN = 300.0 + ROWS + 2 * COLUMNS
NOISE = 400.0 + COLUMNS
NAME = "S1A_IW_GRDH_1SDV_20200101T000000_20200101T000025_000001_000001_ABCD"
STEM = "s1a-iw-grd-vv-20200101t000000-20200101t000025-000001-000001-001"
LINES, PIXELS = (-8, 20, 44), (0, 30, 59)


def vector(tag, table, line, values):
    pixels = " ".join(map(str, PIXELS))
    numbers = " ".join(f"{one:.6e}" for one in values)
    return (
        f'<{tag}><line>{line}</line><pixel count="3">{pixels}</pixel>'
        f'<{table} count="3">{numbers}</{table}></{tag}>'
    )


def noise_document(*, old):
    pixels = np.array(PIXELS)
    if old:
        rows = (vector("noiseVector", "noiseLut", line, 400.0 + pixels) for line in LINES)
        return f"<noise><noiseVectorList>{''.join(rows)}</noiseVectorList></noise>"
    rows = (vector("noiseRangeVector", "noiseRangeLut", line, 400.0 + pixels) for line in LINES)
    block = (
        "<noiseAzimuthVector><swath>IW1</swath><firstAzimuthLine>10</firstAzimuthLine>"
        "<firstRangeSample>20</firstRangeSample><lastAzimuthLine>29</lastAzimuthLine>"
        '<lastRangeSample>39</lastRangeSample><line count="2">10 30</line>'
        '<noiseAzimuthLut count="2">2 4</noiseAzimuthLut></noiseAzimuthVector>'
    )
    return (
        f"<noise><noiseRangeVectorList>{''.join(rows)}</noiseRangeVectorList>"
        f"<noiseAzimuthVectorList>{block}</noiseAzimuthVectorList></noise>"
    )


def write_grd(folder, *, old=False, annotated=True):
    root = folder / f"{NAME}.SAFE"
    (root / "measurement").mkdir(parents=True)
    (root / "manifest.safe").write_text("<xml/>")
    points = [
        GroundControlPoint(row, column, 10 + column * 0.001, 45 - row * 0.001)
        for row in (0, HEIGHT // 2, HEIGHT - 1)
        for column in (0, WIDTH // 2, WIDTH - 1)
    ]
    with rasterio.open(
        root / "measurement" / f"{STEM}.tiff",
        "w",
        driver="GTiff",
        count=1,
        height=HEIGHT,
        width=WIDTH,
        dtype="uint16",
        gcps=points,
        crs="EPSG:4326",
    ) as file:
        file.write(AMPLITUDE, 1)
    if annotated:
        home = root / "annotation" / "calibration"
        home.mkdir(parents=True)
        pixels = np.array(PIXELS)
        vectors = "".join(
            vector("calibrationVector", "sigmaNought", line, 300.0 + line + 2 * pixels)
            for line in LINES
        )
        text = (
            f"<calibration><calibrationVectorList>{vectors}</calibrationVectorList></calibration>"
        )
        (home / f"calibration-{STEM}.xml").write_text(text)
        (home / f"noise-{STEM}.xml").write_text(noise_document(old=old))
    return root


def values_of(root, row0=0, row1=HEIGHT, column0=0, column1=WIDTH, **wanted):
    options = ReadOptions(calibration=CalibrationSettings(**wanted))
    with Sentinel1Reader().open(root, options) as (granule,):
        field = granule.description.range_type.field("VV")
        assert (field.dtype, field.title) == ("float32", "VV sigma0")
        return granule.slices[0].bands["VV"].read((), row0, row1, column0, column1)


def expected(noise):
    found = np.maximum(AMPLITUDE.astype(float) ** 2 - noise, 0) / GAIN**2
    return np.where(AMPLITUDE == 0, np.nan, found).astype("f4")


def test_backscatter_with_its_noise(tmp_path):
    found = values_of(write_grd(tmp_path), noise=False)
    np.testing.assert_allclose(found, expected(0), rtol=1e-6)
    assert np.isnan(found[5, 7])


@pytest.mark.parametrize("old", [False, True])
def test_backscatter_without_noise_by_windows(tmp_path, old):
    noise = NOISE.copy()
    if not old:
        noise[10:30, 20:40] *= np.interp(np.arange(10, 30), [10, 30], [2, 4])[:, None]
    root = write_grd(tmp_path, old=old)
    np.testing.assert_allclose(values_of(root), expected(noise), rtol=1e-6)
    part = values_of(root, 12, 33, 17, 28)
    np.testing.assert_array_equal(part, values_of(root)[12:33, 17:28])


def test_without_annotation_it_is_refused_with_a_way_out(tmp_path):
    root = write_grd(tmp_path, annotated=False)
    with pytest.raises(SourceError, match=r"has no annotation/calibration/.*without `calibration`"):
        values_of(root)


def test_decibels_are_taken_on_the_map_grid(tmp_path):
    root = write_grd(tmp_path)
    target = TargetSettings((0.002, 0.002), "EPSG:4326", (10.002, 44.966, 10.052, 44.996))
    linear, decibel = (
        RecipeSettings(cube=f"c{d}", grid=target, calibration=CalibrationSettings(decibel=d))
        for d in (False, True)
    )
    store = str(tmp_path / "store")
    for recipe in (linear, decibel):
        report = ingest([str(root)], store=store, recipe=recipe)
        assert report.exit_code == 0, report
    plain, logarithm = (opened(store, name) for name in ("cFalse", "cTrue"))
    assert logarithm.description.range_type.field("VV").uom == "dB"
    assert "Backscatter sigma0, without thermal noise" in plain.description.abstract
    values = whole(plain, "VV")
    assert np.isfinite(values).mean() > 0.9
    np.testing.assert_allclose(whole(logarithm, "VV"), 10 * np.log10(values), rtol=1e-6)
