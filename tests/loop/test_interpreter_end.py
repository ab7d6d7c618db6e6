"""The end of the interpreter: loops that are still there neither crash it nor hold it up."""

import subprocess
import sys
import textwrap

import pytest

LOOPS = {
    "asyncio": "from asyncio import SelectorEventLoop as new_event_loop",
    "groundup": "from groundup import new_event_loop",
}


def run(source, loop, *options):
    """Run a program to its end; return its status and what it wrote to stderr."""
    program = f"import asyncio, gc\n{LOOPS[loop]}\n{textwrap.dedent(source)}"
    command = [sys.executable, *options, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return result.returncode, result.stderr


DAEMON = """
    import threading, time

    started = threading.Event()

    async def step():
        while True:
            started.set()
            sum(range(1000))
            await asyncio.sleep(0)

    async def callbacks():
        def again():
            started.set()
            sum(range(1000))
            asyncio.get_running_loop().call_soon(again)

        again()
        await asyncio.sleep(1000)

    async def yield_lock():
        while True:
            started.set()
            time.sleep(0.0001)
            await asyncio.sleep(0)

    async def wait():
        started.set()
        await asyncio.sleep(1000)

    async def block():
        started.set()
        time.sleep(1000)

    def interweave():
        import groundup

        def count():
            while True:
                started.set()
                yield sum(range(1000))

        groundup.run_all([count(), count()])

    def wake():
        loop = new_event_loop()
        loop.set_debug(True)
        while True:
            loop.call_soon_threadsafe(len, "")
            started.set()

    what = {what}
    is_plain = not asyncio.iscoroutinefunction(what)
    run = what if is_plain else lambda: new_event_loop().run_until_complete(what())
    threading.Thread(target=run, daemon=True).start()
    started.wait()
    time.sleep(0.02)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "what", ["step", "callbacks", "yield_lock", "wait", "block", "interweave", "wake"]
)
def test_a_daemon_thread_with_a_loop_does_not_disturb_the_end(what):
    for _ in range(3):
        assert run(DAEMON.replace("{what}", what), "groundup", "-W", "ignore") == (0, "")


@pytest.mark.parametrize("loop", LOOPS)
def test_pending_tasks_are_reported_at_the_end(loop):
    source = """
        async def main():
            kept.append(asyncio.ensure_future(asyncio.sleep(1000)))

        kept = []
        loop = new_event_loop()
        kept.append(loop)
        kept.append(kept)
        loop.run_until_complete(main())
        loop.close()
    """
    status, errors = run(source, loop)
    assert status == 0
    assert errors.startswith("Task was destroyed but it is pending!\ntask: <Task pending name=")
    assert "Traceback" not in errors


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_left_open_is_warned_of_at_the_end(loop):
    source = """
        loop = new_event_loop()
        loop.loop = loop
        loop.run_until_complete(asyncio.sleep(0))
    """
    status, errors = run(source, loop, "-W", "always::ResourceWarning")
    assert status == 0
    assert "ResourceWarning: unclosed event loop <" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("loop", LOOPS)
def test_signals_of_a_loop_left_open_are_warned_of_at_the_end(loop):
    source = """
        import signal

        loop = new_event_loop()
        loop.loop = loop
        loop.add_signal_handler(signal.SIGUSR1, print)
    """
    status, errors = run(source, loop, "-W", "always::ResourceWarning")
    assert status == 0
    assert "on interpreter shutdown stage, skipping signal handlers removal" in errors
    assert "Traceback" not in errors


FORK = """
    import os, sys

    async def echo(reader, writer):
        writer.write(await reader.read(100))
        writer.close()

    async def exchange(address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        other = await asyncio.open_connection(*address)
        await exchange(address)
        child = os.fork()
        if not child:
            raise SystemExit
        assert os.waitpid(child, 0)[1] == 0
        await asyncio.wait_for(exchange(address), 10)
        other[1].write(b"hello")
        assert await asyncio.wait_for(other[0].read(), 10) == b"hello"
        other[1].close()
        server.close()

    loop = new_event_loop()
    loop.run_until_complete(main())
    loop.close()
"""


@pytest.mark.skipif(
    sys.version_info >= (3, 14),
    reason="Python 3.14 destroys transports before the loop; asyncio's parent hangs as well",
)
def test_a_child_that_ends_inside_the_loop_leaves_the_parent_alone():
    status, errors = run(FORK, "groundup", "-W", "ignore")
    assert (status, "Traceback" in errors) == (0, False)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_can_be_run_and_closed_at_exit(loop):
    source = """
        import atexit

        def at_exit():
            loop.run_until_complete(asyncio.sleep(0.01))
            loop.close()
            print("closed", file=__import__("sys").stderr)

        loop = new_event_loop()
        atexit.register(at_exit)
    """
    assert run(source, loop) == (0, "closed\n")
