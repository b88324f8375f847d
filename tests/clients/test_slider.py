"""A slider's journey in the viewer: 48 frames twice over, and what is committed meanwhile."""

import re

import pytest
from playwright.sync_api import TimeoutError as Late
from playwright.sync_api import expect

from datacube.model.fields import Field
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from tests.clients.test_viewer import VIEW, Viewer, chromium  # noqa: F401  the fixture
from tests.cubes import add_slices, make_cube

pytestmark = pytest.mark.browser

HOURS = [f"2020-01-0{1 + hour // 24}T{hour % 24:02d}:00:00Z" for hour in range(48)]
FIELDS = (Field("v", "uint8", valid_range=(0.0, 255.0)),)
JOURNEY = "cube=film&field=film.v&style=grey"


def grey(t, k, f, y, x):
    """The number of the hour everywhere."""
    return 5 * t + 0 * (x + y)


@pytest.fixture
def film(chromium, server_factory, tmp_path):  # noqa: F811  the fixture
    """The viewer of a cube of 48 hours, each of another grey."""
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles/grey.yaml").write_text("type: ramp\ncolormap: gray\nrange: [0, 255]\n")
    (tmp_path / "cubes").mkdir()
    (tmp_path / "cubes/film.yaml").write_text("styles: [grey]\n")
    (tmp_path / "server.yaml").write_text("title: A film\n")
    make_cube(tmp_path / "store", "film", times=HOURS, fields=FIELDS, formula=grey)
    server = server_factory(tmp_path / "store", "--config", str(tmp_path / "server.yaml"))
    page = chromium.new_page()
    viewer = Viewer(page, server.url)
    yield viewer, server
    page.close()
    assert viewer.wrong == []


FRAMES = "performance.getEntriesByName('frame').length"
SENT = """performance.getEntriesByType('resource')
    .filter(({ name, transferSize }) => name.includes('/wmts') && transferSize > 0)
    .map(({ name }) => name)"""
STATE = """({ frames: performance.getEntriesByName('frame').length,
    step: document.querySelector('#count').textContent,
    playing: document.querySelector('#play').getAttribute('aria-pressed'),
    busy: !document.querySelector('#busy').hidden,
    message: document.querySelector('#message').innerText })"""
OFTEN = """{ const { setInterval } = window;
    window.setInterval = (work, time) => setInterval(work, time / 20); }"""
"""A page that looks for what is new 20 times as often; a clock would be that of all pages."""


def play(page, count):
    """Play so many frames, however long they take; the tiles that the server has sent for them."""
    page.evaluate("performance.clearMeasures(); performance.clearResourceTimings()")
    page.locator("#play").click()
    seen = 0
    while seen < count:
        try:
            page.wait_for_function(f"{FRAMES} > {seen}", polling=200, timeout=100_000)
        except Late:
            pytest.fail(f"the player stands still: {page.evaluate(STATE)}")
        seen = page.evaluate(FRAMES)
    page.locator("#play").click()
    return page.evaluate(SENT)


def test_the_journey(film):
    """The first round fetches; then all frames are here, and the browser asks for nothing."""
    viewer, _ = film
    viewer.open(f"{JOURNEY}&time={HOURS[0]}&{VIEW}")
    page = viewer.page
    if not page.locator("#loop").is_checked():
        page.locator("#loop").check(force=True)
    page.evaluate("performance.setResourceTimingBufferSize(10_000)")
    page.locator("#speed").select_option("16")
    assert len(play(page, len(HOURS))) > len(HOURS)
    assert play(page, len(HOURS)) == []
    viewer.settle()
    shown = page.locator("#when").input_value()
    hour = next(n for n, time in enumerate(HOURS) if time.startswith(shown.replace(" ", "T")))
    # a grey is at times one less than the value
    assert {round(part / 5) for colour in viewer.colours() for part in colour} == {hour}


def test_what_is_committed_is_seen(film):
    """Later steps come to the bar, and what was written anew is drawn anew."""
    viewer, server = film
    viewer.page.add_init_script(OFTEN)
    viewer.open(f"{JOURNEY}&time={HOURS[0]}&{VIEW}")
    assert viewer.until(lambda: set(viewer.colours()), {(0, 0, 0)}) == {(0, 0, 0)}
    store = open_store(server.store)
    description = open_cube(store, "film").description
    add_slices(store, description, [HOURS[0]], formula=lambda *at: grey(*at) + 100)
    add_slices(store, description, ["2020-01-03T00:00:00Z"], first=48, formula=grey)
    expect(viewer.page.locator("#count")).to_have_text(re.compile("of 49"), timeout=60_000)
    assert viewer.until(lambda: set(viewer.colours()), {(100,) * 3}) == {(100,) * 3}
