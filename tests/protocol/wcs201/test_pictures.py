"""Coverages as pictures: the style of a layer on exactly the cells of the answer."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from datacube.config.settings import Config, CubeSettings
from datacube.engine.context import open_context
from datacube.render.style import ColorRamp
from services.ows.transport import Request
from services.wms.service import handle as wms
from tests.protocol.wcs201.service import SETTINGS, Service

DAY = "CoverageId=air&SUBSET=ansi(2020-01-02)"


def pixels(response):
    return np.asarray(Image.open(BytesIO(response.body)).convert("RGBA"))


@pytest.fixture
def drawn(service):
    """``drawn(query)``: RGBA of a coverage as PNG."""

    def ask(query):
        response = service.get(f"{query}&FORMAT=image/png")
        assert response.media_type == "image/png"
        return pixels(response)

    return ask


def get_map(service, layers, bbox, size, **further):
    pairs = {
        "SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "LAYERS": layers,
        "STYLES": "", "CRS": "CRS:84", "BBOX": bbox, "WIDTH": str(size[0]),
        "HEIGHT": str(size[1]), "FORMAT": "image/png", "TRANSPARENT": "TRUE",
    } | further  # fmt: skip
    return pixels(wms(service.context, Request("GET", "/wms", tuple(pairs.items()))))


def test_it_is_the_map_on_the_cells_of_the_coverage(service, drawn):
    found = drawn(DAY)
    expected = get_map(service, "air", "-20,30,20,50", (20, 10), TIME="2020-01-02")
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found.reshape(-1, 4), axis=0)) > 5


def test_a_subset_a_size_and_a_field(service, drawn):
    query = "CoverageId=ocean&SUBSET=ansi(2020-01-01)&SUBSET=depth(10)&RANGESUBSET=v"
    found = drawn(f"{query}&SUBSET=Long(172,180)&SUBSET=Lat(-3,3)&SCALEFACTOR=2")
    expected = get_map(
        service, "ocean.v", "172,-3,180,3", (16, 12), TIME="2020-01-01", ELEVATION="10"
    )
    np.testing.assert_array_equal(found, expected)


def test_what_a_mask_or_a_polygon_leaves_out_is_transparent(drawn):
    whole = drawn(DAY)
    masked = drawn(f"{DAY}&MASK=t2m<283.65")
    rows, columns = np.indices((10, 20))
    kept = 10 * rows + columns + 1000 < 1050
    np.testing.assert_array_equal(masked[kept], whole[kept])
    assert (masked[~kept][:, 3] == 0).all()
    clipped = drawn(f"{DAY}&CLIP=POLYGON((-20 30, 0 30, -20 50, -20 30))&SUBSET=Long(-20,20)")
    inside = (-19 + 2 * columns + 20) / 20 + (49 - 2 * rows - 30) / 20 < 1
    np.testing.assert_array_equal(clipped[..., 3] > 0, inside)
    np.testing.assert_array_equal(clipped[inside], whole[inside])


def test_steps_made_one(service, drawn):
    found = drawn("CoverageId=air&AGG=max&SUBSET=ansi(2020-01-01,2020-01-02)")
    np.testing.assert_array_equal(found, drawn(DAY))


def test_styles_by_name_and_their_refusal(service, drawn):
    query = f"{DAY}&RANGESUBSET=t2m"
    names = [one.name for one in service.context.catalog.layer("air.t2m").styles]
    found = [drawn(f"{query}&STYLE={name}") for name in names[:2]]
    assert len(names) < 2 or (found[0] != found[1]).any()
    status, _, _, text = service.refused(f"{query}&STYLE=none&FORMAT=image/png")
    assert status in {400, 404}
    assert "its styles are" in text


def test_jpeg_and_the_name_of_the_file(service):
    response = service.get(f"{DAY}&FORMAT=jpeg")
    assert response.media_type == "image/jpeg"
    assert Image.open(BytesIO(response.body)).size == (20, 10)
    assert response.header("Content-Disposition") == (
        'attachment; filename="air_ansi-20200102.jpg"'
    )


@pytest.mark.parametrize("dry", ["", "&DRYRUN=true"])
def test_more_than_a_plane_is_refused_with_formats_that_hold_it(service, dry):
    status, code, _, text = service.refused(f"CoverageId=air&FORMAT=image/png{dry}")
    assert (status, code) == (400, "InvalidParameterValue")
    assert "time (4)" in text
    assert "application/netcdf or application/prs.coverage+json" in text


def test_several_fields_are_refused(service):
    query = "CoverageId=ocean&SUBSET=ansi(2020-01-01)&SUBSET=depth(10)&RANGESUBSET=u,v"
    assert "name one, or ask for image/tiff" in service.refused(f"{query}&FORMAT=image/png")[3]


@pytest.mark.parametrize("fields", ["", "&RANGESUBSET=t2m"])
def test_several_reducers_are_refused(service, fields):
    query = f"CoverageId=air&AGG=min,max&SUBSET=ansi(2020-01-01,2020-01-02){fields}"
    assert "one AGG" in service.refused(f"{query}&FORMAT=image/png")[3]


def test_another_style_of_the_same_name_is_another_picture(store_url):
    tags = []
    for colormap in ("viridis", "gray"):
        style = ColorRamp("own", "", "t2m", colormap, 270.0, 290.0)
        cubes = {"air": CubeSettings(styles=(style,))}
        service = Service(open_context(store_url, Config(SETTINGS, cubes)))
        tags.append(service.get(f"{DAY}&STYLE=own&FORMAT=image/png").header("ETag"))
    assert tags[0] != tags[1]


def test_only_when_it_is_asked_for(service):
    assert service.get(DAY).media_type == "application/netcdf"
