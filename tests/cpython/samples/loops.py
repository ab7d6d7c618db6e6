"""Tests that make a loop in each of the ways in which asyncio's tests do."""

import asyncio
import logging
import unittest
from collections.abc import Generator
from unittest import mock

from test.test_asyncio import utils  # type: ignore[import-not-found]

import groundup


class Loops(utils.TestCase):  # type: ignore[misc]
    def expect(self, loop: asyncio.AbstractEventLoop) -> None:
        self.addCleanup(loop.close)
        assert isinstance(loop, groundup.EventLoop)

    def test_new_event_loop(self) -> None:
        self.expect(asyncio.new_event_loop())

    def test_selector_event_loop(self) -> None:
        self.expect(asyncio.SelectorEventLoop(None))

    def test_base_event_loop(self) -> None:
        self.expect(asyncio.base_events.BaseEventLoop())

    def test_subclass(self) -> None:
        class Subclass(asyncio.BaseEventLoop):
            pass

        self.expect(Subclass())

    def test_run(self) -> None:
        async def main() -> None:
            self.expect(asyncio.get_running_loop())

        asyncio.run(main())

    def test_new_test_loop(self) -> None:
        self.expect(self.new_test_loop())

    def test_simulated_time(self) -> None:
        def gen() -> Generator[float, float, None]:
            assert (yield 0) == 1000
            assert (yield 1000) == 3000
            yield 2000

        async def main() -> None:
            await asyncio.sleep(1000)
            await asyncio.sleep(2000)

        loop = self.new_test_loop(gen)
        loop.run_until_complete(main())
        assert loop.time() == 3000

    @unittest.expectedFailure
    def test_simulated_time_that_does_not_come(self) -> None:
        def gen() -> Generator[float, float, None]:
            yield 0
            yield 0

        self.new_test_loop(gen).close()

    def test_replaced_logger(self) -> None:
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        with mock.patch("asyncio.base_events.logger") as logger:
            loop.call_exception_handler({"message": "well"})
        logger.error.assert_called_once_with("well", exc_info=False)
        with self.assertLogs("asyncio", logging.ERROR):
            loop.call_exception_handler({"message": "well"})


class Isolated(unittest.IsolatedAsyncioTestCase):
    async def test_isolated(self) -> None:
        assert isinstance(asyncio.get_running_loop(), groundup.EventLoop)


class Astray(unittest.TestCase):
    def test_loop_of_asyncio(self) -> None:
        asyncio.unix_events._UnixSelectorEventLoop().close()
