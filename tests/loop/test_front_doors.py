"""The ways in: groundup.run, new_event_loop, EventLoop, install, and asyncio's own."""

import asyncio
import contextvars
import subprocess
import sys
import textwrap
import types
import warnings

import pytest

import groundup
from comparison import outcome


async def the_loop():
    return asyncio.get_running_loop()


def test_run_runs_on_this_loop_and_closes_it():
    loop = groundup.run(the_loop())
    assert type(loop) is groundup.EventLoop
    assert loop.is_closed()


def test_run_returns_and_raises_what_main_does():
    async def main(fail):
        await asyncio.sleep(0)
        if fail:
            raise LookupError("main")
        return 5

    assert groundup.run(main(False)) == 5
    with pytest.raises(LookupError, match="main"):
        groundup.run(main(True))


def test_run_runs_every_kind_of_awaitable():
    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return "awaitable"

    @types.coroutine
    def generator():
        yield from asyncio.sleep(0).__await__()
        return "generator"

    assert groundup.run(Awaitable()) == "awaitable"
    assert groundup.run(generator()) == "generator"


@pytest.mark.parametrize("thing", [5, None, "text", print], ids=repr)
def test_run_refuses_what_cannot_be_awaited_as_asyncio_does(thing):
    found = outcome(groundup.run, thing)
    assert found == outcome(asyncio.run, thing)
    assert found[0] == ("TypeError" if sys.version_info >= (3, 14) else "ValueError")


def test_run_inside_a_run_is_refused():
    async def main():
        return outcome(groundup.run, the_loop())

    text = "groundup.run() cannot be called from a running event loop"
    assert groundup.run(main()) == ("RuntimeError", text)
    assert asyncio.run(main()) == ("RuntimeError", text)


def test_run_cancels_what_is_left():
    seen = []

    async def child():
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("cancelled")

    async def generate():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            seen.append("generator closed")

    async def main():
        tasks = [asyncio.create_task(child()) for _ in range(2)]
        generator = generate()
        seen.append(await anext(generator))
        await asyncio.get_running_loop().run_in_executor(None, seen.append, "executor")
        return tasks, generator

    tasks, _ = groundup.run(main())
    assert seen == [1, "executor", "cancelled", "cancelled", "generator closed"]
    assert all(task.cancelled() for task in tasks)


@pytest.mark.parametrize(("debug", "expected"), [(True, True), (False, False), (None, False)])
def test_run_may_switch_debug_mode_on(debug, expected):
    async def main():
        return asyncio.get_running_loop().get_debug()

    assert groundup.run(main(), debug=debug) is expected


def test_run_takes_another_loop():
    loop = groundup.run(the_loop(), loop_factory=asyncio.SelectorEventLoop)
    assert isinstance(loop, asyncio.SelectorEventLoop)


def test_run_takes_keywords_only():
    coroutine = the_loop()
    with pytest.raises(TypeError):
        groundup.run(coroutine, True)
    coroutine.close()


def test_run_keeps_the_context_apart():
    variable = contextvars.ContextVar("variable", default="unset")

    async def main():
        before = variable.get()
        variable.set("inside")
        return before

    variable.set("outside")
    assert groundup.run(main()) == "outside"
    assert variable.get() == "outside"


def test_runs_follow_each_other():
    loops = [groundup.run(the_loop()) for _ in range(20)]
    assert len({id(loop) for loop in loops}) == 20


def test_new_event_loop_makes_loops():
    loop = groundup.new_event_loop()
    assert type(loop) is groundup.EventLoop
    assert not loop.is_closed()
    loop.close()


def test_the_class_takes_no_arguments():
    with pytest.raises(TypeError):
        groundup.EventLoop(5)


def test_the_class_can_be_subclassed():
    class Loop(groundup.EventLoop):
        def __init__(self, name, *, colour):
            super().__init__()
            self.name, self.colour = name, colour

    loop = Loop("n", colour="red")
    assert loop.run_until_complete(the_loop()) is loop
    assert (loop.name, loop.colour) == ("n", "red")
    assert repr(loop).startswith("<Loop running=False")
    loop.close()


def test_a_runner_runs_on_this_loop():
    with asyncio.Runner(loop_factory=groundup.new_event_loop) as runner:
        first = runner.run(the_loop())
        assert runner.run(the_loop()) is first is runner.get_loop()
        assert type(first) is groundup.EventLoop
    assert first.is_closed()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12")
def test_asyncio_run_runs_on_this_loop():
    loop = asyncio.run(the_loop(), loop_factory=groundup.new_event_loop)
    assert type(loop) is groundup.EventLoop


def test_a_loop_that_is_not_closed_is_warned_of():
    loop = groundup.new_event_loop()
    text = r"unclosed event loop <EventLoop running=False closed=False debug=False>"
    with pytest.warns(ResourceWarning, match=text) as caught:
        del loop
    assert len(caught) == 1


def test_a_loop_that_is_closed_is_not_warned_of():
    loop = groundup.new_event_loop()
    loop.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del loop


def program(source):
    """What a program prints."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(source)],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert result.stderr == ""
    assert result.returncode == 0
    return result.stdout.split()


def test_install_has_asyncio_make_this_loop():
    source = """
        import asyncio, groundup

        async def main():
            return type(asyncio.get_running_loop()).__module__

        print(asyncio.run(main()))
        groundup.install()
        print(asyncio.run(main()))
        loop = asyncio.new_event_loop()
        print(type(loop) is groundup.EventLoop)
        asyncio.set_event_loop(loop)
        print(asyncio.get_event_loop() is loop)
        loop.close()
        with asyncio.Runner() as runner:
            print(runner.run(main()))
        print(asyncio.run(main()))
        """
    assert program(source) == [
        "asyncio.unix_events", "groundup.event_loop", "True", "True",
        "groundup.event_loop", "groundup.event_loop",
    ]  # fmt: skip


def test_install_serves_other_threads_too():
    source = """
        import asyncio, groundup, threading

        async def main():
            print(type(asyncio.get_running_loop()).__module__)

        groundup.install()
        thread = threading.Thread(target=lambda: asyncio.run(main()))
        thread.start()
        thread.join()
        """
    assert program(source) == ["groundup.event_loop"]


def test_unittest_runs_on_an_installed_loop():
    source = """
        import asyncio, groundup, sys, unittest

        class Test(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.value = await asyncio.sleep(0, 5)

            async def test_loop(self):
                self.assertIs(type(asyncio.get_running_loop()), groundup.EventLoop)
                self.assertEqual(self.value, 5)

        groundup.install()
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(Test)
        unittest.TextTestRunner(sys.stdout).run(suite)
        """
    assert program(source)[-1] == "OK"


def test_a_program_that_ends_without_closing_its_loop_ends_well():
    source = """
        import groundup, signal, warnings
        warnings.simplefilter("ignore")
        loop = groundup.new_event_loop()
        loop.call_later(60, print)
        loop.add_signal_handler(signal.SIGUSR1, print)
        coroutine = loop.shutdown_asyncgens()
        loop.run_until_complete(coroutine)
        print("end")
        """
    assert program(source) == ["end"]


def test_a_cycle_that_lives_to_the_end_ends_well():
    source = """
        import asyncio, groundup, warnings
        warnings.simplefilter("ignore")

        class Kept:
            def __init__(self):
                self.loop = groundup.new_event_loop()
                self.handle = self.loop.call_later(60, self.method)
                self.task = self.loop.create_task(self.wait())
                self.loop.call_soon(self.loop.stop)
                self.loop.run_forever()

            def method(self):
                pass

            async def wait(self):
                await self.loop.create_future()

        kept = Kept()
        kept.task._log_destroy_pending = False
        print("end")
        """
    assert program(source) == ["end"]
