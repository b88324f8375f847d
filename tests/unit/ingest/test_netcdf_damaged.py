"""NetCDF and HDF5 that is cut, or that one library reads and the other does not."""

import h5py
import netCDF4
import numpy as np
import pytest

from datacube.ingest.pipeline import ingest
from tests.unit.ingest.products import opened, plane, whole, write_netcdf

CLASSIC = ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA")


def classic(path, kind, *, records=True, fields=2):
    """A classic file whose last values are in the last bytes but for padding."""
    with netCDF4.Dataset(path, "w", format=kind) as file:
        file.createDimension("time", None if records else 3)
        for name, size, units in (("lat", 5, "degrees_north"), ("lon", 7, "degrees_east")):
            file.createDimension(name, size)
            one = file.createVariable(name, "f4", (name,))
            one.units, one[:] = units, np.arange(size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time[:] = "days since 2020-01-01", np.arange(3)
        for number in range(fields):
            made = file.createVariable(f"v{number}", "i2", ("time", "lat", "lon"))
            made[:] = [plane(5, 7, t) + number for t in range(3)]
    return path


def ingested(path, store):
    (result,) = ingest([str(path)], store=str(store)).results
    return result


@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("kind", CLASSIC)
def test_a_classic_file_goes_in_whole_or_not_at_all(tmp_path, kind, records):
    path = classic(tmp_path / "a.nc", kind, records=records)
    assert ingested(path, tmp_path / "store").status == "ingested"
    np.testing.assert_array_equal(
        whole(opened(tmp_path / "store", "a"), "v1", 2), plane(5, 7, 2) + 1
    )
    data = path.read_bytes()
    for cut in (4, 30, 300):
        path.write_bytes(data[:-cut])
        found = ingested(path, tmp_path / f"store{cut}")
        assert found.status == "refused"
        assert "the file is cut" in found.reason


@pytest.mark.parametrize("kind", CLASSIC)
def test_a_file_of_one_record_variable_is_not_padded(tmp_path, kind):
    with netCDF4.Dataset(tmp_path / "a.nc", "w", format=kind) as file:
        file.createDimension("time", None)
        for name, size, units in (("lat", 3, "degrees_north"), ("lon", 3, "degrees_east")):
            file.createDimension(name, size)
            one = file.createVariable(name, "f4", (name,))
            one.units, one[:] = units, np.arange(size)
        file.createVariable("v", "i1", ("time", "lat", "lon"))[:] = np.arange(27).reshape(3, 3, 3)
    assert "cut" not in ingested(tmp_path / "a.nc", tmp_path / "store").reason


def test_groups_that_contain_themselves_are_refused(tmp_path):
    path = write_netcdf(tmp_path / "a.nc")
    with h5py.File(path, "a") as file:
        file["inner"] = file["/"]
    assert "'inner' lies in several groups or in itself" in ingested(path, tmp_path / "s").reason


def elsewhere(file, kind, secret):
    """Values that are those of another file of this machine."""
    if kind == "external":
        file.create_dataset("w", (5, 8), "u1", external=[(str(secret), 0, 40)])
    elif kind == "virtual":
        with h5py.File(secret.with_suffix(".h5"), "w") as other:
            other["w"] = np.zeros((5, 8), "u1")
        layout = h5py.VirtualLayout((5, 8), "u1")
        layout[...] = h5py.VirtualSource(secret.with_suffix(".h5"), "w", (5, 8))
        file.create_virtual_dataset("w", layout)
    else:
        with h5py.File(secret.with_suffix(".h5"), "w") as other:
            other["w"] = np.zeros((5, 8), "u1")
        file["w"] = h5py.ExternalLink(str(secret.with_suffix(".h5")), "/w")


@pytest.mark.parametrize("kind", ["external", "virtual", "link"])
@pytest.mark.parametrize("inner", ["/", "/group"])
def test_values_of_other_files_of_the_machine_do_not_come_in(tmp_path, kind, inner):
    (tmp_path / "secret").write_bytes(bytes(range(40)))
    path = write_netcdf(tmp_path / "a.nc")
    with h5py.File(path, "a") as file:
        elsewhere(file.require_group(inner), kind, tmp_path / "secret")
    found = ingested(path, tmp_path / "s")
    assert found.status == "refused"
    assert "in another file" in found.reason or "in other files" in found.reason


def test_a_virtual_variable_of_the_same_file_goes_in(tmp_path):
    path = write_netcdf(tmp_path / "a.nc")
    with h5py.File(path, "a") as file:
        file["hidden"] = np.ones((5, 8), "u1")
        layout = h5py.VirtualLayout((5, 8), "u1")
        layout[...] = h5py.VirtualSource(".", "hidden", (5, 8))
        file.create_virtual_dataset("w", layout)
    assert ingested(path, tmp_path / "s").status == "ingested"


def with_scales(path, name, dtype, **options):
    """The file with a further variable that h5py writes, and the variable."""
    with h5py.File(path, "a") as file:
        made = file.create_dataset(name, (2, 5, 8), dtype, **options)
        for place, scale in enumerate(("time", "lat", "lon")):
            made.dims[place].attach_scale(file[scale])
        if h5py.check_vlen_dtype(made.dtype) is None:
            made[...] = [7 * plane(5, 8, t) for t in range(2)]


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_filter_of_h5py_alone_is_read_by_it(tmp_path, shuffle):
    path = write_netcdf(tmp_path / "a.nc")
    with_scales(path, "w", "f4", compression="lzf", shuffle=shuffle, chunks=(1, 3, 5))
    assert ingested(path, tmp_path / "store").status == "ingested"
    np.testing.assert_array_equal(
        whole(opened(tmp_path / "store", "a"), "w", 1), 7 * plane(5, 8, 1)
    )


def test_lists_of_numbers_in_cells_do_not_keep_the_rest_out(tmp_path):
    path = write_netcdf(tmp_path / "a.nc")
    with_scales(path, "lists", h5py.vlen_dtype("i4"))
    assert ingested(path, tmp_path / "store").status == "ingested"
    assert opened(tmp_path / "store", "a").description.range_type.names == ("v",)
