"""The three styles of wget fetch the same bytes, and say when they cannot."""

import socket
import threading

import pytest

STYLES = ["callbacks", "generator", "async"]


@pytest.mark.parametrize("style", STYLES)
def test_every_style_fetches_the_same_bytes(run_example, style, server, body):
    result = run_example(
        f"wget_{style}", f"{server}/folder/file?query=1#fragment", flags=["-X", "dev"]
    )
    assert result.stdout == body
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize("style", STYLES)
def test_every_style_fails_when_there_is_no_such_file(run_example, style, server):
    result = run_example(f"wget_{style}", f"{server}/nothing")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"404" in result.stderr


@pytest.mark.parametrize("style", STYLES)
def test_every_style_fails_when_nobody_listens(run_example, style):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        result = run_example(f"wget_{style}", f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"Connect call failed" in result.stderr


@pytest.mark.parametrize("style", STYLES)
def test_every_style_fails_when_the_connection_breaks_off(run_example, style):
    def answer():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        result = run_example(f"wget_{style}", f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(30)
    assert (result.returncode, result.stdout) == (1, b"")
