"""What Django itself refuses before a view is asked: a page for people, a problem document for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request as page

from jiying.api.problems import of_exception, problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a foreign host name, too many fields, a body that is none."""
    if request.path.startswith("/api/"):
        return problem(of_exception(request, exception))
    return page(request, exception)
