"""Bytes are resumed only where they are known to belong to one version of the remote file."""

import pytest

from groundup.command.wget.version import Range, Version

SENT, BEFORE = "Tue, 15 Nov 1994 08:12:31 GMT", "Tue, 15 Nov 1994 08:12:30 GMT"


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"a"'}, '"a"'),
        ({"ETag": '"a"', "Last-Modified": BEFORE, "Date": SENT}, '"a"'),
        ({"ETag": 'W/"a"'}, None),
        ({"ETag": 'W/"a"', "Last-Modified": BEFORE, "Date": SENT}, BEFORE),
        ({"Last-Modified": SENT, "Date": SENT}, None),
        ({"Last-Modified": BEFORE}, None),
        ({"Last-Modified": "yesterday", "Date": SENT}, None),
        ({}, None),
    ],
)
def test_only_a_strong_validator_counts(headers, validator):
    assert Version.of(headers, 5).validator == validator


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes 0-4/5", Range(0, 4, 5)),
        ("BYTES 7-9/*", Range(7, 9, None)),
        ("bytes */5", None),
        ("bytes 0-4", None),
        ("bytes -1-4/5", None),
        ("items 0-4/5", None),
        ("bytes 0-4/5x", None),
        ("", None),
    ],
)
def test_a_content_range_is_read_or_refused(text, expected):
    assert Range.of({"Content-Range": text}) == expected


HELD = Version('"a"', 10, None)


@pytest.mark.parametrize(
    ("part", "other", "goes_on"),
    [
        (Range(4, 9, 10), Version('"a"', 6, None), True),
        (Range(4, 9, 10), Version(None, 6, None), True),
        (Range(4, 6, 10), Version('"a"', 3, None), True),
        (Range(3, 9, 10), Version('"a"', 7, None), False),
        (Range(5, 9, 10), Version('"a"', 5, None), False),
        (Range(4, 9, 11), Version('"a"', 6, None), False),
        (Range(4, 9, None), Version('"a"', 6, None), False),
        (Range(4, 10, 10), Version('"a"', 7, None), False),
        (Range(4, 3, 10), Version('"a"', 0, None), False),
        (Range(4, 9, 10), Version('"b"', 6, None), False),
        (Range(4, 9, 10), Version('"a"', 6, "gzip"), False),
    ],
)
def test_only_the_rest_of_the_same_version_goes_on(part, other, goes_on):
    assert HELD.continues(part, other, 4) is goes_on


def test_a_version_survives_being_written():
    assert Version.from_json(HELD.to_json()) == HELD


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "{}"),
        '{"validator": 1, "total": 2, "encoding": null}',
        '{"validator": "a", "total": "2", "encoding": null}',
        '{"validator": "a", "total": 0, "encoding": null}',
    ],
)
def test_anything_else_is_no_version(text):
    with pytest.raises(ValueError):
        Version.from_json(text)
