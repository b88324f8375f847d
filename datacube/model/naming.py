"""Ids of cubes and fields: the rule by which a source's name becomes an id, and its parts theirs.

1. The base is ``--cube``, the recipe's cube, or the file's name without its extension and without
   its dates and times, so that the files of a series meet in one cube.
2. Characters other than ``A-Z a-z 0-9 _ -`` become ``-`` in cube ids and ``_`` in field names.
3. Fields that share grid and axes are one part of the source. The first part (the one with a
   vertical axis, then the one with most fields, then the first in the file) has the base as its
   id; each other part is ``BASE-2d`` (time and grid only, beside a part with a vertical axis),
   ``BASE-static`` (no time, beside a part that has time) or ``BASE-<axes or level type>``; where
   that is taken a number follows.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta

_YEAR = r"(?:1[89]|2[01])\d\d"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"[0-2]\d(?:[0-5]\d(?:[0-5]\d)?(?:\.\d+)?)?"
_DATES = (
    rf"(?:(?<=_)[sec]|(?<!\d)){_YEAR}[0-3]\d\d[0-2]\d[0-5]\d[0-5]\d\d?(?!\d)",  # day of year
    rf"(?<!\d){_YEAR}-{_MONTH}(?:-{_DAY}(?:[T_ -][0-2]\d[:-]?[0-5]\d(?:[:-]?[0-5]\d)?)?)?Z?(?!\d)",
    rf"(?<!\d){_YEAR}_{_MONTH}_{_DAY}(?!\d)",
    rf"(?<![A-Za-z0-9]){_YEAR}\.{_MONTH}(?:\.{_DAY})?(?![A-Za-z0-9])",
    rf"(?<![A-Za-z0-9])(?:A|doy){_YEAR}[0-3]\d\d(?!\d)",  # day of year
    rf"(?<!\d){_YEAR}{_MONTH}{_DAY}(?:[T_-]?{_CLOCK})?Z?(?!\d)",
    rf"(?<!\d){_YEAR}{_MONTH}(?!\d)",
    rf"(?<![A-Za-z0-9]){_YEAR}(?![A-Za-z0-9])",
)
_DATE = re.compile("|".join(f"(?:{one})" for one in _DATES))
_PARTS = (
    rf"(?<![A-Za-z0-9])(?P<year>{_YEAR})\.(?P<month>{_MONTH})(?:\.(?P<day>{_DAY}))?(?![A-Za-z0-9])",
    rf"(?<!\d)(?P<year>{_YEAR})-?(?P<month>{_MONTH})(?!\d)",
    rf"(?<![A-Za-z0-9])(?:A|doy)(?P<year>{_YEAR})(?P<of_year>[0-3]\d\d)(?!\d)",
)
_INSTANT = re.compile(
    rf"(?<!\d)(?P<year>{_YEAR})(?P<sep>[-_]?)(?P<month>{_MONTH})(?P=sep)(?P<day>{_DAY})"
    r"(?:[T_-]?(?P<hour>[01]\d|2[0-3])(?:[:-]?(?P<minute>[0-5]\d)(?:[:-]?(?P<second>[0-5]\d))?)?)?"
    r"(?!\d)"
)


def identifier(text: str, filler: str = "-") -> str:
    """Text as an id: ``[A-Za-z_][A-Za-z0-9_-]*``.

    Examples
    --------
    >>> identifier("TMP_TGL_2_latlon.15x.15"), identifier("2t", "_")
    ('TMP_TGL_2_latlon-15x-15', '_2t')
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", filler, text)
    plain = re.sub(r"([-_])[-_]+", r"\1", plain).strip("-") if filler == "-" else plain
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"


def base_id(stem: str) -> str:
    """Base id of a file's name (without extension): dates and times are left out.

    Examples
    --------
    >>> base_id("era5-2mt-2019-03-uk"), base_id("20170605120000-UKMO-L4-GLOB-v02.0")
    ('era5-2mt-uk', 'UKMO-L4-GLOB-v02-0')
    >>> base_id("nemo_1m_20150101-20150201_grid-T"), base_id("2020")
    ('nemo_1m_grid-T', '_2020')
    """
    without = identifier(_DATE.sub("-", stem)).strip("-_")
    cleaned = identifier(without) if without else ""
    return cleaned if re.search(r"[A-Za-z]", cleaned) else identifier(stem)


def part_ids(base: str, suffixes: Sequence[str]) -> tuple[str, ...]:
    """Ids of a source's parts; the first, the main one, has the base itself.

    Parameters
    ----------
    suffixes : sequence of str
        One for each part in rank order; that of the first is not used.

    Examples
    --------
    >>> part_ids("ifs", ["isobaricInhPa", "2d", "2d"])
    ('ifs', 'ifs-2d', 'ifs-2d-2')
    """
    taken: list[str] = []
    for position, suffix in enumerate(suffixes):
        wanted = base if position == 0 else identifier(f"{base}-{suffix.lower()}")
        number = 2
        found = wanted
        while found in taken:
            found = f"{wanted}-{number}"
            number += 1
        taken.append(found)
    return tuple(taken)


def instant_in(name: str) -> str | None:
    """The first date, with its time of day where there is one, in a file's name; ISO 8601.

    Examples
    --------
    >>> instant_in("mosaic_1PNPDE20060816_090929_000001972050"), instant_in("B11")
    ('2006-08-16T09:09:29Z', None)
    """
    found = _INSTANT.search(name)
    if found is None:
        return None
    hour, minute, second = found["hour"] or "00", found["minute"] or "00", found["second"] or "00"
    return f"{found['year']}-{found['month']}-{found['day']}T{hour}:{minute}:{second}Z"


def day_in(name: str) -> str | None:
    """The first instant in a file's name, else its first month or day of the year; ISO 8601.

    Examples
    --------
    >>> day_in("a_20200115T1030.tif"), day_in("chirps-v2.0.2020.01.tif"), day_in("x_2020")
    ('2020-01-15T10:30:00Z', '2020-01-01', None)
    >>> day_in("tas_EUR-22_v1_mon_202101-202112"), day_in("MOD13Q1.A2020033.h18v04")
    ('2021-01-01', '2020-02-02')
    """
    if instant := instant_in(name):
        return instant
    found = next((one for pattern in _PARTS if (one := re.search(pattern, name))), None)
    if found is None:
        return None
    said = found.groupdict()
    first = date(int(said["year"]), int(said.get("month") or 1), 1)
    days = said.get("of_year") or said.get("day") or 1
    wanted = first + timedelta(days=int(days) - 1)
    return wanted.isoformat() if wanted.year == first.year else None
