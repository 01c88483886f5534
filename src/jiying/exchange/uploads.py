"""Files on their way in: kept until their rows are judged, at most a day, under names of our own.

kept = keep(file, "报修台账.xlsx", kind="orders", by=user)
token = kept.token                  # goes along with the form; says nothing that its holder does not know
found(token, by=user).path
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput
from jiying.core.ids import uuid7
from jiying.people.models import User

ENDINGS = (".csv", ".xlsx", ".xls")
KEPT = timedelta(days=1)
_SALT = "jiying.uploads"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sent: what it was called, what it is to become, and the token by which it is found."""

    path: Path
    original: str
    kind: str
    token: str


def keep(chunks: Iterable[bytes], original: str, *, kind: str, by: User) -> Upload:
    """Keep a file.

    Raises:
        BadInput: `unknown_format`: its name ends in none of `ENDINGS`.
    """
    ending = Path(original).suffix.lower()
    if ending not in ENDINGS:
        raise BadInput.of("file", "unknown_format", _("请选 Excel（.xlsx、.xls）或 CSV 文件。"))
    path = _folder() / f"{uuid7()}{ending}"
    with path.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
    said = {"file": path.name, "original": original[-200:], "kind": kind, "by": str(by.pk)}
    return Upload(path, original, kind, signing.dumps(said, salt=_SALT, compress=True))


def found(token: str, *, by: User) -> Upload:
    """The file of a token, for who sent it.

    Raises:
        BadInput: `expired`: the token is not ours, not theirs, or too old; or the file was taken already.
    """
    gone = BadInput.of("file", "expired", _("这个文件已经处理过或过了一天，请重新上传。"))
    try:
        said = signing.loads(token, salt=_SALT, max_age=KEPT)
    except signing.BadSignature as error:
        raise gone from error
    path = _folder() / said["file"]
    if said["by"] != str(by.pk) or not path.exists():
        raise gone
    return Upload(path, said["original"], said["kind"], token)


def drop(upload: Upload) -> None:
    """Forget a file whose rows are judged: they hold what is needed."""
    upload.path.unlink(missing_ok=True)


def tidy(now: datetime) -> None:
    """Remove files nobody came back for."""
    limit = (now - KEPT).timestamp()
    for path in _folder().iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    path = Path(settings.HOME) / "imports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
