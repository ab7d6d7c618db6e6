"""Ctrl-C, seen from outside: programs end as they end on asyncio's loop."""

import asyncio
import ctypes
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import groundup

LOOPS = {"asyncio": "asyncio.SelectorEventLoop", "groundup": "groundup.new_event_loop"}

PROGRAMS = {
    "sleeping": """
        async def main():
            try:
                print("ready", flush=True)
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled")
                raise
            finally:
                print("finally")

        run(main())
        """,
    "waiting for I/O": """
        async def main():
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            with ours, theirs:
                try:
                    print("ready", flush=True)
                    await asyncio.get_running_loop().sock_recv(ours, 1)
                finally:
                    print("finally")

        run(main())
        """,
    "turning": """
        async def main():
            try:
                print("ready", flush=True)
                while True:
                    await asyncio.sleep(0)
            finally:
                print("finally")

        run(main())
        """,
    "several tasks": """
        async def child(name):
            try:
                await asyncio.sleep(60)
            finally:
                print("finally", name)

        async def main():
            children = [asyncio.create_task(child(name)) for name in "ab"]
            await asyncio.sleep(0)
            print("ready", flush=True)
            await asyncio.gather(*children)

        run(main())
        """,
    "caught": """
        async def main():
            try:
                print("ready", flush=True)
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("kept on")
                asyncio.current_task().uncancel()
            return 5

        print(run(main()))
        """,
    "caught outside": """
        async def main():
            print("ready", flush=True)
            await asyncio.sleep(60)

        try:
            run(main())
        except KeyboardInterrupt as error:
            print("interrupted", error.args)
        print(run(asyncio.sleep(0, "again")))
        """,
    "forever": """
        loop = new_event_loop()
        loop.call_soon(lambda: print("ready", flush=True))
        try:
            loop.run_forever()
        except KeyboardInterrupt:
            print("interrupted", loop.is_running())
        finally:
            loop.call_soon(print, "goes on")
            loop.call_soon(loop.stop)
            loop.run_forever()
            loop.close()
        """,
    "forever and uncaught": """
        loop = new_event_loop()
        loop.call_soon(lambda: print("ready", flush=True))
        try:
            loop.run_forever()
        finally:
            loop.close()
        """,
    "busy callback": """
        def callback():
            try:
                print("ready", flush=True)
                while True:
                    pass
            finally:
                print("finally")

        loop = new_event_loop()
        loop.call_soon(callback)
        try:
            loop.run_forever()
        finally:
            loop.close()
        """,
    "until complete": """
        async def main():
            try:
                print("ready", flush=True)
                await asyncio.sleep(60)
            finally:
                print("finally")

        loop = new_event_loop()
        task = loop.create_task(main())
        try:
            loop.run_until_complete(task)
        except KeyboardInterrupt:
            print("interrupted", task.done())
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        finally:
            loop.close()
        """,
    "handled": """
        async def main():
            event = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, event.set)
            print("ready", flush=True)
            await event.wait()
            print("handled")

        run(main())
        """,
    "in a thread": """
        interrupted = threading.Event()

        async def until_interrupted():
            while not interrupted.is_set():
                await asyncio.sleep(0.01)

        def work():
            run(until_interrupted())
            print("the thread went on")

        thread = threading.Thread(target=work)
        thread.start()
        try:
            print("ready", flush=True)
            thread.join()
        except KeyboardInterrupt:
            print("interrupted")
            interrupted.set()
            thread.join()
        """,
    "waiting for a thread": """
        async def main():
            try:
                loop = asyncio.get_running_loop()
                print("ready", flush=True)
                await loop.run_in_executor(None, time.sleep, 1.5)
            finally:
                print("finally")

        run(main())
        """,
}


def start(source, loop="groundup"):
    """Start a program that runs on a loop."""
    program = (
        "import asyncio, signal, socket, sys, threading, time, groundup\n"
        f"new_event_loop = {LOOPS[loop]}\n"
        "def run(main):\n"
        "    with asyncio.Runner(loop_factory=new_event_loop) as runner:\n"
        "        return runner.run(main)\n" + textwrap.dedent(source)
    )
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True)


def interrupt(process):
    """Press Ctrl-C, once the program has said that it is ready and gone to sleep, if it will."""
    line = process.stdout.readline()
    asleep, end = 0, time.monotonic() + 0.3
    while asleep < 5 and time.monotonic() < end:
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0]
        asleep = asleep + 1 if state == "S" else 0
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    return line


def finish(process):
    """The exit code of a program, what it printed, and its last words."""
    try:
        out, err = process.communicate(timeout=50)
    finally:
        process.kill()
    return process.returncode, out, err.strip().rpartition("\n")[2]


@pytest.mark.parametrize("name", PROGRAMS)
def test_ctrl_c_ends_a_program_as_on_asyncios_loop(name):
    with start(PROGRAMS[name], "asyncio") as expected, start(PROGRAMS[name]) as found:
        assert interrupt(expected) == interrupt(found) == "ready\n"
        assert finish(found) == finish(expected)


def test_ctrl_c_twice_ends_a_program_that_does_not_give_way():
    source = """
        async def main():
            while True:
                try:
                    print("ready", flush=True)
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    print("ignored", flush=True)
                    time.sleep(60)

        groundup.run(main())
        """
    with start(source) as process:
        assert interrupt(process) == "ready\n"
        assert interrupt(process) == "ignored\n"
        assert finish(process) == (-signal.SIGINT, "", "KeyboardInterrupt")


def test_ctrl_c_ends_groundup_run():
    source = """
        async def main():
            try:
                print("ready", flush=True)
                await asyncio.sleep(60)
            finally:
                print("finally")

        groundup.run(main())
        """
    with start(source) as process:
        assert interrupt(process) == "ready\n"
        assert finish(process) == (-signal.SIGINT, "finally\n", "KeyboardInterrupt")


@pytest.mark.parametrize("new_loop", [asyncio.SelectorEventLoop, groundup.new_event_loop])
def test_a_signal_that_comes_while_no_python_code_runs_is_not_slept_over(new_loop):
    async def main():
        raise_signal = ctypes.PyDLL(None)["raise"]
        asyncio.get_running_loop().call_soon(raise_signal, signal.SIGINT)
        await asyncio.sleep(30)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
    assert time.monotonic() - start < 20
