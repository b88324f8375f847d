"""The child process that decodes GRIB: ``python -m datacube.ingest.grib_worker FILE``.

ecCodes aborts a process in which PROJ is loaded later, and a damaged message can end it; so it
lives in a process of its own. It answers one JSON line for each JSON line; values follow their
line as raw bytes. Whatever libraries print goes to the standard error.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_KEYS = ("GRIB_gridType", "GRIB_typeOfLevel", "GRIB_stepType", "GRIB_paramId", "GRIB_name")
_NAMES = ("long_name", "units", "standard_name", "positive")


def main(path: str) -> None:
    """Describe the file's hypercubes, then serve planes of values until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        if refusal := _refusal(path):
            _say(answers, {"refused": refusal})
            return
        cubes = _open(path)
        _say(answers, {"cubes": [_describe(cube) for cube in cubes]})
    except Exception as error:  # noqa: BLE001  the parent process words it
        _say(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    for line in sys.stdin.buffer:
        try:
            values = _plane(cubes, json.loads(line))
        except Exception as error:  # noqa: BLE001  the parent process words it
            _say(answers, {"error": f"{type(error).__name__}: {error}"})
            continue
        _say(answers, {"shape": values.shape, "dtype": values.dtype.str})
        answers.write(values.tobytes())
        answers.flush()


def _refusal(path: str) -> str:
    """Walk over all messages: a cut or damaged one raises; a grid that is not read is named."""
    import eccodes  # noqa: PLC0415  only in this process

    grids = set()
    with Path(path).open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            grids.add(str(eccodes.codes_get(handle, "gridType")))
            eccodes.codes_release(handle)
    others = sorted(grids - {"regular_ll"})
    if not others:
        return "" if grids else "the file holds no GRIB message"
    return f"the grid type is {', '.join(others)}; regular longitude-latitude grids can be read"


def _open(path: str) -> list[Any]:
    import cfgrib  # noqa: PLC0415  only in this process

    found: list[Any] = cfgrib.open_datasets(path, backend_kwargs={"indexpath": ""})
    return found


def _describe(cube: Any) -> dict[str, Any]:
    return {
        "attributes": {name: str(value) for name, value in cube.attrs.items()},
        "coordinates": dict(_coordinates(cube)),
        "fields": [
            {
                "name": str(name),
                "dims": list(one.dims),
                "shape": list(one.shape),
                "dtype": one.dtype.name,
                "attributes": {key: str(one.attrs.get(key, "")) for key in (*_KEYS, *_NAMES)},
            }
            for name, one in cube.data_vars.items()
        ],
    }


def _coordinates(cube: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in cube.coords.items():
        values = one.values
        if values.dtype.kind in "Mm":
            values = values.astype(f"{values.dtype.str[:2]}8[ms]").astype(np.int64)
        planar = one.ndim > 1 and name != "valid_time"
        yield (
            str(name),
            {
                "dims": list(one.dims),
                "values": [] if planar else np.asarray(values).tolist(),
                "attributes": {key: str(one.attrs.get(key, "")) for key in _NAMES},
            },
        )


def _plane(cubes: list[Any], asked: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Values of one field over the horizontal dimensions, at the asked places of the others."""
    plane = cubes[asked["cube"]][asked["field"]].isel(asked["places"])
    return np.ascontiguousarray(plane.transpose("latitude", "longitude").values)


def _say(stream: BinaryIO, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1])
