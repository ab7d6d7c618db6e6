"""The page that is written has the recording in it, and nothing of it as markup."""

import base64
import json
import re
import struct
import zlib
from array import array

from groundup.view import page, weave

from .recordings import Recording, story

DATA = re.compile(rb'<script type="application/octet-stream" id="weave">([^<]*)</script>')


def unpacked(html: bytes) -> tuple[dict, bytes]:
    """The head and the columns, read as the page reads them."""
    (data,) = DATA.findall(html)
    plain = zlib.decompress(base64.b64decode(data, validate=True), wbits=-zlib.MAX_WBITS)
    (length,) = struct.unpack_from("<I", plain)
    return json.loads(plain[4 : 4 + length]), plain[-(-(4 + length) // 8) * 8 :]


def test_the_page_has_all_columns():
    woven = weave.from_bytes(story().to_bytes())
    head, columns = unpacked(page.render(woven))
    assert head["format"] == 1
    assert head["strings"] == woven.strings
    assert head["columns"].keys() == woven.columns.keys()
    for name, place in head["columns"].items():
        assert place["offset"] % 8 == 0
        numbers = array(weave.FORMATS[place["type"]])
        size = numbers.itemsize * place["length"]
        numbers.frombytes(columns[place["offset"] : place["offset"] + size])
        assert repr(numbers) == repr(woven.columns[name])


def test_a_name_is_never_markup():
    hostile = "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>"
    recording = Recording().task(2, hostile, hostile, (hostile, 1)).note("fact", 0, (hostile,) * 2)
    html = page.render(weave.from_bytes(recording.to_bytes()))
    assert b"broken" not in html
    assert hostile in unpacked(html)[0]["strings"]


def test_a_name_of_any_characters_reaches_the_page():
    names = ["\u202eevil\x00", "\x1b[2J", "名前", "\u2028", '"\\']
    recording = Recording()
    for number, name in enumerate(names):
        recording.task(2 * number, name)
    strings = unpacked(page.render(weave.from_bytes(recording.to_bytes())))[0]["strings"]
    assert strings[1:] == names


def test_an_empty_recording_gives_a_page():
    head, columns = unpacked(page.render(weave.from_bytes(Recording().to_bytes())))
    assert head["ended"] == 0
    assert {
        name: place["length"] for name, place in head["columns"].items() if place["length"]
    } == {
        "chains.name": 1,
        "chains.rest": 1,
    }
    assert len(columns) == 16
