"""Compiling, with a cache that works where the package cannot be written to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def _cache_folder() -> str:
    home = os.environ.get("JIYING_HOME")
    base = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jiying"
    return str(base / "compiled")


os.environ.setdefault("NUMBA_CACHE_DIR", _cache_folder())

import numba  # noqa: E402  (reads the folder once, when it is imported)


def compiled(function: Any) -> Any:
    """Compile `function` at its first call; one thread, strict arithmetic: the same bytes everywhere."""
    return numba.njit(function, cache=True)


def inlined(function: Any) -> Any:
    """The same for a small part of others: put where it is called, since handing over a record of many arrays costs
    more than what such a part does."""
    return numba.njit(function, cache=True, forceinline=True)
