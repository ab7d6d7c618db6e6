"""System calls that fail when they are told to, whoever makes them.

The kernel holds each call that a filter names (seccomp, SECCOMP_RET_USER_NOTIF) and asks a second
process, which has it fail or go on. This reaches calls that no library sees, and those made without
the C library. A process can do it once; its filter stays for good.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct
import warnings
from dataclasses import dataclass
from typing import Final

# x86-64 and AArch64; none where an architecture has no such call.
NUMBERS: Final = {
    "accept4": (288, 242),
    "bind": (49, 200),
    "clone": (56, 220),
    "clone3": (435, 435),
    "connect": (42, 203),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "epoll_wait": (232, None),
    "eventfd2": (290, 19),
    "fork": (57, None),
    "listen": (50, 201),
    "pidfd_open": (434, 434),
    "pipe2": (293, 59),
    "read": (0, 63),
    "recvfrom": (45, 207),
    "sendfile": (40, 71),
    "sendmsg": (46, 211),
    "sendto": (44, 206),
    "shutdown": (48, 210),
    "socket": (41, 198),
    "vfork": (58, None),
    "waitid": (247, 95),
    "write": (1, 64),
    "writev": (20, 66),
}
ARCHITECTURE: Final = ("x86_64", "aarch64").index(platform.machine())

# A number that no call has.
NO_CALL = 0xFFFF

# From linux/seccomp.h, linux/filter.h and linux/prctl.h.
NO_NEW_PRIVILEGES, DEATH_SIGNAL = 38, 1
SECCOMP = (317, 277)[ARCHITECTURE]
SET_FILTER, NEW_LISTENER = 1, 8
ASK, ALLOW = 0x7FC00000, 0x7FFF0000
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16
RECEIVE, ANSWER = 0xC0502100, 0xC0182101
GO_ON = 1


@dataclass
class Failure:
    """The next `times` calls fail, after `after` that go on; a descriptor is the first argument."""

    call: str
    errno: int
    descriptor: int | None = None
    times: int = 1
    after: int = 0

    @property
    def number(self) -> int:
        number = NUMBERS[self.call][ARCHITECTURE]
        return NO_CALL if number is None else number

    @property
    def instructions(self) -> list[tuple[int, int, int, int]]:
        ask = [(RETURN, 0, 0, ASK)]
        if self.descriptor is not None:
            load = (LOAD, 0, 0, FIRST_ARGUMENT)
            ask = [load, (EQUALS, 0, 1, self.descriptor), *ask]
        load = (LOAD, 0, 0, NUMBER)
        return [load, (EQUALS, 0, len(ask), self.number), *ask]

    def matches(self, number: int, argument: int) -> bool:
        return self.number == number and self.descriptor in (None, argument & 0xFFFFFFFF)

    def take(self) -> int:
        """The error of the next call; 0 if it goes on."""
        if self.after > 0:
            self.after -= 1
        elif self.times > 0:
            self.times -= 1
            return self.errno
        return 0


def install(*failures: Failure) -> None:
    """Have calls fail in this process from here on; `sendmsg` only with a descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    ours, theirs = socket.socketpair()
    with ours, theirs, warnings.catch_warnings():
        # The second process needs no other thread.
        warnings.simplefilter("ignore", DeprecationWarning)
        if os.fork() == 0:
            libc.prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
            answer(theirs, failures)
        listener = install_filter(libc, failures)
        socket.send_fds(ours, [b"x"], [listener])
        os.close(listener)


def install_filter(libc: ctypes.CDLL, failures: tuple[Failure, ...]) -> int:
    """Have the kernel ask about calls; return the descriptor on which it asks."""
    code = [line for failure in failures for line in failure.instructions]
    code.append((RETURN, 0, 0, ALLOW))
    lines = b"".join(struct.pack("=HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(lines, len(lines))
    program = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener: int = libc.syscall(SECCOMP, SET_FILTER, NEW_LISTENER, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def answer(theirs: socket.socket, failures: tuple[Failure, ...]) -> None:
    """Be the second process."""
    _, [listener], _, _ = socket.recv_fds(theirs, 1, 1)
    # What the first process closes must not stay open here.
    os.dup2(listener, 0)
    os.closerange(1, 1 << 16)
    answer_all(0, failures)


def answer_all(listener: int, failures: tuple[Failure, ...]) -> None:
    """Say what becomes of each call, as long as there is somebody to ask."""
    while True:
        question = bytearray(80)
        try:
            fcntl.ioctl(listener, RECEIVE, question)
        except InterruptedError:
            continue
        except OSError:
            os._exit(0)
        [identity, number, argument] = struct.unpack_from("=Q8xi12xQ", question)
        matching = (failure for failure in failures if failure.matches(number, argument))
        error = next((error for failure in matching if (error := failure.take())), 0)
        answer = struct.pack("=QqiI", identity, 0, -error, 0 if error else GO_ON)
        try:
            fcntl.ioctl(listener, ANSWER, answer)
        except OSError:
            pass  # The call was given up meanwhile, for a signal.
