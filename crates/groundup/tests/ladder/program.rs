//! Runs an example as the program that Cargo made of it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a busy machine, short enough to wait for.
const LIMIT: Duration = Duration::from_secs(20);

/// What a program has printed, and how it ended.
pub struct Printed {
    pub success: bool,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// Runs an example to its end.
///
/// # Panics
///
/// When it has not ended in time.
pub fn run(example: &str, arguments: &[&str]) -> Printed {
    let output = Output::new(example);
    let mut child = Command::new(path(example))
        .args(arguments)
        .stdout(File::create(&output.stdout).unwrap())
        .stderr(File::create(&output.stderr).unwrap())
        .spawn()
        .unwrap();
    Printed {
        success: ends_well(&mut child),
        stdout: fs::read(&output.stdout).unwrap(),
        stderr: fs::read_to_string(&output.stderr).unwrap(),
    }
}

/// Cargo puts examples beside the folder of the tests.
fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().with_file_name("examples").join(example);
    assert!(path.exists(), "{} is not there: run `cargo build --examples`", path.display());
    path
}

fn ends_well(child: &mut Child) -> bool {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("not done after {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// The files that a program prints to: unlike pipes, they never fill up.
struct Output {
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Output {
    fn new(example: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let name = format!("{example}-{}-{:?}", std::process::id(), thread::current().id());
        Self {
            stdout: folder.join(format!("{name}.out")),
            stderr: folder.join(format!("{name}.err")),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.stdout);
        let _ = fs::remove_file(&self.stderr);
    }
}
