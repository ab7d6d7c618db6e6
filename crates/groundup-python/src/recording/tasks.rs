//! What is told of tasks: how they come into being, what their steps come to.

use groundup::recorder::{Recorder, Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::narrator::Narrator;
use super::task_view::{State, TaskName, TaskView, id_of};
use crate::ffi;

/// How much of an exception's message is told, in characters.
const LONGEST_MESSAGE: usize = 200;

impl Narrator {
    /// Says that a task has come into being, what it is called and runs, and which line made it.
    pub fn tell_spawn(&self, task: &Bound<'_, PyAny>) {
        let Ok(task) = TaskView::of(task) else { return };
        let number = match task.name() {
            Ok(TaskName::Number(number)) => number,
            _ => 0,
        };
        self.flight.note(Verb::Spawn, task.id().0, number);
        let _ = self.describe(&task);
        let _ = self.tell_place(&task);
    }

    /// Says what a task is called from now on.
    pub fn tell_name(&self, task: &Bound<'_, PyAny>) {
        let _ = TaskView::of(task).and_then(|task| self.describe(&task));
    }

    /// Says what a task is called, and what it runs.
    fn describe(&self, task: &TaskView<'_>) -> PyResult<()> {
        let name = match task.name()? {
            TaskName::Number(_) => 0,
            TaskName::Text(name) => self.name_of(&name)?,
        };
        let runs = match &task.coroutine {
            Some(coroutine) => self.function_of(coroutine)?,
            None => 0,
        };
        self.flight.note(Verb::Called, task.id().0, pair(name, runs));
        Ok(())
    }

    /// Says which line of the program makes a task.
    fn tell_place(&self, task: &TaskView<'_>) -> PyResult<()> {
        let py = task.object.py();
        let is_programs = |code: &Bound<'_, PyAny>| self.code(code).is_ok_and(|it| !it.is_library);
        let Some((code, line)) = ffi::find_frame(py, is_programs) else { return Ok(()) };
        let file = self.names_of(&*self.code(&code)?).file;
        self.flight.note(Verb::Place, task.id().0, pair(file, line));
        Ok(())
    }

    /// Says where the function of a task stands, for want of the line that has made it.
    fn tell_first_line(&self, task: &TaskView<'_>) -> PyResult<()> {
        let Some(code) = task.coroutine.as_ref().map(|it| self.code_of(it)).transpose()?.flatten()
        else {
            return Ok(());
        };
        let file = self.names_of(&code).file;
        self.flight.note(Verb::Place, task.id().0, pair(file, code.first_line));
        Ok(())
    }

    /// Says what a step of a task has come to: it waits, or has ended.
    pub fn tell_outcome(&self, task: &Bound<'_, PyAny>) {
        let Ok(task) = TaskView::of(task) else { return };
        let (how, exception) = match &task.state {
            State::Pending => {
                let _ = self.tell_wait(&task);
                return;
            }
            State::Returned => ("returned", 0),
            State::Cancelled => ("cancelled", 0),
            State::Raised(exception) => ("raised", self.flight.name(&summary(exception))),
        };
        let detail = pair(self.flight.name(how), exception);
        self.flight.note(Verb::Finish, task.id().0, detail);
    }

    /// Says that a task was asked to cancel itself.
    pub fn tell_cancel(&self, task: &Bound<'_, PyAny>) {
        self.flight.note(Verb::Cancel, id_of(task).0, 0);
    }

    /// Says that a signal has come, whose handler is woken next.
    pub fn tell_signal(&self, number: i32) {
        self.flight.note(Verb::Signal, u64::from(number.cast_unsigned()), 0);
    }

    /// Says that an exception has reached the loop, for nobody has handled it.
    pub fn tell_unhandled(&self, context: &Bound<'_, PyAny>) {
        let Ok(context) = context.cast_exact::<PyDict>() else { return };
        let entry = |key| context.get_item(key).ok().flatten();
        let what = match (entry("exception"), entry("message")) {
            (Some(exception), _) if !exception.is_none() => summary(&exception),
            (_, Some(message)) => text_of(&message).unwrap_or_default(),
            _ => String::new(),
        };
        self.mark(&format!("exception: {what}"));
    }

    /// Tells of a step that is taken in the middle of another one, as the first of an eager task.
    pub fn tell_inner_step<T>(&self, task: &Bound<'_, PyAny>, step: impl FnOnce() -> T) -> T {
        self.flight.step_begin(id_of(task));
        let outcome = step();
        self.tell_outcome(task);
        self.flight.step_end();
        outcome
    }

    /// Says again what is called what, of all tasks of a loop, and what each waits for.
    pub(super) fn tell_of_living(&self, event_loop: &Bound<'_, PyAny>) {
        let _ = self.try_to_tell_of_living(event_loop);
    }

    fn try_to_tell_of_living(&self, event_loop: &Bound<'_, PyAny>) -> PyResult<()> {
        // As it is at this moment: a program, or this package, may have put another in its place.
        let all_tasks = event_loop.py().import("asyncio")?.getattr("all_tasks")?;
        let tasks = all_tasks.call1((event_loop,))?;
        for task in tasks.try_iter()? {
            let task = TaskView::of(&task?)?;
            if let TaskName::Number(number) = task.name()? {
                self.flight.note(Verb::Live, task.id().0, number);
            }
            self.describe(&task)?;
            self.tell_first_line(&task)?;
            self.tell_wait(&task)?;
        }
        Ok(())
    }
}

/// An exception in few words, without calling code of the program's.
pub fn summary(exception: &Bound<'_, PyAny>) -> String {
    let class = exception.get_type().name().map_or_else(|_| String::new(), |it| it.to_string());
    let arguments = ffi::attribute(exception, intern!(exception.py(), "args"));
    let arguments = arguments.and_then(|it| it.cast_into_exact::<PyTuple>().ok());
    match arguments.and_then(|it| text_of(&it.get_item(0).ok()?)) {
        Some(message) => format!("{class}: {message}"),
        None => class,
    }
}

/// The beginning of a text, if it is one.
fn text_of(object: &Bound<'_, PyAny>) -> Option<String> {
    let text = object.cast_exact::<PyString>().ok()?;
    Some(text.to_string_lossy().chars().take(LONGEST_MESSAGE).collect())
}
