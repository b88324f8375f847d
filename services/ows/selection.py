"""``SELECTION``: which places a trim takes, for every axis or for each by name.

``SELECTION=nearest`` · ``SELECTION=Long(inside),Lat(outside),time(nearest)``; a parameter of this
server in WCS and OGC API Coverages. The rules are those of :mod:`datacube.slicing.select`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import get_args

from datacube.errors import InvalidParameter
from datacube.model.domain import DomainSet
from datacube.model.query import SelectionRule, Subset, Trim
from services.ows.declared import Parameter

_ENTRY = re.compile(r"\s*(?P<axis>[^\s(),]+)\s*\(\s*(?P<rule>[^()]*?)\s*\)\s*(?:,|$)")
RULES: tuple[SelectionRule, ...] = get_args(SelectionRule.__value__)
_LONGEST = 1000
PARAMETER = Parameter(
    "SELECTION",
    f"which cells a trim takes: one of {', '.join(RULES)} for all axes, or for each: "
    "Long(nearest),Lat(inside)",
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Rules as written.

    Parameters
    ----------
    every : of all axes; the standard's where only some are named
    named : (axis, rule) pairs
    """

    every: SelectionRule = "cells"
    named: tuple[tuple[str, SelectionRule], ...] = ()

    def applied(self, subsets: Iterable[Subset], domain: DomainSet) -> tuple[Subset, ...]:
        """The subsets with the rules that their axes have.

        Raises
        ------
        AxisNotFound
            The coverage has no axis of a name.
        InvalidParameter
            An axis is named twice.
        """
        rules = {domain.axis(axis): rule for axis, rule in self.named}
        if len(rules) < len(self.named):
            raise InvalidParameter("an axis has two rules; give it one", subject="SELECTION")
        return tuple(
            replace(one, rule=rules.get(domain.axis(one.axis), self.every))
            if isinstance(one, Trim)
            else one
            for one in subsets
        )


STANDARD = Selection()
"""Whole cells on x and y, the places within a trim on other axes."""


def parse_selection(text: str) -> Selection:
    """Read the parameter.

    Raises
    ------
    InvalidParameter
        There is no such rule; the message lists them.

    Examples
    --------
    >>> parse_selection("nearest").every
    'nearest'
    >>> parse_selection("Long(inside), time(outside)").named
    (('Long', 'inside'), ('time', 'outside'))
    """
    if "(" not in text:
        return Selection(_rule(text))
    named, at = [], 0
    while at < len(text) <= _LONGEST:
        entry = _ENTRY.match(text, at)
        if entry is None:
            break
        named.append((entry["axis"], _rule(entry["rule"])))
        at = entry.end()
    if at < len(text):
        raise InvalidParameter(
            f"SELECTION '{text[:100]}' cannot be read; write nearest, or Long(nearest),Lat(inside)",
            subject="SELECTION",
        )
    return Selection(named=tuple(named))


def _rule(text: str) -> SelectionRule:
    for rule in RULES:
        if rule == text.strip().lower():
            return rule
    raise InvalidParameter(
        f"there is no selection rule '{text[:50]}'; there are {', '.join(RULES)}",
        subject="SELECTION",
    )
