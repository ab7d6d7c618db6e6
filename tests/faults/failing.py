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
import struct
from dataclasses import dataclass
from typing import Final

NUMBERS: Final = {
    "x86_64": {
        **dict(read=0, write=1, writev=20, sendfile=40, socket=41, connect=42, accept4=288),
        **dict(sendto=44, recvfrom=45, sendmsg=46, shutdown=48, bind=49, listen=50, vfork=58),
        **dict(clone=56, fork=57, epoll_wait=232, epoll_ctl=233, waitid=247, epoll_pwait=281),
        **dict(eventfd2=290, epoll_create1=291, pipe2=293, pidfd_open=434, clone3=435),
    },
    "aarch64": {
        **dict(eventfd2=19, epoll_create1=20, epoll_ctl=21, epoll_pwait=22, pipe2=59, read=63),
        **dict(write=64, writev=66, sendfile=71, waitid=95, socket=198, bind=200, listen=201),
        **dict(connect=203, sendto=206, recvfrom=207, shutdown=210, sendmsg=211, clone=220),
        **dict(accept4=242, pidfd_open=434, clone3=435),
    },
}[platform.machine()]

# From linux/seccomp.h, linux/filter.h and linux/prctl.h.
NO_NEW_PRIVILEGES, DEATH_SIGNAL = 38, 1
SECCOMP = {"x86_64": 317, "aarch64": 277}[platform.machine()]
SET_FILTER, NEW_LISTENER = 1, 8
ASK, ALLOW = 0x7FC00000, 0x7FFF0000
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16
RECEIVE, ANSWER = 0xC0502100, 0xC0182101
GO_ON = 1


@dataclass
class Failure:
    """The next `times` calls, after `after` that go on, fail; a descriptor is the first argument."""

    call: str
    errno: int
    descriptor: int | None = None
    times: int = 1
    after: int = 0

    @property
    def instructions(self) -> list[tuple[int, int, int, int]]:
        ask = [(RETURN, 0, 0, ASK)]
        if self.descriptor is not None:
            load = (LOAD, 0, 0, FIRST_ARGUMENT)
            ask = [load, (EQUALS, 0, 1, self.descriptor), *ask]
        load = (LOAD, 0, 0, NUMBER)
        return [load, (EQUALS, 0, len(ask), NUMBERS[self.call]), *ask]

    def matches(self, number: int, argument: int) -> bool:
        return NUMBERS[self.call] == number and self.descriptor in (None, argument & 0xFFFFFFFF)

    def take(self) -> int:
        """The error of the next call; 0 if it goes on."""
        if self.after > 0:
            self.after -= 1
        elif self.times > 0:
            self.times -= 1
            return self.errno
        return 0


def install(*failures: Failure) -> None:
    """Have calls fail in this process from here on."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = [line for failure in failures for line in failure.instructions]
    code.append((RETURN, 0, 0, ALLOW))
    lines = b"".join(struct.pack("=HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(lines, len(lines))
    program = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener = libc.syscall(SECCOMP, SET_FILTER, NEW_LISTENER, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    if os.fork() == 0:
        libc.prctl(DEATH_SIGNAL, 9, 0, 0, 0)
        answer_all(listener, failures)
    os.close(listener)


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
