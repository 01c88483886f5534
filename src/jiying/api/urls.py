"""Addresses under /api/v1/."""

from django.urls import URLPattern, URLResolver, path, re_path

from jiying.api.interface import api, docs, guarded, missing, openapi

_views = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern) and pattern.name != "api-root"]
for _pattern in _views:
    _pattern.callback = guarded(_pattern.callback)

urlpatterns: list[URLPattern | URLResolver] = [
    *_views,
    path("openapi.json", guarded(openapi)),
    path("docs", guarded(docs)),
    re_path(r"^(?P<rest>.*)$", guarded(missing)),
]
