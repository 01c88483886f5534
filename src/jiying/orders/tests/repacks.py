"""Packs for tests of moving: the example, changed here and there, in force before or after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jiying.rules import loading, packs
from jiying.rules.pack import Pack

EXAMPLE = (packs.SHIPPED / "example.yaml").read_text("utf-8")
RESPOND = "limit: {amount: 30, unit: emergency_minutes}"


def written(folder: Path, *changes: tuple[str, str], version: str = "1", since: str = "2026-06-01") -> Path:
    """The example as an official pack `district@VERSION`, with passages replaced, each once."""
    text = EXAMPLE
    named = (
        ("name: example", "name: district"),
        ('version: "2026.2"', f'version: "{version}"'),
        ("valid_from: 2026-01-01", f"valid_from: {since}"),
        ("official: false", "official: true"),
    )
    for old, new in (*named, *changes):
        assert old in text, old
        text = text.replace(old, new, 1)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"district-{version}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, *changes: tuple[str, str], version: str = "1", since: str = "2026-06-01") -> Pack:
    """The same, put in use: in force from `since` on."""
    pack, _fresh = loading.load(written(folder, *changes, version=version, since=since), "test")
    return pack


@contextmanager
def installation(folder: Path, monkeypatch: object) -> Iterator[Path]:
    """A home into which nothing was loaded yet."""
    monkeypatch.setenv("JIYING_HOME", str(folder / "home"))  # type: ignore[attr-defined]
    try:
        yield folder
    finally:
        packs._in_use.cache_clear()
