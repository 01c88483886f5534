"""Photos for tests, made on the spot: a picture with an edge to tell its sides by, and what a camera notes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image, ImageDraw

LEFT, RIGHT = (200, 40, 40), (40, 60, 200)


def image(width: int = 640, height: int = 480) -> Image.Image:
    """Red on the left, blue on the right, a white stripe on top."""
    made = Image.new("RGB", (width, height), LEFT)
    draw = ImageDraw.Draw(made)
    draw.rectangle([width // 2, 0, width, height], fill=RIGHT)
    draw.rectangle([0, 0, width, height // 8], fill="white")
    return made


def exif(
    *, taken: str = "", offset: str = "", lon: float | None = None, lat: float | None = None, turned: int = 1
) -> Image.Exif:
    """What a camera notes: `taken` as `2026:11:25 14:03:00`, degrees in WGS-84."""
    made = Image.Exif()
    made[ExifTags.Base.Make] = "Phone of Wang Xiaoming"
    made[ExifTags.Base.Orientation] = turned
    inner = made.get_ifd(ExifTags.IFD.Exif)
    if taken:
        inner[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        inner[ExifTags.Base.OffsetTimeOriginal] = offset
    if lon is not None and lat is not None:
        gps = made.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N" if lat >= 0 else "S", _parts(lat)
        gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E" if lon >= 0 else "W", _parts(lon)
    return made


def _parts(degrees: float) -> tuple[float, float, float]:
    """Degrees, minutes, seconds."""
    seconds = round(abs(degrees) * 3600, 3)
    return float(seconds // 3600), float(seconds % 3600 // 60), round(seconds % 60, 3)


def jpeg(width: int = 640, height: int = 480, *, quality: int = 90, **noted: Any) -> bytes:
    """A JPEG as a telephone sends it; `noted` as for `exif`."""
    return encoded("JPEG", width, height, quality=quality, exif=exif(**noted))


def encoded(kind: str, width: int = 640, height: int = 480, **options: Any) -> bytes:
    """The picture in another format."""
    out = io.BytesIO()
    image(width, height).save(out, kind, **options)
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 4096))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def opened(data: bytes) -> Image.Image:
    """A file as a viewer sees it, decoded."""
    made = Image.open(io.BytesIO(data))
    made.load()
    return made
