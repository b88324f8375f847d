"""xpublish with the plug-ins that are installed: tiles and WMS, or WMS and EDR."""

import os
from pathlib import Path

import xarray
import xpublish

DATA = os.environ["BENCH_PEERS"]


def _levels(name):
    return sorted(int(one.name) for one in Path(DATA, f"{name}.zarr").iterdir() if one.is_dir())


def _open(name, level):
    return xarray.open_zarr(
        f"{DATA}/{name}.zarr", group=str(level), chunks=None, decode_coords="all"
    )


def _prepared(name, level):
    data = _open(name, level)
    if name == "s2":
        attributes = dict(data.attrs)
        data = data.rename_vars(s2="rgb").isel(band=[2, 1, 0])
        data.attrs = attributes
    return data


def _datasets():
    if os.environ["BENCH_PLUGINS"] == "tiles":
        trees = {}
        for name in ("sst", "s2"):
            trees[name] = xarray.DataTree.from_dict(
                {f"/{level}": _prepared(name, level) for level in _levels(name)}
            )
            trees[name].attrs["_xpublish_id"] = name
        return trees
    flat = {f"sst{level}": _open("sst", level) for level in _levels("sst")}
    return {**flat, "ocean": _open("ocean", 0)}


app = xpublish.Rest(_datasets()).app
