"""The form of a backup: a plain tar that tells of itself when a single bit is not as it was written.

    database.sqlite3 or database.pgdump
    home/…          files of the home, but keys and database
    store/…         photos that lie in a store of their own (S3)
    manifest.json   what is in it: counts, head of the log, migrations, and each member's size and SHA-256
    seal            SHA-256 of every byte before it

After the seal there is what tar wants at its end, and nothing else.  Knows no database and no settings.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "seal"
CHUNK = 1024 * 1024


class BadArchive(Exception):
    """It is no whole backup of ours; the message says what is wrong."""


class _Hashing(io.RawIOBase):
    """A file that is only written to its end, and knows the SHA-256 of what went in."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, chunk: Any) -> int:
        self.file.write(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)
        return len(chunk)


class Writer:
    """Writes an archive into `file`, member by member; `finish` completes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.members: list[dict[str, Any]] = []
        self._file = file
        self._out = _Hashing(file)
        self._tar = tarfile.open(fileobj=self._out, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        """A member of `size` bytes from `source`.

        Raises:
            OSError: there is no room, or `source` ended before.
        """
        digest = hashlib.sha256()
        self._tar.addfile(_entry(name, size), _Read(source, digest))
        self.members.append({"name": name, "size": size, "sha256": digest.hexdigest()})

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, with the members, and the seal."""
        body = json.dumps({**manifest, "members": self.members}, ensure_ascii=False, indent=1).encode()
        self._tar.addfile(_entry(MANIFEST, len(body)), io.BytesIO(body))
        self._file.write(_tail(self._out.digest.hexdigest(), self._out.size))


class _Read:
    """What is read is hashed as it passes."""

    def __init__(self, source: IO[bytes], digest: Any) -> None:
        self._source, self._digest = source, digest

    def read(self, size: int) -> bytes:
        chunk = self._source.read(size)
        self._digest.update(chunk)
        return chunk


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _tail(digest: str, offset: int) -> bytes:
    """What stands behind the manifest, which ends at `offset`: the seal, and zeros to the end of tar's record."""
    body = f"{digest}\n".encode()
    tail = _entry(SEAL, len(body)).tobuf(tarfile.PAX_FORMAT) + body
    zeros = tarfile.BLOCKSIZE - len(body) % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE
    zeros += -(offset + len(tail) + zeros) % tarfile.RECORDSIZE
    return tail + bytes(zeros)


class Reader:
    """A whole, unchanged archive; opening it reads every byte.

    Raises:
        BadArchive: it is not whole, was changed, or is of a format that is not known here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with tarfile.open(path, "r:") as tar:
                self._entries = {entry.name: entry for entry in tar}
                seal = self._entries.pop(SEAL, None)
                if seal is None:
                    raise BadArchive("it has no end: it was cut off, or is no backup")
                _check_seal(path, seal.offset)
                found = tar.extractfile(self._entries.pop(MANIFEST))
                assert found is not None, "the manifest is a plain file"
                self.manifest: dict[str, Any] = json.loads(found.read())
        except (tarfile.TarError, KeyError, ValueError, EOFError) as error:
            raise BadArchive(f"it is no backup that can be read: {error}") from error
        if self.manifest["format"] != FORMAT:
            raise BadArchive(f"its format is {self.manifest['format']}; this program reads {FORMAT}")
        if [*self._entries] != [member["name"] for member in self.manifest["members"]]:
            raise BadArchive("its members are not those of its manifest")
        for name in self._entries:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise BadArchive(f"{name!r} leads out of it")

    def names(self, folder: str) -> list[str]:
        """The members under `folder` (`home/`)."""
        return [name for name in self._entries if name.startswith(folder)]

    @property
    def size(self) -> int:
        """Bytes of all members together."""
        return sum(member["size"] for member in self.manifest["members"])

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's bytes (BadArchive: they are not those of the manifest, as when the disk reads badly)."""
        wanted = next(member["sha256"] for member in self.manifest["members"] if member["name"] == name)
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            entry = self._entries[name]
            file.seek(entry.offset_data)
            left = entry.size
            while left:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    raise BadArchive(f"{name} ends too early")
                left -= len(chunk)
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != wanted:
            raise BadArchive(f"{name} is not what was saved")

    def extract(self, name: str, target: Path) -> None:
        """Write a member to `target` (mode 600)."""
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in self.chunks(name):
                file.write(chunk)


def _check_seal(path: Path, offset: int) -> None:
    digest, left = hashlib.sha256(), offset
    with path.open("rb") as file:
        while left:
            chunk = file.read(min(CHUNK, left))
            if not chunk:
                raise BadArchive("it was cut off")
            digest.update(chunk)
            left -= len(chunk)
        wanted = _tail(digest.hexdigest(), offset)
        if file.read(len(wanted) + 1) != wanted:
            raise BadArchive("it was changed or cut off: its seal does not fit")
