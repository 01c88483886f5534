"""What `deploy/` holds, tried: nginx before two web, two live and one work on PostgreSQL; systemd reads the units."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.databases import fresh_postgres
from tests.served import Served, free_port, jiying

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
NAME = "jiying.example.org"
PATIENCE_S = 30


def certificate(folder: Path) -> None:
    """A certificate for NAME that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "fullchain.pem").write_bytes(made.public_bytes(encoding))
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))


@contextmanager
def nginx(folder: Path, upstreams: dict[int, int]) -> Iterator[int]:
    """The shipped configuration with other ports and folders; yields the port of TLS."""
    certificate(folder)
    port, plain = free_port(), free_port()
    text = (DEPLOY / "nginx" / "jiying.conf").read_text()
    changes = {
        r"127\.0\.0\.1:(80\d\d)": lambda found: f"127.0.0.1:{upstreams[int(found[1])]}",
        r"listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        r"listen 80;": f"listen 127.0.0.1:{plain};",
        r"/etc/jiying/tls|/var/cache/nginx/jiying|/var/log/nginx": str(folder),
    }
    for pattern, instead in changes.items():
        text, count = re.subn(pattern, instead, text)
        assert count, pattern
    (folder / "jiying.conf").write_text(text)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; daemon off; master_process off; events {{}}\n"
        f"http {{ {temporary} include {folder}/jiying.conf; }}\n"
    )
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin")
    assert program is not None
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "error.log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Site:
    """The site as somebody outside sees it: by its name, over TLS."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._trust = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))

    def open(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        connection.sock = self._trust.wrap_socket(raw, server_hostname=NAME)
        sent = {"Host": NAME, **({"Content-Type": "application/json"} if body else {})}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, json.dumps(body) if body else None, sent)
        return connection.getresponse()

    def report(self, estate: str) -> dict[str, Any]:
        body = {"kind": "repair", "category": "leak", "description": "漏水", "estate": estate}
        answer = self.open("POST", "/api/v1/orders", body, Idempotency_Key=uuid.uuid4().hex)
        said: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 201, said
        return said


def frames(stream: http.client.HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a stream, with their kind."""
    kind = ""
    for line in stream:
        name, _colon, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def port_of(served: Served) -> int:
    return int(urlsplit(served.url).port or 0)


@pytest.mark.needs_postgres
@pytest.mark.needs_nginx
@pytest.mark.timeout(600)
def test_an_order_posted_through_nginx_appears_on_a_stream_through_nginx_whichever_processes_serve(serve, tmp_path):
    home, folder = tmp_path / "home", tmp_path / "nginx"
    folder.mkdir()
    with fresh_postgres() as url:
        env = {"JIYING_DATABASE_URL": url, "JIYING_ALLOWED_HOSTS": NAME}
        for words in ("migrate", "seed --estates 36 --workers 60 --days 1 --orders 0"):
            done = jiying(home, *words.split(), **env)
            assert done.returncode == 0, done.stderr
        token = jiying(home, "token", "demo-operator", **env).stdout.strip()
        web = [serve(home, part="web", **env) for _ in range(2)]
        live = [serve(home, part="live", **env) for _ in range(2)]
        work = serve(home, part="work", **env)
        ports = dict(zip((8031, 8032, 8041, 8042), map(port_of, [*web, *live]), strict=True))
        with nginx(folder, ports) as port:
            site = Site(port, folder)
            streams = [site.open("GET", "/live/events", Authorization=f"Bearer {token}") for _ in range(4)]
            assert [stream.status for stream in streams] == [200] * 4
            told = [frames(stream) for stream in streams]
            assert [next(each)[0] for each in told] == ["ready"] * 4
            upstreams = {line.split()[-1] for line in (folder / "jiying.log").read_text().splitlines()}
            assert upstreams == set(), "streams are logged when they end"
            estate = json.loads(site.open("GET", "/api/v1/estates?limit=1").read())["items"][0]["code"]
            orders = [site.report(estate)["id"] for _ in range(4)]
            for each in told:
                heard = [next(data for kind, data in each if data.get("verb") == "report") for _ in orders]
                assert [data["order"] for data in heard] == orders
            used = {line.split()[-1] for line in (folder / "jiying.log").read_text().splitlines()}
            assert used == {f"127.0.0.1:{port_of(served)}" for served in web}, "both served"
            # One of each is killed: the others go on, and nobody outside sees more than a stream that ends.
            web[0].stop(signal.SIGKILL)
            live[0].stop(signal.SIGKILL)
            site.report(estate)
            again = site.open("GET", "/live/events", Authorization=f"Bearer {token}")
            assert (again.status, next(frames(again))[0]) == (200, "ready")
            answer = site.open("GET", "/sign-in")
            answer.read()
            assert "Secure" in answer.headers["Set-Cookie"]
            ready = json.loads(site.open("GET", "/readyz").read())
            assert ready["signals"] == {"by": "postgresql", "status": "ok"}
            assert site.open("POST", "/api/v1/orders", {"x": "y" * 21 * 1024 * 1024}).status == 413
        assert work.stop() == 0


@pytest.mark.needs_systemd
def test_systemd_reads_every_unit_without_a_complaint(tmp_path):
    names = []
    for unit in sorted((DEPLOY / "systemd").iterdir()):
        if unit.suffix == ".env":
            continue
        text = unit.read_text().replace("/opt/jiying/.venv/bin/jiying", shutil.which("true") or "/bin/true")
        (tmp_path / unit.name).write_text(text.replace("file:///opt", "file:///"))
        names.append(unit.name.replace("@.", "@8031."))
    assert len(names) == 6
    for name in names:
        if not (tmp_path / name).exists():
            shutil.copy(tmp_path / name.replace("@8031.", "@."), tmp_path / name)
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name in names:
        text = (tmp_path / name).read_text()
        if "ExecStart" in text:
            assert "NoNewPrivileges=yes" in text and "ProtectSystem=strict" in text and "User=jiying" in text
