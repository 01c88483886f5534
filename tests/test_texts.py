"""Every text has an English counterpart, and English pages hold no Chinese but data."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation import template as django_template

SOURCE = Path(__file__).resolve().parent.parent / "src" / "jiying"
CHINESE = re.compile(r"[\u3400-\u9fff\uff01-\uff60\u3000-\u303f]")
CALL = re.compile(r"""\b(?:n?p?gettext|_)\((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*\)""")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
KEYWORDS = {
    "_": None,
    "_p": ((1, "c"), 2),
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
Key = tuple[str | None, str]


def _python_sources() -> Iterator[tuple[Path, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if "tests" not in path.parts:
            yield path, path.read_text("utf-8")
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        # Templates become calls of gettext, as makemessages does it; what is between them is no Python.
        calls = CALL.finditer(django_template.templatize(path.read_text("utf-8"), origin=str(path)))
        yield path, "\n".join(call[0] for call in calls)


def _used() -> dict[Key, str]:
    """The Chinese texts of all rooms, with where they stand first."""
    found: dict[Key, str] = {}
    for path, text in _python_sources():
        for line, message, _comments, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
            single = message[0] if isinstance(message, tuple | list) else message
            if single and CHINESE.search(single):
                place = str(path.relative_to(SOURCE))
                found.setdefault((context, single), f"{place}:{line}" if path.suffix == ".py" else place)
    return found


def _catalogs() -> dict[Path, Catalog]:
    return {
        path: read_po(io.BytesIO(path.read_bytes()), locale="en")
        for path in sorted(SOURCE.glob("*/locale/en/LC_MESSAGES/django.po"))
    }


def _translated() -> dict[Key, list[tuple[str, str]]]:
    """(context, Chinese) → [(room, English)]."""
    entries: dict[Key, list[tuple[str, str]]] = {}
    for path, catalog in _catalogs().items():
        for message in catalog:
            single = message.id[0] if isinstance(message.id, tuple | list) else message.id
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            if single and all(strings):
                entries.setdefault((message.context, single), []).append((path.parts[-5], strings[-1]))
    return entries


def test_every_chinese_text_has_its_english():
    known = _translated()
    missing = [f"{where}: {key[1]!r}" for key, where in _used().items() if key not in known]
    assert not missing, "no English for\n" + "\n".join(missing)


def test_no_english_text_is_chinese_or_marked_fuzzy():
    for path, catalog in _catalogs().items():
        for message in catalog:
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            assert not any(CHINESE.search(text) for text in strings if message.id), (path, message.id)
            assert not message.fuzzy or not message.id, (path, message.id)


def test_rooms_agree_on_the_english_of_a_text():
    quarrels = {key: found for key, found in _translated().items() if len({english for _room, english in found}) > 1}
    assert not quarrels


def test_translations_use_no_placeholder_that_the_source_does_not_fill():
    # The month's name is filled besides its number, since English wants the one and Chinese the other.
    extra = {"month_name"}
    for (_context, chinese), found in _translated().items():
        for room, english in found:
            assert set(PLACEHOLDER.findall(english)) - extra <= set(PLACEHOLDER.findall(chinese)), (room, chinese)


def test_no_template_holds_chinese_outside_its_texts():
    tag = re.compile(r"{%.*?%}|{#.*?#}", re.S)
    block = re.compile(r"{%\s*(blocktrans|blocktranslate)\b.*?{%\s*end\1\s*%}|{%\s*comment.*?endcomment\s*%}", re.S)
    own_language = re.compile(r"<(\w+)[^>]*\blang=\"zh[^>]*>.*?</\1>", re.S)
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        if path.name == "500.html":
            continue  # Stands alone, in both languages.
        text = own_language.sub("", tag.sub("", block.sub("", path.read_text("utf-8"))))
        found = CHINESE.findall(text)
        assert not found, f"{path.relative_to(SOURCE)}: {''.join(found)[:40]}"


@pytest.mark.parametrize("address", ["/", "/sign-in", "/nowhere"])
@pytest.mark.django_db
def test_an_english_page_holds_no_chinese(client, address):
    page = client.get(address, {"lang": "en"}).content.decode()
    seen = re.sub(r"<(\w+)[^>]*\blang=\"zh[^>]*>.*?</\1>", "", page, flags=re.S)
    assert not CHINESE.findall(seen)
