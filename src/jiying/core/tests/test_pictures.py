"""What is taken as a photo, what becomes of it, and what is refused with a sentence."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin

from jiying.core import pictures
from jiying.core.errors import BadInput, JiyingError, NotAPicture, TooLarge
from jiying.core.tests import snaps


def refusal(data: bytes) -> tuple[int, str]:
    with pytest.raises(JiyingError) as caught:
        pictures.read(data)
    error = caught.value
    assert len(error.detail) > 10, "a sentence that somebody can act on"
    return error.status, error.first_code if isinstance(error, BadInput) else error.code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_kept_as_a_jpeg_and_a_small_one_beside_it(kind):
    picture = pictures.read(snaps.encoded(kind, 1200, 900))
    full, small = snaps.opened(picture.full), snaps.opened(picture.small)
    assert (full.format, full.mode, full.size) == ("JPEG", "RGB", (1200, 900))
    assert (picture.width, picture.height) == full.size
    assert (small.format, small.size) == ("JPEG", (320, 240))


def test_a_large_photo_is_made_smaller_to_its_longest_side():
    picture = pictures.read(snaps.jpeg(4000, 3000))
    assert (picture.width, picture.height) == (2560, 1920) == snaps.opened(picture.full).size


def test_nothing_the_camera_wrote_is_left_in_what_is_kept():
    data = snaps.jpeg(taken="2026:11:25 14:03:00", lon=121.52, lat=31.222)
    assert b"Wang Xiaoming" in data
    picture = pictures.read(data)
    for kept in (picture.full, picture.small):
        assert b"Exif" not in kept and b"Wang" not in kept
        assert not snaps.opened(kept).getexif()


def test_a_comment_and_a_text_chunk_are_dropped_too():
    note = PngImagePlugin.PngInfo()
    note.add_text("Author", "Wang Xiaoming")
    for data in (
        snaps.encoded("JPEG", comment=b"Wang Xiaoming"),
        snaps.encoded("PNG", pnginfo=note),
        snaps.encoded("JPEG", icc_profile=b"Wang Xiaoming" * 20),
    ):
        assert b"Wang Xiaoming" in data
        assert b"Wang" not in pictures.read(data).full


def test_the_cameras_time_and_place_are_read():
    noted = pictures.read(snaps.jpeg(taken="2026:11:25 14:03:00", offset="+08:00", lon=121.520123, lat=31.222456))
    assert noted.taken == datetime(2026, 11, 25, 6, 3, tzinfo=UTC)
    assert noted.point is not None
    assert (noted.point.lon, noted.point.lat) == pytest.approx((121.520123, 31.222456), abs=1e-6)
    southwest = pictures.read(snaps.jpeg(lon=-43.2, lat=-22.9)).point
    assert southwest is not None and (southwest.lon, southwest.lat) == pytest.approx((-43.2, -22.9), abs=1e-6)


def test_a_time_without_an_offset_is_the_cameras_own():
    assert pictures.read(snaps.jpeg(taken="2026:11:25 14:03:00")).taken == datetime(2026, 11, 25, 14, 3)  # noqa: DTZ001


@pytest.mark.parametrize(
    "taken", ["", "0000:00:00 00:00:00", "1980:01:01 00:00:00", "yesterday", "2026:13:41 99:00:00"]
)
def test_a_clock_that_was_never_set_says_nothing(taken):
    assert pictures.read(snaps.jpeg(taken=taken)).taken is None


def test_a_position_that_cannot_be_is_none():
    assert pictures.read(snaps.jpeg(lon=0, lat=0)).point is None
    assert pictures.read(snaps.jpeg(lon=200, lat=10)).point is None


WHITE = (255, 255, 255)


@pytest.mark.parametrize(
    ("turned", "size", "top_left", "bottom_left"),
    [
        (1, (600, 300), WHITE, snaps.LEFT),
        (3, (600, 300), snaps.RIGHT, WHITE),
        (6, (300, 600), snaps.LEFT, snaps.RIGHT),
        (8, (300, 600), WHITE, WHITE),
    ],
)
def test_a_photo_stands_upright_as_it_was_held(turned, size, top_left, bottom_left):
    picture = pictures.read(snaps.jpeg(600, 300, turned=turned))
    shown = snaps.opened(picture.full)
    assert (picture.width, picture.height) == size == shown.size
    assert shown.getpixel((8, 8)) == pytest.approx(top_left, abs=12)
    assert shown.getpixel((8, size[1] - 8)) == pytest.approx(bottom_left, abs=12)


def test_transparency_becomes_white():
    out = io.BytesIO()
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(out, "PNG")
    assert snaps.opened(pictures.read(out.getvalue()).full).getpixel((5, 5)) == pytest.approx((255, 255, 255), abs=3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_every_kind_of_pixels_becomes_rgb(mode):
    out = io.BytesIO()
    Image.new("L", (50, 40), 90).convert(mode if mode != "I;16" else "I").convert(mode).save(
        out, "JPEG" if mode == "CMYK" else "PNG"
    )
    assert snaps.opened(pictures.read(out.getvalue()).full).mode == "RGB"


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("photo.jpg", "x")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ\x90\x00\x03" + b"\0" * 4000,
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'<?xml version="1.0"?><!DOCTYPE svg><svg/>',
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7\n",
        zipped(),
        snaps.encoded("GIF"),
        snaps.encoded("BMP"),
        snaps.encoded("TIFF"),
        b"\xff\xd8\xff",
        "这是一张照片".encode(),
    ],
    ids=["empty", "exe", "svg", "svg+doctype", "html", "pdf", "zip", "gif", "bmp", "tiff", "three bytes", "text"],
)
def test_what_is_no_photo_is_refused_whatever_it_is_called(data):
    assert refusal(data) == (415, "not_a_picture")


def test_more_than_20_mb_is_refused():
    with pytest.raises(TooLarge):
        pictures.read(b"\xff\xd8\xff" + b"\0" * pictures.MAX_BYTES)


@pytest.mark.parametrize("size", [(30_000, 30_000), (65_000, 65_000), (1, 60_000_000), (6000, 5000)])
def test_too_many_pixels_are_refused_before_one_is_decoded(size, monkeypatch):
    monkeypatch.setattr(pictures, "_decoded", lambda *_: pytest.fail("it was decoded"))
    assert refusal(snaps.claiming(*size)) == (422, "too_many_pixels")


def test_a_jpeg_is_shrunk_while_it_is_decoded_and_has_room_for_more(monkeypatch):
    decoded: list[tuple[int, int]] = []
    real = pictures._decoded
    monkeypatch.setattr(pictures, "_decoded", lambda image, data: decoded.append(image.size) or real(image, data))
    assert pictures.read(snaps.jpeg(8160, 6144, quality=40)).width == 2560
    assert decoded == [(4080, 3072)]


def test_who_waits_too_long_for_a_turn_may_come_again(monkeypatch):
    monkeypatch.setattr(pictures, "_PATIENCE_S", (0.01, 0.01))
    large = snaps.encoded("PNG", 5000, 3000)
    with pictures._TURNS[True]:
        assert refusal(large) == (503, "busy")
        # Ordinary photos have turns of their own.
        assert pictures.read(snaps.jpeg()).width == 640
    assert pictures.read(large).width == 2560


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_cut_in_half_is_refused(kind):
    data = snaps.encoded(kind, 1600, 1200, **({"lossless": True} if kind == "WEBP" else {}))
    assert refusal(data[: len(data) // 2]) in ((422, "broken_picture"), (415, "not_a_picture"))
    if kind == "JPEG":
        assert refusal(data[: len(data) // 2]) == (422, "broken_picture")


def test_a_png_whose_bytes_were_damaged_is_refused():
    data = bytearray(snaps.encoded("PNG"))
    data[len(data) // 2] ^= 0xFF
    assert refusal(bytes(data)) == (422, "broken_picture")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_photo_with_damaged_notes_is_a_photo():
    data = bytearray(snaps.jpeg(taken="2026:11:25 14:03:00", lon=121.5, lat=31.2))
    start = data.index(b"Exif\0\0") + 6
    data[start + 4 : start + 60] = b"\xff" * 56
    picture = pictures.read(bytes(data))
    assert (picture.width, picture.taken, picture.point) == (640, None, None)


GOOD = {kind: snaps.encoded(kind, 96, 64) for kind in ("JPEG", "PNG", "WEBP")} | {
    "EXIF": snaps.jpeg(96, 64, taken="2026:11:25 14:03:00", lon=121.5, lat=31.2)
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(GOOD)),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=12),
)
def test_damaged_bytes_are_a_photo_or_a_refusal_and_nothing_else(kind: str, changes: Any):
    data = bytearray(GOOD[kind])
    for place, value in changes:
        data[place % len(data)] = value
    try:
        picture = pictures.read(bytes(data))
    except (NotAPicture, BadInput):
        return
    assert snaps.opened(picture.full).size == (picture.width, picture.height)


def test_half_a_photo_is_refused_whatever_else_runs_in_the_process(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = snaps.jpeg(1600, 1200)
    assert refusal(whole[: len(whole) // 2]) == (422, "broken_picture")
