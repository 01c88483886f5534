"""The installation, looked at from outside: its home, its health, its end."""

from __future__ import annotations

import http.client
import json
import signal
import stat
import subprocess
import sys
import time
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import pytest
from tests.served import environment, jiying

from jiying.config.serve import DRAIN_S

NOBODY = "postgresql://nobody@127.0.0.1:1/nothing"


def test_processes_that_start_at_once_make_one_secret(tmp_path):
    code = "from jiying.config.home import secret; print(secret('one', 'JIYING_NO_SUCH'))"
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    said = {process.communicate(timeout=60)[0] for process in started}
    assert len(said) == 1
    assert len(said.pop().strip()) == 64
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["one"]
    assert stat.S_IMODE((tmp_path / "secrets" / "one").stat().st_mode) == 0o600


def test_a_fresh_home_is_ready_after_migrate_and_says_how_to_sign_in(serve):
    served = serve(JIYING_DEMO="1")
    assert served.get("/healthz") == (200, {"status": "ok"})
    status, state = served.get("/readyz")
    assert (status, state["database"], state["migrations"]) == (200, "ok", "ok")
    assert state["watcher_lag_s"] == 0
    assert state["signals"] == {"by": "process", "status": "ok"}
    assert all(lag == 0 for lag in state["followers"].values())
    first = served.log().splitlines()[0]
    assert served.url in first
    assert "/sign-in" in first


def test_without_the_redis_it_was_told_of_it_works_on_and_says_so_once(serve):
    served = serve(JIYING_REDIS_URL="redis://127.0.0.1:1/0")
    status, state = served.get("/readyz")
    assert (status, state["signals"]) == (200, {"by": "redis", "status": "polling"})
    served.stop()
    told = [json.loads(line) for line in served.log().splitlines() if '"jiying.signals"' in line]
    assert {(line["level"], line["part"]) for line in told} == {("warning", "subscriber"), ("warning", "publisher")}
    assert len(told) == 2


def test_health_needs_no_database_and_readiness_does(serve):
    served = serve(part="web", ready="/healthz", JIYING_DATABASE_URL=NOBODY)
    status, state = served.get("/readyz")
    assert (status, state["database"], state["migrations"]) == (503, "fail", "unknown")


def test_a_home_that_was_never_migrated_is_not_ready(serve, tmp_path):
    status, state = serve(tmp_path, part="web", ready="/healthz").get("/readyz")
    assert (status, state["database"], state["migrations"]) == (503, "ok", "missing")


@pytest.mark.parametrize(
    ("part", "by"),
    [("serve", signal.SIGTERM), ("serve", signal.SIGINT), ("work", signal.SIGTERM), ("live", signal.SIGTERM)],
)
def test_a_signal_ends_it_with_success_and_without_a_word(serve, part, by):
    served = serve(part=part)
    before = served.log()
    assert served.stop(by) == 0
    assert served.log() == before


def test_a_signal_may_come_in_the_instant_in_which_the_wait_for_it_begins(tmp_path):
    """Then the waiting thread itself holds the lock that says so."""
    script = (
        "import signal; from jiying.config.serve import _stop_on_signals; stop = _stop_on_signals()\n"
        "with stop._cond: signal.raise_signal(signal.SIGTERM)\n"
        "print(stop.wait(10))"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, env=environment(tmp_path), capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "True", done.stderr[-500:]


def test_open_streams_do_not_hold_up_the_end(jiying_server):
    parts = urlsplit(jiying_server.url)
    sign_in = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    sign_in.request("GET", "/sign-in")
    answer = sign_in.getresponse()
    answer.read()
    token = SimpleCookie(answer.headers["Set-Cookie"])["csrftoken"].value
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}
    sign_in.request("POST", "/demo/sign-in", f"username=demo-operator&csrfmiddlewaretoken={token}", form)
    answer = sign_in.getresponse()
    answer.read()
    session = next(value for value in answer.headers.get_all("Set-Cookie") if value.startswith("sessionid="))
    stream = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    stream.request("GET", "/live/events", headers={"Cookie": session.partition(";")[0]})
    events = stream.getresponse()
    assert events.status == 200
    events.readline()
    before = jiying_server.log()
    began = time.monotonic()
    assert jiying_server.stop() == 0
    assert time.monotonic() - began < DRAIN_S
    assert jiying_server.log() == before
    assert b"retry" not in events.read()  # It ended as a whole answer: no IncompleteRead.
    sign_in.close()
    stream.close()


def test_a_process_that_serves_loads_no_compiler(tmp_path):
    """It would be two hundred megabytes for what is computed once a minute, and half a minute of compiling first."""
    script = (
        "import sys, django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns;"
        "from jiying.config import serve; serve._start(stop := __import__('threading').Event()); stop.set();"
        "import jiying.dispatch.looking, jiying.planning.actions;"
        "print(sorted({'numba', 'llvmlite', 'scipy'} & set(sys.modules)))"
    )
    env = environment(tmp_path) | {"DJANGO_SETTINGS_MODULE": "jiying.config.settings"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr[-500:]


def test_the_web_part_leaves_the_stream_to_another_process(serve):
    assert serve(part="web").get("/live/events")[0] == 404


def test_the_live_part_has_no_pages(serve):
    assert serve(part="live").get("/sign-in")[0] == 404


def test_after_a_kill_it_starts_again(serve):
    first = serve()
    first.stop(signal.SIGKILL)
    assert serve(first.home).get("/readyz")[0] == 200


def test_a_taken_port_is_a_sentence_and_exit_2(serve):
    served = serve(part="live")
    second = served.run("serve", "--port", str(urlsplit(served.url).port))
    assert second.returncode == 2
    assert "another program uses it" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "127.evil.example"])
def test_a_demo_is_refused_where_others_could_reach_it(tmp_path, host):
    asked = jiying(tmp_path, "serve", "--host", host, JIYING_DEMO="1")
    set_ = jiying(tmp_path, "migrate", JIYING_DEMO="1", JIYING_HOST=host)
    for done in (asked, set_):
        assert done.returncode == 2
        assert "refused" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_name_that_is_not_ours_is_refused(serve):
    parts = urlsplit(serve().url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("GET", "/sign-in", headers={"Host": "elsewhere.example"})
    assert connection.getresponse().status == 400
    connection.close()


def test_pages_run_no_script_from_elsewhere_and_tracking_links_leave_no_referrer(client, db):
    page = client.get("/sign-in")
    policy = page["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert client.get("/t/no-such-token")["Referrer-Policy"] == "no-referrer"
