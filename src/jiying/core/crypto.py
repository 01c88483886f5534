"""SM3, SM4-GCM and what is built of them: sealed texts, keyed look-ups, commitments.

All from `cryptography`.  The key is the installation's data key (16 bytes); other keys are derived from it
by purpose, so that a look-up hash never equals a tracking token.

Where another algorithm or a hardware module is required, the setting `DATA_SEALER` names its class
(`package.module.Class`, a `Sealer`).  What was sealed before stays readable as long as the new sealer's
first byte differs: texts that begin with this module's version byte are opened by `Sm4Gcm`.
"""

from __future__ import annotations

import hmac
import secrets
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

KEY_BYTES = 16
_VERSION = b"\x01"
_NONCE = 12
_TAG = 16


class CannotUnseal(Exception):
    """The sealed text was changed, belongs elsewhere, or was sealed under another key."""


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905), 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def sm3_hex(data: bytes) -> str:
    """SM3 in lower-case hex, 64 characters."""
    return sm3(data).hex()


class Sealer(Protocol):
    """What seals texts: authenticated encryption of `text`, bound to `context`.

    The first byte of a sealed text tells the format and must differ from `Sm4Gcm`'s, 1.
    `unseal` raises `CannotUnseal` for whatever `seal` did not make with the same key and context.
    """

    def seal(self, text: bytes, *, key: bytes, context: bytes) -> bytes: ...

    def unseal(self, blob: bytes, *, key: bytes, context: bytes) -> bytes: ...


class Sm4Gcm:
    """SM4 (GB/T 32907) in Galois/counter mode: version byte, 12-byte random nonce, 16-byte tag, ciphertext.

    With random nonces one key is good for about 2^32 texts (NIST SP 800-38D, 8.3), far beyond a district.
    """

    def seal(self, text: bytes, *, key: bytes, context: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(context)
        body = encryptor.update(text) + encryptor.finalize()
        return _VERSION + nonce + encryptor.tag + body

    def unseal(self, blob: bytes, *, key: bytes, context: bytes) -> bytes:
        if blob[:1] != _VERSION or len(blob) < 1 + _NONCE + _TAG:
            raise CannotUnseal("not a sealed text of a version known here")
        nonce, tag = blob[1 : 1 + _NONCE], blob[1 + _NONCE : 1 + _NONCE + _TAG]
        decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(context)
        try:
            return decryptor.update(blob[1 + _NONCE + _TAG :]) + decryptor.finalize()
        except InvalidTag as error:
            raise CannotUnseal("the sealed text was changed or belongs elsewhere") from error


_SM4: Sealer = Sm4Gcm()


@lru_cache(maxsize=4)
def _sealer_named(path: str) -> Sealer:
    sealer: Sealer = import_string(path)()
    return sealer


def _sealer() -> Sealer:
    path: str | None = getattr(settings, "DATA_SEALER", None)
    return _sealer_named(path) if path else _SM4


def _data_key() -> bytes:
    key: bytes = settings.DATA_KEY
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"DATA_KEY has {len(key)} bytes; it must have {KEY_BYTES}.")
    return key


@lru_cache(maxsize=64)
def _derived(key: bytes, purpose: str) -> bytes:
    mac = HMAC(key, hashes.SM3())
    mac.update(purpose.encode())
    return mac.finalize()


def seal(text: str, *, context: str, key: bytes | None = None) -> bytes:
    """Encrypt `text`; it opens only with the same `context` (say, order and field) and key."""
    return _sealer().seal(text.encode(), key=key or _data_key(), context=context.encode())


def unseal(blob: bytes | memoryview, *, context: str, key: bytes | None = None) -> str:
    """Decrypt what `seal` made.

    Raises:
        CannotUnseal: changed, another context, another key.
    """
    sealed = bytes(blob)
    sealer = _SM4 if sealed[:1] == _VERSION else _sealer()
    return sealer.unseal(sealed, key=key or _data_key(), context=context.encode()).decode()


def keyed_hash(text: str, *, purpose: str) -> str:
    """HMAC-SM3 under a key derived for `purpose`, 64 hex characters: for look-ups and derived tokens."""
    mac = HMAC(_derived(_data_key(), purpose), hashes.SM3())
    mac.update(text.encode())
    return mac.finalize().hex()


def commitment(text: str, salt: str) -> str:
    """The salted SM3 that an event holds in place of a text."""
    return sm3_hex(bytes.fromhex(salt) + text.encode())


def commit(text: str) -> tuple[str, str]:
    """A fresh salt (32 hex characters) and the commitment to `text` under it."""
    salt = secrets.token_hex(16)
    return salt, commitment(text, salt)


def same(a: str, b: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(a.encode(), b.encode())
