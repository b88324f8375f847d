"""The child process that decodes GRIB: ``python -m datacube.ingest.grib_worker FILE``.

ecCodes aborts a process in which PROJ is loaded later, and a damaged message can end it; so it
lives in a process of its own. It answers one JSON line for each JSON line; values follow their
line as raw bytes. Whatever libraries print goes to the standard error.

The first line is the index: the messages with their keys and place in the file, the grid sections
that occur, and how many damaged messages were passed over.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_MESSAGE = (
    *("cfVarName", "shortName", "paramId", "name", "units", "cfName", "typeOfLevel", "stepType"),
    *("level", "topLevel", "bottomLevel", "dataDate", "dataTime", "validityDate", "validityTime"),
    *("number", "startStep", "endStep", "stepUnits", "centreDescription"),
)
_GRID = (
    *("gridType", "N", "Ni", "Nj", "Nx", "Ny", "iScansNegatively", "jScansPositively"),
    *("jPointsAreConsecutive", "alternativeRowScanning", "projTargetString", "shapeOfTheEarth"),
    *("latitudeOfFirstGridPointInDegrees", "longitudeOfFirstGridPointInDegrees"),
    *("latitudeOfLastGridPointInDegrees", "longitudeOfLastGridPointInDegrees"),
    *("latitudeOfSouthernPoleInDegrees", "longitudeOfSouthernPoleInDegrees"),
    *("angleOfRotationInDegrees", "iDirectionIncrementInDegrees", "jDirectionIncrementInDegrees"),
    *("DxInMetres", "DyInMetres", "DiInMetres", "DjInMetres", "projectionCentreFlag"),
)
_MISSING = float(np.finfo(np.float32).max)
_MOST_DAMAGED = 1000


def main(path: str) -> None:
    """Index the file, then serve planes of values until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import eccodes  # noqa: PLC0415  only in this process

    eccodes.codes_grib_multi_support_on()
    with Path(path).open("rb") as file:
        try:
            _say(answers, _index(file))
        except Exception as error:  # noqa: BLE001  the parent process words it
            _say(answers, {"error": f"{type(error).__name__}: {error}"})
            return
        for line in sys.stdin.buffer:
            try:
                values = _plane(file, *json.loads(line)["place"])
            except Exception as error:  # noqa: BLE001  the parent process words it
                _say(answers, {"error": f"{type(error).__name__}: {error}"})
                continue
            _say(answers, {"shape": values.shape, "dtype": values.dtype.str})
            answers.write(values.tobytes())
            answers.flush()


def _index(file: BinaryIO) -> dict[str, Any]:
    """Keys of every readable message and grid section."""
    import eccodes  # noqa: PLC0415  only in this process

    grids: dict[str, dict[str, Any]] = {}
    messages: list[dict[str, Any]] = []
    damage: list[str] = []
    for handle in _handles(file, damage):
        section = str(eccodes.codes_get(handle, "md5GridSection"))
        if section not in grids:
            grids[section] = dict(_keys(handle, _GRID))
        offset, place = int(eccodes.codes_get(handle, "offset")), 0
        if messages and messages[-1]["place"][0] == offset:  # several fields in one message
            place = messages[-1]["place"][1] + 1
        keys = dict(_keys(handle, _MESSAGE))
        messages.append({"grid": section, "place": [offset, place], **keys})
    return {"messages": messages, "grids": grids, "damage": damage}


def _handles(file: BinaryIO, damage: list[str]) -> Iterator[Any]:
    """Messages one after another; what cannot be read is noted and passed over."""
    import eccodes  # noqa: PLC0415  only in this process

    while len(damage) < _MOST_DAMAGED:
        try:
            handle = eccodes.codes_grib_new_from_file(file)
        except eccodes.CodesInternalError as error:
            damage.append(str(error))
            continue
        if handle is None:
            return
        try:
            yield handle
        finally:
            eccodes.codes_release(handle)


def _keys(handle: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    import eccodes  # noqa: PLC0415  only in this process

    for name in names:
        if not eccodes.codes_is_defined(handle, name):
            continue
        try:
            yield name, eccodes.codes_get(handle, name)
        except eccodes.CodesInternalError:
            continue


def _plane(file: BinaryIO, offset: int, place: int) -> np.ndarray[Any, Any]:
    """Values of a field of the message at an offset: rows as scanned, each from west to east."""
    import eccodes  # noqa: PLC0415  only in this process

    eccodes.codes_grib_multi_support_reset_file(file)
    file.seek(offset)
    for _ in range(place):
        eccodes.codes_release(eccodes.codes_grib_new_from_file(file))
    handle = eccodes.codes_grib_new_from_file(file)
    try:
        eccodes.codes_set(handle, "missingValue", _MISSING)
        values = eccodes.codes_get_values(handle)
        key = dict(_keys(handle, (*_GRID, "bitmapPresent")))
    finally:
        eccodes.codes_release(handle)
    if key.get("bitmapPresent"):
        values = np.where(values == _MISSING, np.nan, values)
    return np.ascontiguousarray(_arranged(values, key), np.float32)


def _arranged(values: np.ndarray[Any, Any], key: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Scanned numbers as rows and columns (GRIB 2 flag table 3.4)."""
    columns, rows = int(key.get("Ni", key.get("Nx", 0))), int(key.get("Nj", key.get("Ny", 0)))
    consecutive = bool(key.get("jPointsAreConsecutive"))
    plane = values.reshape((columns, rows) if consecutive else (rows, columns))
    if key.get("alternativeRowScanning"):
        plane[1::2] = plane[1::2, ::-1].copy()
    if consecutive:
        plane = plane.T
    return plane[:, ::-1] if key.get("iScansNegatively") else plane


def _say(stream: BinaryIO, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1])
