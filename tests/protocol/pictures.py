"""Map services over closed-form cubes, asked without a web server, and their pictures read back."""

from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, unquote

import numpy as np
from lxml import etree
from PIL import Image

from datacube.config.settings import Config, Contact, CubeSettings, ServerSettings, TimePolicy
from datacube.engine.context import open_context
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.model.fields import Field
from datacube.render.style import ColorRamp
from services.ows.transport import Request
from tests.cubes import make_cube

BASE = "https://data.example.org/cubes"
DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")
NIL = -9999
EXACT = ColorRamp("exact", "Four greys a value, 0 to 63", "", "gray", 0.0, 63.75)
COARSE = ColorRamp("coarse", "One grey for ten, 0 to 2550", "", "gray", 0.0, 2550.0)


def holed(t, k, f, y, x):
    """Column t has no data at time t; else 100 * t + 10 * y + x."""
    return np.where(x + 0 * y == t, NIL, 100 * t + 10 * y + x)


def small(t, k, f, y, x):
    """10 * y + x, at most 49, and 100 * t + 300 * k."""
    return 10 * y + x + 100 * t + 300 * k


def write_cubes(url):
    """Cubes of 10 x 5 cells unless said otherwise.

    globe  EPSG:4326, three days        utm    EPSG:32632, without time
    around longitudes 0 to 360          holes  a column without data a day
    deep   depths 0.5, 10, 100 m and two scenarios · model  360_day calendar
    """
    value = Field("v", "int32", uom="K", nil=NIL, title="Value", standard_name="air_temperature")
    options: dict[str, Any] = {
        "fields": (value,),
        "width": 10,
        "height": 5,
        "formula": small,
    }
    make_cube(url, "globe", times=DAYS, **options)
    make_cube(url, "around", times=DAYS[:1], bbox=(0, -90, 360, 90), flip_y=True, **options)
    utm = (500_000, 5_000_000, 500_100, 5_000_050)
    make_cube(url, "utm", times=None, crs="EPSG:32632", bbox=utm, **options)
    make_cube(url, "holes", times=DAYS, **(options | {"formula": holed}))
    depth = IrregularAxis("depth", np.array([0.5, 10.0, 100.0]), "m", "depth")
    scenario = IndexAxis("scenario", 2, labels=("a1b", "e1"))
    make_cube(url, "deep", times=DAYS[:1], axes=(depth, scenario), **options)
    odd = ("1999-02-29", "1999-02-30", "1999-03-01")
    make_cube(url, "model", times=odd, calendar="360_day", **options)


def settings():
    """Every layer has the styles ``exact`` and ``coarse``."""
    server = ServerSettings(
        title="Closed forms",
        abstract="Cubes for tests",
        keywords=("test", "cube"),
        attribution="© Nobody",
        wms_charts=False,  # the schemas at hand do not know them
        contact=Contact("Nobody & Sons", "https://example.org", "N. Body", email="n@example.org"),
    )
    names = ("globe", "around", "utm", "holes", "deep", "model")
    styles = (EXACT, COARSE)
    return Config(server, {name: CubeSettings(styles=styles, time=TimePolicy()) for name in names})


def open_cubes(url):
    write_cubes(url)
    return open_context(str(url), settings())


class Maps:
    """Sends requests to one service's handlers.

    Parameters
    ----------
    service : module with ``handle`` and perhaps ``handle_rest``
    """

    def __init__(self, context, service, path):
        self.context = context
        self.service = service
        self.path = path

    def raw(self, query, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.pairs(parse_qsl(query, keep_blank_values=True), names)

    def pairs(self, pairs, headers=None):
        request = Request("GET", self.path, tuple(pairs), headers or {}, b"", BASE)
        return self.service.handle(self.context, request)

    def post(self, form, query=""):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        return self.service.handle(
            self.context, Request("POST", self.path, pairs, headers, form.encode(), BASE)
        )

    def rest(self, url, **headers):
        path, _, query = url.removeprefix(f"{BASE}{self.path}/").partition("?")
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        query_pairs = tuple(parse_qsl(query))
        request = Request("GET", f"{self.path}/{path}", query_pairs, names, b"", BASE)
        return self.service.handle_rest(self.context, request, unquote(path))


def rgba(response):
    """Pixels of a picture; uint8, (y, x, 4)."""
    assert response.status == 200, response.body
    assert response.media_type.startswith("image/"), response.body
    with Image.open(BytesIO(response.body)) as image:
        assert image.get_format_mimetype() == response.media_type
        return np.asarray(image.convert("RGBA"))


def cells(response):
    """10 * y + x of the cell under each pixel of a picture in ``exact``; NaN where transparent."""
    return _decoded(response, lambda grey: np.rint(grey / 4))


def hundreds(response):
    """Hundreds of the values of a picture in ``coarse``, 100 * t + 300 * k; NaN alike."""
    return _decoded(response, lambda grey: np.rint((grey * 10 - 25) / 100))


def _decoded(response, meaning):
    pixels = rgba(response)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    found = meaning(pixels[..., 0].astype(float))
    found[pixels[..., 3] == 0] = np.nan
    return found


def root_of(response):
    return etree.fromstring(response.body)


def warnings_of(response):
    return [value for name, value in response.headers if name == "Warning"]
