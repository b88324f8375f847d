"""The provider that pygeoapi builds on every request: it opens nothing and knows one cube's shape.

All it tells was put into the provider's definition by :mod:`services.ogcapi.settings`; values are
never read through it.
"""

from typing import Any

from pygeoapi.provider.base import BaseProvider


class CubeProvider(BaseProvider):  # type: ignore[misc]  # pygeoapi has no types
    """Fields and extent of a cube, for the documents that pygeoapi writes.

    Parameters
    ----------
    provider_def : dict
        With ``cube_fields`` (name -> JSON schema of the field) and ``cube_properties`` (what
        pygeoapi reads of a coverage's grid).
    """

    def __init__(self, provider_def: dict[str, Any]) -> None:
        super().__init__(provider_def)
        self._fields = provider_def["cube_fields"]
        self._coverage_properties = provider_def["cube_properties"]
        self.axes = provider_def["cube_axes"]

    def get_fields(self) -> dict[str, Any]:
        """JSON schema of each field by its name."""
        return dict(self._fields)
