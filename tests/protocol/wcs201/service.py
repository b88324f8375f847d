"""A WCS over closed-form cubes, asked without a web server."""

import json
from io import BytesIO
from urllib.parse import parse_qsl

import numpy as np
import xarray as xr
from affine import Affine
from lxml import etree
from rasterio.io import MemoryFile

from datacube.config.settings import Contact, ServerSettings
from datacube.model.axis import Axis, IndexAxis, IrregularAxis, TimeAxis
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Category, Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.time import Timestamp
from datacube.store.create import create_cube
from datacube.store.transaction import transaction
from datacube.store.url import open_store
from services.ows.transport import Request
from services.wcs.service import handle

NS = {
    "wcs": "http://www.opengis.net/wcs/2.0",
    "ows": "http://www.opengis.net/ows/2.0",
    "gml": "http://www.opengis.net/gml/3.2",
    "gmlcov": "http://www.opengis.net/gmlcov/1.0",
    "gmlrgrid": "http://www.opengis.net/gml/3.3/rgrid",
    "swe": "http://www.opengis.net/swe/2.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
SETTINGS = ServerSettings(
    title="Closed forms",
    abstract="Cubes for tests",
    keywords=("test", "cube"),
    contact=Contact("Nobody & Sons", "https://example.org", "N. Body", email="n@example.org"),
)
AIR_TIMES = ("2020-01-01", "2020-01-02", "2020-01-05T12:00:00Z", "2020-02-01")


def closed(t, row, column):
    """Value of every cell of every cube here."""
    return 1000 * t + 10 * row + column


def write_cube(
    url, cube_id, grid, fields, times=(), axes: tuple[Axis, ...] = (), calendar="standard"
):
    """value = 1000*t + 10*row + column (+ 100000 a place of a further axis, + 1 a field)."""
    time = (TimeAxis("time", np.zeros(0, np.int64), calendar),) if times else ()
    description = CoverageDescription(
        cube_id,
        f"Closed form {cube_id}",
        "1000*t + 10*y + x",
        DomainSet(grid, (*time, *axes)),
        RangeType(fields),
        attribution="© Nobody",
        licence="CC0",
    )
    store = open_store(url)
    create_cube(store, description)
    shape = (*(axis.size for axis in axes), *grid.shape)
    index = np.indices(shape)
    base = 10 * index[-2] + index[-1] + (100_000 * index[0] if axes else 0)
    with transaction(store, cube_id, "closed form") as tx:
        for number, text in enumerate(times or ("",)):
            values = {
                field.name: (base + 1000 * number + place).astype(field.dtype)
                for place, field in enumerate(fields)
            }
            tx.write_slice(Timestamp.parse(text).ticks(calendar) if text else None, values)


def write_cubes(url):
    """air: time; bands: UTM, 3 fields; ocean: time, depth, ascending; model: 360_day, labels."""
    degrees = RectifiedGrid(Crs.parse("EPSG:4326"), Affine(2, 0, -20, 0, -2, 50), 20, 10)
    packed = Field("t2m", "int32", "K", -9999, 0.01, 273.15, "Temperature", "air_temperature")
    write_cube(url, "air", degrees, (packed,), AIR_TIMES)
    utm = RectifiedGrid(Crs.parse("EPSG:32632"), Affine(10, 0, 500_000, 0, -10, 5_000_000), 30, 20)
    names = ("B02", "B03", "B04")
    bands = tuple(Field(name, "uint16", nil=65535, scale=0.0001) for name in names)
    write_cube(url, "bands", utm, bands)
    ascending = RectifiedGrid(Crs.parse("OGC:CRS84"), Affine(1, 0, 170, 0, 1, -5), 20, 10)
    depth = IrregularAxis("depth", np.array([0.5, 10.0, 100.0]), "m", "depth")
    currents = (Field("u", "float32", "m s-1"), Field("v", "float32", "m s-1"))
    write_cube(url, "ocean", ascending, currents, ("2020-01-01", "2020-01-02"), (depth,))
    scenario = IndexAxis("scenario", 2, labels=("a1b", "e1"))
    classes = (Category(1, "warm", "#ff0000"), Category(2, "cold", "#0000ff"))
    write_cube(
        url,
        "model",
        degrees,
        (Field("kind", "int32", categories=classes),),
        ("1999-02-29", "1999-02-30", "1999-03-01"),
        (scenario,),
        "360_day",
    )


class Service:
    """Sends key-value requests to the handler; names need no service and version."""

    base_url = "https://data.example.org/cubes"

    def __init__(self, context):
        self.context = context

    def raw(self, query, **headers):
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return handle(self.context, Request("GET", "/wcs", pairs, names, b"", self.base_url))

    def ask(self, operation, query="", **headers):
        start = f"SERVICE=WCS&VERSION=2.0.1&REQUEST={operation}"
        return self.raw(f"{start}&{query}", **headers)

    def document(self, operation, query=""):
        response = self.ask(operation, query)
        assert response.status == 200, response.body
        assert response.media_type == "text/xml"
        return etree.fromstring(response.body)

    def describe(self, coverage):
        return self.document("DescribeCoverage", f"CoverageId={coverage}")

    def get(self, query, **headers):
        response = self.ask("GetCoverage", query, **headers)
        assert response.status == 200, response.body
        return response

    def tiff(self, query):
        """(bands, y, x) and the open file's georeference and tags."""
        response = self.get(f"FORMAT=image/tiff&{query}")
        assert response.media_type == "image/tiff"
        with MemoryFile(response.body) as memory, memory.open() as file:
            return file.read(), file.profile, file.tags()

    def netcdf(self, query, **options):
        response = self.get(f"FORMAT=application/netcdf&{query}")
        assert response.media_type == "application/netcdf"
        with xr.open_dataset(BytesIO(response.body), engine="h5netcdf", **options) as dataset:
            return dataset.load()

    def covjson(self, query):
        response = self.get(f"FORMAT=application/prs.coverage%2Bjson&{query}")
        return json.loads(body_of(response))

    def refused(self, query, operation="GetCoverage"):
        """(status, code, locator, text) of the report."""
        return report(self.ask(operation, query))


def body_of(response):
    """The bytes of an answer, in pieces or not."""
    return response.body if isinstance(response.body, bytes) else b"".join(response.body)


def report(response):
    """(status, code, locator, text) of an exception report."""
    root = etree.fromstring(response.body)
    assert root.tag == f"{{{NS['ows']}}}ExceptionReport"
    (found,) = root.findall("ows:Exception", NS)
    text = found.findtext("ows:ExceptionText", namespaces=NS)
    return response.status, found.get("exceptionCode"), found.get("locator"), text


def texts(root, path):
    return [element.text for element in root.findall(path, NS)]


def same(one, other):
    """Whether two documents say the same in elements, attributes and words."""
    return _said(one) == _said(other)


def _said(root):
    return [(one.tag, dict(one.attrib), (one.text or "").strip()) for one in root.iter()]
