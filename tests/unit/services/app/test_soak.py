"""Commits beside a running server, and conditional requests after each: no byte is ever stale.

A client names what it has by its tag or by its date. ``DATACUBE_SOAK_SECONDS=300`` makes it five
minutes.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO

import httpx
import numpy as np
import pytest

from datacube.model.fields import Field
from datacube.store.cube import open_cube
from datacube.store.manifest import SourceRecord
from datacube.store.url import open_store
from tests.cubes import make_cube, ticks_of
from tests.servers import start_server

SECONDS = float(os.environ.get("DATACUBE_SOAK_SECONDS", "3"))
DAYS = ("2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04")
FIELDS = [Field("v", "int32")]
VALUES = "/tiles/closed/values/WebMercatorQuad/1/{row}/{column}.npy"


def write_anew(store, day, value):
    """A day of one value in place of what was there, ingested a second after the one before."""
    ingested = (datetime(2020, 2, 1, tzinfo=UTC) + timedelta(seconds=value)).isoformat()
    values = {"v": np.full((10, 20), value, np.int32)}
    with open_cube(open_store(str(store)), "closed").transaction("again") as tx:
        tx.write_slice(ticks_of(day), values, SourceRecord(f"{day} {value}", ingested=ingested))


class Kept:
    """What a client keeps of a URL: tag, date and value."""

    def __init__(self):
        self.tags, self.dates, self.values = {}, {}, {}

    def ask(self, client, url, *, by_date):
        """The value at a URL, and whether it was sent; compared by its tag, or its date if any."""
        known, name = (self.dates, "If-Modified-Since") if by_date else (self.tags, "If-None-Match")
        headers = {name: known[url]} if known.get(url) else {}
        answer = client.get(url, headers=headers)
        if answer.status_code == 200:
            self.tags[url] = answer.headers["etag"]
            self.dates[url] = answer.headers.get("last-modified")
            self.values[url] = float(np.load(BytesIO(answer.content))[128, 128])
        else:
            assert answer.status_code == 304, answer.text
        return self.values[url], answer.status_code == 200


@pytest.mark.timeout(SECONDS + 240)
def test_no_stale_byte(tmp_path):
    store, chance, value = tmp_path / "store", np.random.default_rng(7), 0
    make_cube(store, times=DAYS, fields=FIELDS)
    for day in DAYS:
        write_anew(store, day, value)
    expected = dict.fromkeys(DAYS, value)
    server = start_server(store, tmp_path / "log")
    kept, sent, spared = Kept(), 0, 0
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline or value < 3:
                day, value = str(chance.choice(DAYS)), value + 1
                write_anew(store, day, value)
                expected[day] = value
                for time_text in (*DAYS, ""):
                    row, column = chance.integers(2), chance.integers(2)
                    url = VALUES.format(row=row, column=column)
                    url += f"?time={time_text}" if time_text else ""
                    found, anew = kept.ask(client, url, by_date=bool(chance.integers(2)))
                    assert found == expected[time_text or DAYS[-1]], (url, value)
                    sent, spared = sent + anew, spared + (not anew)
    finally:
        server.stop()
    assert value >= 3
    assert sent
    assert spared or SECONDS < 30
    assert all(kept.dates.values())
