"""Types of the extension module.

Handles, transports and servers are not subclasses of asyncio's, but answer asyncio's class as their
__class__, so that isinstance() takes them for such; so they are typed as if they were.
"""

import asyncio
from asyncio.base_events import Server as _AsyncioServer
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from collections.abc import Coroutine as _Coroutine
from concurrent.futures import Executor
from contextvars import Context
from pathlib import Path
from socket import _GetAddrInfoResult, socket
from ssl import SSLContext
from types import CodeType, FrameType, GenericAlias, TracebackType
from typing import (
    IO,
    Any,
    Final,
    Literal,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeVar,
    TypeVarTuple,
    final,
    overload,
)

from _typeshed import (
    FileDescriptorLike,
    ReadableBuffer,
    StrOrBytesPath,
    StrPath,
    WriteableBuffer,
)
from typing_extensions import disjoint_base

_T = TypeVar("_T")
_ProtocolT = TypeVar("_ProtocolT", bound=asyncio.BaseProtocol)
_Ts = TypeVarTuple("_Ts")
_P = ParamSpec("_P")
_T_co = TypeVar("_T_co", covariant=True)
_Y = TypeVar("_Y")
_Y_co = TypeVar("_Y_co", covariant=True)
_S_contra = TypeVar("_S_contra", contravariant=True)

_Awaited: TypeAlias = _Coroutine[Any, Any, _T]
_CoroutineLike: TypeAlias = _Coroutine[Any, Any, _T] | Generator[Any, None, _T]
_TaskFactory: TypeAlias = Callable[..., asyncio.Future[Any]]
_ExceptionHandler: TypeAlias = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]
_Context: TypeAlias = dict[str, Any]

__all__ = [
    "Coroutine",
    "DatagramTransport",
    "EventLoop",
    "Future",
    "GeneratorCoroutine",
    "Handle",
    "Interweave",
    "Lookout",
    "ReadPipeTransport",
    "Recording",
    "Server",
    "StreamTransport",
    "SubprocessTransport",
    "Task",
    "ThreadSafeHandle",
    "TimerHandle",
    "TlsProtocol",
    "TlsTransport",
    "WritePipeTransport",
    "__version__",
    "coroutine",
    "interweave",
    "read_recording",
    "run_all",
    "take_over_methods",
    "take_unregistered_tasks",
    "watch_runs",
]

__version__: Final[str]

# What the loops make. On a Python whose futures are laid out in another way, there are none.
class Future(asyncio.Future[_T]): ...

@disjoint_base
class Task(Future[_T], asyncio.Task[_T]): ...

def take_over_methods(class_: type, base: type, /) -> None: ...
def take_unregistered_tasks() -> list[asyncio.Task[Any]]: ...

class _Recording(TypedDict):
    process: int
    wall: float
    ended: int
    lost: int
    facts: dict[str, str]
    strings: list[str]
    columns: dict[str, tuple[str, bytes]]

def read_recording(data: bytes, /) -> _Recording: ...

@disjoint_base
class EventLoop:
    slow_callback_duration: float
    def __new__(cls, *_args: object, **_keywords: object) -> EventLoop: ...

    # Running
    def run_forever(self) -> None: ...
    def run_until_complete(self, future: Awaitable[_T] | Generator[Any, None, _T]) -> _T: ...
    def stop(self) -> None: ...
    def is_running(self) -> bool: ...
    def is_closed(self) -> bool: ...
    def close(self) -> None: ...
    async def shutdown_asyncgens(self) -> None: ...
    async def shutdown_default_executor(self, timeout: float | None = None) -> None: ...

    # Callbacks
    def time(self) -> float: ...
    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle: ...
    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle: ...
    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle: ...
    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle: ...

    # Futures and tasks
    def create_future(self) -> asyncio.Future[Any]: ...
    def create_task(self, coro: _CoroutineLike[_T], **keywords: Any) -> asyncio.Task[_T]: ...
    def set_task_factory(self, factory: _TaskFactory | None) -> None: ...
    def get_task_factory(self) -> _TaskFactory | None: ...

    # Exceptions and debug mode
    def get_exception_handler(self) -> _ExceptionHandler | None: ...
    def set_exception_handler(self, handler: _ExceptionHandler | None) -> None: ...
    def default_exception_handler(self, context: _Context) -> None: ...
    def call_exception_handler(self, context: _Context) -> None: ...
    def get_debug(self) -> bool: ...
    def set_debug(self, enabled: bool) -> None: ...

    # Executors and names
    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]: ...
    def set_default_executor(self, executor: Executor) -> None: ...
    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> _GetAddrInfoResult: ...
    async def getnameinfo(
        self, sockaddr: tuple[str, int] | tuple[str, int, int, int], flags: int = 0
    ) -> tuple[str, str]: ...

    # Descriptors, sockets and signals
    def add_reader(
        self, fd: FileDescriptorLike, callback: Callable[[*_Ts], Any], *args: *_Ts
    ) -> None: ...
    def remove_reader(self, fd: FileDescriptorLike) -> bool: ...
    def add_writer(
        self, fd: FileDescriptorLike, callback: Callable[[*_Ts], Any], *args: *_Ts
    ) -> None: ...
    def remove_writer(self, fd: FileDescriptorLike) -> bool: ...
    def sock_recv(self, sock: socket, n: int) -> _Awaited[bytes]: ...
    def sock_recv_into(self, sock: socket, buf: WriteableBuffer) -> _Awaited[int]: ...
    def sock_sendall(self, sock: socket, data: ReadableBuffer) -> _Awaited[None]: ...
    def sock_recvfrom(self, sock: socket, bufsize: int) -> _Awaited[tuple[bytes, Any]]: ...
    def sock_recvfrom_into(
        self, sock: socket, buf: WriteableBuffer, nbytes: int = 0
    ) -> _Awaited[tuple[int, Any]]: ...
    def sock_sendto(self, sock: socket, data: ReadableBuffer, address: Any) -> _Awaited[int]: ...
    async def sock_accept(self, sock: socket) -> tuple[socket, Any]: ...
    async def sock_connect(self, sock: socket, address: Any) -> None: ...
    def add_signal_handler(
        self, sig: int, callback: Callable[[*_Ts], object], *args: *_Ts
    ) -> None: ...
    def remove_signal_handler(self, sig: int) -> bool: ...

    # Connections and servers
    async def create_connection(
        self,
        protocol_factory: Callable[[], _ProtocolT],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: bool | SSLContext | None = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: socket | None = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[asyncio.Transport, _ProtocolT]: ...
    async def create_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        family: int = 0,
        flags: int | None = None,
        sock: socket | None = None,
        backlog: int = 100,
        ssl: bool | SSLContext | None = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> _AsyncioServer: ...
    async def connect_accepted_socket(
        self,
        protocol_factory: Callable[[], _ProtocolT],
        sock: socket,
        *,
        ssl: bool | SSLContext | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[asyncio.Transport, _ProtocolT]: ...
    async def create_unix_connection(
        self,
        protocol_factory: Callable[[], _ProtocolT],
        path: StrPath | None = None,
        *,
        ssl: bool | SSLContext | None = None,
        sock: socket | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[asyncio.Transport, _ProtocolT]: ...
    async def create_unix_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        path: StrPath | None = None,
        *,
        sock: socket | None = None,
        backlog: int = 100,
        ssl: bool | SSLContext | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        cleanup_socket: bool | None = None,
    ) -> _AsyncioServer: ...
    async def start_tls(
        self,
        transport: asyncio.WriteTransport,
        protocol: asyncio.BaseProtocol,
        sslcontext: SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> asyncio.Transport | None: ...
    async def sendfile(
        self,
        transport: asyncio.WriteTransport,
        file: IO[bytes],
        offset: int | None = None,
        count: int | None = None,
        *,
        fallback: bool = True,
    ) -> int: ...
    async def sock_sendfile(
        self,
        sock: socket,
        file: IO[bytes],
        offset: int | None = None,
        count: int | None = None,
        *,
        fallback: bool | None = True,
    ) -> int: ...
    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], _ProtocolT],
        local_addr: tuple[str, int] | str | None = None,
        remote_addr: tuple[str, int] | str | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: socket | None = None,
    ) -> tuple[asyncio.DatagramTransport, _ProtocolT]: ...

    # Pipes and processes
    async def connect_read_pipe(
        self, protocol_factory: Callable[[], _ProtocolT], pipe: Any
    ) -> tuple[asyncio.ReadTransport, _ProtocolT]: ...
    async def connect_write_pipe(
        self, protocol_factory: Callable[[], _ProtocolT], pipe: Any
    ) -> tuple[asyncio.WriteTransport, _ProtocolT]: ...
    async def subprocess_exec(
        self,
        protocol_factory: Callable[[], _ProtocolT],
        program: StrOrBytesPath,
        *args: StrOrBytesPath,
        stdin: int | IO[Any] | None = -1,
        stdout: int | IO[Any] | None = -1,
        stderr: int | IO[Any] | None = -1,
        universal_newlines: Literal[False] = False,
        shell: Literal[False] = False,
        bufsize: Literal[0] = 0,
        encoding: None = None,
        errors: None = None,
        text: Literal[False] | None = None,
        **keywords: Any,
    ) -> tuple[asyncio.SubprocessTransport, _ProtocolT]: ...
    async def subprocess_shell(
        self,
        protocol_factory: Callable[[], _ProtocolT],
        cmd: bytes | str,
        *,
        stdin: int | IO[Any] | None = -1,
        stdout: int | IO[Any] | None = -1,
        stderr: int | IO[Any] | None = -1,
        universal_newlines: Literal[False] = False,
        shell: Literal[True] = True,
        bufsize: Literal[0] = 0,
        encoding: None = None,
        errors: None = None,
        text: Literal[False] | None = None,
        **keywords: Any,
    ) -> tuple[asyncio.SubprocessTransport, _ProtocolT]: ...

@disjoint_base
class Handle(asyncio.Handle):
    def cancel(self) -> None: ...
    def cancelled(self) -> bool: ...
    def get_context(self) -> Context: ...

@final
class ThreadSafeHandle(Handle): ...

@final
class TimerHandle(Handle):
    def when(self) -> float: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: asyncio.TimerHandle, /) -> bool: ...
    def __le__(self, other: asyncio.TimerHandle, /) -> bool: ...
    def __gt__(self, other: asyncio.TimerHandle, /) -> bool: ...
    def __ge__(self, other: asyncio.TimerHandle, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Coroutine(_Coroutine[Any, Any, Any]):
    __name__: str
    __qualname__: str
    @property
    def cr_running(self) -> bool: ...
    def send(self, value: Any) -> Any: ...
    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> Any: ...
    def close(self) -> None: ...
    def __await__(self) -> Generator[Any, Any, Any]: ...
    def __iter__(self) -> Coroutine: ...
    def __next__(self) -> Any: ...

@final
class StreamTransport(asyncio.Transport):
    def write(self, data: bytes | bytearray | memoryview[Any]) -> None: ...
    def can_write_eof(self) -> bool: ...
    def write_eof(self) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def get_write_buffer_limits(self) -> tuple[int, int]: ...

@final
class TlsProtocol(asyncio.Protocol): ...

@final
class TlsTransport(asyncio.Transport):
    def write(self, data: bytes | bytearray | memoryview[Any]) -> None: ...
    def can_write_eof(self) -> bool: ...
    def write_eof(self) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def get_write_buffer_limits(self) -> tuple[int, int]: ...
    def set_read_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def get_read_buffer_limits(self) -> tuple[int, int]: ...
    def get_read_buffer_size(self) -> int: ...

@final
class DatagramTransport(asyncio.DatagramTransport):
    def sendto(self, data: bytes | bytearray | memoryview[Any], addr: Any = None) -> None: ...
    def is_reading(self) -> bool: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def get_write_buffer_limits(self) -> tuple[int, int]: ...
    def get_write_buffer_size(self) -> int: ...

@final
class ReadPipeTransport(asyncio.ReadTransport): ...

@final
class WritePipeTransport(asyncio.Transport):
    def write(self, data: ReadableBuffer) -> None: ...
    def can_write_eof(self) -> bool: ...
    def write_eof(self) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def get_write_buffer_limits(self) -> tuple[int, int]: ...

@final
class SubprocessTransport(asyncio.SubprocessTransport): ...

@final
class Server(_AsyncioServer):
    @property
    def sockets(self) -> tuple[Any, ...]: ...
    def get_loop(self) -> asyncio.AbstractEventLoop: ...
    def close_clients(self) -> None: ...
    def abort_clients(self) -> None: ...

@final
class Interweave(Iterator[_Y_co]):
    @property
    def index(self) -> int | None: ...
    @property
    def results(self) -> Mapping[int, Any]: ...
    def close(self) -> None: ...
    def __iter__(self) -> Interweave[_Y_co]: ...
    def __next__(self) -> _Y_co: ...
    def __len__(self) -> int: ...
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@overload
def interweave(items: Iterable[Iterable[_Y] | _Coroutine[_Y, Any, Any]], /) -> Interweave[_Y]: ...
@overload
def interweave(items: Iterable[Iterable[Any] | Awaitable[Any]], /) -> Interweave[Any]: ...
@overload
def run_all(items: Iterable[Generator[Any, Any, _T] | Awaitable[_T]], /) -> list[_T]: ...
@overload
def run_all(items: Iterable[Iterable[Any] | Awaitable[Any]], /) -> list[Any]: ...

@final
class GeneratorCoroutine(_Coroutine[_Y_co, _S_contra, _T_co]):
    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    @property
    def cr_await(self) -> Any | None: ...
    @property
    def cr_code(self) -> CodeType | None: ...
    @property
    def cr_frame(self) -> FrameType | None: ...
    @property
    def cr_running(self) -> bool: ...
    @property
    def cr_state(self) -> str: ...
    @property
    def cr_suspended(self) -> bool: ...
    @property
    def gi_code(self) -> CodeType | None: ...
    @property
    def gi_frame(self) -> FrameType | None: ...
    @property
    def gi_running(self) -> bool: ...
    @property
    def gi_state(self) -> str: ...
    @property
    def gi_suspended(self) -> bool: ...
    @property
    def gi_yieldfrom(self) -> Any | None: ...
    def send(self, value: _S_contra, /) -> _Y_co: ...
    @overload
    def throw(
        self,
        typ: type[BaseException],
        val: object = None,
        tb: TracebackType | None = None,
        /,
    ) -> _Y_co: ...
    @overload
    def throw(
        self, typ: BaseException, val: None = None, tb: TracebackType | None = None, /
    ) -> _Y_co: ...
    def close(self) -> None: ...
    def __await__(self) -> Generator[Any, Any, _T_co]: ...
    def __iter__(self) -> Generator[_Y_co, _S_contra, _T_co]: ...
    def __next__(self) -> _Y_co: ...
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@overload
def coroutine(function: staticmethod[_P, Any], /) -> staticmethod[_P, Any]: ...
@overload
def coroutine(function: classmethod[Any, _P, Any], /) -> classmethod[Any, _P, Any]: ...
@overload
def coroutine(
    function: Callable[_P, Generator[_Y, _S_contra, _T]], /
) -> Callable[_P, GeneratorCoroutine[_Y, _S_contra, _T]]: ...
@overload
def coroutine(  # type: ignore[overload-overlap]
    function: Callable[_P, _Coroutine[_Y, _S_contra, _T]], /
) -> Callable[_P, _Coroutine[_Y, _S_contra, _T]]: ...
@overload
def coroutine(
    function: Callable[_P, Awaitable[_T]], /
) -> Callable[_P, GeneratorCoroutine[Any, Any, _T]]: ...
@overload
def coroutine(function: Callable[_P, _T], /) -> Callable[_P, GeneratorCoroutine[Any, Any, _T]]: ...

@final
class Recording:
    def __new__(cls, path: StrPath, size: int, *, is_box: bool = False) -> Recording: ...
    def begin(
        self,
        event_loop: EventLoop,
        facts: Sequence[tuple[str, str]],
        step_limit: float | None,
    ) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...
    def listen(self, listener: Callable[[Recording, str, str], object]) -> None: ...
    def copy_to(self, path: StrPath) -> None: ...
    def mark(self, text: str) -> None: ...
    def fileno(self) -> int: ...
    @property
    def path(self) -> Path: ...
    @property
    def count(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def finished(self) -> bool: ...

@final
class Lookout:
    def __new__(cls, path: StrPath) -> Lookout: ...
    def look(self, seconds: float, order: str, most: int) -> dict[str, Any]: ...
    def keep_up(self, seconds: float) -> None: ...

def watch_runs(watcher: Callable[[EventLoop], object] | None, /) -> None: ...
