"""How much memory the one process needs: `jiying serve` on the demo, after 2,000 requests of pages and REST.

    python bench/memory.py [--requests 2000]

Signs in as each demo user and goes round their pages; printed are the resident megabytes before and after.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from common import fresh_home, jiying, machine

ROUNDS = {
    "demo-worker": ("/worker", "/api/v1/me", "/inbox"),
    "demo-company": ("/desk", "/desk?state=closed", "/api/v1/orders?limit=50", "/inbox"),
    "demo-operator": ("/centre", "/centre/intake", "/desk", "/api/v1/orders?limit=50&urgency=emergency"),
    "demo-district": ("/district", "/desk", "/api/v1/figures", "/api/v1/catalogue"),
}


class Visitor:
    """A signed-in browser without a window."""

    def __init__(self, base: str, username: str) -> None:
        self.base = base
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/sign-in")[1])
        if found is None:
            sys.exit("the sign-in page has no form")
        form = urllib.parse.urlencode({"username": username, "csrfmiddlewaretoken": found[1]}).encode()
        self.opener.open(f"{base}/demo/sign-in", form).read()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with self.opener.open(self.base + path) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""


def report(base: str, number: int) -> int:
    """A stranger reports something."""
    body = {"kind": "repair", "category": "leak", "description": f"bench {number}", "address": "Bench Road 1"}
    request = urllib.request.Request(
        f"{base}/api/v1/orders", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def resident_mb(pid: int) -> int:
    """Resident memory of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) // 1024 if found else 0


def wait_for(base: str, process: subprocess.Popen[bytes]) -> None:
    for _try in range(300):
        if process.poll() is not None:
            sys.exit("the server ended by itself")
        try:
            urllib.request.urlopen(f"{base}/readyz").read()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("the server does not answer")


def go_round(base: str, requests: int) -> dict[str, int]:
    """Visit everything in turn, one report in ten; returns how often each answer came, failures by their path."""
    visitors = {username: Visitor(base, username) for username in ROUNDS}
    ways = [(visitors[username], path) for username, paths in ROUNDS.items() for path in paths]
    statuses: dict[str, int] = {}
    for number in range(requests):
        visitor, path = ways[number % len(ways)]
        status = report(base, number) if number % 10 == 0 else visitor.get(path)[0]
        answer = str(status) if status < 400 else f"{status} {path}"
        statuses[answer] = statuses.get(answer, 0) + 1
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--orders", type=int, default=3000, help="of the demo's history")
    args = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    with fresh_home() as home:
        jiying("migrate", home=home)
        jiying("seed", "--orders", str(args.orders), "--json", home=home)
        env = os.environ | {"JIYING_HOME": str(home), "JIYING_DEMO": "1", "JIYING_PUBLIC_RATE": "off"}
        command = [sys.executable, "-c", "from jiying.config.cli import main; main()", "serve", "--port", str(port)]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            wait_for(base, process)
            before = resident_mb(process.pid)
            statuses = go_round(base, args.requests)
            after = resident_mb(process.pid)
        finally:
            process.terminate()
            process.wait(20)
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
    sys.stdout.write(
        f"memory: {before} MB at rest, {after} MB after {args.requests} requests ({answers})\nmachine: {machine()}\n"
    )


if __name__ == "__main__":
    main()
