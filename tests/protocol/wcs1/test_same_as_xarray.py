"""Random requests give the values that xarray reads from the Zarr group.

``DATACUBE_EXAMPLES`` sets how many requests of each kind are made.
"""

import os
from io import BytesIO

import numpy as np
import pyproj
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from tests.protocol.wcs1.service import Service, body_of
from tests.protocol.wcs201.service import write_cubes

EXAMPLES = settings(max_examples=int(os.environ.get("DATACUBE_EXAMPLES", "10")), deadline=None)
LABELS = {"air": ("Long", "Lat"), "ocean": ("Long", "Lat"), "bands": ("E", "N")}
SHARES = st.tuples(st.integers(-3, 35), st.integers(-3, 35)).map(sorted)  # 32 is the far end
RULES = st.sampled_from(("inside", "nearest", "outside"))


@pytest.fixture(scope="module")
def groups(tmp_path_factory):
    """Each cube as xarray opens it."""
    url = str(tmp_path_factory.mktemp("xarray"))
    write_cubes(url)
    return {
        name: xr.open_zarr(f"{url}/{name}", consolidated=False, chunks=None).load()
        for name in LABELS
    }


def ends_of(centres, shares):
    """Two numbers along an axis, on no centre and on no edge."""
    low, high = float(centres.min()), float(centres.max())
    return [low + (high - low) * share / 32 + 1e-4 * (high - low) for share in shares]


def taken(centres, low, high, rule):
    """The places of an axis that a rule takes, by the words of its definition."""
    match rule:
        case "inside":
            return np.flatnonzero((centres >= low) & (centres <= high))
        case "nearest":
            ends = [int(np.abs(centres - one).argmin()) for one in (low, high)]
        case _:
            below, above = centres[centres <= low], centres[centres >= high]
            first = below.max() if below.size else centres.min()
            last = above.min() if above.size else centres.max()
            ends = [int(np.flatnonzero(centres == one)[0]) for one in (first, last)]
    return np.arange(min(ends), max(ends) + 1)


@EXAMPLES
@given(cube=st.sampled_from(tuple(LABELS)), rule=RULES, x=SHARES, y=SHARES, data=st.data())
def test_trims(context, groups, cube, rule, x, y, data):
    group = groups[cube]
    names = [name for name in ("lon", "lat", "x", "y") if name in group.dims]
    x_name, y_name = names
    wanted = {}
    query = [f"CoverageId={cube}&FORMAT=application/netcdf&SELECTION={rule}"]
    for name, label, shares in zip((x_name, y_name), LABELS[cube], (x, y), strict=True):
        low, high = ends_of(group[name].values, shares)
        span = group[name].values
        assume(high >= span.min() and low <= span.max())
        wanted[name] = taken(span, low, high, rule)
        query.append(f"SUBSET={label}({low!r},{high!r})")
    if "time" in group.dims:
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, group.time.size - 1)] * 2)))
        wanted["time"] = np.arange(first, last + 1)
        texts = [str(group.time.values[one])[:19] + "Z" for one in (first, last)]
        query.append(f'SUBSET=ansi("{texts[0]}","{texts[1]}")')
    if "depth" in group.dims:
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, group.depth.size - 1)] * 2)))
        wanted["depth"] = np.arange(first, last + 1)
        low, high = (float(group.depth.values[one]) for one in (first, last))
        query.append(f"SUBSET=depth({low!r},{high!r})")
    fields = data.draw(st.lists(st.sampled_from(sorted(group.data_vars)), min_size=1, unique=True))
    query.append(f"RANGESUBSET={','.join(fields)}")
    response = Service(context, "2.0.1").ask("GetCoverage", "&".join(query))
    if any(len(places) == 0 for places in wanted.values()):
        assert response.status == 404
        return
    assert response.status == 200, response.body
    expected = group.isel(wanted)
    with xr.open_dataset(BytesIO(body_of(response)), engine="h5netcdf") as found:
        for field in fields:
            one, other = found[field].sortby([*names]), expected[field].sortby([*names])
            np.testing.assert_array_equal(one.values, other.values)
            for name in names:
                np.testing.assert_allclose(one[name], other[name], rtol=1e-12)


@EXAMPLES
@given(
    cube=st.sampled_from(tuple(LABELS)),
    width=st.integers(1, 45),
    height=st.integers(1, 45),
    data=st.data(),
)
def test_scales(context, groups, cube, width, height, data):
    """A cell of the answer has the value of the cell that alone holds its centre."""
    group, (x_label, y_label) = groups[cube], LABELS[cube]
    x, y = (name for name in ("lon", "lat", "x", "y") if name in group.dims)
    u, v = (
        (np.arange(size) + 0.5) * group.sizes[name] / size
        for size, name in ((width, x), (height, y))
    )
    columns, rows = (np.abs(one - np.round(one)) > 1e-9 for one in (u, v))
    query = [f"CoverageId={cube}&FORMAT=application/netcdf&INTERPOLATION=nearest"]
    query.append(f"SCALESIZE={x_label}({width}),{y_label}({height})")
    wanted = {x: np.floor(u).astype(int), y: np.floor(v).astype(int)}
    if "time" in group.dims:
        wanted["time"] = [data.draw(st.integers(0, group.time.size - 1))]
        query.append(f'SUBSET=ansi("{str(group.time.values[wanted["time"][0]])[:19]}Z")')
    response = Service(context, "2.0.1").ask("GetCoverage", "&".join(query))
    assert response.status == 200, response.body
    expected = group.isel(wanted).squeeze("time") if "time" in wanted else group.isel(wanted)
    with xr.open_dataset(BytesIO(body_of(response)), engine="h5netcdf") as found:
        for field in group.data_vars:
            assert found[field].shape == expected[field].shape
            one, other = (of[field].values[..., rows, :][..., columns] for of in (found, expected))
            np.testing.assert_array_equal(one, other)


@EXAMPLES
@given(
    crs=st.sampled_from(("EPSG:4326", "EPSG:3857", "EPSG:32632", "EPSG:3035")),
    corner=st.tuples(st.floats(-24, 18), st.floats(28, 48)),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    time=st.integers(0, 3),
)
def test_exact_grids_in_any_crs(context, groups, crs, corner, size, time):
    group = groups["air"]
    to = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    left, bottom = to.transform(*corner)
    step = 1.3 if crs == "EPSG:4326" else 90_000.0
    width, height = size
    box = (left, bottom, left + step * width, bottom + step * height)
    when = str(group.time.values[time])[:19] + "Z"
    response = Service(context, "1.0.0").ask(
        "GetCoverage",
        f"COVERAGE=air&FORMAT=GeoTIFF&CRS={crs}&BBOX={','.join(map(repr, box))}"
        f"&WIDTH={width}&HEIGHT={height}&TIME={when}",
    )
    with MemoryFile(body_of(response)) as memory, memory.open() as file:
        values, valid = file.read(1), file.read_masks(1) > 0
        assert file.bounds == pytest.approx(box)
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    lon, lat = to.transform(
        left + step * columns,
        box[3] - step * rows,
        direction=pyproj.enums.TransformDirection.INVERSE,
    )
    u, v = (lon + 20) / 2, (50 - lat) / 2
    clear = (np.abs(u - np.round(u)) > 0.04) & (np.abs(v - np.round(v)) > 0.04)
    inside = (u > 0) & (u < 20) & (v > 0) & (v < 10)
    np.testing.assert_array_equal(valid[clear], inside[clear])
    some = clear & inside
    stored = np.round((group["t2m"].values[time] - 273.15) / 0.01)
    places = np.floor(v[some]).astype(int), np.floor(u[some]).astype(int)
    np.testing.assert_array_equal(values[some], stored[places])
