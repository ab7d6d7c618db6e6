//! The objects of the standard library that the loop uses: most are imported once, those that programs
//! replace are looked up in their modules each time, where asyncio looks for them too.

use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

macro_rules! import_once {
    ($($(#[$doc:meta])* $name:ident = $module:literal . $attribute:literal;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
                static OBJECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
                OBJECT.import(py, $module, $attribute)
            }
        )*

        /// Imports all that the running version has. At the end of the interpreter, when what is left
        /// over reports and warns, it is too late for that.
        pub fn prepare(py: Python<'_>) {
            for import in [$($name),*] {
                let _ = import(py);
            }
            find_modules(py);
        }
    };
}

macro_rules! look_up {
    ($($(#[$doc:meta])* $name:ident = $module:literal . $attribute:literal;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
                static NAMES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
                let import = || PyResult::Ok(py.import($module)?.dict().unbind());
                let found = NAMES.get_or_try_init(py, import)?.bind(py);
                let name = intern!(py, $attribute);
                found.get_item(name)?.ok_or_else(|| PyAttributeError::new_err($attribute))
            }
        )*

        fn find_modules(py: Python<'_>) {
            for look_up in [$($name),*] {
                let _ = look_up(py);
            }
        }
    };
}

look_up! {
    task = "asyncio.tasks"."Task";
    set_running_loop = "asyncio.events"."_set_running_loop";
    get_running_loop = "asyncio.events"."_get_running_loop";
    is_debug_mode = "asyncio.coroutines"."_is_debug_mode";
    logger = "asyncio.base_events"."logger";
    staggered_race = "asyncio.staggered"."staggered_race";
    /// The module.
    signal = "asyncio.unix_events"."signal";
    /// The module.
    sys = "asyncio.unix_events"."sys";
}

import_once! {
    buffered_protocol = "asyncio"."BufferedProtocol";
    asyncio_server = "asyncio"."Server";
    asyncio_transport = "asyncio"."Transport";
    asyncio_datagram_transport = "asyncio"."DatagramTransport";
    asyncio_read_transport = "asyncio"."ReadTransport";
    asyncio_subprocess_transport = "asyncio"."SubprocessTransport";
    asyncio_handle = "asyncio"."Handle";
    asyncio_tls_transport = "asyncio.sslproto"."_SSLProtocolTransport";
    asyncio_timer_handle = "asyncio"."TimerHandle";
    /// Since Python 3.14.
    asyncio_thread_safe_handle = "asyncio.events"."_ThreadSafeHandle";
    future = "asyncio"."Future";
    incomplete_read_error = "asyncio"."IncompleteReadError";
    limit_overrun_error = "asyncio"."LimitOverrunError";
    method_type = "types"."MethodType";
    ensure_future = "asyncio"."ensure_future";
    gather = "asyncio"."gather";
    isfuture = "asyncio"."isfuture";
    iscoroutine = "asyncio"."iscoroutine";
    iscoroutinefunction = "inspect"."iscoroutinefunction";
    wrap_future = "asyncio"."wrap_future";
    sleep = "asyncio"."sleep";
    wait_for = "asyncio"."wait_for";
    cancelled_error = "asyncio"."CancelledError";
    invalid_state_error = "asyncio"."InvalidStateError";
    c_socket = "_socket"."socket";
    asyncio_task = "asyncio"."Task";
    /// The same in Python.
    python_task = "asyncio.tasks"."_PyTask";
    partial = "functools"."partial";
    c_task = "_asyncio"."Task";
    get_loop = "asyncio.futures"."_get_loop";
    /// Up to Python 3.13.
    current_tasks = "asyncio.tasks"."_current_tasks";
    /// Since Python 3.12.
    swap_current_task = "_asyncio"."_swap_current_task";
    /// Since Python 3.12.
    eager_task_factory = "asyncio"."eager_task_factory";
    /// Since Python 3.14.
    enter_task = "_asyncio"."_enter_task";
    /// Since Python 3.14.
    leave_task = "_asyncio"."_leave_task";
    /// Since Python 3.14.
    register_task = "_asyncio"."_register_task";
    /// Since Python 3.14.
    unregister_task = "_asyncio"."_unregister_task";
    /// Since Python 3.14.
    add_to_awaited_by = "_asyncio"."future_add_to_awaited_by";
    /// Since Python 3.14.
    discard_from_awaited_by = "_asyncio"."future_discard_from_awaited_by";
    sendfile_mode = "asyncio.constants"."_SendfileMode";
    sendfile_not_available = "asyncio"."SendfileNotAvailableError";
    set_result_unless_cancelled = "asyncio.futures"."_set_result_unless_cancelled";
    selector_key = "selectors"."SelectorKey";
    getrusage = "resource"."getrusage";
    extract_stack = "asyncio.format_helpers"."extract_stack";
    format_callback_source = "asyncio.format_helpers"."_format_callback_source";
    stream_reader_protocol = "asyncio"."StreamReaderProtocol";
    transport_socket = "asyncio.trsock"."TransportSocket";
    thread_pool_executor = "concurrent.futures"."ThreadPoolExecutor";
    thread = "threading"."Thread";
    socket = "socket"."socket";
    memory_bio = "ssl"."MemoryBIO";
    ssl_certificate_error = "ssl"."CertificateError";
    ssl_context = "ssl"."SSLContext";
    ssl_engine = "_ssl"."_SSLSocket";
    ssl_error = "ssl"."SSLError";
    ssl_object = "ssl"."SSLObject";
    ssl_socket = "ssl"."SSLSocket";
    ssl_syscall_error = "ssl"."SSLSyscallError";
    ssl_want_read_error = "ssl"."SSLWantReadError";
    property = "builtins"."property";
    slice = "builtins"."slice";
    strerror = "os"."strerror";
    format_list = "traceback"."format_list";
    getframe = "sys"."_getframe";
    current_frames = "sys"."_current_frames";
    is_finalizing = "sys"."is_finalizing";
    get_asyncgen_hooks = "sys"."get_asyncgen_hooks";
    set_asyncgen_hooks = "sys"."set_asyncgen_hooks";
    get_origin_tracking_depth = "sys"."get_coroutine_origin_tracking_depth";
    set_origin_tracking_depth = "sys"."set_coroutine_origin_tracking_depth";
    weak_set = "weakref"."WeakSet";
    weak_reference = "weakref"."ref";
    weak_reference_count = "weakref"."getweakrefcount";
    warn = "warnings"."warn";
}
