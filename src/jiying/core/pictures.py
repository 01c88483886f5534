"""Photos as they come from telephones, and as they are kept: made anew, without what cameras write beside them.

What a file is, is told by its content; its name and what a header claims count for nothing.  JPEG, PNG and WebP
are taken (of a moving one the first frame); everything else, SVG and GIF among it, is refused.  The size in pixels
stands in a file's first bytes and is looked at before anything is decoded.

What is kept is always a JPEG in RGB that was encoded here: turned upright, at most `LONGEST` pixels long, without
EXIF, comments, colour profiles or hidden previews.  The time and the position that the camera noted are handed
back apart.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from PIL import ExifTags, Image, ImageFile

from jiying.core.errors import BadInput, Busy, NotAPicture, TooLarge
from jiying.core.geo import Point

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 52_000_000
"""A telephone's 50-megapixel photo, and no more.  It is a JPEG, which is shrunk while it is decoded."""
MAX_PIXELS_WHOLE = 26_000_000
"""The same for PNG and WebP, which are decoded whole: four bytes a pixel."""
LONGEST = 2560
SMALL = 320
FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY, _SMALL_QUALITY = 85, 78

LARGE = 14_000_000
_TURNS = (threading.BoundedSemaphore(2), threading.BoundedSemaphore(1))
_PATIENCE_S = (10.0, 1.0)
"""So many photos are decoded at a time in one process, ordinary ones and those of more than `LARGE` pixels, and so
long others wait for their turn: a crowd of large ones takes neither the memory nor all the threads from the rest."""

_UPRIGHT = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo, made anew.

    `full` and `small` are JPEG files, at most `LONGEST` and `SMALL` pixels long; `width` and `height` are those of
    `full`.  `taken` is what the camera's clock said: aware where it noted an offset or the satellites' time, else
    naive, in the camera's own time zone.  `point` is where it says it stood.
    """

    full: bytes
    small: bytes
    width: int
    height: int
    taken: datetime | None
    point: Point | None


def read(data: bytes) -> Picture:
    """Look at a file's bytes, decode them, and make the photo anew.

    Raises:
        TooLarge: more than `MAX_BYTES`.
        NotAPicture: no JPEG, PNG or WebP.
        BadInput: `too_many_pixels`, or `broken_picture`: it begins as one, but is cut or damaged.
        Busy: too many photos are being decoded; the same one may come again.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(_("照片超过 20 MB，没有收下。请用手机相机的普通画质重拍，或先压缩再传。"))
    with _opened(data) as image:
        taken, point, turned = _noted(image)
        # A JPEG is shrunk while it is decoded, which spares most of the memory; for others this does nothing.
        image.draft("RGB", (LONGEST, LONGEST))
        with _turn(image):
            kept = _decoded(image, data)
    for turn in _UPRIGHT.get(turned, ()):
        kept = kept.transpose(turn)
    small = kept.copy()
    small.thumbnail((SMALL, SMALL))
    return Picture(
        full=_jpeg(kept, _QUALITY),
        small=_jpeg(small, _SMALL_QUALITY),
        width=kept.width,
        height=kept.height,
        taken=taken,
        point=point,
    )


def _opened(data: bytes) -> Image.Image:
    """The file with its header read and nothing decoded."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many(MAX_PIXELS) from error
    except Exception as error:
        # Pillow has no one family of errors for what is no picture: a struct.error here, a SyntaxError there.
        raise NotAPicture(
            _("这不是 JPEG、PNG 或 WebP 照片，没有收下；其他内容都不受影响。请直接用手机拍一张，或选一张照片。")
        ) from error
    most = MAX_PIXELS if image.format in _SHRUNK else MAX_PIXELS_WHOLE
    if image.width * image.height > most:
        raise _too_many(most)
    return image


#: What Pillow calls a JPEG; the second is one with further pictures behind the first.
_SHRUNK = ("JPEG", "MPO")


def _too_many(most: int) -> BadInput:
    text = _("照片像素太多（超过 %(n)d 万），没有收下。请用手机相机的普通画质重拍。")
    return BadInput.of("file", "too_many_pixels", text % {"n": most // 10_000})


@contextmanager
def _turn(image: Image.Image) -> Iterator[None]:
    """One of the turns to decode (Busy: none came in time)."""
    large = image.width * image.height > LARGE
    turns = _TURNS[large]
    if not turns.acquire(timeout=_PATIENCE_S[large]):
        raise Busy(_("现在传照片的人太多，这一张没有收下；请过几秒再传。其他内容都不受影响。"), retry_after=5)
    try:
        yield
    finally:
        turns.release()


def _decoded(image: Image.Image, data: bytes) -> Image.Image:
    """All of it decoded and made smaller, as plain RGB (BadInput `broken_picture`)."""
    try:
        # A library that draws PDFs switches this on for the whole process, and half a photo would pass.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        # Checks what decoding passes over (a PNG's checksums), and spends the file it was called on.
        Image.open(io.BytesIO(data), formats=FORMATS).verify()
        image.load()
        if image.mode not in ("RGB", "L"):
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        image.thumbnail((LONGEST, LONGEST))
        kept = Image.new("RGB", image.size, "white")
        kept.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    except Exception as error:
        # As above: what a cut or damaged file makes of the decoders is no one family of errors.
        text = _("照片没有传完整或已损坏，没有收下；其他内容都不受影响。请再传一次，或重新拍一张。")
        raise BadInput.of("file", "broken_picture", text) from error
    return kept


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _noted(image: Image.Image) -> tuple[datetime | None, Point | None, int]:
    """What the camera noted: when, where, and how it was held (1 to 8).  Notes that cannot be read are none."""
    try:
        exif = image.getexif()
        inner, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
        turned = exif.get(ExifTags.Base.Orientation, 1)
    except Exception:
        # A photo whose notes are damaged is a photo all the same; only what stands in them is not known.
        return None, None, 1
    taken = _taken(inner, gps)
    return taken, _point(gps), turned if isinstance(turned, int) else 1


def _taken(inner: Any, gps: Any) -> datetime | None:
    """The camera's time; None where there is none, or none that a camera with a set clock could say."""
    found = _clock(inner, gps)
    return found if found is not None and 2000 <= found.year < 2100 else None


def _clock(inner: Any, gps: Any) -> datetime | None:
    said = _text(inner.get(ExifTags.Base.DateTimeOriginal)) or _text(inner.get(ExifTags.Base.DateTimeDigitized))
    offset = _text(inner.get(ExifTags.Base.OffsetTimeOriginal))
    try:
        if said and offset:
            return datetime.strptime(f"{said} {offset}", "%Y:%m:%d %H:%M:%S %z")
        day, clock = _text(gps.get(ExifTags.GPS.GPSDateStamp)), gps.get(ExifTags.GPS.GPSTimeStamp)
        if day and clock:
            hour, minute, second = (int(part) for part in clock)
            return datetime.strptime(day, "%Y:%m:%d").replace(hour=hour, minute=minute, second=second, tzinfo=UTC)
        # Without an offset it is the camera's own time; whoever knows where it stood knows which.
        return datetime.strptime(said, "%Y:%m:%d %H:%M:%S") if said else None  # noqa: DTZ007
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        return None


def _text(value: Any) -> str:
    return value.strip("\0 ") if isinstance(value, str) else ""


def _point(gps: Any) -> Point | None:
    """The position in WGS-84, which EXIF means unless it says otherwise."""
    try:
        lat, lon = _degrees(gps[ExifTags.GPS.GPSLatitude]), _degrees(gps[ExifTags.GPS.GPSLongitude])
    except (KeyError, ValueError, TypeError, ZeroDivisionError, OverflowError):
        return None
    lat = -lat if _text(gps.get(ExifTags.GPS.GPSLatitudeRef)) == "S" else lat
    lon = -lon if _text(gps.get(ExifTags.GPS.GPSLongitudeRef)) == "W" else lon
    if not (math.isfinite(lat) and math.isfinite(lon)) or abs(lat) > 90 or abs(lon) > 180 or (lat, lon) == (0, 0):
        return None
    return Point(lon, lat)


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
