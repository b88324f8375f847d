"""Values along a line as files: CSV, CoverageJSON and charts."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from datacube.errors import InvalidFormat, InvalidParameter, RequestTooLarge
from datacube.formats.sampled import find_writer
from datacube.model.axis import Axis, IndexAxis, TimeAxis, axis_values, points_down
from datacube.model.crs import CRS84, transform
from datacube.model.fields import Field
from datacube.model.sampled import Places, Sampled
from datacube.render.chart import Along, Shown, lines, section
from datacube.render.presets import preset_of
from services.ows.kvp import Kvp, bare_type, positive
from services.ows.pictures import PNG

LINE_FORMATS = ("text/csv", "application/json", "application/prs.coverage+json", PNG)
_MOST_PIXELS = 4096
_CHART = (800, 400)


@dataclass(frozen=True, slots=True)
class Drawn:
    """How the values are written.

    Parameters
    ----------
    media_type : str, of :data:`LINE_FORMATS`
    size : (width, height) of a chart
    profile : bool, whether the axis of a chart points upwards
    plain : bool, whether a table is of one place, which need not stand in it
    """

    media_type: str
    size: tuple[int, int]
    profile: bool
    plain: bool

    @staticmethod
    def of(kvp: Kvp, *, profile: bool, plain: bool) -> "Drawn":
        """Read INFO_FORMAT (or FORMAT) and, of a chart, CHART_WIDTH and CHART_HEIGHT."""
        name = "INFO_FORMAT" if "INFO_FORMAT" in kvp else "FORMAT"
        media_type = kvp.optional(name, _line_format, "text/csv")
        width = kvp.optional("CHART_WIDTH", positive, _CHART[0])
        height = kvp.optional("CHART_HEIGHT", positive, _CHART[1])
        if max(width, height) > _MOST_PIXELS:
            raise RequestTooLarge(
                f"a chart has at most {_MOST_PIXELS} pixels a side", subject="CHART_WIDTH"
            )
        return Drawn(media_type, (max(width, 100), max(height, 100)), profile, plain)


def write_line(sampled: Sampled, drawn: Drawn) -> bytes:
    """The file.

    Raises
    ------
    InvalidParameter
        The values have more axes than a chart.
    """
    match drawn.media_type:
        case "image/png":
            return _chart(sampled, drawn)
        case "text/csv" if drawn.plain and len(sampled.axes) == 1:
            return _table(sampled).encode()
        case "application/json":
            return b"".join(find_writer("json").write(sampled))
        case other:
            return b"".join(find_writer(other).write(sampled))


def _line_format(text: str) -> str:
    wanted = bare_type(text)
    if wanted not in LINE_FORMATS:
        raise InvalidFormat(
            f"'{text[:100]}' is no format offered here; offered: {', '.join(LINE_FORMATS)}"
        )
    return wanted


def _table(sampled: Sampled) -> str:
    """``time,Temperature (K)`` and a row for each place of the axis; no data is empty."""
    (axis,) = sampled.axes
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_axis_label(axis, "({})"), *(_label(one, "({})") for one in sampled.fields)])
    values = [sampled.physical(field).ravel().tolist() for field in sampled.fields]
    for place, *row in zip(axis_values(axis), *values, strict=True):
        writer.writerow([place, *("" if np.isnan(one) else f"{one:.9g}" for one in row)])
    return out.getvalue()


def _chart(sampled: Sampled, drawn: Drawn) -> bytes:
    axes = [*map(_along, sampled.axes)]
    if isinstance(sampled.where, Places) and not sampled.where.single:
        axes.append(Along("distance [km]", _kilometres(sampled.where)))
    match axes:
        case [along]:
            shown = [
                Shown(_label(one, ""), one.uom, sampled.physical(one).ravel())
                for one in sampled.fields
            ]
            return lines(along, shown, drawn.size, upright=drawn.profile)
        case [up, across]:
            field = sampled.fields[0]
            values = sampled.physical(field).reshape(len(up.places), -1)
            preset = preset_of(field)
            colormap = "viridis" if preset is None else preset.colormap
            shown_values = Shown(_label(field, ""), field.uom, values)
            return section(across, up, shown_values, drawn.size, colormap)
        case _:
            raise InvalidParameter(
                f"a chart has one or two axes, not {len(axes)}: fix the others", subject="FORMAT"
            )


def _kilometres(where: Places) -> NDArray[np.float64]:
    """How far each place lies along the line: float64, (places,)."""
    lon, lat = transform(where.x, where.y, where.crs, CRS84)
    steps = Geod(ellps="WGS84").inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    return np.concatenate([[0.0], np.cumsum(steps)]) / 1000.0


def _along(axis: Axis) -> Along:
    places: np.ndarray | Sequence[str]
    match axis:
        case TimeAxis():
            places = axis.ticks.astype("datetime64[ms]")
        case IndexAxis():
            places = [str(one) for one in axis_values(axis)]
        case _:
            places = axis.coordinates
    return Along(_axis_label(axis, "[{}]"), places, points_down(axis))


def _axis_label(axis: Axis, form: str) -> str:
    unit = "" if isinstance(axis, TimeAxis | IndexAxis) else axis.uom
    return f"{axis.name} {form.format(unit)}".strip() if unit else axis.name


def _label(field: Field, form: str) -> str:
    name = field.title or field.name
    return f"{name} {form.format(field.uom)}".strip() if form and field.uom else name
