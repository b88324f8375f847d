"""Cubes on object storage: plain Zarr v3 that other tools open, committed by a manifest.

A cube is the folder ``STORE_URL/CUBE_ID``. What is read is what its manifest says: a version
maps each time to a physical slot and holds a checksum of every chunk
(:mod:`datacube.store.manifest`). Writing goes through
:func:`datacube.store.transaction.transaction` alone; reading through
:func:`datacube.store.cube.open_cube`.
"""
