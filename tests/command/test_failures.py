"""Each URL that fails is named with its reason, and disturbs no other one."""

import socket
import threading
import time

import pytest
import trustme

from .conftest import files
from .origin import Origin, cut, held, in_turn, status, whole


def failed(result, url):
    """The reason that the command gave for `url`."""
    assert result.code == 1, result
    lines = [line for line in result.err.splitlines() if line.startswith(f"failed {url}: ")]
    assert len(lines) == 1, result
    return lines[0].removeprefix(f"failed {url}: ")


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_host_without_an_address(wget):
    url = "http://name.invalid/a"
    assert failed(wget("--retries", "0", url), url).startswith("DNS: ")


def test_a_port_where_nobody_listens(wget, folder):
    url = f"http://127.0.0.1:{unused_port()}/a"
    assert failed(wget("--retries", "0", url), url).startswith("refused: ")
    assert files(folder) == {}


@pytest.mark.parametrize("sent", [0, 100])
def test_a_server_that_falls_silent(wget, origin, gate, sent):
    origin.routes = {"/a": held(b"x" * 200, sent, gate)}
    if not sent:
        origin.routes["/a"] = lambda handler: gate.wait(30)
    url = origin.url("/a")
    began = time.monotonic()
    reason = failed(wget("--retries", "0", "--timeout", "0.2", url), url)
    assert reason == "timeout: silent for 0.2 s"
    assert time.monotonic() - began < 5


def test_a_server_that_does_not_accept(wget):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}/a"
        reason = failed(wget("--retries", "0", "--timeout", "0.3", url), url)
        assert reason == "timeout: silent for 0.3 s"
        for one in waiting:
            one.close()


def test_a_certificate_that_nobody_vouches_for(wget):
    with Origin() as origin:
        serve_tls(origin, trustme.CA().issue_cert("127.0.0.1"))
        url = origin.url("/a", "https")
        reason = failed(wget(url), url)
    assert reason.startswith("TLS: ")
    assert "certificate" in reason


def test_a_server_without_tls(wget, origin):
    url = origin.url("/a", "https")
    assert failed(wget(url), url).startswith("TLS: ")


def serve_tls(origin, certificate):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    origin.server.socket = context.wrap_socket(
        origin.server.socket, server_side=True, do_handshake_on_connect=False
    )


def test_https_is_downloaded_where_the_certificate_is_trusted(command, folder, body, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Origin() as origin, pytest.MonkeyPatch.context() as patch:
        serve_tls(origin, authority.issue_cert("127.0.0.1"))
        patch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        origin.default = whole(body)
        urls = [origin.url(f"/{number}", "https") for number in range(5)]
        process = command("wget", "-o", str(folder), *urls)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, ""), out
    assert files(folder) == {str(number): body for number in range(5)}


@pytest.mark.parametrize("code", [400, 403, 404, 410, 501])
def test_a_status_that_will_not_change_is_not_tried_again(wget, origin, folder, code):
    origin.routes = {"/a": status(code)}
    url = origin.url("/a")
    assert failed(wget(url), url).startswith(f"HTTP: {code} ")
    assert len(origin.requests) == 1
    assert files(folder) == {}


@pytest.mark.parametrize("code", [204, 206, 416])
def test_a_status_without_the_file_is_a_failure(wget, origin, code):
    origin.routes = {"/a": lambda handler: handler.respond(code)}
    url = origin.url("/a")
    assert failed(wget(url), url).startswith(f"HTTP: {code} ")


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(wget, origin, folder, code):
    origin.routes = {"/a": in_turn(status(code), whole(b"a"))}
    began = time.monotonic()
    assert wget(origin.url("/a")).code == 0
    assert len(origin.requests) == 2
    assert time.monotonic() - began >= 0.25
    assert files(folder) == {"a": b"a"}


def test_retries_are_counted(wget, origin):
    origin.routes = {"/a": status(503)}
    url = origin.url("/a")
    assert failed(wget("--retries", "2", url), url).startswith("HTTP: 503 ")
    assert len(origin.requests) == 3


def test_retry_after_is_honoured(wget, origin):
    origin.routes = {"/a": in_turn(status(503, Retry_After="2"), whole(b"a"))}
    began = time.monotonic()
    assert wget(origin.url("/a")).code == 0
    assert time.monotonic() - began >= 2


def test_retry_after_beyond_all_patience_is_a_failure_at_once(wget, origin):
    origin.routes = {"/a": status(429, Retry_After="86400")}
    url = origin.url("/a")
    reason = failed(wget(url), url)
    assert reason == "HTTP: 429 Too Many Requests (asks to wait 86400 s)"
    assert len(origin.requests) == 1


def test_a_refused_connection_is_tried_again(wget, folder):
    port = unused_port()

    def serve_late() -> None:
        time.sleep(0.3)
        with socket.create_server(("127.0.0.1", port)) as listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")

    server = threading.Thread(target=serve_late)
    server.start()
    result = wget(f"http://127.0.0.1:{port}/a")
    server.join()
    assert result.code == 0, result
    assert files(folder) == {"a": b"a"}


def test_a_body_shorter_than_promised(wget, origin, folder):
    origin.routes = {"/a": cut(b"x" * 1000, 999)}
    url = origin.url("/a")
    assert failed(wget("--retries", "0", url), url).startswith("cut off: ")
    assert files(folder) == {}


def test_a_chunked_body_without_its_end(wget, origin, folder):
    def answer(handler) -> None:
        handler.begin(200, None, Transfer_Encoding="chunked")
        handler.wfile.write(b"5\r\nhello\r\n")
        handler.drop()

    origin.routes = {"/a": answer}
    url = origin.url("/a")
    assert failed(wget("--retries", "0", url), url).startswith("cut off: ")
    assert files(folder) == {}


def test_a_connection_that_is_closed_without_an_answer(wget, origin):
    origin.routes = {"/a": lambda handler: handler.drop()}
    url = origin.url("/a")
    assert failed(wget("--retries", "0", url), url).startswith("cut off: ")


def test_an_answer_that_is_not_http(wget):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        server = threading.Thread(target=answer)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a"
        assert failed(wget("--retries", "0", url), url).startswith("protocol: ")
        server.join()


def test_a_circle_of_redirects(wget, origin):
    origin.routes = {"/a": status(302, Location="/b"), "/b": status(302, Location="/a")}
    url = origin.url("/a")
    assert failed(wget(url), url) == "redirect: 10 redirects and no end"


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/a", "file:///etc/passwd", "http://[x/"])
def test_a_redirect_to_something_else(wget, origin, folder, target):
    origin.routes = {"/a": status(302, Location=target)}
    url = origin.url("/a")
    assert failed(wget(url), url).startswith("redirect: ")
    assert files(folder) == {}


@pytest.mark.parametrize(
    "text",
    [
        "example.com/a",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "http://",
        "http:///a",
        "http://host:99999/",
        "http://host:port/",
        "http://[::1/",
        "",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_url(wget, origin, folder, text):
    origin.routes = {"/a": whole(b"a")}
    result = wget(origin.url("/a"), "--", text)
    assert failed(result, text).startswith("URL: ")
    assert files(folder) == {"a": b"a"}


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "a..invalid", ".", "%00", "☃" * 70])
def test_a_host_that_cannot_be(wget, origin, folder, host):
    origin.routes = {"/a": whole(b"a")}
    result = wget("--retries", "0", f"http://{host}/x", origin.url("/a"))
    assert result.code == 1
    assert result.err.startswith("failed ")
    assert "unexpected" not in result.err
    assert files(folder) == {"a": b"a"}


def test_a_line_that_is_not_text(command, origin, folder):
    origin.routes = {"/a": whole(b"a")}
    process = command("wget", "-o", str(folder), "-i", "-", stdin=-1, text=False)
    out, err = process.communicate(b"http://\xff\xfe/\n" + origin.url("/a").encode(), timeout=30)
    assert process.returncode == 1, out
    assert err.count(b"failed ") == 1
    assert b"Traceback" not in err
    assert files(folder) == {"a": b"a"}


def test_a_failure_does_not_disturb_the_others(wget, origin, folder):
    origin.routes = {f"/{number}": whole(b"x") for number in range(0, 40, 2)}
    result = wget(*(origin.url(f"/{number}") for number in range(40)))
    assert result.code == 1
    assert len(files(folder)) == 20
    assert result.err.count("HTTP: 404 Not Found\n") == 20
    assert "20 saved" in result.out
    assert "20 failed" in result.out


def test_a_password_is_used_but_not_shown(wget, origin):
    url = origin.url("/a").replace("//", "//user:secret@")
    result = wget(url)
    assert origin.asked("Authorization") == ["Basic dXNlcjpzZWNyZXQ="]
    assert "secret" not in result.out + result.err
    assert failed(result, origin.url("/a")).startswith("HTTP: 404")
