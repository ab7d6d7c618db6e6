"""The part of a recorded program in being looked at: a socket, and a thread that sleeps behind it.

It hands out the files that loops are recorded into, open for reading, to processes of the same
user. It must not fail the program, nor keep it alive; where there is no place for a socket, there
is none.
"""

from __future__ import annotations

import _thread
import atexit
import errno
import os
import signal
import socket
import struct
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

from groundup import _groundup
from groundup.live import sockets

#: How many files are handed out at most; the system sets a limit of 253.
MOST = 200
#: How long somebody who asks may take, in seconds.
PATIENCE = 1.0


class Listener:
    """Hands out the files of a process's recordings. Its thread runs while there are any."""

    def __init__(self) -> None:
        """Offer nothing yet."""
        self._lock = threading.Lock()
        self._offered: list[weakref.ref[_groundup.Recording]] = []
        self._facts: dict[str, str] = {}
        self._socket: socket.socket | None = None
        self._address: Path | None = None

    @property
    def address(self) -> Path | None:
        """The socket's name; None if nothing is offered, or there is no place for a socket."""
        return self._address

    def offer(self, recording: _groundup.Recording, facts: Mapping[str, str]) -> None:
        """Hand out the file of `recording` from now on, until it ends.

        Args:
            recording: A loop's recording.
            facts: What is true of the program, to be handed out with it.
        """
        with self._lock:
            self._facts = dict(facts)
            others = [it for it in self._offered if _goes_on(it)]
            self._offered = [*others, weakref.ref(recording)]
            if self._socket is None:
                self._listen()

    def withdraw(self) -> None:
        """Take the socket away if no recording goes on any more."""
        with self._lock:
            if not any(_goes_on(it) for it in self._offered):
                self._offered = []
                self._end()

    def _listen(self) -> None:
        """Listen in the first folder in which that is possible."""
        for folder in sockets.made_folders():
            try:
                self._socket, self._address = _bind(folder)
                _start_unnoticed(self._serve, self._socket)
            except (OSError, RuntimeError):
                # No room, a name that is too long, no thread to be had.
                self._end()
            else:
                atexit.register(self._end)
                return

    def _serve(self, listening: socket.socket) -> None:
        """Answer all who ask, until the socket is shut down."""
        with listening:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError as error:
                    if error.errno == errno.EINVAL:
                        return
                    # The process has no descriptors left for now.
                    time.sleep(0.1)
                    continue
                with connection:
                    try:
                        self._answer(connection)
                    except OSError:
                        # Who asked is gone, or slow.
                        continue

    def _answer(self, connection: socket.socket) -> None:
        size = struct.calcsize("3i")
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        if struct.unpack("3i", peer)[1] != os.geteuid():
            return
        connection.settimeout(PATIENCE)
        # Only who is asked needs it.
        import json

        recordings = [it for it in (ref() for ref in self._offered) if it and not it.finished]
        answer: dict[str, object] = {"process": os.getpid(), "facts": self._facts}
        answer["files"] = [os.fspath(it.path) for it in recordings[:MOST]]
        answer["left_out"] = max(len(recordings) - MOST, 0)
        data = json.dumps(answer).encode() + b"\n"
        descriptors: list[int] = []
        try:
            # Opened anew, for reading only.
            for recording in recordings[:MOST]:
                descriptors.append(os.open(f"/proc/self/fd/{recording.fileno()}", os.O_RDONLY))
            sent = socket.send_fds(connection, [data], descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        connection.sendall(data[sent:])

    def _end(self) -> None:
        """Take the socket away; the thread wakes up, closes it and ends."""
        atexit.unregister(self._end)
        listening, self._socket = self._socket, None
        address, self._address = self._address, None
        if listening is None or address is None:
            return
        try:
            listening.shutdown(socket.SHUT_RDWR)
            address.unlink()
        except OSError:
            # Somebody has removed it, or the folder cannot be written to any more.
            pass

    def _leave_to_parent(self) -> None:
        """Let go of what belongs to the process that this one is a copy of."""
        listening, self._socket = self._socket, None
        if listening is not None:
            listening.close()
        self._lock = threading.Lock()
        self._offered, self._address = [], None


def _bind(folder: Path) -> tuple[socket.socket, Path]:
    """Listen in `folder`; the name there never stands for a socket at which nobody listens."""
    address = sockets.name(folder, os.getpid())
    unready = address.with_suffix(".new")
    listening = socket.socket(socket.AF_UNIX)
    try:
        unready.unlink(missing_ok=True)
        listening.bind(os.fspath(unready))
        unready.chmod(0o600)
        listening.listen()
        unready.rename(address)
    except OSError:
        listening.close()
        raise
    return listening, address


def _goes_on(reference: weakref.ref[_groundup.Recording]) -> bool:
    recording = reference()
    return recording is not None and not recording.finished


def _start_unnoticed(function: Callable[[socket.socket], None], argument: socket.socket) -> None:
    """Call a function in a thread that no signal is delivered to and `threading` does not count.

    The program finds itself as it would be without.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        _thread.start_new_thread(function, (argument,))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


#: The listener of this process.
LISTENER = Listener()

os.register_at_fork(after_in_child=LISTENER._leave_to_parent)
