//! The Python extension module `groundup._groundup`: asyncio's event loop on the groundup crate.
//!
//! It has the crate's layers once more, as Python sees them: coroutines ([`coroutine`],
//! [`native_coroutine`]), callbacks ([`handle`]), the loop ([`event_loop`]) and its transports
//! ([`transports`]). What is unsafe stands in [`contexts`], [`ffi`], [`gil`], [`own_methods`], [`quick_method`],
//! [`spare_bytes`], [`spare_handles`], [`thread_exit`] and [`thread_signals`].

mod ffi;
mod gil;
mod own_methods;
mod quick_method;
mod spare_bytes;
mod spare_handles;
mod thread_exit;
mod thread_signals;

mod contexts;
mod errors;
mod imports;
mod warnings;

mod coroutine;
mod coroutine_function;
mod coroutine_life;
mod generator_coroutine;
mod interweave;
mod items;
mod native_coroutine;

mod call;
mod handle;
mod handle_running;
mod thread_safe_handle;
mod timer_handle;

mod tasks;

mod event_loop;

mod recording;

mod streams;

mod transports;

mod weave;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _groundup {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::imports::prepare(module.py());
        crate::contexts::prepare(module.py())?;
        crate::streams::Classes::get(module.py())?;
        if let Some((future, task)) = crate::tasks::prepare(module.py())? {
            module.add("Future", future)?;
            module.add("Task", task)?;
        }
        crate::spare_handles::keep::<crate::handle::Handle>(module.py());
        crate::spare_handles::keep::<crate::timer_handle::TimerHandle>(module.py());
        crate::spare_handles::keep::<crate::thread_safe_handle::ThreadSafeHandle>(module.py());
        EventLoop::prepare(module.py())?;
        crate::transports::prepare(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// Return the tasks that are not among those that asyncio knows; from then on they are to be.
    #[pyfunction]
    fn take_unregistered_tasks(py: Python<'_>) -> Vec<Py<PyAny>> {
        crate::tasks::register_pending(py)
    }

    #[pymodule_export]
    use crate::coroutine_function::coroutine;
    #[pymodule_export]
    use crate::event_loop::EventLoop;
    #[pymodule_export]
    use crate::generator_coroutine::GeneratorCoroutine;
    #[pymodule_export]
    use crate::handle::Handle;
    #[pymodule_export]
    use crate::interweave::{Interweave, interweave, run_all};
    #[pymodule_export]
    use crate::native_coroutine::NativeCoroutine;
    #[pymodule_export]
    use crate::own_methods::take_over_methods;
    #[pymodule_export]
    use crate::recording::{Lookout, Recording, watch_runs};
    #[pymodule_export]
    use crate::thread_safe_handle::ThreadSafeHandle;
    #[pymodule_export]
    use crate::timer_handle::TimerHandle;
    #[pymodule_export]
    use crate::transports::{
        DatagramTransport, ReadPipeTransport, Server, StreamTransport, SubprocessTransport,
        TlsProtocol, TlsTransport, WritePipeTransport,
    };
    #[pymodule_export]
    use crate::weave::read_recording;
}
