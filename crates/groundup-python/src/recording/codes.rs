//! Code objects: what the functions are called that run, and what it means to wait in one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use groundup::recorder::Name;
use pyo3::intern;
use pyo3::prelude::*;

use super::narrator::Narrator;
use super::waits::Kind;

/// How many code objects are known at most: each is held, so that its address stays its own.
const MOST: usize = 1 << 16;

/// What is known of code objects, by address.
pub struct Codes {
    folders: Folders,
    known: RefCell<HashMap<usize, Rc<Code>>>,
    /// The names of lines of code objects.
    lines: RefCell<HashMap<(usize, u32), Name>>,
}

/// A code object.
pub struct Code {
    object: Py<PyAny>,
    /// The function's qualified name.
    pub function: String,
    /// The file's whole name.
    pub file: String,
    pub first_line: u32,
    /// Whether it is asyncio's or this package's, where nobody looks for his own faults.
    pub is_library: bool,
    /// What is waited for in it.
    pub kind: Option<Kind>,
    names: RefCell<Option<Names>>,
}

/// The numbers of its texts.
#[derive(Clone, Copy)]
pub struct Names {
    pub function: Name,
    pub file: Name,
    /// The file and the first line.
    pub place: Name,
}

/// The folders of asyncio and of this package, each with a slash at its end.
struct Folders {
    asyncio: String,
    own: String,
}

impl Folders {
    fn find(py: Python<'_>) -> PyResult<Self> {
        let folder = |module: &str| -> PyResult<String> {
            let file: String = py.import(module)?.getattr("__file__")?.extract()?;
            Ok(file.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/")))
        };
        Ok(Self { asyncio: folder("asyncio")?, own: folder("groundup")? })
    }

    /// Whether a file is asyncio's, or this package's but for its commands, or the interpreter's own.
    fn hold(&self, file: &str) -> bool {
        let is_own = file.strip_prefix(&self.own).is_some_and(|rest| !rest.contains('/'));
        is_own || file.starts_with(&self.asyncio) || file.starts_with("<frozen ")
    }
}

impl Codes {
    /// Nothing is known yet.
    ///
    /// # Errors
    ///
    /// What importing asyncio raises.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let (known, lines) = (RefCell::default(), RefCell::default());
        Ok(Self { folders: Folders::find(py)?, known, lines })
    }

    /// Names have other numbers from now on.
    pub fn forget_names(&self) {
        for code in self.known.borrow().values() {
            code.names.replace(None);
        }
        self.lines.borrow_mut().clear();
    }
}

impl Narrator {
    /// What is known of a code object.
    ///
    /// # Errors
    ///
    /// What asking it raises: it may be none.
    pub(super) fn code(&self, object: &Bound<'_, PyAny>) -> PyResult<Rc<Code>> {
        let address = object.as_ptr().addr();
        if let Some(code) = self.codes.known.borrow().get(&address) {
            return Ok(Rc::clone(code));
        }
        let code = Rc::new(Code::read(object, &self.codes.folders)?);
        let mut known = self.codes.known.borrow_mut();
        if known.len() < MOST {
            known.insert(address, Rc::clone(&code));
        }
        Ok(code)
    }

    /// The numbers of a code object's texts.
    pub(super) fn names_of(&self, code: &Code) -> Names {
        if let Some(names) = *code.names.borrow() {
            return names;
        }
        let names = Names {
            function: self.flight.name(&code.function),
            file: self.flight.name(&code.file),
            place: self.flight.name(&format!("{}:{}", code.file, code.first_line)),
        };
        code.names.replace(Some(names));
        names
    }

    /// The name of a line of a function: `fetch (app.py:12)`.
    pub(super) fn name_of_line(&self, code: &Code, line: u32) -> Name {
        let place = (code.object.as_ptr().addr(), line);
        if let Some(&name) = self.codes.lines.borrow().get(&place) {
            return name;
        }
        let name = self.flight.name(&format!("{} ({}:{line})", code.function, code.file_name()));
        self.codes.lines.borrow_mut().insert(place, name);
        name
    }
}

impl Code {
    fn read(object: &Bound<'_, PyAny>, folders: &Folders) -> PyResult<Self> {
        let py = object.py();
        let text = |name| -> PyResult<String> {
            Ok(object.getattr(name)?.str()?.to_string_lossy().into_owned())
        };
        let function = text(intern!(py, "co_qualname"))?;
        let file = text(intern!(py, "co_filename"))?;
        let module = file.strip_prefix(&folders.asyncio);
        let kind = module.and_then(|module| Kind::of_function(module, &function));
        let is_library = folders.hold(&file);
        let first_line = object.getattr(intern!(py, "co_firstlineno"))?.extract()?;
        let object = object.clone().unbind();
        Ok(Self { object, function, file, first_line, is_library, kind, names: RefCell::default() })
    }

    /// The file's name without its folder.
    pub fn file_name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default()
    }
}
