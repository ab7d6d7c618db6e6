"""Where exceptions go that nobody awaits: to the handler, to the log, and never out of the loop."""

import asyncio
import gc
import logging
import sys

import pytest

from comparison import entry, log, outcome, plain, turn


def fail(*args):
    raise ValueError("failed")


def test_an_exception_in_a_callback_is_logged_and_the_loop_goes_on(same):
    def body(loop):
        called = []
        with log() as records:
            loop.call_soon(fail, 1, key := "x")
            loop.call_soon_threadsafe(fail)
            loop.call_at(5.0, fail)
            loop.call_soon(called.append, key)
            turn(loop)
        return called, [entry(record) for record in records]

    called, logged = same(body)
    assert called == ["x"]
    place = f"{__file__}:{fail.__code__.co_firstlineno}"
    # From Python 3.13 on, arguments are shown in debug mode only.
    arguments = "1, 'x'" if sys.version_info < (3, 13) else ""
    kind = "Handle" if sys.version_info < (3, 14) else "_ThreadSafeHandle"
    assert logged == [
        f"ERROR: Exception in callback fail({arguments}) at {place}\n"
        f"handle: <Handle fail({arguments}) at {place}> (ValueError('failed'))",
        f"ERROR: Exception in callback fail() at {place}\n"
        f"handle: <{kind} fail() at {place}> (ValueError('failed'))",
        f"ERROR: Exception in callback fail() at {place}\n"
        f"handle: <TimerHandle when=5.0 fail() at {place}> (ValueError('failed'))",
    ]


def test_the_record_carries_the_traceback(loop):
    with log() as records:
        loop.call_soon(fail)
        turn(loop)
    kind, error, traceback = records[0].exc_info
    assert (kind, str(error)) == (ValueError, "failed")
    assert traceback is error.__traceback__
    assert records[0].levelno == logging.ERROR
    frames = []
    while traceback:
        frames.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert frames[-1] == "fail"


def test_a_handler_is_given_the_loop_and_what_happened(same):
    def body(loop):
        seen = []

        def handler(*args):
            seen.append(
                (args[0] is loop, sorted(args[1]), args[1]["message"], repr(args[1]["exception"]),
                 repr(args[1]["handle"]))
            )  # fmt: skip

        before = loop.get_exception_handler()
        loop.set_exception_handler(handler)
        now = loop.get_exception_handler() is handler
        loop.call_soon(fail, 1)
        turn(loop)
        loop.set_exception_handler(None)
        return before, now, loop.get_exception_handler(), seen

    before, now, after, seen = same(body)
    assert (before, now, after) == (None, True, None)
    assert seen[0][:2] == (True, ["exception", "handle", "message"])


@pytest.mark.parametrize("handler", [5, "handler", object()], ids=type)
def test_a_handler_must_be_callable(same, handler):
    def body(loop):
        return outcome(loop.set_exception_handler, handler)

    kind, text = same(body)
    assert kind == "TypeError"
    assert text.startswith("A callable object or None is expected, got ")


def test_a_handler_that_raises_is_reported_with_what_it_was_given(same):
    def handler(loop, context):
        raise LookupError("in the handler")

    def body(loop):
        called = []
        loop.set_exception_handler(handler)
        loop.call_soon(fail)
        loop.call_soon(called.append, 1)
        with log() as records:
            turn(loop)
        return called, [entry(record) for record in records]

    called, logged = same(body)
    assert called == [1]
    assert len(logged) == 1
    assert logged[0].startswith("ERROR: Unhandled error in exception handler\ncontext: {")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_handler_may_end_the_run(same, kind):
    def body(loop):
        def handler(loop, context):
            raise kind("enough")

        called = []
        loop.set_exception_handler(handler)
        loop.call_soon(fail)
        loop.call_soon(called.append, 1)
        first = outcome(loop.run_forever)
        turn(loop)
        return first, called

    assert same(body) == ((kind.__name__, "enough"), [1])


def test_a_default_handler_that_raises_is_logged(same):
    def default(context):
        raise LookupError("in the default handler")

    def body(loop):
        loop.default_exception_handler = default
        loop.call_soon(fail)
        with log() as records:
            turn(loop)
            loop.set_exception_handler(lambda loop, context: 1 / 0)
            loop.call_exception_handler({"message": "m"})
        return [entry(record) for record in records]

    assert same(body) == [
        "ERROR: Exception in default exception handler (LookupError('in the default handler'))",
        "ERROR: Exception in default exception handler while handling an unexpected error in "
        "custom exception handler (LookupError('in the default handler'))",
    ]


def test_a_default_handler_that_is_overridden_is_used(loop):
    seen = []
    loop.default_exception_handler = seen.append
    loop.call_soon(fail)
    turn(loop)
    assert [str(context["exception"]) for context in seen] == ["failed"]


REPORTS = {
    "empty": {},
    "message": {"message": "it is so"},
    "no message": {"message": None, "task": 5},
    "empty message": {"message": ""},
    "sorted": {"message": "m", "zebra": 1, "apple": [2], "Mole": None},
    "exception": {"message": "m", "exception": ValueError("v")},
    "no exception": {"message": "m", "exception": None},
    "percent": {"message": "100%s %d", "share": "5%"},
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_default_handler_logs_what_asyncio_logs(same, report):
    def body(loop):
        with log() as records:
            loop.default_exception_handler(dict(report))
            loop.call_exception_handler(dict(report))
        return [entry(record) for record in records], [bool(record.exc_info) for record in records]

    logged, _ = same(body)
    assert len(logged) == 2


def test_stacks_in_a_report_are_formatted(same):
    def body(loop):
        stack = asyncio.format_helpers.extract_stack(sys._getframe())
        with log() as records:
            loop.default_exception_handler({"message": "m", "source_traceback": stack[-1:]})
            loop.default_exception_handler({"message": "m", "handle_traceback": stack[-1:]})
        return [entry(record) for record in records]

    one, two = same(body)
    assert "source_traceback: Object created at (most recent call last):\n  File" in one
    assert "handle_traceback: Handle created at (most recent call last):\n  File" in two


def test_in_debug_mode_the_report_tells_where_the_handle_was_made(same):
    def body(loop):
        seen = []
        loop.set_debug(True)
        loop.set_exception_handler(lambda loop, context: seen.append(context))
        loop.call_soon(fail)
        turn(loop)
        frame = seen[0]["source_traceback"][-1]
        return sorted(seen[0]), frame.name, frame.line

    keys, name, line = same(body)
    assert keys == ["exception", "handle", "message", "source_traceback"]
    assert (name, line) == ("body", "loop.call_soon(fail)")


def test_in_debug_mode_a_report_tells_where_the_running_handle_was_made(same):
    def body(loop):
        loop.set_debug(True)
        loop.call_soon(lambda: loop.call_exception_handler({"message": "m"}))
        with log() as records:
            turn(loop)
        return [
            [line.strip() for line in record.getMessage().splitlines()[:2]] for record in records
        ], records[0].getMessage().splitlines()[-1].strip(" ^~")

    lines, last = same(body)
    assert lines == [["m", "handle_traceback: Handle created at (most recent call last):"]]
    assert last.startswith("loop.call_soon(lambda")


def test_an_exception_nobody_retrieved_is_reported(same):
    async def body(loop):
        seen = []
        loop.set_exception_handler(lambda loop, context: seen.append(context))

        async def failing():
            raise KeyError("k")

        future = loop.create_future()
        future.set_exception(ValueError("v"))
        task = loop.create_task(failing())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del future, task
        gc.collect()
        return [
            (context["message"], repr(context["exception"]), plain(context["future"]))
            for context in seen
        ]

    gc.collect()
    reports = same(body)
    assert [report[:2] for report in reports] == [
        ("Future exception was never retrieved", "ValueError('v')"),
        ("Task exception was never retrieved", "KeyError('k')"),
    ]


def test_a_pending_task_that_is_dropped_is_reported(same):
    def body(loop):
        seen = []
        loop.set_exception_handler(lambda loop, context: seen.append(context["message"]))

        async def wait():
            await loop.create_future()

        loop.create_task(wait())
        turn(loop, 2)
        gc.collect()
        return seen

    gc.collect()
    assert same(body) == ["Task was destroyed but it is pending!"]


def test_a_callback_of_a_future_that_raises_is_reported(same):
    async def body(loop):
        seen = []
        loop.set_exception_handler(lambda loop, context: seen.append(plain(context["message"])))
        future = loop.create_future()
        future.add_done_callback(fail)
        future.set_result(None)
        await future
        await asyncio.sleep(0)
        return seen

    assert same(body)[0].startswith("Exception in callback fail(")


def test_an_endless_callback_chain_reports_each_failure(loop):
    """A thousand failures, and nothing else lost."""
    seen = []
    loop.set_exception_handler(lambda loop, context: seen.append(context["exception"].args[0]))

    def failing(number):
        if number:
            loop.call_soon(failing, number - 1)
        else:
            loop.stop()
        raise ValueError(number)

    loop.call_soon(failing, 1000)
    loop.run_forever()
    assert seen == list(range(1000, -1, -1))


def test_the_report_is_a_dict(loop):
    with pytest.raises((TypeError, AttributeError)):
        loop.default_exception_handler("message")
