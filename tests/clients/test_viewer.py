"""The viewer in headless Chromium against a live server, by the pixels that it shows."""

import re
import shutil
from math import asinh, pi, radians, tan

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.clients.pictures import rgba

pytestmark = pytest.mark.browser

WIDTH, HEIGHT, ZOOM = 1200, 800, 3
VIEW = f"view=0/0/{ZOOM}"
PLACES = ((-27, -27), (81, -27), (9, -45), (-27, 27))
"""Longitudes and latitudes of cells' middles, off the coasts, the graticule and the panels."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless browser with a profile of its own."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "no Chromium here: apt-get install chromium"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=found,
            args=FLAGS,
            viewport={"width": WIDTH, "height": HEIGHT},
            reduced_motion="reduce",
        )
        yield context
        context.close()


class Viewer:
    """A page, and everything that went wrong on it."""

    def __init__(self, page, url):
        self.page = page
        self.url = url
        self.wrong: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, message):
        if message.type in {"error", "warning"}:
            self.wrong.append(f"console: {message.text}")

    def _failed(self, request):
        # a picture that is no longer wanted is given up on purpose
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"failed: {request.url} {request.failure}")

    def _answered(self, answer):
        if answer.status >= 400:
            self.wrong.append(f"{answer.status}: {answer.url}")

    def open(self, state=""):
        self.page.goto(f"{self.url}/viewer/#{state}")
        expect(self.page.locator("#cube-list .cube").first).to_be_visible()
        self.settle()

    def settle(self):
        """Wait until nothing has been asked of the server for a while."""
        seen = -1
        while seen != len(self.asked):
            seen = len(self.asked)
            self.page.wait_for_timeout(400)
        self.page.wait_for_load_state("networkidle")

    def until(self, seen, expected=True):
        """Wait until the outcome is as expected, at most ten seconds; the last outcome."""
        for _ in range(50):
            if seen() == expected:
                break
            self.page.wait_for_timeout(200)
        return seen()

    def position(self, lon, lat):
        """Pixel of a place at the view's zoom, the middle of the map at 0, 0."""
        box = self.page.locator("#map").bounding_box()
        world = 256 * 2**ZOOM
        x = box["x"] + box["width"] / 2 + world * lon / 360
        y = box["y"] + box["height"] / 2 - world * asinh(tan(radians(lat))) / (2 * pi)
        return round(x), round(y)

    def colours(self):
        """RGB at each of :data:`PLACES` of a screenshot."""
        pixels = rgba(self.page.screenshot())
        assert pixels.shape[:2] == (HEIGHT, WIDTH)
        return [tuple(pixels[y, x, :3].tolist()) for x, y in (self.position(*at) for at in PLACES)]

    def shows_cells(self):
        """Whether each place shows 10 * row + column of its cell."""
        found = self.colours()
        grey = all(red == green == blue for red, green, blue in found)
        return grey and [(red + 1) // 2 for red, _, _ in found] == [cell(*at) for at in PLACES]

    def is_at(self, time):
        """The time shown begins so."""
        expect(self.page.locator("#when")).to_have_value(re.compile(f"^{time}"))


def cell(lon, lat):
    """10 * row + column of the cubes of 20 x 10 cells."""
    return int(10 * ((90 - lat) // 18) + (lon + 180) // 18)


@pytest.fixture
def viewer(chromium, live_server):
    """A page; in the end nothing must have gone wrong on it, and nobody else been asked."""
    page = chromium.new_page()
    made = Viewer(page, live_server.url)
    yield made
    page.close()
    assert made.wrong == []
    assert [url for url in made.asked if not _own(url, live_server.url)] == []


def _own(url, server):
    return url.startswith((server, "data:", "blob:"))


def test_all_cubes_are_listed_and_the_first_is_shown(viewer):
    viewer.open(VIEW)
    cubes = viewer.page.locator("#cube-list .cube")
    assert [one.get_attribute("data-cube") for one in cubes.all()] == [
        "closed",
        "events",
        "levels",
        "plain",
        "utm",
    ]
    expect(viewer.page.locator("#title")).to_have_text("Closed forms")
    expect(cubes.first).to_have_class(re.compile("chosen"))
    viewer.is_at("2020-01-03")
    assert viewer.until(viewer.shows_cells)  # the newest day, in its default style
    expect(viewer.page.locator("#legend")).to_be_visible()
    assert viewer.page.evaluate("document.querySelector('#legend-image').naturalWidth") > 10


def test_the_time_slider_changes_the_picture(viewer):
    viewer.open(f"cube=closed&field=closed.v&style=day1&time=2020-01-02&{VIEW}")
    assert viewer.until(viewer.shows_cells)
    slider = viewer.page.locator("#slider")
    slider.press("ArrowRight")
    viewer.settle()
    viewer.is_at("2020-01-03")
    above = [(255, 255, 255)] * len(PLACES)  # of the range of day 1
    assert viewer.until(viewer.colours, above) == above
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    viewer.settle()
    viewer.is_at("2020-01-01")
    below = [(0, 0, 0)] * len(PLACES)
    assert viewer.until(viewer.colours, below) == below
    viewer.page.locator("#style").select_option("day0")
    viewer.settle()
    assert viewer.until(viewer.shows_cells)


def test_a_click_shows_the_value(viewer):
    viewer.open(f"cube=closed&field=closed.v&style=day1&time=2020-01-02&{VIEW}")
    number = viewer.page.locator("#value .number")
    for place in PLACES:
        viewer.page.mouse.click(*viewer.position(*place))
        expect(number).to_have_text(re.compile(rf"^{1000 + cell(*place)}\b"))
        viewer.page.wait_for_timeout(400)  # the next click is not the second of a double one
    viewer.page.locator("#slider").press("ArrowRight")  # the same place at the next time
    expect(number).to_have_text(re.compile(rf"^{2000 + cell(*PLACES[-1])}\b"))


def test_a_click_beside_the_panel_shows_value_and_chart(viewer):
    viewer.open(VIEW)
    viewer.until(viewer.shows_cells)
    viewer.page.mouse.click(400, 300)
    card, panel = viewer.page.locator("#value"), viewer.page.locator("#panel")
    expect(card.locator(".number")).to_be_visible()
    card.get_by_role("button", name="Chart over time").click()
    chart = card.get_by_role("img", name="over time")
    expect(chart).to_have_js_property("naturalWidth", 400)
    right = panel.bounding_box()["x"] + panel.bounding_box()["width"]
    assert card.bounding_box()["x"] >= right
    assert card.bounding_box()["y"] + card.bounding_box()["height"] < HEIGHT
    viewer.page.locator("#slider").press("ArrowLeft")  # the chart stays with its place
    viewer.settle()
    expect(chart).to_be_visible()


def test_play_goes_through_the_times(viewer):
    viewer.open(f"cube=closed&field=closed.v&style=day1&time=2020-01-01&{VIEW}")
    viewer.page.locator("#speed").select_option("8")
    viewer.page.evaluate(
        """() => {
          window.seen = [];
          const when = document.querySelector("#when");
          setInterval(() => window.seen.push(when.value.slice(0, 10)), 20);
        }"""
    )
    viewer.page.locator("#play").click()
    viewer.page.wait_for_function("new Set(window.seen).size === 3")
    viewer.page.locator("#play").click()
    assert viewer.page.locator("#play").get_attribute("aria-pressed") == "false"


def test_another_cube_is_chosen(viewer):
    viewer.open(VIEW)
    viewer.page.locator('#cube-list [data-cube="levels"] input').first.check()
    viewer.settle()
    expect(viewer.page).to_have_url(re.compile("cube=levels"))
    fields = viewer.page.locator('#cube-list [data-cube="levels"] .fields label')
    expect(fields).to_have_count(3)
    viewer.page.locator('#cube-list [data-cube="plain"] input').first.check()
    viewer.settle()
    expect(viewer.page.locator("#timebar")).to_be_hidden()


def test_a_level_is_chosen(viewer):
    viewer.open(f"cube=levels&field=levels.u&{VIEW}")
    viewer.page.locator("#elevation").select_option("50")
    viewer.settle()
    expect(viewer.page).to_have_url(re.compile("elevation=50"))
    viewer.page.mouse.click(*viewer.position(*PLACES[0]))
    number = viewer.page.locator("#value .number")
    expect(number).to_have_text(re.compile(rf"^{202_000 + cell(*PLACES[0])}\b"))


def test_the_address_restores_what_was_shown(viewer):
    viewer.open(f"cube=events&field=events.v&style=day2&time=2020-02-29T12:00:00Z&{VIEW}")
    assert viewer.until(viewer.shows_cells)
    address, before = viewer.page.url, viewer.colours()
    viewer.page.goto("about:blank")
    viewer.open(address.partition("#")[2])
    viewer.is_at("2020-02-29")
    assert viewer.until(viewer.colours, before) == before
