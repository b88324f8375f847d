"""The child process that decodes GRIB: ``python -m datacube.ingest.grib_worker FILE``.

ecCodes aborts a process in which PROJ is loaded later, and a damaged message can end it; so it
lives in a process of its own. It answers one JSON line for each JSON line. ``{"index": true}`` asks
for the messages with their keys and place in the file, the grid sections that occur, and how many
damaged messages were passed over; ``{"place": […]}`` for values, which follow their line as raw
bytes. Whatever libraries print goes to the standard error.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyproj  # noqa: F401  loaded first: ecCodes loaded before PROJ aborts the process

from datacube.ingest.grib_header import at_another_time, header_of

_NAMES = ("cfVarName", "shortName", "paramId", "name", "units", "cfName")
_MESSAGE = (
    *("typeOfLevel", "stepType"),
    *("level", "topLevel", "bottomLevel", "dataDate", "dataTime", "validityDate", "validityTime"),
    *("edition", "second", "secondOfEndOfOverallTimeInterval"),
    *("number", "startStep", "endStep", "stepUnits", "centreDescription"),
)
_KIND = (
    *("discipline", "parameterCategory", "parameterNumber"),
    *("table2Version", "indicatorOfParameter"),
    *("derivedForecast", "percentileValue", "probabilityType"),
    *("scaleFactorOfLowerLimit", "scaledValueOfLowerLimit"),
    *("scaleFactorOfUpperLimit", "scaledValueOfUpperLimit"),
)
_PLAIN = frozenset({None, 0, 1, 8, 11})
"""Templates of a field at an instant or over a while, of one run or member; none in GRIB 1."""

_TEMPLATE = ("productDefinitionTemplateNumber",)
_GRID = (
    *("gridType", "N", "Ni", "Nj", "Nx", "Ny", "iScansNegatively", "jScansPositively"),
    *("jPointsAreConsecutive", "alternativeRowScanning", "projTargetString", "shapeOfTheEarth"),
    *("latitudeOfFirstGridPointInDegrees", "longitudeOfFirstGridPointInDegrees"),
    *("latitudeOfLastGridPointInDegrees", "longitudeOfLastGridPointInDegrees"),
    *("latitudeOfSouthernPoleInDegrees", "longitudeOfSouthernPoleInDegrees"),
    *("angleOfRotationInDegrees", "iDirectionIncrementInDegrees", "jDirectionIncrementInDegrees"),
    *("DxInMetres", "DyInMetres", "DiInMetres", "DjInMetres", "projectionCentreFlag"),
)
_SCANNED = (
    *("Ni", "Nj", "Nx", "Ny", "iScansNegatively", "jPointsAreConsecutive"),
    *("alternativeRowScanning", "bitmapPresent"),
)
_MISSING = float(np.finfo(np.float32).max)
_MOST_DAMAGED = 1000


def main(path: str) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import eccodes  # noqa: PLC0415  only in this process

    eccodes.codes_grib_multi_support_on()
    with Path(path).open("rb") as file:
        for line in sys.stdin.buffer:
            asked = json.loads(line)
            try:
                if "index" in asked:
                    _say(answers, _index(file))
                    continue
                values = _plane(file, *asked["place"])
            except Exception as error:  # noqa: BLE001  the parent process words it
                _say(answers, {"error": f"{type(error).__name__}: {error}"})
                continue
            _say(answers, {"shape": values.shape, "dtype": values.dtype.str})
            answers.write(values.data)
            answers.flush()


def _index(file: BinaryIO) -> dict[str, Any]:
    """Keys of every readable message and grid section."""
    import eccodes  # noqa: PLC0415  only in this process

    grids: dict[str, dict[str, Any]] = {}
    messages: list[dict[str, Any]] = []
    damage: list[str] = []
    known: dict[bytes, dict[str, Any]] = {}
    for handle in _handles(file, damage):
        section = str(eccodes.codes_get(handle, "md5GridSection"))
        if section not in grids:
            grids[section] = dict(_keys(handle, _GRID))
        offset, place = int(eccodes.codes_get(handle, "offset")), 0
        if messages and messages[-1]["place"][0] == offset:  # several fields in one message
            place = messages[-1]["place"][1] + 1
        keys = {"grid": section, "place": [offset, place], **dict(_keys(handle, _NAMES + _MESSAGE))}
        template = dict(_keys(handle, _TEMPLATE)).get("productDefinitionTemplateNumber")
        if not keys.get("paramId") or template not in _PLAIN:
            keys |= dict(_keys(handle, _KIND))
        messages.append(keys)
        header = header_of(file.fileno(), offset)
        if header is not None:
            known[header.product] = keys
            messages += _alike(file, header.end, known)
    return {"messages": messages, "grids": grids, "damage": damage}


def _alike(file: BinaryIO, offset: int, known: dict[bytes, dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages from an offset on that differ from known ones in their time alone.

    The file is left behind them. ecCodes would load each as a whole, and look every key up.
    """
    found = []
    while (header := header_of(file.fileno(), offset)) is not None:
        keys = known.get(header.product)
        again = None if keys is None else at_another_time(keys, header)
        if again is None:
            break
        found.append({**again, "place": [offset, 0]})
        offset = header.end
    if found:
        file.seek(offset)
    return found


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
        key = dict(_keys(handle, _SCANNED))
    finally:
        eccodes.codes_release(handle)
    if key.get("bitmapPresent"):
        values = np.where(values == _MISSING, np.nan, values)
    return np.ascontiguousarray(arranged(values, key), np.float32)


def arranged(values: np.ndarray[Any, Any], key: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Scanned numbers as rows and columns (GRIB 2 flag table 3.4).

    Parameters
    ----------
    values : (numbers,), may be written over
    key : mapping
        Of the grid section, as ecCodes says it.
    """
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
