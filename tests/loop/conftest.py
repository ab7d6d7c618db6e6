"""What the tests of the loop share."""

import signal
import socket

import pytest


@pytest.fixture
def pair():
    """What makes two connected sockets that do not block; they are closed when the test ends."""
    made = []

    def pair():
        made.extend(socket.socketpair())
        for end in made[-2:]:
            end.setblocking(False)
        return made[-2:]

    yield pair
    for end in made:
        end.close()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def client():
    with socket.socket() as client:
        client.setblocking(False)
        yield client


@pytest.fixture
def signals():
    """What a test does to signals is undone when it ends."""
    numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    wakeup = signal.set_wakeup_fd(-1)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    signal.set_wakeup_fd(wakeup)
