"""Refusals as RFC 9457 problem documents, in the asker's language.

The only place where an error becomes an answer: views and rooms below raise, nobody else writes a status.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja.errors import AuthenticationError, HttpError, ValidationError

from jiying.core.errors import Busy, JiyingError, NotFound, TooLarge

log = logging.getLogger("jiying.api")

MEDIA_TYPE = "application/problem+json"
#: Where a problem's `type` leads: the docs page has an anchor for every code.
TYPES = "/api/v1/docs#"

#: Titles by the code of the error's class; a title names the sort of problem and never varies with the case.
TITLES: Mapping[str, Any] = {
    "bad_request": gettext_lazy("请求读不懂"),
    "bad_json": gettext_lazy("请求不是可读的 JSON"),
    "invalid": gettext_lazy("填写有误"),
    "sign_in_required": gettext_lazy("需要登录"),
    "bad_token": gettext_lazy("令牌无效"),
    "csrf_failed": gettext_lazy("缺少防伪令牌"),
    "not_found": gettext_lazy("没有找到"),
    "method_not_allowed": gettext_lazy("这个地址不接受这种方法"),
    "not_yours": gettext_lazy("不由您来做"),
    "stale_version": gettext_lazy("工单已经变了"),
    "impossible_verb": gettext_lazy("现在的状态不能这样做"),
    "unknown_verb": gettext_lazy("没有这个动作"),
    "key_reused": gettext_lazy("Idempotency-Key 已用于另一个请求"),
    "bad_code": gettext_lazy("号码不对"),
    "rate_limited": gettext_lazy("太频繁"),
    "too_large": gettext_lazy("太大"),
    "not_a_picture": gettext_lazy("不是照片"),
    "busy": gettext_lazy("正忙"),
    "failed": gettext_lazy("没有做成"),
}

#: Codes of single fields, for the docs page; a problem takes its fields' code where they agree.
FIELD_CODES: Mapping[str, Any] = {
    "required": gettext_lazy("缺少这一项"),
    "too_long": gettext_lazy("太长"),
    "unknown_category": gettext_lazy("没有这个类别"),
    "unknown_kind": gettext_lazy("没有这种类型"),
    "unknown_urgency": gettext_lazy("没有这种紧急程度"),
    "unknown_state": gettext_lazy("没有这个状态"),
    "unknown_estate": gettext_lazy("没有这个小区"),
    "unknown_building": gettext_lazy("没有这栋楼"),
    "unknown_worker": gettext_lazy("没有这位维修工"),
    "unknown_reason": gettext_lazy("没有这种原因"),
    "unknown_event": gettext_lazy("没有这个事件"),
    "unknown_attachment": gettext_lazy("没有这张照片"),
    "unknown_purpose": gettext_lazy("没有这种照片用途"),
    "too_many_pixels": gettext_lazy("照片像素太多"),
    "too_many_photos": gettext_lazy("照片太多"),
    "broken_picture": gettext_lazy("照片不完整"),
    "unchanged": gettext_lazy("没有改动"),
    "bad_phone": gettext_lazy("电话号码不对"),
    "bad_point": gettext_lazy("位置不对"),
    "bad_time": gettext_lazy("时间不对"),
    "bad_key": gettext_lazy("Idempotency-Key 不可用"),
    "bad_cursor": gettext_lazy("cursor 无效"),
}


class BadJson(JiyingError):
    """The body is no JSON that can be read."""

    status, code, title = 400, "bad_json", "The body is not readable JSON"


class SignInRequired(JiyingError):
    """Nobody is signed in where somebody must be."""

    status, code, title = 401, "sign_in_required", "Sign in first"


class BadToken(JiyingError):
    """A bearer token that is unknown, expired or whose user is gone."""

    status, code, title = 401, "bad_token", "The token is not valid"


class CsrfFailed(JiyingError):
    """A write by session cookie without its CSRF token."""

    status, code, title = 403, "csrf_failed", "The CSRF token is missing"


class MethodNotAllowed(JiyingError):
    """The address exists, for other methods."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class Failed(JiyingError):
    """A fault of ours; the log has it, the answer has not."""

    status, code, title = 500, "failed", "Failed"


def problem(error: JiyingError) -> HttpResponse:
    """The answer to a refusal; `extra` members follow the standard ones."""
    document: dict[str, Any] = {
        "type": f"{TYPES}{code_of(error)}",
        "title": str(TITLES.get(error.code, error.title)),
        "status": error.status,
        "detail": error.detail,
        "code": code_of(error),
        "errors": [{"field": e.field, "code": e.code, "message": e.message} for e in error.errors],
    }
    document |= {name: value for name, value in error.extra.items() if name not in document}
    body = json.dumps(document, ensure_ascii=False, default=str).encode("utf-8", "replace")
    response = HttpResponse(body, status=error.status, content_type=MEDIA_TYPE)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="jiying"'
    if "retry_after" in error.extra:
        response.headers["Retry-After"] = str(math.ceil(error.extra["retry_after"]))
    return response


def code_of(error: JiyingError) -> str:
    """The problem's code: that of its fields where they agree, else the error's own.

    >>> from jiying.core.errors import BadInput
    >>> code_of(BadInput.of("point", "bad_point", "…"))
    'bad_point'
    """
    codes = {field.code for field in error.errors}
    return codes.pop() if len(codes) == 1 else error.code


def of_exception(request: HttpRequest, error: Any) -> JiyingError:
    """The refusal that an exception amounts to; what is nobody's fault but ours is logged and told plainly."""
    match error:
        case JiyingError():
            return error
        case Http404() | ValidationError():
            # Only path parameters are typed: an id that is none belongs to nothing.
            return NotFound(_("这里没有东西，请核对地址。"))
        case RequestDataTooBig():
            return TooLarge(_("内容太大了，没有收下。"))
        case AuthenticationError():
            return SignInRequired(_("请先登录，或带上有效的令牌。"))
        case HttpError() if error.status_code < 500:
            return JiyingError(str(error))
        case TooManyFieldsSent():
            return JiyingError(_("参数太多，没有处理。请减少参数后再试。"))
        case SuspiciousOperation() | UnreadablePostError():
            return JiyingError(_("请求没有读完整，请再试一次。"))
        case OperationalError():
            log.warning("the database refused", exc_info=error)
            text = _("系统正忙，这一次没有写入。请稍后用同一个 Idempotency-Key 再试。")
            return Busy(text, retry_after=1)
        case _:
            log.error("failed", exc_info=error)
            return Failed(_("没有做成，问题已记录。请稍后用同一个 Idempotency-Key 再试，不会重复提交。"))
