"""What each kind of callback may raise or do, in which context it runs, and what goes on then."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal

import pytest

from comparison import outcome

from .acts import RAISING
from .tape import Tape, pair

variable = contextvars.ContextVar("variable", default="unset")


def soon(tape, call):
    tape.loop.call_soon(call)


def later(tape, call):
    tape.loop.call_later(0.001, call)


def threadsafe(tape, call):
    tape.loop.call_soon_threadsafe(call)


def reader(tape, call):
    def ready():
        try:
            call()
        finally:
            tape.loop.remove_reader(tape.near)

    tape.loop.add_reader(tape.near, ready)
    tape.far.send(b"x")


def writer(tape, call):
    def ready():
        try:
            call()
        finally:
            tape.loop.remove_writer(tape.near)

    tape.loop.add_writer(tape.near, ready)


def on_signal(tape, call):
    tape.loop.add_signal_handler(signal.SIGUSR1, call)
    os.kill(os.getpid(), signal.SIGUSR1)


def module_signal(tape, call):
    """A handler of the module signal, which the interpreter calls where it likes."""
    tape.loop.add_signal_handler(signal.SIGUSR1, tape.note, "signal handled")
    os.kill(os.getpid(), signal.SIGUSR1)
    tape.loop.call_soon(call)


def task(tape, call):
    async def step():
        call()

    tape.task = tape.loop.create_task(step())


def done_callback(tape, call):
    future = tape.loop.create_future()
    future.add_done_callback(lambda _: call())
    future.set_result(None)


def executor_callback(tape, call):
    tape.loop.run_in_executor(None, int).add_done_callback(lambda _: call())


KINDS = [
    *(soon, later, threadsafe, reader, writer, on_signal, module_signal),
    *(task, done_callback, executor_callback),
]


def stop(tape):
    tape.loop.stop()


def close(tape):
    tape.attempt("close", tape.loop.close)


def run_again(tape):
    waiting = tape.loop.create_future()
    tape.attempt("run_until_complete", tape.loop.run_until_complete, waiting)


def run_another(tape):
    another = type(tape.loop)()
    tape.attempt("run another", another.run_forever)
    another.close()


def call_threadsafe(tape):
    tape.loop.call_soon_threadsafe(tape.note, "called threadsafe")
    tape.loop.call_soon(tape.note, "called soon")


def tell_context(tape):
    tape.note("context", variable.get())
    variable.set("set by the callback")
    tape.loop.call_soon(lambda: tape.note("context of the next", variable.get()))


ACTS = RAISING | {
    act.__name__: act
    for act in (stop, close, run_again, run_another, call_threadsafe, tell_context)
}


@pytest.fixture(autouse=True)
def _signals():
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_a_callback_does(same, kind, act):
    def body(loop):
        tape = Tape(loop)
        done = []

        def call():
            tape.note("called")
            done.append(True)
            ACTS[act](tape)

        with pair() as (tape.near, tape.far):
            variable.set("set outside")
            context = contextvars.copy_context()
            context.run(variable.set, "set around")
            context.run(kind, tape, call)
            tape.note("context outside", variable.get())
            # Each run is ended by a timer, or by what the callback does.
            for _ in range(40):
                timer = loop.call_later(0.02, loop.stop)
                ended = outcome(loop.run_forever)
                timer.cancel()
                if ended is not None:
                    tape.note("run ended by", ended)
                if done:
                    break
            for _ in range(3):
                loop.call_soon(loop.stop)
                loop.run_forever()
            tape.note("running", asyncio._get_running_loop())
            loop.remove_signal_handler(signal.SIGUSR1)
            loop.run_until_complete(loop.shutdown_default_executor())
            if (ended := getattr(tape, "task", None)) is not None:
                tape.note("task", ended.cancelled() or repr(ended.exception()))
        return list(tape)

    notes = same(body)
    assert "called" in notes
