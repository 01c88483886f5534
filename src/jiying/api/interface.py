"""The interface assembled: routers, refusals, the OpenAPI document and its page."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic.json_schema import models_json_schema

from jiying.api import about, attachments, orders, places, tracking
from jiying.api.answers import json_answer
from jiying.api.problems import FIELD_CODES, MEDIA_TYPE, TITLES, MethodNotAllowed, of_exception, problem
from jiying.api.schemas import BODIES
from jiying.core.errors import NotFound

PREFIX = "/api/v1/"
_DESCRIPTION = (
    "Orders of a district: report, follow, act, read the figures. Times are RFC 3339 with offset; lists are "
    "`{items, next}`; problems are `application/problem+json`."
)

api = NinjaAPI(
    title="Jiying 即应", version="1", description=_DESCRIPTION, urls_namespace="api", openapi_url=None, docs_url=None
)
api.add_router("/orders", orders.router)
api.add_router("/orders", attachments.router)
api.add_router("/track", tracking.router)
api.add_router("", places.router)
api.add_router("", about.router)
for _kind in (Exception, Http404, HttpError, ValidationError):
    # All four: where ninja has a handler of its own it would answer in another shape.
    api.add_exception_handler(_kind, lambda request, error: problem(of_exception(request, error)))


View = Callable[..., HttpResponseBase]


def guarded(view: View) -> View:
    """`view` with a problem for whatever it does not answer itself, and nothing kept in caches."""

    @csrf_exempt
    @wraps(view)
    def outer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Exception as error:
            response = problem(of_exception(request, error))
        if response.status_code == 405 and response.headers.get("Content-Type") != MEDIA_TYPE:
            allowed = response.headers.get("Allow", "")
            response = problem(MethodNotAllowed(_("这个地址只接受：%(methods)s") % {"methods": allowed}))
            response.headers["Allow"] = allowed
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return outer


def missing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Every other address below the prefix."""
    raise NotFound(_("这里没有东西，请核对地址。"))


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document: ninja's, with the bodies we read ourselves and the problems every operation has."""
    schema: dict[str, Any] = copy.deepcopy(dict(api.get_openapi_schema(path_prefix=PREFIX)))
    _ours, extra = models_json_schema(
        [(body, "validation") for body in BODIES], by_alias=True, ref_template="#/components/schemas/{model}"
    )
    schema["components"]["schemas"] |= extra["$defs"]
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`jiying token USERNAME`"},
        "session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Writes want X-CSRFToken."},
    }
    refusal = {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for methods in schema["paths"].values():
        for operation in methods.values():
            operation["responses"]["default"] = refusal
            if "security" in operation:
                nobody: list[dict[str, list[str]]] = [{}] if operation["security"] == [{"Anybody": []}] else []
                operation["security"] = [{"token": []}, {"session": []}, *nobody]
    return schema


def openapi(request: HttpRequest) -> HttpResponse:
    """`/openapi.json`."""
    response = json_answer(document())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def docs(request: HttpRequest) -> HttpResponse:
    """`/docs`: the document as a page, without a script."""
    schema = document()
    operations = [
        {
            "method": method.upper(),
            "path": path,
            **operation,
            "prose": prose(operation.get("description", "")),
            "parameters": [{**each, "prose": prose(each.get("description", ""))} for each in operation["parameters"]],
            "open": {} in operation.get("security", ()),
            "takes": _shape_in(operation.get("requestBody", {})),
            "answers": [(status, _shape_in(answer)) for status, answer in operation["responses"].items()],
        }
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    context = {"operations": operations, "shapes": _shapes(schema), "codes": {**TITLES, **FIELD_CODES}.items()}
    return render(request, "api/docs.html", context)


def prose(text: str) -> str:
    """A docstring's text as HTML, with what stands between backticks as code.

    >>> prose("`a<b` or not")
    '<code>a&lt;b</code> or not'
    """
    return mark_safe(re.sub("`([^`]+)`", r"<code>\1</code>", escape(text)))


def _shape_in(holder: dict[str, Any]) -> str:
    """The name of the schema that a request body or an answer holds; empty without one."""
    return next((type_of(content["schema"]) for content in holder.get("content", {}).values()), "")


def _shapes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas as rows of name, type and remark."""
    return [
        {
            "name": name,
            "about": prose(shape.get("description", "")),
            "members": [
                {
                    "name": member,
                    "type": type_of(details),
                    "required": member in shape.get("required", ()),
                    "about": prose(details.get("description", "")),
                }
                for member, details in shape.get("properties", {}).items()
            ],
        }
        for name, shape in sorted(schema["components"]["schemas"].items())
    ]


def type_of(details: dict[str, Any]) -> str:
    """A JSON schema in a few words.

    >>> type_of({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]})
    'uuid | null'
    """
    if "$ref" in details:
        return str(details["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in details:
        return " | ".join(type_of(each) for each in details["anyOf"])
    if "enum" in details:
        return " | ".join(map(str, details["enum"]))
    if details.get("type") == "array":
        return f"[{type_of(details.get('items', {}))}]"
    return str(details.get("format") or details.get("type") or "…")
