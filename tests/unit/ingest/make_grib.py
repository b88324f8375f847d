"""Write a GRIB 2 file from a JSON list of messages: run by itself, as ecCodes wants a process.

Each message has shortName, typeOfLevel, level, step (hours), date; its values are
``1000 * step + level + 10 * row + column`` on a 4 x 5 grid of half degrees from (10, 52), in 24
bits each unless it says ``bits``, and ``add`` more where it says that. The keys of ``first`` are
set before all others, those of ``last`` after them; without a shortName they say what it is.
"""

import json
import sys
from pathlib import Path

import numpy as np


def main() -> None:
    import eccodes  # never in the process of the tests, which has PROJ loaded

    messages = json.loads(sys.argv[2])
    with Path(sys.argv[1]).open("wb") as file:
        for one in messages:
            handle = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib2")
            south_up = one.pop("south_up", False)
            missing = one.pop("missing", False)
            alternate, leftward, columns = (
                one.pop(key, False) for key in ("alternate", "leftward", "columns")
            )
            first, last = (50.5, 52.0) if south_up else (52.0, 50.5)
            geometry = {
                "Ni": 5,
                "Nj": 4,
                "latitudeOfFirstGridPointInDegrees": first,
                "latitudeOfLastGridPointInDegrees": last,
                "longitudeOfFirstGridPointInDegrees": 12.0 if leftward else 10.0,
                "longitudeOfLastGridPointInDegrees": 10.0 if leftward else 12.0,
                "iScansNegatively": int(leftward),
                "jPointsAreConsecutive": int(columns),
                "alternativeRowScanning": int(alternate),
                "iDirectionIncrementInDegrees": 0.5,
                "jDirectionIncrementInDegrees": 0.5,
                "jScansPositively": int(south_up),
                "dataDate": one.get("date", 20200101),
                "dataTime": one.get("time", 0),
                "stepRange": one.get("steps", str(one["step"])),
                "typeOfLevel": one["typeOfLevel"],
                "level": one["level"],
                "shortName": one["shortName"],
                "bitsPerValue": one.get("bits", 24),
                "decimalScaleFactor": one.get("decimals", 0),
                "bitmapPresent": int(missing),
                "missingValue": 9999,
            }
            if not one["shortName"]:
                del geometry["shortName"]
            for key, value in (one.get("first", {}) | geometry | one.get("last", {})).items():
                eccodes.codes_set(handle, key, value)
            values = np.add.outer(10.0 * np.arange(4), np.arange(5.0))
            values += 1000 * one["step"] + one["level"] + one.get("add", 0)
            if missing:
                values[1, 2] = 9999
            if alternate:
                values[1::2] = values[1::2, ::-1].copy()
            values = values[:, ::-1] if leftward else values
            values = values.T if columns else values
            eccodes.codes_set_values(handle, values.ravel())
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)


if __name__ == "__main__":
    main()
