"""The files of photos in the store: their names, writing, reading, deleting.

A name is made of the photo's id alone, whose first bits are a time: `photos/20261125/ID.jpg` and `ID-320.jpg`.
Nothing that anybody typed is in it, and what lies there tells when it was put there.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from jiying.core.errors import StoreDown
from jiying.core.pictures import Picture

log = logging.getLogger("jiying.photos")

FOLDER = "photos"
FULL, SMALL = "full", "small"
SIZES = (FULL, SMALL)
MEDIA_TYPE = "image/jpeg"
_ENDINGS = {FULL: ".jpg", SMALL: "-320.jpg"}


def made_at(photo: uuid.UUID) -> datetime:
    """When a UUIDv7 was made, from its first 48 bits (milliseconds since 1970)."""
    return datetime.fromtimestamp((photo.int >> 80) / 1000, UTC)


def name_of(photo: uuid.UUID, size: str) -> str:
    """Where a file lies; `size` is `full` or `small`.

    >>> name_of(uuid.UUID("019aaaaa-0000-7000-8000-000000000001"), "small")
    'photos/20251122/019aaaaa-0000-7000-8000-000000000001-320.jpg'
    """
    return f"{_folder(made_at(photo).date())}/{photo}{_ENDINGS[size]}"


def _folder(day: date) -> str:
    return f"{FOLDER}/{day:%Y%m%d}"


def put(photo: uuid.UUID, picture: Picture) -> None:
    """Write both files, durably.

    Raises:
        StoreDown: the store did not take them; what was written is deleted, or found by the sweep later.
    """
    try:
        default_storage.save(name_of(photo, SMALL), ContentFile(picture.small))
        default_storage.save(name_of(photo, FULL), ContentFile(picture.full))
    except Exception as error:
        # Folders and S3 stores have errors of their own families; whichever it is, the photo was not kept.
        log.exception("photo %s could not be written", photo)
        delete(photo)
        raise StoreDown(_("照片没有存下，其他内容都不受影响。请过一会儿再传一次。"), retry_after=5) from error


def read(photo: uuid.UUID, size: str) -> bytes | None:
    """A file's bytes; None when it is not there (StoreDown: the store did not answer)."""
    try:
        with default_storage.open(name_of(photo, size)) as file:
            data: bytes = file.read()
            return data
    except FileNotFoundError:
        return None
    except Exception as error:
        log.exception("photo %s could not be read", photo)
        raise StoreDown(_("照片暂时打不开，请过一会儿再看。"), retry_after=5) from error


def delete(photo: uuid.UUID) -> bool:
    """Delete both files; whether they are gone now.  Deleting what is not there is no failure."""
    try:
        for size in SIZES:
            default_storage.delete(name_of(photo, size))
    except Exception:
        # What is left is found by the next sweep; nobody waits for it.
        log.exception("photo %s could not be deleted yet", photo)
        return False
    return True


def on_day(day: date) -> Iterator[uuid.UUID]:
    """The photos whose files lie in the folder of a day (UTC), whatever the database says of them."""
    try:
        _folders, names = default_storage.listdir(_folder(day))
    except FileNotFoundError:
        return
    found = set()
    for name in names:
        stem = name.removesuffix(_ENDINGS[SMALL]).removesuffix(_ENDINGS[FULL])
        try:
            found.add(uuid.UUID(stem))
        except ValueError:
            log.warning("%s/%s is no photo of ours; left alone", _folder(day), name)
    yield from found
