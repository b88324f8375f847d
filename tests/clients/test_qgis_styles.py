"""Styles that QGIS exports as SLD look here as they look in QGIS, pixel by pixel.

QGIS draws the GeoTIFF of a coverage in one of its styles and exports that style; the server draws
the same map by the document. Colours may differ by two of 256: QGIS cuts fractions off where the
server rounds, and rounds again where a layer is translucent.

QGIS 3.22 does not write a gamma, nor that a ramp is cut off beyond its ends; and it looks whether
red is within the range of green where green is to be cut off. Those are not compared.
"""

import json
import os
import subprocess
from pathlib import Path

import httpx
import numpy as np
import pytest

from datacube.model.fields import Field
from tests.clients.pictures import rgba
from tests.cubes import make_cube

pytestmark = pytest.mark.qgis

SCRIPT = Path(__file__).with_name("qgis_style.py")
BOX = [500_000, 5_000_000, 540_000, 5_030_000]
SIZE = [160, 120]
STRETCH, CLIP = "StretchToMinimumMaximum", "StretchAndClipToMinimumMaximum"
SPECTRUM = [
    [-5, [43, 131, 186], "-5"],
    [20, [171, 221, 164], "20"],
    [45, [255, 255, 191], "45"],
    [70, [253, 174, 97, 128], "70"],
    [90, [215, 25, 28], "90"],
]
STYLES = {
    "linear": ("smooth.r", {"kind": "pseudocolor", "type": "Interpolated", "entries": SPECTRUM}),
    "discrete": (
        "smooth.r",
        {
            "kind": "pseudocolor",
            "type": "Discrete",
            "entries": [*SPECTRUM[:-1], ["inf", [90, 0, 90], "more"]],
        },
    ),
    "bounded": ("smooth.r", {"kind": "pseudocolor", "type": "Discrete", "entries": SPECTRUM}),
    "exact": (
        "bytes.r",
        {
            "kind": "pseudocolor",
            "type": "Exact",
            "entries": [[n, [n, 255 - n, 99], str(n)] for n in range(0, 250, 10)],
        },
    ),
    "classes": (
        "classes.v",
        {
            "kind": "paletted",
            "entries": [
                [1, [0, 160, 0], "wood"],
                [2, [255, 230, 90, 120], "field"],
                [5, [0, 0, 255], "water"],
            ],
        },
    ),
    "packed": (
        "packed.v",
        {
            "kind": "pseudocolor",
            "type": "Interpolated",
            "entries": [[273.15, [0, 0, 90], ""], [290.0, [250, 250, 200], ""]],
        },
    ),
    "gray": ("smooth.g", {"kind": "gray", "bands": [[1, STRETCH, 3, 60.5]]}),
    "white-to-black": (
        "smooth.g",
        {"kind": "gray", "gradient": "WhiteToBlack", "bands": [[1, STRETCH, 3, 60.5]]},
    ),
    "gray-cut": ("smooth.g", {"kind": "gray", "bands": [[1, CLIP, 3, 60.5]]}),
    "gray-bytes": ("bytes.g", {"kind": "gray", "bands": [[1, STRETCH, 10, 200]]}),
    "translucent": (
        "smooth.r",
        {"kind": "pseudocolor", "type": "Interpolated", "entries": SPECTRUM, "opacity": 0.4},
    ),
    "rgb": (
        "smooth",
        {
            "kind": "multiband",
            "bands": [[1, STRETCH, 0, 80], [2, STRETCH, -10, 60], [3, STRETCH, 5, 91]],
        },
    ),
    "bgr-translucent": (
        "smooth",
        {
            "kind": "multiband",
            "bands": [[3, STRETCH, 0, 80], [2, STRETCH, -10, 60], [1, STRETCH, 5, 91]],
            "opacity": 0.7,
        },
    ),
    "rgb-cut": (
        "smooth",
        {
            "kind": "multiband",
            "bands": [[1, CLIP, 0, 80], [2, STRETCH, -5, 85], [3, STRETCH, 5, 91]],
        },
    ),
    "rgb-bytes": ("bytes", {"kind": "multiband", "bands": [[1], [2], [3]]}),
    "toned": (
        "smooth.r",
        {
            "kind": "pseudocolor",
            "type": "Interpolated",
            "entries": SPECTRUM,
            "brightness": 30,
            "contrast": 20,
        },
    ),
    "dull": (
        "bytes",
        {"kind": "multiband", "bands": [[1], [2], [3]], "saturation": -40},
    ),
    "vivid": (
        "bytes",
        {"kind": "multiband", "bands": [[1], [2], [3]], "saturation": 35},
    ),
    "lightness": ("bytes", {"kind": "multiband", "bands": [[1], [2], [3]], "grayscale": 1}),
    "luminosity": ("bytes", {"kind": "multiband", "bands": [[1], [2], [3]], "grayscale": 2}),
    "average": ("bytes", {"kind": "multiband", "bands": [[1], [2], [3]], "grayscale": 3}),
    "tinted": (
        "bytes",
        {"kind": "multiband", "bands": [[1], [2], [3]], "tint": [200, 10, 10, 70]},
    ),
}
TOLERANCE = 2


def smooth(t, k, f, y, x):
    """From -10 to 91; nothing on a diagonal."""
    return np.where(x == y, np.nan, (37 * x + 11 * y + 50 * f) % 101 - 10 + 0.25)


def small(t, k, f, y, x):
    return (7 * x + 5 * y + 60 * f) % 250


def kelvins(t, k, f, y, x):
    return (97 * x + 31 * y) % 2000


def kinds(t, k, f, y, x):
    return (x + y) % 7


@pytest.fixture(scope="module")
def server(server_factory, tmp_path_factory):
    store = tmp_path_factory.mktemp("styled")
    options = {"times": None, "width": 40, "height": 30, "crs": "EPSG:32632", "bbox": tuple(BOX)}
    for name, dtype, formula in (("smooth", "float32", smooth), ("bytes", "uint8", small)):
        fields = tuple(Field(band, dtype) for band in "rgb")
        make_cube(store, name, fields=fields, formula=formula, **options)
    packed = Field("v", "int16", "K", nil=-32768, scale=0.01, offset=273.15)
    make_cube(
        store,
        "packed",
        fields=(packed,),
        formula=kelvins,
        **options,
    )
    make_cube(
        store,
        "classes",
        fields=(Field("v", "uint8", nil=0),),
        formula=kinds,
        **options,
    )
    return server_factory(store)


@pytest.fixture(scope="module")
def drawn_by_qgis(server, tmp_path_factory):
    """By name of a style: its SLD and the picture, RGB, (y, x, 3)."""
    folder = tmp_path_factory.mktemp("qgis")
    jobs = {}
    for name, (layer, style) in STYLES.items():
        cube, _, band = layer.partition(".")
        raster = folder / f"{layer}.tif"
        if not raster.exists():
            query = {"SERVICE": "WCS", "VERSION": "2.0.1", "REQUEST": "GetCoverage"}
            query |= {"COVERAGEID": cube, "FORMAT": "image/tiff"}
            query |= {"RANGESUBSET": band} if band else {}
            raster.write_bytes(httpx.get(f"{server.url}/wcs", params=query, timeout=60).content)
        jobs[name] = style | {"raster": str(raster), "extent": BOX, "size": SIZE}
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    done = subprocess.run(
        ["/usr/bin/python3", str(SCRIPT)],
        input=json.dumps({"styles": jobs, "folder": str(folder)}),
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "QT_QPA_PLATFORM": "offscreen",
        },
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {
        name: (one["sld"], rgba(Path(one["picture"]).read_bytes())[..., :3])
        for name, one in found.items()
    }


@pytest.mark.parametrize("name", STYLES)
def test_an_exported_style_looks_as_in_qgis(server, drawn_by_qgis, name):
    sld, wanted = drawn_by_qgis[name]
    layer, _ = STYLES[name]
    query = {
        "SERVICE": "WMS",
        "VERSION": "1.3.0",
        "REQUEST": "GetMap",
        "LAYERS": layer,
        "STYLES": "",
        "CRS": "EPSG:32632",
        "BBOX": ",".join(map(str, BOX)),
        "WIDTH": SIZE[0],
        "HEIGHT": SIZE[1],
        "FORMAT": "image/png",
        "SLD_BODY": sld,
    }
    answer = httpx.get(f"{server.url}/wms", params=query, timeout=60)
    assert answer.headers["content-type"] == "image/png", answer.text
    found = rgba(answer.content)[..., :3]
    assert len(np.unique(wanted.reshape(-1, 3), axis=0)) > 3  # QGIS has drawn something
    off = np.abs(found.astype(int) - wanted.astype(int)).max(axis=-1)
    assert off.max() <= TOLERANCE, (
        f"off by {off.max()}, {(off > TOLERANCE).mean():.1%} too far:\n{sld}"
    )
