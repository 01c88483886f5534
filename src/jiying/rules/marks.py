"""YAML that remembers its lines.

Plain data comes out (dates stay text), and beside it the line on which each key and each list item stands,
so that every later complaint can point at its place.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

import yaml

from jiying.rules.faults import Fault, PackError

Path = tuple[Hashable, ...]


@dataclass(slots=True)
class Marked:
    """A document and the lines of its parts; a path is made of keys and list positions."""

    document: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, *path: Hashable) -> int:
        """The line of the part, or of the nearest part around it where it does not exist."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Mark(Protocol):
    line: int


class _Loader(yaml.SafeLoader):
    """The safe loader without its guess that 2000-01-01 is a date: the schema decides what is one."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(raw: bytes) -> Marked:
    """Read one YAML document.

    Raises: PackError: not UTF-8 (`not_utf8`), not YAML (`not_yaml`), a key twice (`duplicate_key`), a
    reference by `*name` (`alias`: a short file could unfold into a huge one).
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PackError([Fault(line=line, code="not_utf8", message="Save the file as UTF-8.")]) from error
    try:
        _refuse_aliases(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise PackError([Fault(line=1, code="not_yaml", message="The file is empty.")])
        walk = _Walk(loader)
        document = walk.value(node, ())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", 0)) + 1
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        raise PackError([Fault(line=line, code="not_yaml", message=f"Not valid YAML: {problem}.")]) from error
    except RecursionError as error:
        raise PackError([Fault(line=1, code="not_yaml", message="Nested too deeply.")]) from error
    if walk.faults:
        raise PackError(walk.faults)
    return Marked(document, walk.lines)


def _line_of(mark: _Mark | None) -> int:
    return mark.line + 1 if mark else 1


def _refuse_aliases(text: str) -> None:
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            message = f"Write the lines out instead of *{event.anchor}."
            raise PackError([Fault(line=_line_of(event.start_mark), code="alias", message=message)])


class _Walk:
    """One pass over the nodes, collecting values, lines and faults."""

    def __init__(self, loader: _Loader) -> None:
        self.loader = loader
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, _line_of(node.start_mark))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, position)) for position, item in enumerate(node.value)]
        try:
            return self.loader.construct_object(node)
        except ValueError as error:
            self._fault(node, "not_yaml", f"Not a value: {error}.")
            return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            # A key is its text as written, so that `on:` or `1:` stay words.
            key = str(key_node.value)
            if key in found:
                self._fault(key_node, "duplicate_key", f"“{key}” stands here twice; keep one.")
            self.lines[(*path, key)] = _line_of(key_node.start_mark)
            found[key] = self.value(value_node, (*path, key))
        return found

    def _fault(self, node: yaml.Node, code: str, message: str) -> None:
        self.faults.append(Fault(line=_line_of(node.start_mark), code=code, message=message))
