"""Browser libraries: installed by npm, pinned in package.json, and only the files named here are served.

`python -m jiying.config.vendor` copies them from node_modules to `static_vendor/NAME@VERSION/`, which the
wheel carries.  Pages work without them, more plainly.
"""

from __future__ import annotations

import functools
import json
import logging
import shutil
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
SERVED = PACKAGE / "static_vendor"
ROOT = PACKAGE.parent.parent

log = logging.getLogger("jiying.vendor")

#: package name → its files, relative to the package
FILES: dict[str, tuple[str, ...]] = {"htmx.org": ("dist/htmx.min.js",)}


def install() -> list[Path]:
    """Copy the named files and drop those of other versions; returns the files written.

    Raises:
        FileNotFoundError: npm has not installed them.
    """
    written, wanted = [], set()
    for name, files in FILES.items():
        source = ROOT / "node_modules" / name
        version = json.loads((source / "package.json").read_text(encoding="utf-8"))["version"]
        folder = SERVED / f"{name}@{version}"
        wanted.add(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            target = folder / Path(file).name
            shutil.copyfile(source / file, target)
            written.append(target)
    for folder in set(SERVED.iterdir()) - wanted:
        shutil.rmtree(folder)
    return written


@functools.cache
def url(name: str) -> str | None:
    """The address of a library's first file; None, with a warning, when it was never installed."""
    folder = next(SERVED.glob(f"{name}@*"), None)
    if folder is None:
        log.warning("browser library %s is not installed (make run installs it); pages go on without it", name)
        return None
    return f"/static/vendor/{folder.name}/{Path(FILES[name][0]).name}"


if __name__ == "__main__":
    install()
