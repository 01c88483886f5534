"""A POST to somewhere else, against a real server."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
import time

import pytest

from jiying.notices import posting
from jiying.notices.channels import NotSent, Unsure
from jiying.notices.tests.outside import gateway


def post(url: str, *, private: bool = True, timeout_s: float = 1) -> None:
    posting.post(url, b"{}", {}, timeout_s=timeout_s, private=private)


def test_a_signature_proves_body_and_time():
    header = posting.signature("a secret of sixteen", b'{"a":1}', 1_800_000_000)["X-Jiying-Signature"]
    mac = hmac.new(b"a secret of sixteen", b'1800000000.{"a":1}', hashlib.sha256).hexdigest()
    assert header == f"t=1800000000,v1={mac}"


def test_redirects_are_not_followed_wherever_they_lead():
    with gateway() as trap, gateway() as hook:
        hook.status, hook.location = 307, trap.url
        with pytest.raises(NotSent, match="HTTP 307") as refused:
            post(hook.url)
        assert refused.value.final
        assert len(hook.got) == 1
        assert trap.got == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "192.168.1.1", "169.254.169.254"])
def test_private_addresses_are_refused_before_anything_is_sent(host):
    with gateway() as inside, pytest.raises(NotSent, match="private") as refused:
        post(inside.url.replace("127.0.0.1", host), private=False)
    assert refused.value.final
    assert inside.got == []


def test_a_public_name_that_leads_into_the_house_is_refused(monkeypatch):
    with gateway() as inside:
        port = int(inside.url.rpartition(":")[2].partition("/")[0])
        both = [(2, 1, 6, "", ("8.8.8.8", port)), (2, 1, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: both)
        with pytest.raises(NotSent, match="private"):
            post(f"http://hooks.example:{port}/", private=False)
        assert inside.got == []


def test_a_name_is_asked_once_so_that_it_cannot_change_its_mind(monkeypatch):
    asked = []

    def resolve(*args: object, **_more: object) -> list[tuple[object, ...]]:
        asked.append(args)
        return [(2, 1, 6, "", ("8.8.8.8" if len(asked) == 1 else "127.0.0.1", 80))]

    reached = []
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", lambda address, _timeout: reached.append(address) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        post("http://hooks.example/", private=False)
    assert reached == [("8.8.8.8", 80)]
    assert len(asked) == 1


def test_a_server_that_hangs_is_left_and_nobody_knows_whether_it_took_it():
    with gateway() as slow:
        slow.hang = True
        begun = time.monotonic()
        with pytest.raises(Unsure):
            post(slow.url, timeout_s=0.3)
        assert time.monotonic() - begun < 5
        assert len(slow.got) == 1


def test_an_answer_that_drips_does_not_hold_the_line():
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        line, _peer = listening.accept()
        with line:
            line.recv(4096)
            try:
                while not over.wait(0.05):
                    line.sendall(b"H")
            except OSError:
                over.set()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    begun = time.monotonic()
    with pytest.raises(Unsure):
        post(f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout_s=0.5)
    assert time.monotonic() - begun < 5
    over.set()
    thread.join()
    listening.close()


@pytest.mark.parametrize(("status", "final"), [(500, False), (503, False), (429, False), (404, True), (401, True)])
def test_an_error_is_tried_again_where_that_may_help(status, final):
    with gateway() as broken:
        broken.status = status
        with pytest.raises(NotSent, match=str(status)) as refused:
            post(broken.url)
        assert refused.value.final is final


def test_a_name_that_is_unknown_is_a_sentence():
    with pytest.raises(NotSent, match="not known"):
        post("http://nowhere.invalid/")
