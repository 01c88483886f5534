"""Where uploaded files lie: a folder of this installation, or a store that speaks S3."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage

STATIC = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
#: Seconds to wait for a store before its request fails; a web thread waits with it.
CONNECT_S, READ_S, TRIES = 5, 20, 3


class DurableStorage(FileSystemStorage):
    """A folder whose files are on the disk, not only in its cache, when saving returns."""

    def _save(self, name: str, content: Any) -> str:
        saved: str = super()._save(name, content)
        path = Path(self.path(saved))
        _sync(path)
        # The file's own entry, and those of folders that were made for it.
        for folder in path.parents:
            _sync(folder)
            if folder == Path(self.location):
                break
        return saved


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storages_of(url: str, home: Path) -> dict[str, dict[str, Any]]:
    """Django's `STORAGES` for JIYING_STORAGE_URL.

    Empty: `uploads` in the home.  `s3://BUCKET/FOLDER?endpoint=URL&region=NAME`: a bucket; its keys come from
    JIYING_STORAGE_KEY_ID and JIYING_STORAGE_SECRET, else from where the AWS library looks for them.
    """
    return {"default": _store(url, home), "staticfiles": STATIC}


def _store(url: str, home: Path) -> dict[str, Any]:
    if not url:
        return {
            "BACKEND": "jiying.config.storage.DurableStorage",
            "OPTIONS": {
                "location": home / "uploads",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    parts = urlparse(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ImproperlyConfigured("JIYING_STORAGE_URL must look like s3://BUCKET/FOLDER?endpoint=URL&region=NAME.")
    if parts.username or parts.password:
        raise ImproperlyConfigured(
            "JIYING_STORAGE_URL holds a key; give it by JIYING_STORAGE_KEY_ID and JIYING_STORAGE_SECRET."
        )
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _bucket(parts.netloc, parts.path, parts.query)}


def _bucket(name: str, folder: str, query: str) -> dict[str, Any]:
    try:
        from botocore.config import Config
    except ImportError as error:
        raise ImproperlyConfigured("JIYING_STORAGE_URL wants the extra: pip install 'jiying[s3]'.") from error

    said = {key: values[-1] for key, values in parse_qs(query).items()}
    unknown = said.keys() - {"endpoint", "region"}
    if unknown:
        raise ImproperlyConfigured(f"JIYING_STORAGE_URL: {', '.join(sorted(unknown))} means nothing.")
    style = {"addressing_style": "path"} if "endpoint" in said else {}
    return {
        "bucket_name": name,
        "location": unquote(folder.strip("/")),
        "endpoint_url": said.get("endpoint"),
        "region_name": said.get("region"),
        "access_key": os.environ.get("JIYING_STORAGE_KEY_ID"),
        "secret_key": os.environ.get("JIYING_STORAGE_SECRET"),
        "default_acl": None,
        "client_config": Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            signature_version="s3v4",
            s3=style,
        ),
    }
