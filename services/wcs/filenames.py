"""File names that say what was asked."""

import re
from collections.abc import Iterable

from services.wcs.subsets import Bracket

LONGEST = 120


def file_name(
    coverage: str, brackets: Iterable[Bracket], fields: Iterable[str], extension: str
) -> str:
    """A name for the answer: coverage, subsets, fields; only letters, digits and ``._-``.

    Examples
    --------
    >>> from services.wcs.subsets import parse_brackets
    >>> file_name("sst", parse_brackets('ansi("2020-01-01T00:00:00Z"),Lat(-40,50)'), ["sst"], "tif")
    'sst_ansi-20200101T000000Z_Lat-m40-50_sst.tif'
    """
    parts = [coverage, *(_subset(bracket) for bracket in brackets), *fields]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "", "_".join(parts))
    return f"{stem[:LONGEST].rstrip('._-') or 'coverage'}.{extension}"


def _subset(bracket: Bracket) -> str:
    axis = bracket.axis.rpartition("/")[2]
    return "-".join([axis, *(_value(value.text) for value in bracket.values)])


def _value(text: str) -> str:
    """A time without its punctuation; a minus sign as ``m``; an open end as ``all``."""
    if text in {"*", ".."}:
        return "all"
    if re.match(r"^\d{4}-\d\d", text):
        return text.replace("-", "").replace(":", "")
    return f"m{text[1:]}" if text.startswith("-") else text
