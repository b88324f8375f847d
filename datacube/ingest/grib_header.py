"""What the sections of a GRIB 2 message say, without ecCodes (WMO Manual on Codes, FM 92)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_LARGE = 1 << 16
_FIXED_UNITS = frozenset({0, 1, 2, 10, 11, 12, 13})  # of code table 4.4: none of months or years


@dataclass(frozen=True, slots=True)
class Header:
    """A message of one field that lies in the file as a whole.

    Parameters
    ----------
    end : int
        Offset of what follows it.
    product : bytes
        All that it says of its product and grid but the reference time.
    time : bytes
        Reference time: octets 13 to 19 of section 1.
    """

    end: int
    product: bytes
    time: bytes


def header_of(descriptor: int, offset: int) -> Header | None:
    """The header of a message at an offset of a file; None where there is no such message."""
    start = os.pread(descriptor, 16, offset)
    if len(start) < 16 or start[:4] != b"GRIB" or start[7] != 2:
        return None
    end, at, number = offset + int.from_bytes(start[8:], "big"), offset + 16, 0
    said, time = [start[6:7]], b""  # the discipline, by which all numbers are meant
    while number < 7:
        size, following = _section(os.pread(descriptor, 5, at))
        if size > end - at or following <= number:  # one section twice: there are several fields
            return None
        number = following
        if number < 5:
            if size > _LARGE:
                return None
            section = os.pread(descriptor, size, at)
            if number == 1:
                section, time = section[:12] + section[19:], section[12:19]
            said.append(section)
        at += size
    whole = number == 7 and at + 4 == end and os.pread(descriptor, 4, at) == b"7777"
    return Header(end, b"".join(said), time) if whole else None


def at_another_time(keys: Mapping[str, Any], header: Header) -> dict[str, Any] | None:
    """Keys of a message of the same product at the reference time of a header.

    None where that takes a calendar, the keys do not say their times, or the product is one of an
    interval: its end is an instant of its own.

    Examples
    --------
    >>> time = (2020).to_bytes(2, "big") + bytes([2, 28, 18, 0, 0])
    >>> keys = {"dataDate": 20200101, "dataTime": 0, "validityDate": 20200102,
    ...         "validityTime": 1200, "stepUnits": 1, "stepType": "instant"}
    >>> at_another_time(keys, Header(0, b"", time))["validityDate"]
    20200301
    """
    if keys.get("stepUnits") not in _FIXED_UNITS or keys.get("stepType") != "instant":
        return None
    try:
        step = _instant(keys, "validity") - _instant(keys, "data")
        year, rest = int.from_bytes(header.time[:2], "big"), header.time[2:]
        start = datetime(year, *rest)  # noqa: DTZ001  as the keys say it
        valid = start + step
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    if start.second or len(header.time) != 7:
        return None
    return {**keys, **_said(start, "data"), **_said(valid, "validity"), "second": 0}


def _section(start: bytes) -> tuple[int, int]:
    """Size and number of a section; a size that is none where there is no section."""
    size = int.from_bytes(start[:4], "big")
    return (size, start[4]) if len(start) == 5 and size >= 5 else (1 << 62, 0)


def _instant(keys: Mapping[str, Any], name: str) -> datetime:
    day, clock = int(keys[f"{name}Date"]), int(keys[f"{name}Time"])
    midnight = datetime(day // 10000, day // 100 % 100, day % 100)  # noqa: DTZ001
    return midnight + timedelta(hours=clock // 100, minutes=clock % 100)


def _said(instant: datetime, name: str) -> dict[str, int]:
    day = instant.year * 10000 + instant.month * 100 + instant.day
    return {f"{name}Date": day, f"{name}Time": instant.hour * 100 + instant.minute}
