"""Commits beside a running server, and conditional requests after each: no byte is ever stale.

``DATACUBE_SOAK_SECONDS=300`` makes it five minutes.
"""

import os
import time
from io import BytesIO

import httpx
import numpy as np
import pytest

from datacube.model.fields import Field
from datacube.store.url import open_store
from tests.cubes import add_slices, make_cube, make_description
from tests.servers import start_server

SECONDS = float(os.environ.get("DATACUBE_SOAK_SECONDS", "3"))
DAYS = ("2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04")
FIELDS = [Field("v", "int32")]
VALUES = "/tiles/closed/values/WebMercatorQuad/1/{row}/{column}.npy"


def constant(value):
    def formula(_t, _k, _f, y, x):
        return value + 0 * (y + x)

    return formula


class Kept:
    """What a client keeps of a URL: tag and value."""

    def __init__(self):
        self.tags, self.values = {}, {}

    def ask(self, client, url):
        """The value at a URL, and whether it was sent."""
        headers = {"If-None-Match": self.tags[url]} if url in self.tags else {}
        answer = client.get(url, headers=headers)
        if answer.status_code == 200:
            self.tags[url] = answer.headers["etag"]
            self.values[url] = float(np.load(BytesIO(answer.content))[128, 128])
        else:
            assert answer.status_code == 304, answer.text
        return self.values[url], answer.status_code == 200


@pytest.mark.timeout(SECONDS + 240)
def test_no_stale_byte(tmp_path):
    store, chance, value = tmp_path / "store", np.random.default_rng(7), 0
    make_cube(store, times=DAYS, fields=FIELDS, formula=constant(value))
    made = make_description(fields=FIELDS)
    expected = dict.fromkeys(DAYS, value)
    server = start_server(store, tmp_path / "log")
    kept, sent, spared = Kept(), 0, 0
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline or value < 3:
                day, value = str(chance.choice(DAYS)), value + 1
                add_slices(open_store(str(store)), made, [day], formula=constant(value))
                expected[day] = value
                for time_text in (*DAYS, ""):
                    row, column = chance.integers(2), chance.integers(2)
                    url = VALUES.format(row=row, column=column)
                    url += f"?time={time_text}" if time_text else ""
                    found, anew = kept.ask(client, url)
                    assert found == expected[time_text or DAYS[-1]], (url, value)
                    sent, spared = sent + anew, spared + (not anew)
    finally:
        server.stop()
    assert value >= 3
    assert sent
    assert spared or SECONDS < 30
