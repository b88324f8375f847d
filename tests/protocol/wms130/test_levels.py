"""How the vertical axis of a cube is shown: its policy, by value."""

import numpy as np
import pytest

from datacube.config.settings import Config, CubeSettings, LevelPolicy, Limits, ServerSettings
from datacube.engine.context import open_context
from datacube.model.axis import RegularAxis
from datacube.model.fields import Field
from services.wms import service
from services.wmts import service as wmts
from tests.cubes import make_cube
from tests.protocol.pictures import COARSE, EXACT, NIL, Maps, cells, root_of, warnings_of
from tests.protocol.wms130.test_errors import code_of

NS = {"w": "http://www.opengis.net/wms"}
MAP = (
    "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=steps.v&STYLES=exact&CRS=CRS:84"
    "&BBOX=-180,-90,180,90&WIDTH=4&HEIGHT=1&FORMAT=image/png&TRANSPARENT=TRUE"
)
POLICY = LevelPolicy(nearest=False, several=True, default=(0.0, 100.0), crs="CRS:88")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Of 201 heights, 5 m apart, the column x has data at 0, 50, 100, 1000 m: 1, 2, 3, 4."""
    folder = tmp_path_factory.mktemp("levels")
    axis = RegularAxis("elevation", 0.0, 5.0, 201, "m")
    places = np.array([0, 10, 20, 200])

    def formula(t, k, f, y, x):
        return np.where(k == places[x], x + 1, NIL) + 0 * y

    field = Field("v", "int32", nil=NIL)
    make_cube(
        folder, "steps", width=4, height=1, times=None, axes=(axis,), fields=[field],
        formula=formula,
    )  # fmt: skip
    return folder


def opened(store, policy):
    cubes = {"steps": CubeSettings(styles=(EXACT, COARSE), levels=policy)}
    server = ServerSettings(limits=Limits(max_steps=300), wms_charts=False)
    return Maps(open_context(str(store), Config(server, cubes)), service, "/wms")


@pytest.fixture(scope="module")
def several(store):
    return opened(store, POLICY)


def shown(maps, query=""):
    return [int(one) for one in np.nan_to_num(cells(maps.raw(MAP + query))[0])]


@pytest.mark.parametrize(
    ("levels", "columns"),
    [
        ("0", [1, 0, 0, 0]),
        ("0/50", [1, 2, 0, 0]),
        ("50/100", [0, 2, 3, 0]),
        ("0,100", [1, 0, 3, 0]),
        ("0/50,1000", [1, 2, 0, 4]),
        ("45/.., 0", [1, 2, 3, 4]),
        ("5/45", [0, 0, 0, 0]),
    ],
)
def test_lists_and_ranges_are_drawn_one_over_the_other(several, levels, columns):
    assert shown(several, f"&ELEVATION={levels}") == columns


def test_the_default_is_a_range(several):
    response = several.raw(MAP)
    assert shown(several) == [1, 2, 3, 0]
    assert warnings_of(response) == ["99 Default value used: elevation=0/100 m"]


@pytest.mark.parametrize("levels", ["7", "2000", "0/5,7", "high"])
def test_exact_levels(several, levels):
    assert code_of(several.raw(f"{MAP}&ELEVATION={levels}")) == "InvalidDimensionValue"


def test_too_many_levels(several):
    assert several.raw(f"{MAP}&ELEVATION={','.join('0' * 17)}").status == 413


def test_the_document(several, xsd_validator):
    response = several.raw("SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities")
    assert xsd_validator(response.body) == []
    dimension = root_of(response).find(".//w:Dimension", NS)
    assert dimension.text == "0/1000/5"
    assert dict(dimension.attrib) == {
        "name": "elevation",
        "units": "CRS:88",
        "unitSymbol": "m",
        "default": "0/100",
        "multipleValues": "1",
        "nearestValue": "0",
    }


def test_usual_levels(store):
    usual = opened(store, LevelPolicy(default=51.0))
    assert shown(usual) == [0, 2, 0, 0]
    assert shown(usual, "&ELEVATION=52") == [0, 2, 0, 0]
    dimension = root_of(usual.raw("SERVICE=WMS&REQUEST=GetCapabilities")).find(".//w:Dimension", NS)
    assert dimension.attrib["default"] == "50"
    assert dimension.attrib["nearestValue"] == "1"
    tiles = Maps(usual.context, wmts, "/wmts").raw("SERVICE=WMTS&REQUEST=GetCapabilities")
    assert root_of(tiles).findtext(".//{*}Dimension/{*}Default") == "50"
    for levels in ("0/50", "0,50"):
        assert code_of(usual.raw(f"{MAP}&ELEVATION={levels}")) == "InvalidDimensionValue"


def test_the_older_document_names_the_vertical_crs_of_epsg(several, xsd_validator):
    response = several.raw("SERVICE=WMS&VERSION=1.1.1&REQUEST=GetCapabilities")
    assert xsd_validator(response.body) == []
    root = root_of(response)
    assert root.find(".//Dimension").attrib["units"] == "EPSG:5703"
    assert root.find(".//Extent").text == "0/1000/5"
