"""From GRIB messages to hypercubes: variables that share grid, times, members and levels.

The rule does not depend on the order of the messages:

1. A variable is a name on a level type (and a kind of step: instant, accum …).
2. A level type whose number is a place along a vertical axis, or that has several levels, makes an
   axis; variables with fewer of the same levels lie on the same axis, without data elsewhere.
3. Variables on single levels (2 m temperature, mean sea level pressure) that share grid and times
   are one hypercube. A name that occurs on several level types is followed by the level type.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datacube.model.time import Timestamp

_VERTICAL = (  # level types whose number is a place along a vertical axis, even when there is one
    *("isobaricInhPa", "isobaricInPa", "isobaricLayer", "hybrid", "sigma", "eta", "theta"),
    *("potentialVorticity", "depthBelowLand", "depthBelowLandLayer", "depthBelowSea"),
    *("heightAboveSea", "generalVertical", "oceanModel", "oceanModelLayer"),
)
_MEANS = frozenset({0, 1, 6})
_STEP = re.compile(r"(-?\d+)(.*)")
_SECOND = 1000
_UNKNOWN = 255
_DERIVED = {2: "std", 3: "std", 4: "spread", 5: "anomaly", 7: "range", 8: "min", 9: "max"}
_PROBABILITIES = {
    0: ("below", "Lower"),
    1: ("above", "Upper"),
    2: ("from", "Lower", "to", "Upper"),
    3: ("above", "Lower"),
    4: ("below", "Upper"),
}
_FIRST = ("surface", "heightAboveGround", "meanSea")

type Level = tuple[float, float]
type Run = tuple[int, int]
type _Key = tuple[str, str, str, str]
type Place = tuple[int, Run, Level | None]
"""Member, run and level."""


@dataclass(frozen=True, slots=True)
class Message:
    """One field of the file.

    Parameters
    ----------
    keys : mapping, as ecCodes says them
    grid : str, digest of the grid section
    place : (offset, number of the field in the message)
    name : str
    level : (top, bottom); equal where it is no layer
    run : (start of the model run, valid time), ticks
    member : int, of an ensemble
    """

    keys: Mapping[str, Any]
    grid: str
    place: tuple[int, int]
    name: str
    level: Level
    run: Run
    member: int

    @property
    def level_type(self) -> str:
        """``isobaricInhPa``, ``surface`` …."""
        return str(self.keys.get("typeOfLevel", "unknown"))

    @property
    def step_type(self) -> str:
        """``instant``, ``accum``, ``avg`` …."""
        return str(self.keys.get("stepType", "instant"))

    @property
    def begins_later(self) -> bool:
        """Whether the hours of which it tells begin after the run."""
        return _step(self.keys, "startStep")[0] != 0


@dataclass(frozen=True, slots=True)
class Hypercube:
    """Variables on the same axes.

    Parameters
    ----------
    grid : str, digest of the grid section
    level_type : str
    levels : tuple of Level, empty for single levels
    runs : tuple of Run, ascending
    members : tuple of int, ascending
    variables : mapping of name to messages by (member, run, level)
    """

    grid: str
    level_type: str
    levels: tuple[Level, ...]
    runs: tuple[Run, ...]
    members: tuple[int, ...]
    variables: Mapping[str, Mapping[Place, Message]]


def message_of(said: Mapping[str, Any]) -> Message:
    """A message out of the child's index.

    Raises
    ------
    InvalidTime
        Its date is none.
    """
    name = str(said.get("cfVarName", "unknown"))
    if name in {"unknown", "~"}:
        name = str(said.get("shortName", "unknown"))
    if name in {"unknown", "~"}:
        name = f"param{said.get('paramId', 0) or _numbers(said)}"
    name += _statistic(said)
    single = float(said.get("level", 0))
    layer = str(said.get("typeOfLevel", "")).endswith("Layer")
    level = single, single
    if layer and "topLevel" in said and "bottomLevel" in said:
        level = float(said["topLevel"]), float(said["bottomLevel"])
    run = (
        _instant(said, "dataDate", "dataTime") + _SECOND * int(said.get("second", 0)),
        _instant(said, "validityDate", "validityTime") + _SECOND * _seconds(said),
    )
    place = tuple(said["place"])
    return Message(said, said["grid"], place, name, level, run, int(said.get("number", 0)))


def _numbers(said: Mapping[str, Any]) -> str:
    """The numbers of a parameter that ecCodes does not know."""
    keys = ("discipline", "parameterCategory", "parameterNumber")
    known = [key for key in (*keys, "table2Version", "indicatorOfParameter") if key in said]
    chosen = [key for key in known if key in keys] or known
    return "_".join(("", *(str(said[key]) for key in chosen)))


def _statistic(said: Mapping[str, Any]) -> str:
    """What of an ensemble a field is, if it is not a member or the mean; follows the name.

    Examples
    --------
    >>> _statistic({"derivedForecast": 4}), _statistic({"percentileValue": 90})
    ('_spread', '_p90')
    >>> limit = {"scaleFactorOfUpperLimit": 1, "scaledValueOfUpperLimit": 5}
    >>> _statistic({"probabilityType": 1, **limit})
    '_above_0.5'
    """
    if "percentileValue" in said:
        return f"_p{said['percentileValue']}"
    if "probabilityType" in said:
        words = _PROBABILITIES.get(int(said["probabilityType"]), ("probability", ""))
        return "_".join(("", *(_limit(said, word) for word in words if word)))
    derived = int(said.get("derivedForecast", 0))
    return "" if derived in _MEANS else f"_{_DERIVED.get(derived, f'derived{derived}')}"


def _limit(said: Mapping[str, Any], word: str) -> str:
    if word not in {"Lower", "Upper"}:
        return word
    factor = said.get(f"scaleFactorOf{word}Limit", 0)
    return f"{float(said.get(f'scaledValueOf{word}Limit', 0)) / 10 ** float(factor):g}"


def _step(said: Mapping[str, Any], key: str) -> tuple[int, str]:
    """Number and unit of a step: 6, ``90s``, ``2x15m``."""
    found = _STEP.match(str(said.get(key, 0)))
    return (int(found[1]), found[2]) if found else (0, "")


def _seconds(said: Mapping[str, Any]) -> int:
    """What ecCodes leaves out of the valid time: it ends with the minute.

    In GRIB 1 a key of that name is part of local sections, and ends the last day of a month.

    Examples
    --------
    >>> _seconds({"second": 30, "endStep": "95s"}), _seconds({"second": 30, "endStep": 6})
    (65, 30)
    >>> _seconds({"edition": 1, "second": 0, "secondOfEndOfOverallTimeInterval": 59})
    0
    """
    last = int(said.get("secondOfEndOfOverallTimeInterval", _UNKNOWN))
    if last < _UNKNOWN and int(said.get("edition", 2)) > 1:
        return last
    step, unit = _step(said, "endStep")
    return int(said.get("second", 0)) + (step % 60 if unit == "s" else 0)


def _instant(said: Mapping[str, Any], date: str, time: str) -> int:
    day, clock = int(said[date]), int(said.get(time, 0))
    text = f"{day // 10000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"
    return Timestamp.parse(f"{text}T{clock // 100:02d}:{clock % 100:02d}:00Z").ticks("standard")


def hypercubes_of(messages: Sequence[Message]) -> list[Hypercube]:
    """Hypercubes of a file's messages; those with a vertical axis first, then by level type."""
    made = [_cube_of(members) for _, members in sorted(_variables(messages).items(), key=_order)]
    stacked = [one for one in made if one.levels]
    stacked.sort(key=lambda one: -len(one.levels))
    single = _told_apart([one for one in made if not one.levels])
    return [*_joined(stacked), *_joined(single)]


def repeats_of(messages: Sequence[Message]) -> Iterator[tuple[Message, Message]]:
    """Messages of one field at one place, in pairs; the second one counts."""
    for members in _variables(messages).values():
        found: dict[tuple[int, Run, Level], Message] = {}
        for one in members:
            place = one.member, one.run, one.level
            if place in found:
                yield found[place], one
            found[place] = one


def _variables(messages: Sequence[Message]) -> dict[_Key, list[Message]]:
    """Messages by grid, level type, kind of step and name.

    Where some at one valid time begin with the run and others later (a whole sum, and that of the
    last hours), the latter get a name of their own.
    """
    found: dict[_Key, list[Message]] = {}
    for one in messages:
        key = one.grid, one.level_type, one.step_type, one.name
        found.setdefault(key, []).append(one)
    for key, members in list(found.items()):
        places = {(one.member, one.run, one.level) for one in members}
        later = [one for one in members if one.begins_later]
        if len(places) < len(members) and 0 < len(later) < len(members):
            name = f"{key[3]}_part"
            found[key] = [one for one in members if not one.begins_later]
            found[*key[:3], name] = [replace(one, name=name) for one in later]
    return found


def _order(item: tuple[tuple[str, str, str, str], list[Message]]) -> tuple[object, ...]:
    (grid, level_type, step_type, name), _ = item
    rank = _FIRST.index(level_type) if level_type in _FIRST else len(_FIRST)
    return rank, level_type, step_type != "instant", step_type, name, grid


def _told_apart(single: Sequence[Hypercube]) -> list[Hypercube]:
    """Hypercubes of one variable each, with the level type in names that occur several times."""
    names = Counter((one.grid, *one.variables) for one in single)
    return [
        replace(one, variables={f"{name}_{one.level_type}": messages})
        if names[one.grid, name] > 1
        else one
        for one in single
        for name, messages in one.variables.items()
    ]


def _cube_of(members: Sequence[Message]) -> Hypercube:
    first = members[0]
    levels = sorted({one.level for one in members})
    stacked = len(levels) > 1 or first.level_type in _VERTICAL
    if first.level_type.startswith("isobaric"):
        levels.reverse()  # from the ground up
    places = {(one.member, one.run, one.level if stacked else None): one for one in members}
    return Hypercube(
        first.grid,
        first.level_type,
        tuple(levels) if stacked else (),
        tuple(sorted({one.run for one in members})),
        tuple(sorted({one.member for one in members})),
        {first.name: places},
    )


def _joined(cubes: Sequence[Hypercube]) -> Iterator[Hypercube]:
    """Cubes of the same axes together."""
    joined: list[Hypercube] = []
    for one in cubes:
        at = next((n for n, other in enumerate(joined) if _together(other, one)), None)
        if at is None:
            joined.append(one)
            continue
        host = joined[at]
        both = {**host.variables, **one.variables}
        joined[at] = Hypercube(
            host.grid, host.level_type, host.levels, host.runs, host.members, both
        )
    yield from joined


def _together(host: Hypercube, guest: Hypercube) -> bool:
    names = {name.lower() for name in host.variables}
    return (
        host.grid == guest.grid
        and host.runs == guest.runs
        and host.members == guest.members
        and (not host.levels or host.level_type == guest.level_type)
        and set(guest.levels) <= set(host.levels)
        and not names & {name.lower() for name in guest.variables}
    )
