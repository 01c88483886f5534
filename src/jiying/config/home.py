"""The home of one installation: where its database, uploads and secrets lie."""

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path

KEYS = (("secret-key", "JIYING_SECRET_KEY"), ("data-key", "JIYING_DATA_KEY"))
NOT_FINISHED = "restoring"
"""In a home where `jiying restore` has begun and not ended."""


def home() -> Path:
    """JIYING_HOME, default ./var; made if missing."""
    path = Path(os.environ.get("JIYING_HOME") or "var").absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def secret(name: str, variable: str, make: int = 32) -> str:
    """A secret in hex: from the environment, or made once under `secrets/` (mode 600).

    Two processes that start at once get the same secret: the file is written aside and linked into place,
    and whoever comes second reads what the first one linked.
    """
    given = os.environ.get(variable)
    if given:
        return given
    folder = home() / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    if not path.exists():
        fresh = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(make))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def missing_keys(home: Path) -> list[str]:
    """The keys that are neither in the environment nor in `home`: settings would make new ones."""
    return [name for name, variable in KEYS if not os.environ.get(variable) and not (home / "secrets" / name).is_file()]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed_hosts(host: str, named: bool) -> list[str]:
    """The Host headers to answer, beside public names (`named`: there are some).

    On loopback the names of this machine alone, lest a page elsewhere points its own name at us.  On all
    addresses and without a public name nobody can say which are right: any.
    """
    own = ["localhost", "127.0.0.1", "[::1]"]
    if is_loopback(host):
        return own
    if host in ("0.0.0.0", "::"):
        return own if named else ["*"]
    return [*own, f"[{host}]" if ":" in host else host]
