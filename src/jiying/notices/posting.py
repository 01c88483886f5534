"""A POST to somewhere else: one deadline for all of it, no redirects, no way into the house.

The name is resolved once and the connection goes to the address that was judged, so that a name which changes its
mind between the two gains nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from urllib.parse import SplitResult, urlsplit

from jiying.notices.channels import NotSent, Unsure

REFUSED_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})


def signature(secret: str, body: bytes, at: int) -> dict[str, str]:
    """The header that proves who sent `body`, at `at` (seconds since 1970)."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Jiying-Signature": f"t={at},v1={mac}"}


def gone(recipient: str) -> NotSent:
    """A recipient that is not there any more."""
    return NotSent(f"{recipient} is not configured", final=True)


def post(url: str, body: bytes, headers: dict[str, str], *, timeout_s: float, private: bool) -> None:
    """Send `body` as JSON; returns when it was answered by 2xx.

    Args:
        timeout_s: for everything together after the name is resolved.
        private: whether loopback and private addresses may be reached.

    Raises:
        NotSent: not reached, refused, redirected, or answered by an error; final where trying again is useless.
        Unsure: it was sent and no whole answer came in time.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    sock = _connected(_address(host, port, private), port, timeout_s)
    # A second handle on the connection: TLS takes the first one away.
    over = sock.dup()
    deadline = threading.Timer(timeout_s, _cut, [over])
    deadline.daemon = True
    deadline.start()
    try:
        status = _exchanged(sock, host, parts, body, headers, secure)
    finally:
        deadline.cancel()
        sock.close()
        over.close()
    if not 200 <= status < 300:
        raise NotSent(f"HTTP {status}", final=status in REFUSED_FOR_GOOD or 300 <= status < 400)


def _address(host: str, port: int, private: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent("the name is not known") from error
    addresses = [str(one[4][0]) for one in found]
    if not private and not all(is_public(one) for one in addresses):
        # One private address among public ones is as suspicious as none but private ones.
        raise NotSent("the address is private", final=True)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address lies outside of this house.

    >>> [is_public(one) for one in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "8.8.8.8")]
    [False, False, False, False, False, True]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return found.is_global and not found.is_multicast


def _connected(address: str, port: int, timeout_s: float) -> socket.socket:
    try:
        return socket.create_connection((address, port), timeout_s)
    except OSError as error:
        raise NotSent(f"not reached: {type(error).__name__}") from error


def _exchanged(
    sock: socket.socket, host: str, parts: SplitResult, body: bytes, headers: dict[str, str], secure: bool
) -> int:
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    connection = http.client.HTTPConnection(host, parts.port)
    try:
        connection.sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host) if secure else sock
    except OSError as error:
        raise NotSent(f"no TLS: {type(error).__name__}") from error
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Unsure(f"no answer: {type(error).__name__}") from error
    finally:
        connection.close()


def _cut(sock: socket.socket) -> None:
    """End an exchange that drips: a time-out of the socket begins anew with each byte."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
