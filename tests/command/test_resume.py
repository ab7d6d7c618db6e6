"""What was cut off goes on where it stopped, but never with bytes of another version."""

import asyncio
import random
import threading

import pytest
from aiohttp import web

from .conftest import files
from .origin import Handler, cut, in_turn, ranged, status, whole

HALF = 150_000


@pytest.fixture
def half(wget, origin, folder, body):
    """Leave half of /a in the folder, and forget how it came there."""
    origin.routes = {"/a": cut(body, HALF, ETag='"1"')}
    assert wget("--retries", "0", origin.url("/a")).code == 1
    left = files(folder)
    assert body[:HALF] in left.values()
    assert not any(not name.startswith(".") for name in left), left
    origin.requests.clear()


def test_a_cut_download_goes_on_within_one_command(wget, origin, folder, body):
    origin.routes = {"/a": in_turn(cut(body, HALF, ETag='"1"'), ranged(body))}
    result = wget(origin.url("/a"))
    assert result.code == 0, result
    assert origin.asked("Range") == [None, f"bytes={HALF}-"]
    assert origin.asked("If-Range") == [None, '"1"']
    assert files(folder) == {"a": body}
    assert "1 of them resumed" in result.out


@pytest.mark.usefixtures("half")
def test_a_cut_download_goes_on_in_the_next_command(wget, origin, folder, body):
    origin.routes = {"/a": ranged(body)}
    assert wget(origin.url("/a")).code == 0
    assert origin.asked("Range") == [f"bytes={HALF}-"]
    assert files(folder) == {"a": body}


@pytest.mark.usefixtures("half")
def test_a_changed_file_is_downloaded_from_its_start(wget, origin, folder, body):
    origin.routes = {"/a": ranged(body[::-1], etag='"2"')}
    result = wget(origin.url("/a"))
    assert result.code == 0
    assert len(origin.requests) == 1
    assert files(folder) == {"a": body[::-1]}
    assert "resumed" not in result.out


@pytest.mark.usefixtures("half")
def test_a_server_without_ranges_is_asked_for_the_whole_file(wget, origin, folder, body):
    origin.routes = {"/a": whole(body)}
    assert wget(origin.url("/a")).code == 0
    assert files(folder) == {"a": body}


def part(body, start, total=None, **headers):
    place = f"bytes {start}-{len(body) - 1}/{total or len(body)}"
    return lambda handler: handler.respond(206, body[start:], Content_Range=place, **headers)


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize(
    "wrong",
    [
        lambda body: part(body[::-1], HALF, ETag='"2"'),
        lambda body: part(body, HALF + 1, ETag='"1"'),
        lambda body: part(body, 0, ETag='"1"'),
        lambda body: part(body + b"more", HALF, ETag='"1"'),
        lambda body: part(body, HALF, ETag='"1"', Content_Encoding="gzip"),
        lambda body: lambda handler: handler.respond(206, body[HALF:], ETag='"1"'),
        lambda body: status(416, Content_Range=f"bytes */{HALF}"),
    ],
    ids=["etag", "late", "early", "size", "encoding", "no-range", "416"],
)
def test_a_wrong_part_is_not_glued_on(wget, origin, folder, body, wrong):
    origin.routes = {"/a": in_turn(wrong(body), whole(body, ETag='"1"'))}
    result = wget(origin.url("/a"))
    assert result.code == 0, result
    assert origin.asked("Range") == [f"bytes={HALF}-", None]
    assert files(folder) == {"a": body}


@pytest.mark.usefixtures("half")
def test_a_part_of_the_missing_part_is_a_step_forward(wget, origin, folder, body):
    def some(handler: Handler) -> None:
        end = HALF + 1000
        place = f"bytes {HALF}-{end - 1}/{len(body)}"
        handler.respond(206, body[HALF:end], ETag='"1"', Content_Range=place)

    origin.routes = {"/a": in_turn(some, ranged(body))}
    assert wget(origin.url("/a")).code == 0
    assert origin.asked("Range") == [f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
    assert files(folder) == {"a": body}


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"1"'}], ids=["none", "weak"])
def test_without_a_strong_validator_nothing_is_resumed(wget, origin, folder, body, headers):
    origin.routes = {"/a": in_turn(cut(body, HALF, **headers), whole(body))}
    assert wget(origin.url("/a")).code == 0
    assert origin.asked("Range") == [None, None]
    assert files(folder) == {"a": body}


def test_a_small_body_is_not_worth_a_partial_file(wget, origin, folder):
    origin.routes = {"/a": cut(b"x" * 1000, 500, ETag='"1"')}
    assert wget("--retries", "0", origin.url("/a")).code == 1
    assert files(folder) == {}


@pytest.mark.usefixtures("half")
def test_a_file_that_lacks_only_its_name_is_checked_with_one_byte(wget, origin, folder, body):
    next(folder.glob(".*.part")).write_bytes(body)
    origin.routes = {"/a": ranged(body)}
    assert wget(origin.url("/a")).code == 0
    assert origin.asked("Range") == [f"bytes={len(body) - 1}-"]
    assert files(folder) == {"a": body}


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("damage", ["", "{", "[1]"])
def test_a_damaged_note_means_a_new_start(wget, origin, folder, body, damage):
    next(folder.glob(".*.json")).write_text(damage)
    origin.routes = {"/a": ranged(body)}
    assert wget(origin.url("/a")).code == 0
    assert origin.asked("Range") == [None]
    assert files(folder) == {"a": body}


@pytest.mark.usefixtures("half")
def test_another_url_of_the_same_name_does_not_touch_the_partial_file(wget, origin, folder, body):
    origin.routes |= {"/other/a": whole(b"other")}
    assert wget(origin.url("/other/a")).code == 0
    left = files(folder)
    assert left.pop("a") == b"other"
    assert body[:HALF] in left.values()
    origin.routes["/a"] = ranged(body)
    assert wget(origin.url("/a")).code == 0
    assert files(folder) == {"a": b"other", "a.1": body}


def test_progress_brings_all_retries_back(wget, origin, folder):
    body = random.Random(2).randbytes(4_000_000)

    def some(handler: Handler) -> None:
        asked = handler.headers.get("Range", "bytes=0-")
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        place = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.begin(206 if start else 200, len(body) - start, ETag='"1"', Content_Range=place)
        handler.wfile.write(body[start : start + 1_300_000])
        handler.drop()

    origin.routes = {"/a": some}
    assert wget("--retries", "1", origin.url("/a")).code == 0
    assert len(origin.requests) == 4
    assert files(folder) == {"a": body}


def test_the_parts_of_aiohttp_s_file_server_fit(wget, origin, folder, tmp_path, body):
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "a").write_bytes(body)
    ready, end = threading.Event(), threading.Event()
    ports = []

    async def serve() -> None:
        app = web.Application()
        app.router.add_static("/", tmp_path / "www")
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        ready.set()
        await asyncio.to_thread(end.wait)
        await runner.cleanup()

    server = threading.Thread(target=lambda: asyncio.run(serve()))
    server.start()
    try:
        assert ready.wait(20)
        url = f"http://127.0.0.1:{ports[0]}/a"
        assert wget(url).code == 0
        # As if the command had been killed: half of it, and the note that was beside it.
        etag = f'"{(tmp_path / "www" / "a").stat().st_mtime_ns:x}-{len(body):x}"'
        leave_half(folder, url, body, etag)
        result = wget(url)
        assert result.code == 0, result
        assert "1 of them resumed" in result.out
        assert files(folder) == {"a": body, "a.1": body}
    finally:
        end.set()
        server.join()


def leave_half(folder, url, body, etag):
    from groundup.command.wget.names import Place
    from groundup.command.wget.partial import Partial
    from groundup.command.wget.version import Version

    with Partial(Place(folder / "a.1", "a", exists=False), url) as partial:
        partial.start_over(Version(etag, len(body), None))
        partial.append(body[:HALF])
