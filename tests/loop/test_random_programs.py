"""Programs made up at random make the same calls on both loops, in the same order."""

import asyncio
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

import groundup
from comparison import turn

METHODS = ["soon", "threadsafe", "thread", "timer", "cancel", "cancel", "stop", "raise"]

# What each callback does when it is called, and with which of the others.
ACTIONS = st.lists(st.tuples(st.sampled_from(METHODS), st.integers(0, 9)), max_size=4)
PROGRAMS = st.lists(ACTIONS, min_size=10, max_size=10)


class Interpreter:
    """Runs a program on a loop, and notes what was called."""

    def __init__(self, loop, program):
        self.loop = loop
        self.program = program
        self.called = []
        self.handles = []
        self.budget = 60

    def run(self):
        self.loop.set_exception_handler(lambda loop, context: self.called.append("reported"))
        self.act(0)
        for _ in range(8):
            turn(self.loop)
            self.called.append("turn")
        return self.called

    def callback(self, number):
        self.called.append(number)
        for method, argument in self.program[number]:
            self.act(argument, method)

    def act(self, number, method="soon"):
        self.budget -= 1
        if self.budget < 0:
            return
        if method == "cancel":
            if self.handles:
                self.handles[number % len(self.handles)].cancel()
        elif method == "stop":
            self.loop.stop()
        elif method == "raise":
            raise ValueError(number)
        else:
            getattr(self, method)(number)

    def soon(self, number):
        self.handles.append(self.loop.call_soon(self.callback, number))

    def threadsafe(self, number):
        self.handles.append(self.loop.call_soon_threadsafe(self.callback, number))

    def thread(self, number):
        thread = threading.Thread(target=self.threadsafe, args=(number,))
        thread.start()
        thread.join()

    def timer(self, number):
        # Due at once, and no two at the same time.
        self.handles.append(self.loop.call_at(-1000 + self.budget, self.callback, number))


def called(new_event_loop, program):
    loop = new_event_loop()
    try:
        return Interpreter(loop, program).run()
    finally:
        loop.close()


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(program=PROGRAMS)
def test_a_program_made_up_at_random(program):
    assert called(groundup.new_event_loop, program) == called(asyncio.SelectorEventLoop, program)
