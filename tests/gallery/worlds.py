"""Made-up worlds that look like real ones: weather, an ocean, a scene of Sentinel-2, heights."""

import numpy as np

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import open_context
from datacube.model.fields import Category, Field
from datacube.render.style import Contours, Hillshade
from tests.cubes import make_cube

MONTHS = ("2020-01-01", "2020-04-01", "2020-07-01")
UTM = (600_000, 5_300_000, 606_000, 5_306_000)
WEATHER = (
    Field("t", "int16", "degC", nil=-32768, scale=0.01, standard_name="air_temperature"),
    Field("u", "float32", "m s-1", standard_name="eastward_wind"),
    Field("v", "float32", "m s-1", standard_name="northward_wind"),
)
OCEAN = (Field("chl", "float32", "mg m-3", standard_name="mass_concentration_of_chlorophyll_a"),)
LAND = (
    Field(
        "lc",
        "uint8",
        nil=0,
        title="Land cover",
        categories=(
            Category(1, "forest", "#1a7f37"),
            Category(2, "crops", "#e8c15a"),
            Category(3, "water", "#2f6fd6"),
            Category(4, "built-up", "#c0392b"),
        ),
    ),
)
SCENE = (
    *(Field(f"B{n}", "uint16", "1", nil=0, scale=1e-4) for n in ("02", "03", "04", "08")),
    Field("SCL", "uint8", nil=0),
)
HEIGHTS = (Field("z", "float32", "m", standard_name="surface_altitude"),)
STYLES = {
    "weather": CubeSettings(
        styles=(
            "default",
            Contours("isotherms", "Isotherms", "t", interval=5.0),
            Hillshade("relief", "Relief", "t", exaggeration=20_000.0),
        )
    ),
    "heights": CubeSettings(styles=("default", Hillshade("relief", "Relief", "z"))),
}


def weather(t, k, f, y, x):
    """Warm at the equator, which moves with the seasons; a hole over Africa."""
    lon, lat = np.radians(2 * x - 179), np.radians(89 - 2 * y)
    season = np.radians(20 * (t - 1))
    if f == 0:
        air = 4500 * np.cos(lat - season) ** 2 - 2000 + 700 * np.sin(3 * lon + 2 * lat)
        hole = np.hypot(np.degrees(lon) - 20, np.degrees(lat) - 15) < 12
        return np.where(hole, -32768, np.rint(air))
    swirl = np.sin(4 * lon + t) * np.cos(lat)
    return 18 * np.cos(3 * lat) * np.cos(lat) + 6 * swirl if f == 1 else 14 * swirl


def ocean(t, k, f, y, x):
    """From 0.01 to 30; nothing on two continents."""
    lon, lat = np.radians(2 * x - 179), np.radians(89 - 2 * y)
    value = 10 ** (0.9 * np.sin(2 * lon + t) * np.sin(3 * lat) + 0.6 * np.cos(5 * lon))
    land = (np.sin(2 * lon) > 0.55) & (np.cos(1.5 * lat) > 0.3)
    return np.where(land, np.nan, value)


def land(t, k, f, y, x):
    """Blocks of classes; a river; an edge that nobody has looked at."""
    kinds = 1 + ((x // 14 + 2 * (y // 11)) % 4 == 1) + 3 * ((x // 9 + y // 9) % 7 == 0)
    kinds = np.where(np.abs(x - 60 - 18 * np.sin(y / 14)) < 3, 3, np.minimum(kinds, 4))
    return np.where(x + y < 25, 0, kinds)


def scene(t, k, f, y, x):
    """Fields, a lake and a cloud with its shadow, as reflectances and as classes."""
    lake = np.hypot(x - 70, y - 72) < 18
    cloud = np.hypot(x - 34, (y - 30) * 1.4) < 17
    shade = np.hypot(x - 46, (y - 42) * 1.4) < 15
    green = ((x // 12 + y // 9) % 3) / 2
    bands = {
        0: 600 + 400 * (1 - green),
        1: 1100 + 500 * green,
        2: 700 + 1300 * (1 - green),
        3: 1600 + 2200 * green,
    }
    if f == 4:
        kinds = np.where(green > 0.4, 4, 5)
        return np.where(cloud, 9, np.where(shade, 3, np.where(lake, 6, kinds)))
    plain = np.where(lake, (500, 450, 260, 90)[f], bands[f] + 0 * x)
    return np.where(cloud, 6500 - 100 * f, np.where(shade, plain * 0.4, plain))


def heights(t, k, f, y, x):
    """Two ranges and a valley."""
    return 900 * np.exp(-(((x - 40) / 22) ** 2)) * (1 + 0.4 * np.sin(y / 6)) + 500 * np.exp(
        -(((x + y - 150) / 18) ** 2)
    )


def open_worlds(url):
    """The cubes of this module, ready to be drawn."""
    globe = {"width": 180, "height": 90}
    make_cube(url, "weather", times=MONTHS, fields=WEATHER, formula=weather, **globe)
    make_cube(url, "ocean", times=MONTHS[:1], fields=OCEAN, formula=ocean, **globe)
    near = {"width": 120, "height": 100, "crs": "EPSG:32632", "bbox": UTM, "times": None}
    make_cube(url, "land", fields=LAND, formula=land, **near)
    make_cube(url, "scene", fields=SCENE, formula=scene, **near)
    make_cube(url, "heights", fields=HEIGHTS, formula=heights, **near)
    return open_context(url, Config(cubes=STYLES))
