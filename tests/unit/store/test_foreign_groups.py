"""Which cubes a store's foreign groups become, how they are named, noticed and refreshed."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import zarr

from datacube.config.settings import Config
from datacube.engine.context import make_context
from datacube.engine.map import render_map
from datacube.errors import CoverageNotFound
from datacube.model.query import LayerRequest, MapQuery
from datacube.store.cache import ChunkCache
from datacube.store.foreign import ForeignCubes
from datacube.store.foreign_group import open_group
from datacube.store.register import register
from datacube.store.url import open_store
from tests.cubes import make_cube
from tests.stores import CountingStore, WrappedStore
from tests.unit.store.zarrs import DAYS, HEIGHT, LAT, LON, WIDTH, Group, check_values, serve, shades

DIMS = ["time", "lat", "lon"]


def flat():
    return shades()[:, 0]


def plain(folder, version=3, **options):
    group = Group(folder, version, **options).lonlat().days()
    group.array("v", DIMS, flat().astype("uint8"), chunks=(1, 9, 14))
    return group


def ids(context):
    return [cube.id for cube in context.catalog.cubes()]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("consolidated", [False, True])
def test_consolidated_metadata_are_one_read(tmp_path, version, consolidated):
    group = plain(tmp_path / "cube", version)
    if consolidated:
        group.consolidate()
    store = CountingStore(open_store(str(tmp_path)))
    cube = open_group(store, "cube", ChunkCache()).cubes[0]
    assert cube.description.range_type.names == ("v",)
    store.reset()
    assert cube.refreshed() is cube
    if consolidated:
        assert store.requests == (1 if version == 3 else 2)


def test_names_that_are_no_ids_keep_an_alias(tmp_path):
    plain(tmp_path / "era5.v2.zarr")
    context = serve(open_store(str(tmp_path)), "era5__v2")
    assert ids(context) == ["era5__v2"]
    check_values(context, "era5__v2", flat())
    for name in ("era5.v2.zarr", "era5.v2", "era5__v2"):
        assert context.catalog.cube(name).id == "era5__v2"
        assert context.catalog.layer(name).name == "era5__v2"
        assert context.catalog.layer(f"{name}.v").name == "era5__v2.v"


def test_several_grids_and_axes_are_several_cubes(tmp_path):
    group = plain(tmp_path / "model", attributes={"title": "A model", "institution": "We"})
    group.array("depth", ["depth"], [0.5, 10.0, 20.0], {"units": "m", "positive": "down"})
    group.array("t", ["time", "depth", "lat", "lon"], shades(levels=3).astype("uint8"))
    group.array("mask", ["lat", "lon"], flat()[0].astype("uint8"))
    group.array("lon2", ["lon2"], LON[::2], {"units": "degrees_east"})
    group.array("coarse", ["time", "lat", "lon2"], flat()[:, :, ::2].astype("uint8"))
    names = ("model", "model-2d", "model-static", "model-2d-2")
    context = serve(open_store(str(tmp_path)), *names)
    assert sorted(ids(context)) == sorted(names)
    check_values(context, "model", shades(levels=3), "t")
    check_values(context, "model-2d", flat())
    check_values(context, "model-static", flat()[0], "mask")
    assert context.catalog.cube("model-2d-2").description.domain.shape == (5, 9, 7)
    description = context.catalog.cube("model").description
    assert (description.title, description.attribution) == ("A model", "We")


def test_groups_within_a_group_with_coordinates_above(tmp_path):
    group = Group(tmp_path / "tree").lonlat().days()
    for name in ("b02", "b03"):
        group.array(f"measurements/r10m/{name}", DIMS, flat().astype("uint8"), chunks=(1, 9, 14))
    group.array("quality/cloud", DIMS, (flat() > 50).astype("uint8"))
    context = serve(open_store(str(tmp_path)), "tree", "tree-quality")
    assert ids(context) == ["tree", "tree-quality"]
    check_values(context, "tree", flat(), "b03")


def test_a_store_that_is_a_group_itself(tmp_path):
    plain(tmp_path / "sst.zarr")
    context = serve(open_store(str(tmp_path / "sst.zarr")), "sst")
    check_values(context, "sst", flat())


def test_own_cubes_come_first_and_keep_their_ids(tmp_path):
    plain(tmp_path / "sst.zarr")
    make_cube(tmp_path, "sst")
    context = make_context(open_store(str(tmp_path)), Config())
    assert ids(context) == ["sst"]
    assert context.catalog.cube("sst").store.description.domain.time.size == 1


def test_a_cube_that_is_being_made_is_no_foreign_group(tmp_path):
    cube = make_cube(tmp_path, "sst")
    (tmp_path / "sst/manifest/head.json").unlink()
    assert open_group(cube.store, "sst", ChunkCache()).cubes == ()


def test_a_changed_group_is_noticed_and_an_unchanged_one_is_the_same(tmp_path):
    group = plain(tmp_path / "cube")
    store, now = open_store(str(tmp_path)), [0.0]
    found = ForeignCubes(store, ChunkCache(), lambda: now[0])
    first = found.look(())["cube"]
    assert found.look(())["cube"] is first
    assert first.refreshed() is first
    more = np.concatenate([flat(), flat()[:1]])
    group.days(np.arange(6))
    group.array("v", DIMS, more.astype("uint8"), chunks=(1, 9, 14))
    second = found.look(())["cube"]
    assert second is not first
    assert second.snapshot != first.snapshot
    assert second.description.domain.time.size == 6
    assert first.refreshed().snapshot == second.snapshot
    assert (second.chunk("v", 0, (5, 0, 0))[0] == flat()[0]).all()


def test_a_group_that_goes_is_gone(tmp_path):
    plain(tmp_path / "cube")
    found = ForeignCubes(open_store(str(tmp_path)), ChunkCache())
    cube = found.look(())["cube"]
    (tmp_path / "cube").rename(tmp_path / ".away")
    assert found.look(()) == {}
    with pytest.raises(CoverageNotFound, match="no cube 'cube' any more"):
        cube.refreshed()


class Remote(WrappedStore):
    """A store that counts as one behind a network."""

    is_local = False


def test_a_group_behind_a_network_is_looked_at_now_and_then(tmp_path):
    plain(tmp_path / "cube").consolidate()
    store, now = CountingStore(Remote(open_store(str(tmp_path)))), [0.0]
    found = ForeignCubes(store, ChunkCache(), lambda: now[0])
    assert found.look(())["cube"].remote
    store.reset()
    now[0] = 29.0
    found.look(())
    assert store.requests == 0
    now[0] = 31.0
    found.look(())
    assert store.requests == 1 + 3  # the group, and three names at the root


def test_a_pointer_that_leads_elsewhere_is_followed_though_the_metadata_are_the_same(tmp_path):
    store, cubes = open_store(str(tmp_path / "store")), []
    foreign = ForeignCubes(store, ChunkCache())
    for number in (7, 8):
        group = Group(tmp_path / f"{number}.zarr").lonlat().days()
        group.array("v", DIMS, np.full_like(flat(), number, "uint8"), chunks=(1, 9, 14))
        store.delete(store.list("there/"))
        register(store, str(tmp_path / f"{number}.zarr"), "there")
        cubes.append(foreign.look(())["there"])
        assert int(cubes[-1].chunk("v", 0, (0, 0, 0))[0, 3, 4]) == number
        assert foreign.look(())["there"] is cubes[-1]
    assert cubes[0].state_of(0) != cubes[1].state_of(0)


@pytest.mark.parametrize("style", ["multiscales", "ndpyramid", "ome"])
def test_overviews_are_used_where_they_halve_the_grid(tmp_path, style):
    height = width = 64
    lon, lat = np.arange(width) + 0.5, 60.5 - np.arange(height)
    folder = tmp_path / "cube"
    attributes, finest, coarser = {
        "multiscales": (
            {
                "multiscales": {
                    "layout": [{"asset": "."}, {"asset": "overviews/1"}, {"asset": "overviews/2"}]
                }
            },
            "",
            ["overviews/1/", "overviews/2/"],
        ),
        "ndpyramid": (
            {"multiscales": [{"datasets": [{"path": "0"}, {"path": "1"}, {"path": "2"}]}]},
            "2/",
            ["1/", "0/"],
        ),
        "ome": ({}, "0/", ["1/", "2/"]),
    }[style]
    group = Group(folder, attributes=attributes)
    for number, path in enumerate([finest, *coarser]):
        factor = 2**number
        zarr.open_group(str(folder / path), mode="a", zarr_format=3)
        centres = [one.reshape(-1, factor).mean(axis=1) for one in (lat, lon)]
        group.array(f"{path}lat", ["lat"], centres[0], {"units": "degrees_north"})
        group.array(f"{path}lon", ["lon"], centres[1], {"units": "degrees_east"})
        values = np.full((height // factor, width // factor), 40 * number, "uint8")
        group.array(f"{path}v", ["lat", "lon"], values)
    context = serve(open_store(str(tmp_path)), "cube")
    assert ids(context) == ["cube"]
    description = context.catalog.cube("cube").description
    assert [level.factor for level in description.levels] == [1, 2, 4]
    for factor, shown in ((1, 0), (2, 40), (4, 80)):
        grid = description.domain.rectified.coarsened(factor)
        image = render_map(context, MapQuery((LayerRequest("cube"),), grid)).image
        assert (abs(image.rgba().pixels[..., 0].astype(int) - shown) <= 2).all()


def test_what_is_no_grid_is_left_out_with_one_line(tmp_path, caplog):
    plain(tmp_path / "good")
    uneven = Group(tmp_path / "uneven").lonlat(LON % 7).days()
    uneven.array("v", DIMS, flat().astype("uint8"))
    rotated = Group(tmp_path / "rotated")
    rotated.array("rlon", ["rlon"], LON, {"standard_name": "grid_longitude"})
    rotated.array("rlat", ["rlat"], LAT, {"standard_name": "grid_latitude"})
    rotated.array("v", ["rlat", "rlon"], flat()[0].astype("uint8"))
    nowhere = Group(tmp_path / "nowhere")
    nowhere.array("v", ["a", "b"], flat()[0].astype("uint8"))
    nameless = Group(tmp_path / "nameless")
    nameless.array("x", ["x"], 1000.0 * np.arange(WIDTH))
    nameless.array("y", ["y"], 1000.0 * np.arange(HEIGHT))
    nameless.array("v", ["y", "x"], flat()[0].astype("uint8"))
    plain(tmp_path / "complex").array("z", DIMS, flat().astype("complex64"))
    (tmp_path / "text").mkdir()
    (tmp_path / "text/readme").write_text("no Zarr")
    context = make_context(
        open_store(str(tmp_path)), serve(open_store(str(tmp_path))).catalog._config
    )
    with caplog.at_level(logging.WARNING):
        assert ids(context) == ["complex", "good"]
        context.catalog._seen = replace(context.catalog._seen, version="x", at=-100.0)
        assert ids(context) == ["complex", "good"]
    said = {record.getMessage() for record in caplog.records}
    assert len(said) == len(caplog.records) == 5
    for folder, reason in {
        "uneven": "the horizontal axis 'lon' is not strictly ascending or descending",
        "rotated": "a rotated-pole grid (rlat, rlon) that does not say where the pole lies",
        "nowhere": "no dimension is known to be longitude (or x)",
        "nameless": "the coordinates x and y name no CRS",
        "complex": "z: its elements are of type complex64",
    }.items():
        assert any(f"'{folder}'" in one and reason in one for one in said), (folder, said)


def test_a_group_of_arrays_in_a_folder_without_metadata_of_its_own(tmp_path):
    plain(tmp_path / "cube", 2)
    (tmp_path / "cube/.zgroup").unlink()
    assert ids(serve(open_store(str(tmp_path)))) == []


def test_times_are_read_again_when_they_grow(tmp_path):
    group = plain(tmp_path / "cube").consolidate()
    context = serve(open_store(str(tmp_path)), "cube")
    version = context.catalog.version
    group.days(np.append(DAYS, 9))
    group.array("v", DIMS, np.concatenate([flat(), flat()[:1]]).astype("uint8"))
    group.consolidate()
    context.catalog._seen = replace(context.catalog._seen, at=-100.0)
    assert context.catalog.version != version
    check_values(context, "cube", np.concatenate([flat(), flat()[:1]]))
    document = json.loads((tmp_path / "cube/zarr.json").read_bytes())
    assert "consolidated_metadata" in document


def test_packed_times_are_unpacked_and_those_beyond_reckoning_left_out(tmp_path):
    days = np.arange(len(DAYS), dtype=float)
    days[-1] = 1e15
    group = Group(tmp_path / "cube").lonlat().days(days, scale_factor=2.0, add_offset=1.0)
    group.array("v", ["time", "lat", "lon"], shades()[:, 0])
    time = serve(open_store(str(tmp_path)), "cube").catalog.cube("cube").description.domain.time
    assert time.iso == tuple(f"2020-01-{2 + 2 * t:02d}T00:00:00Z" for t in range(len(DAYS) - 1))
