"""The colours of tokens.css are far enough apart to be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parent.parent / "static" / "pages" / "css" / "tokens.css"
TEXTS = ("ink", "ink-soft", "brand", "soon", "late", "good", "paused")
TONES = ("brand", "soon", "late", "good", "paused")
RGB = tuple[float, float, float]


def _blocks() -> dict[str, dict[str, str]]:
    """The declarations of each block of custom properties, by its selector (media blocks prefixed `media `)."""
    text = re.sub(r"/\*.*?\*/", "", CSS.read_text("utf-8"), flags=re.S)
    found: dict[str, dict[str, str]] = {}
    for media, selector, body in re.findall(
        r"(@media \(prefers-color-scheme[^{]*\{\s*)?([:\[][^{}]+)\{([^{}]*)\}", text
    ):
        key = ("media " if media else "") + selector.strip()
        found.setdefault(key, {}).update(re.findall(r"--([\w-]+):\s*([^;]+);", body))
    return found


def _themes() -> dict[str, dict[str, str]]:
    blocks = _blocks()
    light, dark = blocks[":root"], blocks['[data-theme="dark"]']
    large, large_dark = blocks[':root[data-type="large"]'], blocks[':root[data-type="large"][data-theme="dark"]']
    return {
        "light": light,
        "dark": {**light, **dark},
        "large light": {**light, **large},
        "large dark": {**light, **dark, **large, **large_dark},
    }


def _rgb(value: str) -> RGB:
    return tuple(int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]


def _luminance(colour: RGB) -> float:
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: RGB, other: RGB) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _tinted(tone: RGB, ground: RGB, percent: str) -> RGB:
    part = float(percent.rstrip("%")) / 100
    return tuple(part * t + (1 - part) * g for t, g in zip(tone, ground, strict=True))  # type: ignore[return-value]


@pytest.mark.parametrize(("theme", "least"), [("light", 4.5), ("dark", 4.5), ("large light", 7), ("large dark", 7)])
def test_words_can_be_read_on_every_ground(theme, least):
    tokens = _themes()[theme]
    too_faint = {}
    for name in TEXTS:
        for ground in ("ground", "panel"):
            ratio = _contrast(_rgb(tokens[name]), _rgb(tokens[ground]))
            if ratio < least:
                too_faint[name, ground] = round(ratio, 2)
    for tone in TONES:
        tint = _tinted(_rgb(tokens[tone]), _rgb(tokens["panel"]), tokens["tint"])
        for name in ("ink", tone):
            ratio = _contrast(_rgb(tokens[name]), tint)
            if ratio < least:
                too_faint[name, f"tint of {tone}"] = round(ratio, 2)
    assert not too_faint


@pytest.mark.parametrize(("theme", "least"), [("light", 4.5), ("dark", 4.5), ("large light", 7), ("large dark", 7)])
def test_words_on_full_colours_can_be_read(theme, least):
    tokens = _themes()[theme]
    assert _contrast(_rgb(tokens["on-brand"]), _rgb(tokens["brand"])) >= least
    assert _contrast(_rgb(tokens["panel"]), _rgb(tokens["late"])) >= least


@pytest.mark.parametrize("theme", ["light", "dark", "large light", "large dark"])
def test_edges_of_fields_and_rings_can_be_seen(theme):
    tokens = _themes()[theme]
    for ground in ("ground", "panel"):
        assert _contrast(_rgb(tokens["line-strong"]), _rgb(tokens[ground])) >= 3


def test_the_systems_dark_and_the_chosen_dark_are_the_same():
    blocks = _blocks()
    assert blocks['media :root:not([data-theme="light"])'] == blocks['[data-theme="dark"]']
    large = 'media :root[data-type="large"]:not([data-theme="light"])'
    assert blocks[large] == blocks[':root[data-type="large"][data-theme="dark"]']


def test_no_other_sheet_names_a_colour():
    for sheet in CSS.parent.glob("*.css"):
        if sheet.name == "tokens.css":
            continue
        screen = sheet.read_text("utf-8").partition("@media print")[0]
        assert not re.findall(r"#[0-9A-Fa-f]{3,8}\b|rgb\(", screen), sheet.name
