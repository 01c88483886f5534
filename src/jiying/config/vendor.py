"""Browser libraries: installed by npm, pinned in package.json, and only the files named here are served.

`python -m jiying.config.vendor` copies them from node_modules to `static_vendor/NAME@VERSION/`, which the
wheel carries.  Pages work without them, more plainly.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
SERVED = PACKAGE / "static_vendor"
ROOT = PACKAGE.parent.parent

#: package name → its files, relative to the package
FILES: dict[str, tuple[str, ...]] = {"htmx.org": ("dist/htmx.min.js",)}


def install() -> list[Path]:
    """Copy the named files; returns those written.

    Raises:
        FileNotFoundError: npm has not installed them.
    """
    written = []
    for name, files in FILES.items():
        source = ROOT / "node_modules" / name
        version = json.loads((source / "package.json").read_text())["version"]
        folder = SERVED / f"{name}@{version}"
        for file in files:
            target = folder / Path(file).name
            if not target.exists():
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / file, target)
                written.append(target)
    return written


def url(name: str) -> str | None:
    """The address of a library's first file; None when it was never installed."""
    found = sorted(SERVED.glob(f"{name}@*"))
    if not found:
        return None
    return f"/static/vendor/{found[-1].name}/{Path(FILES[name][0]).name}"


if __name__ == "__main__":
    install()
