"""YAML that remembers its lines, so that a complaint about the data can point at its place."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[Hashable, ...]


class YamlError(Exception):
    """The text is no usable YAML.

    Attributes:
        line: where, the first line is 1.
        message: what is wrong, and what to do where that is known.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


@dataclass(slots=True)
class Lined:
    """A document of plain data, and the line of each part; a path is made of keys and list positions."""

    document: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, *path: Hashable) -> int:
        """The line of the part, or of the nearest part around it where it does not exist."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """The plain values of YAML 1.2: a column called `No`, a code `007` and a day stay the text they are."""


# YAML 1.1, which the library speaks, would make false, 7 and a date of them.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~", "n~"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), [*_first])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("$"), [""])


def read(raw: bytes) -> Lined:
    """Read one YAML document.

    Raises:
        YamlError: not UTF-8, not YAML, empty, a key twice, or an alias (`*name`: a short file could unfold
            into a huge one).
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(raw.count(b"\n", 0, error.start) + 1, "Save the file as UTF-8.") from error
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise YamlError(1, "The file is empty.")
        lined = Lined(None)
        lined.document = _value(loader, node, (), lined.lines, set())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", 0)) + 1
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        raise YamlError(line, f"Not valid YAML: {problem}.") from error
    except RecursionError as error:
        raise YamlError(1, "Nested too deeply.") from error
    return lined


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _value(loader: _Loader, node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int]) -> Any:
    if id(node) in seen:
        raise YamlError(_line(node), "Write the lines out: aliases (*name) are not read.")
    seen.add(id(node))
    lines.setdefault(path, _line(node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, at), lines, seen) for at, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        try:
            return loader.construct_object(node)
        except ValueError as error:
            raise YamlError(_line(node), f"Not a value: {error}.") from error
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise YamlError(_line(key_node), "A key must be plain text.")
        # A key is its text as written, so that `on:` or `1:` stay words.
        key = str(key_node.value)
        if key in found:
            raise YamlError(_line(key_node), f"“{key}” stands here twice; keep one.")
        lines[(*path, key)] = _line(key_node)
        found[key] = _value(loader, value_node, (*path, key), lines, seen)
    return found
