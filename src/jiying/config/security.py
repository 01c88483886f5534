"""Headers that keep pages to themselves, passwords hashed within the memory of one process."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class ContentSecurityMiddleware:
    """Answers to our own names only; no inline script, nothing from elsewhere; tracking links leave no referrer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # Raises DisallowedHost (400) for a name that is not ours, before anything else is done.
        for name in [name for name, value in request.COOKIES.items() if "\0" in value]:
            # Quoted, a cookie can say any byte; PostgreSQL takes none that holds this one, not even to look it up.
            del request.COOKIES[name]
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if request.path.startswith(("/t/", "/api/v1/track/")):
            response.headers["Referrer-Policy"] = "no-referrer"
        return response


class LeanArgon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, 2 passes, 1 lane (OWASP's second choice): Django's 100 MiB would, with eight
    people signing in at once, take more memory than the whole process may."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
