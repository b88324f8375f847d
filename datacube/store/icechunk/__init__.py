"""Cubes in Icechunk repositories: the second back-end, for many writers and for history.

The folder ``STORE_URL/CUBE_ID`` is a repository whose branch ``main`` holds the cube as a plain
Zarr group, its times in their order, whatever was inserted, replaced or deleted: every version is
one snapshot, and icechunk's own library opens it. Beside the arrays the group ``manifest`` holds
the same documents as a plain cube's, lengths and checksums of every chunk among them, so that all
that reads, checks and changes a cube is the same code. Here those documents and chunks are found in
a snapshot (:mod:`datacube.store.icechunk.pinned`), put into the next one
(:mod:`datacube.store.icechunk.writing`), and listed by version
(:mod:`datacube.store.icechunk.repository`).
"""
