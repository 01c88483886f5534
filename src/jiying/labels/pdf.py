"""Sheets as a PDF file, by WeasyPrint: the same HTML and the same style as the page that is printed.

WeasyPrint stands on system libraries (Pango); where they are missing, a sentence says so and the page remains.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, ClassVar

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from jiying.core.errors import JiyingError

_WAIT_S = 20
_one_at_a_time = threading.Lock()


class NoPdf(JiyingError):
    """This machine cannot make PDF files, or not now."""

    status: ClassVar[int] = 503
    code, title = "no_pdf", "No PDF file"


def pdf_of(context: dict[str, Any]) -> bytes:
    """The sheets as a PDF file.  One is made at a time: each takes some hundred megabytes for a moment.

    Raises:
        NoPdf: libraries are missing, or others are waiting already.
    """
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        text = _("这台服务器缺少制作 PDF 的系统库（libpango）。请直接打印本页，或请管理员运行 jiying doctor。")
        raise NoPdf(text) from error
    if not _one_at_a_time.acquire(timeout=_WAIT_S):
        raise NoPdf(_("正在制作别的 PDF，请稍后再点一次，或直接打印本页。"))
    try:
        # The codes are in the page as data; nothing else is fetched from anywhere.
        only_data = weasyprint.urls.URLFetcher(allowed_protocols=["data"])
        style = weasyprint.CSS(string=_style())
        page = weasyprint.HTML(string=render_to_string("labels/pdf.html", context), url_fetcher=only_data)
        made: bytes = page.write_pdf(stylesheets=[style])
        return made
    finally:
        _one_at_a_time.release()


def _style() -> str:
    return Path(str(finders.find("labels/sheet.css"))).read_text("utf-8")
