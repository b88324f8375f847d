"""The simulated pixels against what is known to be there."""

from dataclasses import replace

import numpy as np
import pytest

from services.demo.landscape import Cover
from services.demo.scene import PASSES, SEED, land_of, make_scene
from services.demo.season import GROWTH, green_share, shares, surface_reflectance
from services.demo.sky import Weather
from services.demo.spectra import Material, material_reflectance

SIZE = 120


@pytest.fixture(scope="module")
def land():
    return land_of(SIZE)


@pytest.fixture(scope="module")
def clear(land):
    """The pass of 9 June, without any cloud."""
    overpass = PASSES[2]
    assert overpass.weather == Weather()
    return make_scene(overpass, land)


def reflectance(scene, band):
    return (scene.bands[band].astype(np.float64) - 1000) / 10_000


def whole(mask):
    """20 m cells whose four 10 m cells all are in the mask."""
    return mask[::2, ::2] & mask[1::2, ::2] & mask[::2, 1::2] & mask[1::2, 1::2]


def test_deep_lake_has_the_reflectance_of_the_table(land, clear):
    deep = (land.cover == Cover.WATER) & (land.depth > 0.999)
    assert deep.sum() > 50
    near = reflectance(clear, "B08")[deep]
    expected = material_reflectance("B08")[Material.LAKE] + 0.004 * (490 / 832.8) ** 2.2
    assert near.mean() == pytest.approx(expected, abs=3e-4)
    assert near.max() < 0.02


def test_ground_seen_under_a_clear_sky_differs_by_haze_and_noise_alone(land, clear):
    made = shares(land, PASSES[2].start.timetuple().tm_yday, SEED)
    expected = surface_reflectance(land, made, "B04") + 0.004 * (490 / 664.6) ** 2.2
    error = reflectance(clear, "B04") - expected
    assert abs(error.mean()) < 5e-5
    assert error.std() == pytest.approx(5e-4, rel=0.05)  # five digital numbers


def test_coarse_bands_are_block_means(land, clear):
    made = shares(land, PASSES[2].start.timetuple().tm_yday, SEED)
    fine = surface_reflectance(land, made, "B11")
    mean = fine.reshape(SIZE // 2, 2, SIZE // 2, 2).mean(axis=(1, 3))
    error = reflectance(clear, "B11") - mean - 0.004 * (490 / 1613.7) ** 2.2
    assert abs(error).max() < 4e-3


def test_classes_agree_with_the_land(land, clear):
    classes = clear.classes
    assert set(np.unique(classes).tolist()) <= {4, 5, 6}
    assert (classes[whole(land.cover == Cover.WATER)] == 6).all()
    assert (classes[whole(land.cover == Cover.CONIFER)] == 4).all()
    sealed = classes[whole((land.cover == Cover.BUILT) | (land.cover == Cover.ROAD))]
    assert (sealed == 5).mean() > 0.95  # gardens between the houses are green


def test_vegetation_class_is_where_the_index_is_high(land, clear):
    made = shares(land, PASSES[2].start.timetuple().tm_yday, SEED)
    red, near = (surface_reflectance(land, made, band) for band in ("B04", "B08"))
    ndvi = (near - red) / (near + red)
    ground = land.cover != Cover.WATER
    assert (clear.classes[whole(ground & (ndvi > 0.40))] == 4).all()
    assert (clear.classes[whole(ground & (ndvi < 0.40))] == 5).all()


def test_clouds_are_bright_and_classed_and_shadows_dark(land):
    scene = make_scene(PASSES[3], land)
    blue, near = reflectance(scene, "B02"), reflectance(scene, "B8A")
    clouded = np.kron(scene.classes == 9, np.ones((2, 2))) > 0
    assert clouded.mean() > 0.1
    assert blue[clouded].mean() > 0.6
    assert blue.max() > 0.9
    shaded = (scene.classes == 3) & whole(land.cover <= Cover.GRASS)
    lit = (scene.classes == 4) & whole(land.cover <= Cover.GRASS)
    assert near[shaded].mean() < 0.75 * near[lit].mean()


def test_cirrus_is_classed_and_veils_the_visible_more_than_the_infrared(land):
    scene = make_scene(PASSES[0], land)
    bare = make_scene(replace(PASSES[0], weather=Weather()), land)
    veiled = scene.classes == 10
    assert 0.2 < veiled.mean() < 0.8
    fine = np.kron(veiled, np.ones((2, 2))) > 0
    visible = reflectance(scene, "B04")[fine].mean() - reflectance(bare, "B04")[fine].mean()
    infrared = reflectance(scene, "B11")[veiled].mean() - reflectance(bare, "B11")[veiled].mean()
    assert visible > 0.04
    assert infrared < visible / 2


def test_outside_the_swath_there_is_no_data_in_any_band(land):
    scene = make_scene(PASSES[4], land)
    outside = scene.classes == 0
    assert 0.05 < outside.mean() < 0.3
    assert (scene.bands["B11"][outside] == 0).mean() > 0.98
    empty = scene.bands["B02"] == 0
    assert (empty == (np.kron(outside, np.ones((2, 2))) > 0)).mean() > 0.99
    assert empty[0, 0]
    assert not empty[0, -1]


def test_nothing_inside_the_swath_is_no_data(clear):
    assert all((values > 0).all() for values in clear.bands.values())


def test_crops_have_their_seasons():
    days = np.array([96, 131, 161, 186, 221, 256], np.float32)
    wheat = green_share(GROWTH[Cover.WHEAT], days)
    maize = green_share(GROWTH[Cover.MAIZE], days)
    assert wheat.argmax() in (1, 2)
    assert wheat[4:].max() == 0
    assert maize.argmax() in (3, 4)
    assert maize[0] < 0.01


def test_fields_of_wheat_and_maize_part_ways_over_the_season(land):
    def ndvi(day, cover):
        made = shares(land, day, SEED)
        red, near = (surface_reflectance(land, made, band) for band in ("B04", "B08"))
        return float(((near - red) / (near + red))[land.cover == cover].mean())

    assert ndvi(131, Cover.WHEAT) - ndvi(131, Cover.MAIZE) > 0.4
    assert ndvi(221, Cover.MAIZE) - ndvi(221, Cover.WHEAT) > 0.4


@pytest.mark.parametrize("size", [0, 100, -6])
def test_size_must_hold_whole_cells_of_60_m(size):
    with pytest.raises(ValueError, match="multiple of 6"):
        land_of(size)
