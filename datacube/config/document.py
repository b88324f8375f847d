"""A YAML file with the line of every key, so that a finding can say where it is."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

type KeyPath = tuple[str | int, ...]

# Only these may hold variables of the environment: URLs, and what must not stand in a file.
VARIABLES_ALLOWED: frozenset[KeyPath] = frozenset({("public_url",), ("contact", "url")})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class _Loader(yaml.SafeLoader):
    """Plain values only; a time stays the text that it is."""

    yaml_implicit_resolvers = {  # noqa: RUF012  as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True, eq=False)
class Document:
    """A file that has been read.

    Parameters
    ----------
    path : Path
    data : what the YAML holds; an empty file is an empty mapping
    lines : mapping of key path to line, the first is 1
    findings : tuple of str, ``file:line: what is wrong``
    unreadable : bool, whether there is nothing to look at further
    """

    path: Path
    data: Any
    lines: Mapping[KeyPath, int]
    findings: tuple[str, ...]
    unreadable: bool = False

    def line_of(self, location: KeyPath) -> int:
        """Line of a place as a validator names it.

        Parts that are no keys (the branch of a union) are passed over; of a missing key it is
        the line of what should hold it.
        """
        path: KeyPath = ()
        for part in location:
            if (*path, part) in self.lines:
                path = (*path, part)
        return self.lines.get(path, 1)

    def finding(self, location: KeyPath, text: str) -> str:
        """``file:line: text``."""
        return f"{self.path}:{self.line_of(location)}: {text}"


def read_document(path: Path, environment: Mapping[str, str] | None = None) -> Document:
    """Read a YAML file; what is wrong with it is among its findings.

    Parameters
    ----------
    path : Path
    environment : mapping, for ``${VARIABLE}``; the process's own where None
    """
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        twice = [] if node is None else list(_walk(node, (), lines, ()))
        data = None if node is None else loader.construct_document(node)
    except OSError as error:
        return _unreadable(path, 1, f"cannot be read: {error.strerror}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return _unreadable(path, mark.line + 1 if mark else 1, f"no valid YAML: {error.problem}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return _unreadable(path, 1, f"no valid YAML: {error}")
    if data is not None and not isinstance(data, dict):
        return _unreadable(path, 1, "the file holds no keys: write 'key: value' lines")
    findings = [f"{path}:{line}: the key '{key}' is there twice" for line, key in twice]
    plain = Document(path, data or {}, lines, ())
    values = os.environ if environment is None else environment
    data = _expanded(plain, plain.data, (), values, findings)
    return Document(path, data, lines, tuple(findings))


def _unreadable(path: Path, line: int, text: str) -> Document:
    return Document(path, {}, {}, (f"{path}:{line}: {text}",), unreadable=True)


def _walk(
    node: Any, path: KeyPath, lines: dict[KeyPath, int], above: tuple[int, ...]
) -> Iterator[tuple[int, str]]:
    """Note the line of every key and item; give the keys that are there twice."""
    lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in above:
        raise yaml.MarkedYAMLError(problem="an alias holds itself", problem_mark=node.start_mark)
    above = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                yield line, name
            seen.add(name)
            lines[(*path, name)] = line
            yield from _walk(value, (*path, name), lines, above)
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _walk(item, (*path, place), lines, above)


def _expanded(
    document: Document,
    data: Any,
    path: KeyPath,
    environment: Mapping[str, str],
    findings: list[str],
) -> Any:
    """The data with variables filled in where they are allowed."""
    if isinstance(data, dict):
        return {
            key: _expanded(document, value, (*path, str(key)), environment, findings)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [
            _expanded(document, value, (*path, place), environment, findings)
            for place, value in enumerate(data)
        ]
    if not isinstance(data, str) or "${" not in data:
        return data
    if path not in VARIABLES_ALLOWED:
        allowed = ", ".join(sorted(".".join(map(str, one)) for one in VARIABLES_ALLOWED))
        findings.append(document.finding(path, f"a variable may stand only in {allowed}"))
        return data
    return _VARIABLE.sub(lambda found: _value(document, found, path, environment, findings), data)


def _value(
    document: Document,
    found: re.Match[str],
    path: KeyPath,
    environment: Mapping[str, str],
    findings: list[str],
) -> str:
    name = found[1]
    value: str | None = environment.get(name, found[2])
    if value is None:
        findings.append(
            document.finding(
                path, f"the environment has no {name}; set it, or write ${{{name}:-otherwise}}"
            )
        )
        return ""
    return value
