"""What `groundup wget` saves, and under which name."""

import threading

import pytest

from .conftest import files, finish
from .origin import Handler, status, whole


def test_files_are_saved_with_the_bytes_of_the_server(wget, origin, folder, body):
    origin.routes = {"/a.bin": whole(body), "/b/c.txt": whole(b"text"), "/empty": whole(b"")}
    result = wget(*map(origin.url, origin.routes))
    assert result.code == 0, result
    assert files(folder) == {"a.bin": body, "c.txt": b"text", "empty": b""}
    assert "3 saved" in result.out
    assert result.err == ""


def test_a_body_without_a_length_is_saved(wget, origin, folder, body):
    def chunked(handler: Handler) -> None:
        handler.begin(200, None, Transfer_Encoding="chunked")
        for part in (body[:1000], body[1000:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    def until_close(handler: Handler) -> None:
        handler.begin(200, None, Connection="close")
        handler.wfile.write(body)
        handler.drop()

    origin.routes = {"/chunked": chunked, "/until-close": until_close}
    assert wget(*map(origin.url, origin.routes)).code == 0
    assert files(folder) == {"chunked": body, "until-close": body}


def test_urls_are_read_from_files_and_standard_input(command, origin, folder, tmp_path):
    origin.default = lambda handler: handler.respond(200, handler.path.encode())
    listed = tmp_path / "list.txt"
    listed.write_text(f"# a comment\n\n  {origin.url('/2')}  \n#{origin.url('/no')}\n")
    process = command(
        *("wget", "-o", str(folder), origin.url("/1"), "-i", str(listed), "-i", "-"), stdin=-1
    )
    result = finish(process, f"{origin.url('/3')}\r\n{origin.url('/4')}")
    assert result.code == 0, result
    assert files(folder) == {"1": b"/1", "2": b"/2", "3": b"/3", "4": b"/4"}


def test_a_list_that_cannot_be_read_is_wrong_usage(wget, folder, tmp_path):
    result = wget("-i", str(tmp_path / "none.txt"))
    assert result.code == 2
    assert "none.txt: No such file or directory" in result.err


def test_an_empty_list_is_done_at_once(wget, tmp_path):
    (tmp_path / "empty.txt").write_text("# nothing\n")
    result = wget("-i", str(tmp_path / "empty.txt"))
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("0 saved")


def test_the_same_url_twice_is_one_download(wget, origin, folder):
    origin.routes = {"/a": whole(b"a")}
    url = origin.url("/a")
    result = wget(url, url, url + "#part")
    assert result.code == 0
    assert len(origin.requests) == 1
    assert files(folder) == {"a": b"a"}
    assert "2 given more than once" in result.out


def test_two_urls_with_one_name_get_two_files(wget, origin, folder):
    origin.default = lambda handler: handler.respond(200, handler.path.encode())
    wget(*map(origin.url, ["/1/a.txt", "/2/a.txt", "/3/a.txt?x=1"]))
    assert files(folder) == {
        "a.txt": b"/1/a.txt",
        "a.txt.1": b"/2/a.txt",
        "a.txt.2": b"/3/a.txt?x=1",
    }


def test_an_existing_file_is_not_overwritten(wget, origin, folder):
    folder.mkdir()
    (folder / "a").write_bytes(b"mine")
    origin.routes = {"/a": whole(b"new")}
    assert wget(origin.url("/a")).code == 0
    assert files(folder) == {"a": b"mine", "a.1": b"new"}


def test_a_file_that_appears_during_the_download_is_not_overwritten(wget, origin, folder):
    def late(handler: Handler) -> None:
        (folder / "a").write_bytes(b"theirs")
        handler.respond(200, b"new")

    origin.routes = {"/a": late}
    result = wget(origin.url("/a"))
    assert result.code == 0
    assert files(folder) == {"a": b"theirs", "a.1": b"new"}
    assert "a.1" in result.out


def test_continue_keeps_existing_files(wget, origin, folder):
    folder.mkdir()
    (folder / "a").write_bytes(b"mine")
    origin.routes = {"/a": whole(b"new"), "/b": whole(b"b")}
    result = wget("-c", origin.url("/a"), origin.url("/b"))
    assert result.code == 0
    assert files(folder) == {"a": b"mine", "b": b"b"}
    assert [request.path for request in origin.requests] == ["/b"]
    assert "1 already there" in result.out


def test_continue_gives_equal_names_the_same_numbers_again(wget, origin, folder):
    origin.default = lambda handler: handler.respond(200, handler.path.encode())
    urls = [origin.url(f"/{number}/a") for number in range(4)]
    wget(*urls)
    before = files(folder)
    (folder / "a.2").unlink()
    assert wget("-c", *urls).code == 0
    assert files(folder) == before


def test_paths_keeps_the_folders_of_the_url(wget, origin, folder):
    origin.default = lambda handler: handler.respond(200, handler.path.encode())
    paths = ["/x/__init__.py", "/x/y/__init__.py", "/z/", "/top"]
    assert wget("-x", *map(origin.url, paths)).code == 0
    assert files(folder) == {
        "x/__init__.py": b"/x/__init__.py",
        "x/y/__init__.py": b"/x/y/__init__.py",
        "z/index.html": b"/z/",
        "top": b"/top",
    }


def test_a_redirect_is_followed_and_the_name_is_that_of_the_given_url(wget, origin, folder):
    origin.routes = {"/a": status(302, Location="/other/evil.sh"), "/other/evil.sh": whole(b"b")}
    assert wget(origin.url("/a")).code == 0
    assert files(folder) == {"a": b"b"}


def test_a_proxy_of_the_environment_is_used(wget, origin, folder, monkeypatch):
    origin.default = lambda handler: handler.respond(200, handler.path.encode())
    monkeypatch.setenv("http_proxy", origin.url(""))
    assert wget("http://name.invalid/a").code == 0
    assert files(folder) == {"a": b"http://name.invalid/a"}


def test_a_name_in_the_answer_is_ignored(wget, origin, folder):
    origin.routes = {"/a": whole(b"a", Content_Disposition='attachment; filename="../../b"')}
    assert wget(origin.url("/a")).code == 0
    assert files(folder) == {"a": b"a"}


def test_bytes_are_asked_for_and_saved_as_the_server_has_them(wget, origin, folder):
    packed = b"\x1f\x8b not really gzip"
    origin.routes = {"/a": whole(packed, Content_Encoding="gzip")}
    result = wget(origin.url("/a"))
    assert result.code == 0, result
    assert origin.asked("Accept-Encoding") == ["identity"]
    assert files(folder) == {"a": packed}
    assert "gzip as the server sent it" in result.out


def test_no_more_downloads_than_asked_for_run_at_once(wget, origin, folder):
    lock, now, most = threading.Lock(), 0, 0
    crowd = threading.Barrier(8)

    def counted(handler: Handler) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        crowd.wait(20)  # Nobody is answered before eight are there.
        with lock:
            now -= 1
        handler.respond(200, b"x")

    origin.default = counted
    result = wget("-j", "8", *(origin.url(f"/{number}") for number in range(64)))
    assert result.code == 0, result
    assert len(files(folder)) == 64
    assert most == 8


def test_thousands_of_urls_at_once(wget, origin, folder, tmp_path):
    origin.default = lambda handler: handler.respond(200, handler.path.encode())
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(origin.url(f"/{number}") for number in range(2000)))
    result = wget("-i", str(listed))
    assert result.code == 0, result.err
    assert files(folder) == {str(number): b"/%d" % number for number in range(2000)}


@pytest.mark.parametrize("arguments", [[], ["-j", "0"], ["-j", "x"], ["--timeout", "nan"]])
def test_wrong_usage_exits_with_2(wget, arguments):
    with pytest.raises(SystemExit) as exit_:
        wget(*arguments)
    assert exit_.value.code == 2


def test_quiet_prints_nothing_but_failures(wget, origin):
    origin.routes = {"/a": whole(b"a")}
    result = wget("-q", origin.url("/a"), origin.url("/none"))
    assert (result.code, result.out) == (1, "")
    assert result.err == f"failed {origin.url('/none')}: HTTP: 404 Not Found\n"
