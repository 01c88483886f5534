"""YAML with its lines."""

from __future__ import annotations

import pytest

from jiying.core.yamllines import YamlError, read


def test_every_part_knows_its_line():
    lined = read(b"# a comment\na:\n  b: 1\n  c:\n    - x\n    - y\n")
    assert lined.document == {"a": {"b": 1, "c": ["x", "y"]}}
    assert lined.line("a", "b") == 3
    assert lined.line("a", "c", 1) == 6
    assert lined.line("a", "missing", "deeper") == 2
    assert lined.line("nowhere") == 2


def test_words_and_codes_stay_the_text_they_are():
    text = b"[No, yes, off, 2023-02-28, 007, 12:30, 1_000, 0x1f, '1', NULL, .]"
    assert read(text).document == [
        *("No", "yes", "off", "2023-02-28", "007", "12:30", "1_000", "0x1f", "1", "NULL", "."),
    ]


def test_plain_values_are_values():
    assert read(b"[true, false, null, ~, 0, -12, 1.5, .5, -0.25]\n").document == [
        *(True, False, None, None, 0, -12, 1.5, 0.5, -0.25),
    ]
    assert read(b"a:\nb: 1").document == {"a": None, "b": 1}


@pytest.mark.parametrize(
    ("raw", "line", "said"),
    [
        (b"", 1, "empty"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"a: 1\nb: [1, 2\n", 3, "Not valid YAML"),
        (b"a: 1\nb: 2\na: 3\n", 3, "twice"),
        (b"a: &x [1]\nb: *x\n", 1, "aliases"),
        (b"a: 1\n? [x, y]\n: 2\n", 2, "plain text"),
        (b"a: 1\nb: !!python/object:os.system x\n", 2, "Not valid YAML"),
        (b"[" * 5000, 1, "deeply"),
        (b"a: b\x07\n", 1, "Not valid YAML"),
    ],
)
def test_what_is_no_usable_yaml_is_refused_with_its_line(raw, line, said):
    with pytest.raises(YamlError, match=said) as caught:
        read(raw)
    assert caught.value.line == line
