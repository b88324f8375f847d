"""Where a probe of facts.json lies in the cubes that its source has become."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from datacube.errors import InvalidTime
from datacube.model.axis import Axis, IndexAxis, TimeAxis, axis_values
from datacube.model.domain import DomainSet
from datacube.model.time import Timestamp
from datacube.store.cube import CubeStore

TIMES = {"time", "TIME", "tdim", "day", "reference_time"}
XS = {"lon", "longitude", "x", "xax_subset", "etopo60x", "rlon", "projection_x_coordinate"}
YS = {"lat", "latitude", "y", "yax_subset", "etopo60y", "rlat", "projection_y_coordinate"}
_HOUR = 3_600_000


@dataclass(frozen=True)
class Probe:
    """A value that a variable has at a place: dimensions to indexes, and to coordinates."""

    variable: str
    index: Mapping[str, int]
    coordinates: Mapping[str, Any]
    value: float


def probes_of(fact: Mapping[str, Any]) -> Iterator[Probe]:
    """Every probe of a file that is a number."""
    for cube in fact.get("cubes", [fact]):
        scalars = cube.get("scalars", {})
        for name, variable in cube.get("variables", {}).items():
            for probe in variable.get("probes", []):
                if isinstance(probe.get("value"), int | float):
                    index = dict(zip(variable["dims"], probe["index"], strict=True))
                    yield Probe(name, index, {**scalars, **probe["coords"]}, probe["value"])


def find(cubes: Sequence[CubeStore], probe: Probe, first: int = 0) -> float | None:
    """Decoded value where a probe lies; None where its variable is no field of the cubes.

    Parameters
    ----------
    first : int
        Which slice of the cube is the source's first, where its times are known by index only.
    """
    for cube in cubes:
        domain = cube.description.domain
        further = [axis for axis in domain.axes if not isinstance(axis, TimeAxis)]
        named = _field(cube, probe)
        known = {*probe.index, *probe.coordinates}
        if named is None or any(axis.name not in known for axis in further):
            continue
        time = _time(domain, probe, first)
        places = [_place(axis, probe) for axis in further]
        if time is not None and None not in places:
            row, column = (_horizontal(probe, names) for names in (YS, XS))
            return _value(cube, named, time, tuple(map(int, places)), row, column)
    return None


def _field(cube: CubeStore, probe: Probe) -> str | None:
    """The field of a variable; of several level types the one that the probe lies on."""
    names = [probe.variable, *(f"{probe.variable}_{key}" for key in probe.coordinates)]
    own = cube.description.range_type.by_name
    return next((own[name.lower()].name for name in names if name.lower() in own), None)


def _horizontal(probe: Probe, names: set[str]) -> int:
    return next(at for name, at in probe.index.items() if name.lower() in names)


def _time(domain: DomainSet, probe: Probe, first: int) -> int | None:
    time = domain.time
    if time is None:
        return 0
    said, ahead = probe.coordinates.get("time"), _milliseconds(probe.coordinates.get("step"))
    if isinstance(said, str):
        try:
            ticks = Timestamp.parse(said).ticks(time.calendar)
        except InvalidTime:
            return None
        ticks += ahead if time.name == "time" else 0
        found = np.flatnonzero(time.ticks == ticks)
        return int(found[0]) if len(found) else None
    return first + next((at for name, at in probe.index.items() if name in TIMES), 0)


def _milliseconds(step: Any) -> int:
    """A step such as ``86400000000000 nanoseconds``."""
    return int(str(step).split()[0]) // 1_000_000 if step else 0


def _place(axis: Axis, probe: Probe) -> int | None:
    """Where along an axis a probe lies: by its coordinate, else by its index."""
    said = probe.coordinates.get(axis.name)
    if axis.name == "step":
        said = _milliseconds(said) / _HOUR
    if isinstance(said, int | float) and not isinstance(axis, IndexAxis):
        away = np.abs(np.asarray(axis_values(axis), float) - said)
        return int(away.argmin()) if away.min() < 1e-5 * max(1.0, abs(said)) else None
    if isinstance(axis, IndexAxis) and axis.labels and isinstance(said, int | float):
        label = f"{said:g}"
        return axis.labels.index(label) if label in axis.labels else None
    return probe.index.get(axis.name, 0)


def _value(
    cube: CubeStore, name: str, time: int, place: tuple[int, ...], row: int, column: int
) -> float:
    field = cube.description.range_type.field(name)
    height, width = cube.chunk_shape(name)[-2:]
    start = (time,) if cube.timed else ()
    chunk = cube.chunk(name, 0, (*start, *place, row // height, column // width))
    packed = chunk.reshape(chunk.shape[-2:])[row % height, column % width].reshape(1)
    return float(field.decode(packed, field.valid(packed))[0])
