"""A terminal shows bars, everything else gets plain lines, and neither shows what it should not."""

import fcntl
import io
import os
import pty
import re
import signal
import struct
import termios
import threading
from pathlib import Path

import pytest
from rich.console import Console

from groundup.command.wget.failures import Failure, Kind
from groundup.command.wget.screen import Screen
from groundup.command.wget.transfers import Tally, printable

from .conftest import files, finish
from .origin import held, whole


def on_a_terminal(command, *arguments, when, then):
    """Run a command on a terminal; call `then` as soon as it has shown `when`; return the rest."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    environment = dict(os.environ, TERM="xterm-256color")
    process = command(*arguments, stdin=end, stdout=end, stderr=end, env=environment)
    os.close(end)
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
            if re.search(when, shown):
                then(process)
    except OSError:  # How a terminal says that nobody writes any more.
        pass
    os.close(terminal)
    process.wait(20)
    return process.returncode, shown.decode()


def test_a_terminal_shows_each_file_and_the_total(command, origin, folder, body, gate):
    origin.routes = {"/slow.bin": held(body, 150_000, gate), "/quick.bin": whole(b"q")}
    code, shown = on_a_terminal(
        *(command, "wget", "-o", str(folder), *map(origin.url, origin.routes)),
        when=rb"(?s)slow\.bin.*150\.0 kB/300\.0 kB.*1 of 2 files",
        then=lambda process: gate.set(),
    )
    assert code == 0, shown
    assert gate.is_set(), shown
    assert "\x1b[" in shown
    assert "2 of 2 files" in shown
    assert "2 saved" in shown
    assert files(folder) == {"slow.bin": body, "quick.bin": b"q"}


def test_a_terminal_shows_why_nothing_comes(command, origin, folder):
    origin.default = lambda handler: handler.respond(503, Retry_After="2")
    shown_it = threading.Event()
    code, shown = on_a_terminal(
        *(command, "wget", "--retries", "1", "-o", str(folder), origin.url("/a")),
        when=rb"again in 2 s \(HTTP\)",
        then=lambda process: shown_it.set(),
    )
    assert shown_it.is_set(), shown
    assert code == 1
    assert "HTTP: 503" in shown


def test_ctrl_c_even_repeated_leaves_the_terminal_as_it_was(command, origin, folder, body, gate):
    origin.routes = {"/slow.bin": held(body, 150_000, gate)}
    code, shown = on_a_terminal(
        *(command, "wget", "-o", str(folder), origin.url("/slow.bin")),
        when=rb"150\.0 kB/300\.0 kB",
        then=lambda process: process.send_signal(signal.SIGINT),
    )
    assert code == 130, shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l"), "the cursor is hidden"
    assert "interrupted: 1 of 1 not finished" in shown


def test_a_pipe_gets_one_plain_line_per_file(command, origin, folder):
    origin.default = lambda handler: handler.respond(200, b"x")
    process = command("wget", "-o", str(folder), *(origin.url(f"/{name}") for name in "abc"))
    result = finish(process)
    lines = result.out.splitlines()
    assert sorted(lines[:3]) == [f"saved {folder}/{name} (1 byte)" for name in "abc"]
    assert lines[3].startswith("3 saved (3 bytes in ")
    assert "\x1b" not in result.out


@pytest.mark.parametrize("rows", [4, 10, 60])
def test_a_screen_draws_what_fits(rows):
    tally = Tally(wanted=10_000)
    for number in range(500):
        tally.begin(Path(f"file-{number}"))
    screen = Screen(tally)
    console = Console(file=io.StringIO(), width=80, height=rows)
    screen._console = console
    console.print(screen.draw())
    lines = console.file.getvalue().splitlines()
    assert len(lines) < rows
    assert "0 of 10,000 files" in lines[-1]
    assert "more" in lines[-2]


def test_a_name_is_no_command_to_the_terminal():
    tally = Tally()
    assert tally.begin(Path("a\x1b[2Jb[red]")).name == "a\\x1b[2Jb[red]"
    tally.fail("http://u:p@h/\x07", Failure(Kind.URL, "x"))
    assert tally.failures[0][0] == "http://h/\\x07"


def test_a_name_that_the_log_cannot_show_is_written_another_way(command, origin, folder):
    origin.default = lambda handler: handler.respond(200, b"x")
    environment = dict(os.environ, PYTHONIOENCODING="ascii")
    process = command("wget", "-o", str(folder), origin.url("/%C3%A4"), env=environment)
    result = finish(process)
    assert (result.code, result.err) == (0, "")
    assert f"saved {folder}/\\xe4 (1 byte)" in result.out
    assert files(folder) == {"ä": b"x"}


def test_text_that_prints_stays_as_it_is():
    assert printable("http://ä.example/☃?a=b@c") == "http://ä.example/☃?a=b@c"
