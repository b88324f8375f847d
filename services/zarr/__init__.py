"""Cubes as read-only Zarr groups over HTTP."""
