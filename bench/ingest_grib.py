"""Write the GRIB file of :mod:`bench.ingest_data`: ``python -m bench.ingest_grib FILE``."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import eccodes
import numpy as np

from bench import scenes

STEPS, HEIGHT, WIDTH = 744, 361, 720


def main(path: Path) -> None:
    """One message an hour, sixteen bits a value."""
    first = datetime(2018, 1, 1, tzinfo=UTC)
    base = 280 + 15 * scenes.surface(HEIGHT, WIDTH, 24, 60)
    wave = scenes.surface(HEIGHT, WIDTH, 48, 61)
    rng = np.random.default_rng((scenes.SEED, 62))
    with path.open("wb") as file:
        for step in range(STEPS):
            when = first + timedelta(hours=step)
            handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
            keys = {
                "Ni": WIDTH,
                "Nj": HEIGHT,
                "latitudeOfFirstGridPointInDegrees": 90.0,
                "latitudeOfLastGridPointInDegrees": -90.0,
                "longitudeOfFirstGridPointInDegrees": 0.0,
                "longitudeOfLastGridPointInDegrees": 359.5,
                "iDirectionIncrementInDegrees": 0.5,
                "jDirectionIncrementInDegrees": 0.5,
                "dataDate": int(when.strftime("%Y%m%d")),
                "dataTime": when.hour * 100,
                "shortName": "2t",
                "bitsPerValue": 16,
            }
            for key, value in keys.items():
                eccodes.codes_set(handle, key, value)
            values = base + 5 * np.sin(step / 24 * 2 * np.pi) * wave
            values += rng.normal(0, 0.1, values.shape)
            eccodes.codes_set_values(handle, values.astype(np.float64).ravel())
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
