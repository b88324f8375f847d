"""Why a NetCDF file has no field on a regular grid, in one sentence."""

from collections.abc import Mapping
from typing import Any

import netCDF4
import numpy as np

from datacube.ingest.readers.cf import position_names
from datacube.store.cf import Coordinate


def why_not_gridded(file: netCDF4.Dataset, coordinates: Mapping[str, Coordinate]) -> str:
    """The reason that a person needs to choose another tool or file."""
    variables = file.variables
    if any(getattr(one, "cf_role", "") == "mesh_topology" for one in variables.values()):
        return "an unstructured mesh (UGRID); only cells in rows and columns can be read"
    rotated = sorted(name for name, one in coordinates.items() if one.role in {"rlon", "rlat"})
    if rotated:
        return (
            f"a rotated-pole grid ({', '.join(rotated)}) without a grid mapping, "
            "and without longitudes and latitudes of its cells"
        )
    if positions := sorted(position_names(file)):
        return (
            "a curvilinear grid or swath, but no variable lies on the cells that have positions "
            f"({', '.join(positions)})"
        )
    empty = [name for name, one in file.dimensions.items() if not len(one)]
    if empty and any(set(empty) & set(one.dimensions) for one in variables.values()):
        return f"the dimension {', '.join(empty)} has no length, so that there is no value"
    if not any(_is_plane(one) for one in variables.values()):
        groups = f" (its groups are {', '.join(file.groups)})" if file.groups else ""
        return f"no variable on a longitude-latitude or projected grid in the root group{groups}"
    return "no variable has both a longitude (or x) and a latitude (or y) coordinate"


def _is_plane(variable: Any) -> bool:
    return isinstance(variable.dtype, np.dtype) and variable.ndim >= 2
