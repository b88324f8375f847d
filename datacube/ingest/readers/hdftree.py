"""Whether an HDF5 file is one that may be read: a tree, and all of it in this file."""

from typing import Any

import h5py


def check_tree(file: Any) -> None:
    """See that every group lies in one other, and that nothing lies in other files.

    The netCDF library finds no end in groups that contain themselves. A file may also name any
    other file of this machine as the place of its values, and whoever sends it would have those
    served.

    Parameters
    ----------
    file : h5py.File

    Raises
    ------
    ValueError
        A group lies in several others or in itself; a link, or the values of a variable, lead to
        another file.
    """
    waiting, known = [file.id], {_place(h5py.h5o.get_info(file.id))}
    while waiting:
        group = waiting.pop()
        for name in group:
            words = name.decode("utf-8", "replace")
            if group.links.get_info(name).type == h5py.h5l.TYPE_EXTERNAL:
                raise ValueError(f"its '{words}' lies in another file; put it into this one")
            try:
                found = h5py.h5o.get_info(group, name)
            except (KeyError, OSError, RuntimeError):  # a link to nothing
                continue
            if found.type == h5py.h5o.TYPE_DATASET:
                _check_values(h5py.h5d.open(group, name), words)
            if found.type == h5py.h5o.TYPE_GROUP:
                if _place(found) in known:
                    raise ValueError(f"its group '{words}' lies in several groups or in itself")
                known.add(_place(found))
                waiting.append(h5py.h5o.open(group, name))


def _check_values(dataset: Any, name: str) -> None:
    made = dataset.get_create_plist()
    virtual = made.get_layout() == h5py.h5d.VIRTUAL
    parts = range(made.get_virtual_count()) if virtual else ()
    if made.get_external_count() or any(made.get_virtual_filename(one) != "." for one in parts):
        raise ValueError(
            f"the values of its '{name}' lie in other files; put them into this one (h5repack)"
        )


def _place(found: Any) -> tuple[int, int]:
    return int(found.fileno), int(found.addr)
