"""`/inbox/settings`: by which ways somebody wants to be told, and when not."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jiying.core.errors import BadInput
from jiying.core.phones import spaced
from jiying.core.text import clean
from jiying.notices.outgoing import PERSONAL, Wish
from jiying.notices.setup import setup
from jiying.notices.wishes import keep, wish_of
from jiying.pages.gates import signed_in
from jiying.pages.words import word

_DIGESTS = (("now", _("一有就发")), ("hour", _("每小时汇总一条")), ("day", _("每天早上 8 点汇总一条")))
_LANGUAGES = (("zh-hans", "中文"), ("en", "English"))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """The form; what is refused comes back as it was filled in, with a sentence at its field."""
    user = signed_in(request)
    if request.method != "POST":
        return _page(request, wish_of(user), {})
    wish = _filled_in(request.POST)
    try:
        for name in ("email", "phone"):
            clean(request.POST.get(name, ""), field=name, max_chars=254, required=False, single_line=True)
        keep(user, wish)
    except BadInput as error:
        return _page(request, wish, {one.field: one.message for one in error.errors}, status=error.status)
    messages.success(request, _t("已保存。之后的通知按这里的设置发。"))
    return redirect("/inbox/settings")


def _filled_in(form: QueryDict) -> Wish:
    return Wish(
        email=form.get("email", "").strip()[:254],
        phone=form.get("phone", "").strip()[:40],
        urgent=tuple(name for name in PERSONAL if name in form.getlist("urgent")),
        ordinary=tuple(name for name in PERSONAL if name in form.getlist("ordinary") and name != "voice"),
        quiet_from=_minute(form.get("quiet_from", "")),
        quiet_to=_minute(form.get("quiet_to", "")),
        digest=form.get("digest", ""),
        language=form.get("language", ""),
    )


def _minute(text: str) -> int:
    """Minutes of the day of `HH:MM`; -1, which is refused, for what is none."""
    hour, _colon, minute = text.partition(":")
    if not (hour.isascii() and hour.isdigit() and minute[:2].isascii() and minute[:2].isdigit()):
        return -1
    found = int(hour[:2]) * 60 + int(minute[:2])
    return found if int(minute[:2]) < 60 else -1


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}" if minute >= 0 else ""


def _page(request: HttpRequest, wish: Wish, errors: dict[str, str], status: int = 200) -> HttpResponse:
    ready = setup().ready()
    levels = [
        {
            "name": name,
            "title": title,
            "hint": hint,
            "choices": [(one, word("told_by", one), one in chosen, one in ready) for one in offered],
        }
        for name, title, hint, chosen, offered in (
            ("urgent", _t("急修"), _t("随时发，不管免打扰时间。"), wish.urgent, PERSONAL),
            ("ordinary", _t("其他事情"), _t("免打扰时间里的，过后再发。"), wish.ordinary, ("email", "sms")),
        )
    ]
    context = {
        "wish": wish,
        "phone": spaced(wish.phone) if wish.phone.startswith("+") and "phone" not in errors else wish.phone,
        "errors": errors,
        "levels": levels,
        "digests": _DIGESTS,
        "languages": _LANGUAGES,
        "quiet_from": _time(wish.quiet_from),
        "quiet_to": _time(wish.quiet_to),
        "ready": [name for name in ready if name in PERSONAL],
    }
    return render(request, "pages/wishes.html", context, status=status)
