"""Sealing, look-ups and commitments."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from jiying.core import crypto
from jiying.core.crypto import CannotUnseal, commit, commitment, keyed_hash, seal, sm3, sm3_hex, unseal

KEY = bytes(range(16))
OTHER = bytes(16)


class Backwards:
    """A sealer for the test: format byte 9, the text backwards."""

    def seal(self, text: bytes, *, key: bytes, context: bytes) -> bytes:
        return b"\x09" + text[::-1]

    def unseal(self, blob: bytes, *, key: bytes, context: bytes) -> bytes:
        return blob[:0:-1]


@pytest.fixture(autouse=True)
def data_key(settings):
    settings.DATA_KEY = KEY
    return settings


def test_sm3_gives_the_two_digests_of_the_standard():
    # GB/T 32905-2016, appendix A.
    assert sm3_hex(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(text, context):
    assert unseal(seal(text, context=context, key=KEY), context=context, key=KEY) == text


@given(st.integers(min_value=0), st.integers(1, 255))
def test_one_changed_byte_anywhere_keeps_it_shut(place, flip):
    blob = bytearray(seal("13812345678", context="order:1:phone", key=KEY))
    blob[place % len(blob)] ^= flip
    with pytest.raises(CannotUnseal):
        unseal(bytes(blob), context="order:1:phone", key=KEY)


@pytest.mark.parametrize("blob", [b"", b"\x01", b"\x01" * 28, b"plain text that nobody sealed at all"])
def test_what_was_never_sealed_does_not_open(blob):
    with pytest.raises(CannotUnseal):
        unseal(blob, context="")


def test_another_key_or_another_place_does_not_open_it():
    blob = seal("王小明", context="order:1:name")
    with pytest.raises(CannotUnseal):
        unseal(blob, context="order:1:name", key=OTHER)
    with pytest.raises(CannotUnseal):
        unseal(blob, context="order:2:name")


def test_the_same_text_sealed_twice_looks_different():
    assert seal("x", context="a") != seal("x", context="a")


def test_a_view_of_bytes_as_postgresql_gives_it_opens():
    assert unseal(memoryview(seal("x", context="a")), context="a") == "x"


def test_another_sealer_takes_over_and_old_texts_stay_readable(settings):
    old = seal("old", context="a")
    settings.DATA_SEALER = f"{__name__}.Backwards"
    new = seal("new", context="a")
    assert new == b"\x09wen"
    assert [unseal(blob, context="a") for blob in (old, new)] == ["old", "new"]


def test_a_data_key_of_the_wrong_length_is_refused_in_words(settings):
    settings.DATA_KEY = b"short"
    with pytest.raises(ImproperlyConfigured, match="5 bytes"):
        seal("x", context="a")


def test_a_keyed_hash_depends_on_text_purpose_and_key(settings):
    first = keyed_hash("+8613812345678", purpose="phone")
    assert first == keyed_hash("+8613812345678", purpose="phone")
    assert len(first) == 64
    assert first != keyed_hash("+8613812345678", purpose="track")
    assert first != keyed_hash("+8613812345679", purpose="phone")
    settings.DATA_KEY = OTHER
    assert first != keyed_hash("+8613812345678", purpose="phone")


def test_a_commitment_is_opened_by_its_text_and_salt_only():
    salt, said = commit("水管爆了")
    assert commitment("水管爆了", salt) == said
    assert commitment("水管没爆", salt) != said
    assert commit("水管爆了")[1] != said


def test_comparing_tells_equal_from_different():
    assert crypto.same("5678", "5678")
    assert not crypto.same("5678", "５６７８")
