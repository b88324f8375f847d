"""Formats of maps: what each file is, and that its pixels are the same; films frame by frame."""

import subprocess
from io import BytesIO

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence
from rasterio.io import MemoryFile

from tests.protocol.pictures import rgba
from tests.protocol.wms130.test_errors import code_of

START = (
    "VERSION=1.3.0&REQUEST=GetMap&CRS=CRS:84&BBOX=-180,-90,180,90&WIDTH=20&HEIGHT=10&STYLES=exact"
)
DAYS = ("2020-01-01", "2020-01-02", "2020-01-03")


def get(wms, query, layer="holes.v"):
    return wms.raw(f"{START}&LAYERS={layer}&{query}")


def still(wms, time, more="&TRANSPARENT=TRUE", layer="holes.v"):
    return rgba(get(wms, f"FORMAT=image/png&TIME={time}{more}", layer))


def mode_of(response):
    with Image.open(BytesIO(response.body)) as image:
        return image.mode


@pytest.mark.parametrize(
    ("name", "sent", "mode"),
    [
        ("image/png", "image/png", "P"),
        ("image/png;%20mode=8bit", "image/png", "P"),
        ("image/png;%20mode=32bit", "image/png", "RGBA"),
        ("image/png32", "image/png", "RGBA"),
        ("image/gif", "image/gif", "P"),
        ("image/webp", "image/webp", "RGBA"),
    ],
)
def test_pictures(wms, name, sent, mode):
    response = get(wms, f"FORMAT={name}&TIME=2020-01-01&TRANSPARENT=TRUE")
    assert (response.media_type, mode_of(response)) == (sent, mode)
    wanted = still(wms, "2020-01-01")
    found = rgba(response)
    np.testing.assert_array_equal(found[..., 3], wanted[..., 3])
    seen = wanted[..., 3] > 0
    np.testing.assert_array_equal(found[seen], wanted[seen])


def test_kinds_of_png_are_other_bytes_with_other_tags(wms):
    one, other = (get(wms, f"FORMAT={name}&TIME=2020-01-01") for name in ("image/png", "png32"))
    assert one.header("ETag") != other.header("ETag")


@pytest.mark.parametrize("more", ["", "&TRANSPARENT=TRUE"])
@pytest.mark.parametrize("name", ["image/tiff", "image/geotiff", "image/tiff;application=geotiff"])
def test_geotiff(wms, name, more):
    response = get(wms, f"FORMAT={name}&TIME=2020-01-01{more}")
    assert response.media_type == "image/tiff"
    wanted = still(wms, "2020-01-01", more)
    with MemoryFile(response.body) as memory, memory.open() as file:
        assert file.bounds == (-180, -90, 180, 90)
        assert file.crs.to_epsg() in {4326, None}
        if more:
            found = np.moveaxis(file.read(), 0, -1)
        else:
            assert file.count == 1
            colours = file.colormap(1)
            found = np.array([[colours[value] for value in row] for row in file.read(1).tolist()])
        np.testing.assert_array_equal(found[..., : wanted.shape[-1]], wanted)


def frames_of(response):
    with Image.open(BytesIO(response.body)) as picture:
        found = [np.asarray(one.convert("RGBA")) for one in ImageSequence.Iterator(picture)]
        durations = [one.info.get("duration", 0) for one in ImageSequence.Iterator(picture)]
    return found, durations


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("image/gif&ANIMATION=true", "image/gif"),
        ("image/png&ANIMATION=TRUE", "image/apng"),
        ("image/apng", "image/apng"),
        ("image/webp&ANIMATION=true", "image/webp"),
    ],
)
@pytest.mark.parametrize(
    "time", [",".join(DAYS), "2020-01-01/2020-01-03", "2020-01-01/2020-01-03/P1D", "2020/..", None]
)
def test_frames_are_single_maps(wms, name, sent, time):
    given = "" if time is None else f"&TIME={time}"
    response = get(wms, f"FORMAT={name}&FPS=4&HOLD=1&TRANSPARENT=TRUE{given}")
    assert (response.status, response.media_type) == (200, sent)
    found, durations = frames_of(response)
    assert len(found) == 3
    for frame, day in zip(found, DAYS, strict=True):
        wanted = still(wms, day)
        np.testing.assert_array_equal(frame[..., 3] > 0, wanted[..., 3] > 0)
        seen = wanted[..., 3] > 0
        np.testing.assert_array_equal(frame[seen], wanted[seen])
    if sent != "image/webp":
        assert [round(one) for one in durations] == [250, 250, 1250]


def test_a_range_with_a_period_takes_the_steps_of_its_beats(wms):
    found, _ = frames_of(
        get(wms, "FORMAT=image/apng&TIME=2020-01-01/2020-01-03/P2D&TRANSPARENT=TRUE")
    )
    assert len(found) == 2
    np.testing.assert_array_equal(found[1], still(wms, "2020-01-03"))


def test_a_film(wms, tmp_path):
    response = get(wms, "FORMAT=video/mp4&FPS=5&HOLD=0.4&TIME=2020")
    assert response.media_type == "video/mp4"
    path = tmp_path / "film.mp4"
    path.write_bytes(response.body)
    read = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(path)]
    raw = subprocess.run(
        [*read, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
    )
    frames = np.frombuffer(raw.stdout, np.uint8).reshape(-1, 10, 20, 3)
    assert len(frames) == 5  # the last one stays for two more beats
    for frame, day in zip(frames, (*DAYS, DAYS[-1], DAYS[-1]), strict=True):
        wanted = still(wms, day, "")[..., :3].astype(int)
        assert abs(frame.astype(int) - wanted).mean() < 12


def test_frames_that_pass_into_one_another(wms):
    query = "FORMAT=image/apng&FPS=4&HOLD=1&FADE=0.1&TRANSPARENT=TRUE&TIME=2020-01-01,2020-01-02"
    found, durations = frames_of(get(wms, query))
    assert [round(one) for one in durations] == [150, 50, 50, 1250]
    first, last = (still(wms, day) for day in DAYS[:2])
    np.testing.assert_array_equal(found[0], first)
    np.testing.assert_array_equal(found[-1], last)
    both = (first[..., 3] > 0) & (last[..., 3] > 0)
    wanted = (2 * first.astype(float) + last) / 3
    np.testing.assert_allclose(found[1][both].astype(float), wanted[both], atol=0.51)
    whole, _ = frames_of(get(wms, query.replace("0.1", "0.25")))  # never at rest
    assert len(whole) == 6


def test_a_film_that_fades(wms, tmp_path):
    response = get(wms, "FORMAT=video/mp4&FPS=5&FADE=0.1&TIME=2020-01-01,2020-01-02")
    path = tmp_path / "film.mp4"
    path.write_bytes(response.body)
    read = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(path)]
    raw = subprocess.run(
        [*read, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
    )
    assert len(raw.stdout) == (2 + 1 + 1 + 4) * 10 * 20 * 3  # beats of 50 ms


def test_captions_and_legends_are_drawn_over_the_frames(wms):
    size = "&WIDTH=300&HEIGHT=200&FORMAT=image/apng&TIME=2020-01-01,2020-01-02"
    query = START.replace("&WIDTH=20&HEIGHT=10", "") + "&LAYERS=globe.v" + size
    plain, _ = frames_of(wms.raw(query))
    words, _ = frames_of(wms.raw(f"{query}&CAPTION=true"))
    other, _ = frames_of(wms.raw(f"{query}&CAPTION=Air%20on%20{{time}}"))
    keyed, _ = frames_of(wms.raw(f"{query}&LEGEND=true"))
    assert (words[0][:150] == plain[0][:150]).all()
    assert (words[0][-10:] != plain[0][-10:]).any()
    assert (words[0] != words[1]).any()
    assert (other[0] != words[0]).any()
    assert (keyed[0][:, :100] == plain[0][:, :100]).all()
    assert (keyed[0][100:, 250:] != plain[0][100:, 250:]).any()


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("FORMAT=image/jpeg&ANIMATION=true", 200, "InvalidFormat"),
        ("FORMAT=image/apng&FPS=0", 200, None),
        ("FORMAT=image/apng&HOLD=1e9", 200, None),
        ("FORMAT=image/apng&FADE=0.6", 200, None),
        ("FORMAT=image/apng&FADE=-1", 200, None),
        ("FORMAT=image/apng&TIME=2031/2032", 200, "InvalidDimensionValue"),
        ("FORMAT=image/apng&TIME=x", 200, "InvalidDimensionValue"),
        ("FORMAT=image/apng&WIDTH=4096&HEIGHT=4096", 413, None),
    ],
)
def test_animations_that_cannot_be(wms, query, status, code):
    base = START.replace("&WIDTH=20&HEIGHT=10", "") if "WIDTH" in query else START
    response = wms.raw(f"{base}&LAYERS=holes.v&{query}")
    assert response.status == status
    assert code_of(response) == code


def test_a_cube_without_time_is_one_frame(wms):
    query = (
        "VERSION=1.3.0&REQUEST=GetMap&CRS=EPSG:32632&BBOX=500000,5000000,500100,5000050&WIDTH=10"
        "&HEIGHT=5&LAYERS=utm.v&STYLES=exact&TIME=2020&FORMAT="
    )
    found, _ = frames_of(wms.raw(f"{query}image/apng"))
    assert len(found) == 1
    np.testing.assert_array_equal(found[0], rgba(wms.raw(f"{query}image/png")))


def test_higher_resolution_draws_larger(wms):
    query = (
        "VERSION=1.3.0&REQUEST=GetMap&CRS=CRS:84&BBOX=-150,-60,150,60&WIDTH=400&HEIGHT=160"
        "&STYLES=contours&LAYERS=globe.v&FORMAT=image/png&TRANSPARENT=TRUE&TIME=2020-01-01"
        "&COLORSCALERANGE=0,40&NUMCOLORBANDS=5"
    )
    plain = (rgba(wms.raw(query))[..., 3] > 0).mean()
    for spelling in ("DPI=288", "MAP_RESOLUTION=288", "FORMAT_OPTIONS=antialias:on;dpi:288"):
        assert (rgba(wms.raw(f"{query}&{spelling}"))[..., 3] > 0).mean() > 1.5 * plain
    assert wms.raw(f"{query}&DPI=96").body == wms.raw(query).body
    assert code_of(wms.raw(f"{query}&DPI=0")) is None
