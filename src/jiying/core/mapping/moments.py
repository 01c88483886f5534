"""Times as other people's tables write them.

A column may hold several forms at once: a spreadsheet has real dates beside typed ones.  The forms are
tried in their order.  Three have names, any other is a pattern of `strptime`:

    iso     2019-04-25T09:32:09 (also what a real date of a spreadsheet becomes); always tried last
    zh      2019/4/25 9:32:09, 2019-4-25, 2019.4.25 下午3:05, 2019年4月25日9时32分: year, month, day
    excel   43580.397: the number of days that a spreadsheet keeps when the cell was never formatted

Twelve-hour times may say 上午 and 下午 instead of AM and PM.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

ISO, ZH, EXCEL = "iso", "zh", "excel"
PLAIN = (ISO, ZH)
"""What is understood where a mapping says nothing: the forms that cannot be mistaken for another."""

_HALVES = {"上午": "AM", "凌晨": "AM", "早上": "AM", "下午": "PM", "晚上": "PM", "中午": "PM"}
_ZH = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[T\s]*(AM|PM)?\s*(\d{1,2})\s*[:时点]\s*(?:(\d{1,2})\s*分?)?(?:\s*:?\s*(\d{1,2})(?:\.\d+)?\s*秒?)?\s*(AM|PM)?)?",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"\d{1,6}(\.\d+)?")
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - local, as the spreadsheet's
_LAST_SERIAL = 2_958_465
_HALF_WORDS = re.compile("|".join(_HALVES))
_WIDE = re.compile("[^\x00-\x7f]")


def read_moment(text: str, forms: Sequence[str] = PLAIN) -> datetime:
    """The time that `text` says in one of `forms`; without a zone where none is written.

    >>> read_moment("2019/4/25 9:32:09"), read_moment("2019年4月25日 下午3:05")
    (datetime.datetime(2019, 4, 25, 9, 32, 9), datetime.datetime(2019, 4, 25, 15, 5))

    Raises:
        ValueError: none of them.
    """
    if _WIDE.search(text):
        text = _HALF_WORDS.sub(lambda half: f" {_HALVES[half[0]]} ", unicodedata.normalize("NFKC", text)).strip()
    for form in (*forms, ISO):
        try:
            return _READERS[form](text) if form in _READERS else datetime.strptime(text, form)  # noqa: DTZ007
        except (ValueError, OverflowError):
            continue
    raise ValueError(f"{text!r} is no time written as {' or '.join(forms)}")


def _zh(text: str) -> datetime:
    match = _ZH.fullmatch(text)
    if match is None:
        raise ValueError("not a year, a month and a day")
    year, month, day, before, hour, minute, second, behind = match.groups()
    hours = int(hour or 0)
    half = (before or behind or "").upper()
    if half and not 1 <= hours <= 12:
        # "下午15:05" is said often enough, and means what it says; "上午 0:30" too.
        half = "" if half == "PM" or hours == 0 else "?"
    if half == "?":
        raise ValueError("an hour that its half of the day has not")
    if half:
        hours = hours % 12 + (12 if half == "PM" else 0)
    return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))  # noqa: DTZ001


def _excel(text: str) -> datetime:
    if not _SERIAL.fullmatch(text) or not 1 <= float(text) <= _LAST_SERIAL:
        raise ValueError("not a day of a spreadsheet")
    # Seconds are what a spreadsheet means; its fractions of a day are a little beside them.
    return _EPOCH + timedelta(seconds=round(float(text) * 86_400))


_READERS = {ISO: datetime.fromisoformat, ZH: _zh, EXCEL: _excel}
