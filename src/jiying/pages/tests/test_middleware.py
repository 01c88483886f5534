"""Language, large type and theme: who decides, and for how long."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation

from jiying.pages.middleware import LanguageMiddleware

factory = RequestFactory()


def _answer(request):
    return LanguageMiddleware(lambda _request: HttpResponse(translation.get_language()))(request)


def _language(path="/", cookies=None, **headers):
    request = factory.get(path, **headers)
    request.COOKIES.update(cookies or {})
    return _answer(request).content.decode()


def test_pages_are_chinese_whatever_the_browser_prefers():
    assert _language("/", HTTP_ACCEPT_LANGUAGE="en-GB,en") == "zh-hans"


def test_the_address_decides_and_is_remembered():
    answer = _answer(factory.get("/?lang=en"))
    assert answer.content == b"en"
    assert answer.cookies["jiying_lang"].value == "en"
    assert _language(cookies={"jiying_lang": "en"}) == "en"
    assert _language("/?lang=zh", {"jiying_lang": "en"}) == "zh-hans"


@pytest.mark.parametrize("value", ["fr", "", "EN", "<b>", "zh-hans"])
def test_an_unknown_language_changes_nothing(value):
    answer = _answer(factory.get("/", {"lang": value}))
    assert answer.content == b"zh-hans"
    assert not answer.cookies


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en", "en"),
        ("zh-CN,en;q=0.8", "zh-hans"),
        ("fr, en;q=0.5, zh;q=0.4", "en"),
        ("de", "zh-hans"),
        ("en;q=x", "en"),
    ],
)
def test_the_interface_answers_in_the_askers_language(header, language):
    assert _language("/api/v1/orders", HTTP_ACCEPT_LANGUAGE=header) == language


def test_large_type_and_theme_are_remembered():
    answer = _answer(factory.get("/?type=large&theme=dark"))
    assert {name: morsel.value for name, morsel in answer.cookies.items()} == {
        "jiying_type": "large",
        "jiying_theme": "dark",
    }
