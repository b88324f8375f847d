"""The JSON schema of all files, for editors: ``python -m datacube.config.schema``.

A file names its part in its first line::

    # yaml-language-server: $schema=schema.json#/$defs/ServerModel
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from datacube.config.cubes import CubeModel
from datacube.config.recipes import RecipeModel
from datacube.config.retention import RetentionModel
from datacube.config.server import ServerModel
from datacube.config.styles import STYLE_MODELS

MODELS = (ServerModel, CubeModel, RecipeModel, RetentionModel, *STYLE_MODELS)


def schema() -> dict[str, Any]:
    """JSON schema with one definition for each kind of file and each part of one."""
    _, document = models_json_schema(
        [(model, "validation") for model in MODELS],
        title="Configuration of a datacube server",
    )
    definitions = document["$defs"]
    definitions["StyleFile"] = {
        "description": "A style that any cube can use.",
        "discriminator": {
            "propertyName": "type",
            "mapping": {
                definitions[model.__name__]["properties"]["type"]["const"]: _ref(model.__name__)
                for model in STYLE_MODELS
            },
        },
        "oneOf": [{"$ref": _ref(model.__name__)} for model in STYLE_MODELS],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _ref(name: str) -> str:
    return f"#/$defs/{name}"


def text() -> str:
    """The schema as it lies in ``config/schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def keys_at(document: dict[str, Any], kind: str, location: tuple[str | int, ...]) -> set[str]:
    """Keys that are known at a place of a file.

    Parameters
    ----------
    document : dict, of :func:`schema`
    kind : str, name of the file's definition
    location : place as a validator names it, branches of unions included
    """
    found: set[str] = set()
    for part in _parts_at(document, document["$defs"][kind], location):
        found |= set(part.get("properties", {}))
    return found


def _parts_at(
    document: dict[str, Any], part: dict[str, Any], location: tuple[str | int, ...]
) -> Iterator[dict[str, Any]]:
    """The parts of the schema that describe a place."""
    part = _resolved(document, part)
    branches = [
        _resolved(document, branch)
        for union in ("anyOf", "oneOf", "allOf")
        for branch in part.get(union, ())
    ]
    if branches:
        of_type = [one for one in branches if location and _type(one) == location[0]]
        rest = location[1:] if of_type else location
        for branch in of_type or branches:
            yield from _parts_at(document, branch, rest)
    elif not location:
        yield part
    elif (below := _below(part, location[0])) is not None:
        yield from _parts_at(document, below, location[1:])


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = document["$defs"][part["$ref"].rpartition("/")[2]]
    return part


def _type(part: dict[str, Any]) -> object:
    """The ``type:`` that chooses this branch of a union, if there is one."""
    return part.get("properties", {}).get("type", {}).get("const")


def _below(part: dict[str, Any], key: str | int) -> dict[str, Any] | None:
    if isinstance(key, int):
        items = part.get("items")
        return items if isinstance(items, dict) else None
    found = part.get("properties", {}).get(key, part.get("additionalProperties"))
    return found if isinstance(found, dict) else None


if __name__ == "__main__":
    sys.stdout.write(text())
