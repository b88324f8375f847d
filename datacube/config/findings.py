"""A validator's errors as sentences: ``file:line: what is wrong, and what would be right``."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from datacube.config.document import Document
from datacube.config.schema import keys_at, schema

_KINDS = "ramp, categories, composite, hillshade, contours, arrows or sld"
_SHOWN = 60  # characters of a wrong value


def findings_of(document: Document, error: ValidationError, kind: str) -> Iterator[str]:
    """One sentence for each error, by line.

    Parameters
    ----------
    document : Document
    error : ValidationError
    kind : str, name of the file's definition in the schema
    """
    errors = error.errors(include_url=False)
    for one in sorted(errors, key=lambda one: document.line_of(one["loc"])):
        below = [other for other in errors if other["loc"][: len(one["loc"])] == one["loc"]]
        if one["type"] == "too_short" and len(below) > 1:
            continue  # only because its items have findings of their own
        yield document.finding(one["loc"], _sentence(one, kind))


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return schema()


def _sentence(error: ErrorDetails, kind: str) -> str:
    key = next((str(part) for part in reversed(error["loc"]) if isinstance(part, str)), "")
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(key, keys_at(_schema(), kind, error["loc"][:-1]))
        case "missing" if isinstance(error["loc"][-1], int):
            return f"'{key}' has too few values"
        case "missing":
            return f"the key '{key}' is missing"
        case "value_error":
            return str(error["ctx"]["error"])
        case "union_tag_invalid" | "union_tag_not_found":
            return f"a style has a type: {_KINDS}"
        case _:
            shown = repr(error["input"])
            shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
            text = error["msg"][:1].lower() + error["msg"][1:]
            return f"'{key}' is {shown}: {text}"


def _unknown_key(key: str, known: set[str]) -> str:
    near = get_close_matches(key.lower(), sorted(known), n=1)
    if near:
        return f"unknown key '{key}'; did you mean '{near[0]}'?"
    return f"unknown key '{key}'; the keys here are {', '.join(sorted(known)) or 'none'}"
