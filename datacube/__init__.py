"""One Zarr cube, every door: the core of the datacube server.

The public names are those of :mod:`datacube.engine` and :mod:`datacube.model`; the glossary is in
:mod:`datacube.model`.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
