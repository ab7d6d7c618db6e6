//! What a look at a loop has shown, as dictionaries of Python's.

use std::collections::BTreeMap;

use groundup::clock::Timestamp;
use groundup::recorder::{Name, halves};
use groundup::weave::Lookout;
use groundup::weave::present::{Activity, Lately, PresentTask, Ran, State, Who};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::lookout::{Order, error};

/// What a look has shown. Its methods raise what reading the file does.
pub struct Sight<'a> {
    pub lookout: &'a Lookout,
    /// When that was.
    pub now: Timestamp,
}

impl Sight<'_> {
    /// The loop.
    pub fn of_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (present, seen) = (self.lookout.present(), PyDict::new(py));
        let lately = present.lately();
        seen.set_item("seconds", self.now.since(lately.began).as_secs_f64())?;
        seen.set_item("tasks_alive", present.tasks().count())?;
        seen.set_item("tasks_spawned", lately.spawned)?;
        seen.set_item("tasks_finished", lately.finished)?;
        seen.set_item("steps", lately.steps)?;
        seen.set_item("running", lately.running.as_secs_f64())?;
        seen.set_item("sleeping", lately.sleeping.as_secs_f64())?;
        seen.set_item("collecting", lately.collecting.as_secs_f64())?;
        seen.set_item("ready", lately.ready)?;
        seen.set_item("bytes_read", lately.came)?;
        seen.set_item("bytes_written", lately.went)?;
        seen.set_item("lag_mean", mean_lag(lately))?;
        seen.set_item("lag_longest", lately.longest_lag.as_secs_f64())?;
        seen.set_item("longest_step", lately.longest.as_secs_f64())?;
        seen.set_item("longest_step_of", self.called(lately.longest_of)?)?;
        let doing = present.doing().map(|doing| match doing.what {
            Activity::Step(_) => "step",
            Activity::Poll => "poll",
            Activity::Collection => "collection",
        });
        seen.set_item("doing", doing)?;
        let step = present.step();
        let whose = step.map_or(Ok(String::new()), |(whose, _)| self.called(whose))?;
        seen.set_item("step_of", whose)?;
        seen.set_item("step_since", step.map(|(_, since)| self.seconds_since(since)))?;
        Ok(seen)
    }

    /// Its tasks, at most so many.
    pub fn of_tasks<'py>(
        &self,
        py: Python<'py>,
        order: Order,
        most: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut tasks: Vec<_> = self.lookout.present().tasks().collect();
        order.sort(&mut tasks);
        let seen = PyList::empty(py);
        for task in tasks.into_iter().take(most) {
            seen.append(self.of_task(py, task)?)?;
        }
        Ok(seen)
    }

    fn of_task<'py>(&self, py: Python<'py>, task: &PresentTask) -> PyResult<Bound<'py, PyDict>> {
        let seen = PyDict::new(py);
        let parent = task.parent.and_then(|parent| self.lookout.present().task(parent));
        let parent = parent.map_or(Ok(String::new()), |it| self.name_of(it.name, it.number))?;
        seen.set_item("name", self.name_of(task.name, task.number)?)?;
        seen.set_item("coroutine", self.text(task.coroutine)?)?;
        seen.set_item("file", self.text(task.place.0)?)?;
        seen.set_item("line", task.place.1)?;
        seen.set_item("parent", parent)?;
        seen.set_item("state", state(task.state))?;
        seen.set_item("since", self.seconds_since(task.since))?;
        seen.set_item("is_since_known", task.is_since_known)?;
        let (what, chain) = match task.state {
            State::Waiting { what, chain } => (what, chain),
            _ => (0, 0),
        };
        seen.set_item("what", self.text(what)?)?;
        let chain = self.lookout.present().chain(chain);
        let chain: PyResult<Vec<_>> = chain.into_iter().map(|name| self.text(name)).collect();
        seen.set_item("chain", chain?)?;
        add_ran(&seen, task.ran)?;
        Ok(seen)
    }

    /// What functions took, by name and place: in time, a function has several numbers.
    pub fn of_functions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let (lately, mut functions) = (self.lookout.present().lately(), BTreeMap::new());
        for (&names, ran) in &lately.functions {
            let (name, place) = halves(names);
            let total: &mut Ran =
                functions.entry((self.text(name)?, self.text(place)?)).or_default();
            total.steps += ran.steps;
            total.running += ran.running;
        }
        if lately.descriptors.steps > 0 {
            functions.insert((String::from("descriptors"), String::new()), lately.descriptors);
        }
        let seen = PyList::empty(py);
        for ((name, place), ran) in functions {
            let function = PyDict::new(py);
            function.set_item("name", name)?;
            function.set_item("place", place)?;
            add_ran(&function, ran)?;
            seen.append(function)?;
        }
        Ok(seen)
    }

    fn called(&self, who: Who) -> PyResult<String> {
        match who {
            Who::Unknown => Ok(String::new()),
            Who::Task { name, number, .. } => self.name_of(name, number),
            Who::Function(names) => self.text(halves(names).0),
            Who::Descriptor(descriptor) => Ok(format!("descriptor {descriptor}")),
        }
    }

    /// A task that has no other name is called by its number.
    fn name_of(&self, name: Name, number: u64) -> PyResult<String> {
        match (name, number) {
            (0, 1..) => Ok(format!("Task-{number}")),
            (name, _) => self.text(name),
        }
    }

    fn text(&self, name: Name) -> PyResult<String> {
        self.lookout.name(name).map_err(|it| error(&it))
    }

    fn seconds_since(&self, time: Timestamp) -> f64 {
        self.now.since(time).as_secs_f64()
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Unknown => "unknown",
        State::Running => "running",
        State::Ready => "ready",
        State::Waiting { .. } => "waiting",
    }
}

fn mean_lag(lately: &Lately) -> f64 {
    if lately.lags == 0 { 0.0 } else { lately.lag.as_secs_f64() / lately.lags as f64 }
}

fn add_ran(seen: &Bound<'_, PyDict>, ran: Ran) -> PyResult<()> {
    seen.set_item("steps", ran.steps)?;
    seen.set_item("running", ran.running.as_secs_f64())
}
