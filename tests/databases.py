"""Databases and servers of a test's own, for tests that run the program in processes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


@contextmanager
def fresh_postgres(server: str = "") -> Iterator[str]:
    """The address of an empty database on `server` (default: the one for tests); dropped afterwards."""
    server = server or os.environ.get("JIYING_TEST_POSTGRES_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
    name = f"test_jiying_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
