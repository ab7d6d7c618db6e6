//! A file as memory: what is written into it is in the file, even when the process dies at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use groundup::recorder::recording::Head;
use memmap2::{MmapMut, MmapOptions};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// The bytes of a head in a mapped file: what follows can be mapped by itself.
pub const HEAD: u32 = 4096;

fn map_part(file: &File, offset: u64, length: u64) -> io::Result<MmapMut> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    // SAFETY: the file was made by this process, has room for all of the map, and is never made
    // shorter by it. What is in it are bytes, of which any are valid.
    unsafe { MmapOptions::new().offset(offset).len(length).map_mut(file) }
}

/// A file for a recording.
#[derive(Debug)]
pub struct RecordingFile {
    /// Where it is, whatever the working folder becomes.
    pub path: PathBuf,
    head: Head,
}

impl RecordingFile {
    /// Makes a file for a recording, with room for all of it, and opens it. A file that was there is
    /// replaced.
    ///
    /// # Errors
    ///
    /// Those of making the file; `EEXIST` when the name is that of something else than a file; `ENOSPC`
    /// or `EFBIG` when there is no room for it.
    pub fn create(path: &Path, head: Head) -> io::Result<(Self, File)> {
        let path = std::path::absolute(path)?;
        remove_file(&path)?;
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        // A page for which there is no room would end the process when it is written to.
        let length = u64::from(HEAD) + head.names + head.records;
        let outcome =
            reserve(&mut file, length).and_then(|()| file.write_all_at(&head.to_bytes(), 0));
        if let Err(error) = outcome {
            // Nothing else has been written.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok((Self { path, head }, file))
    }

    /// The memory of names, and that of records, in the file.
    ///
    /// # Errors
    ///
    /// Those of mapping a file.
    pub fn map(&self, file: &File) -> io::Result<(MmapMut, MmapMut)> {
        let names = map_part(file, u64::from(HEAD), self.head.names)?;
        let records = map_part(file, u64::from(HEAD) + self.head.names, self.head.records)?;
        Ok((names, records))
    }

    /// Writes a file that has only what is used; it has its name only when it is whole.
    ///
    /// # Errors
    ///
    /// Those of writing a file, and of giving it another's name.
    pub fn write(&self, path: &Path, names: &[u8], records: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        let head = Head {
            length: groundup::recorder::recording::HEAD as u32,
            names: names.len() as u64,
            records: records.len() as u64,
            ..self.head
        };
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let written =
            [&head.to_bytes(), names, records].iter().try_for_each(|it| file.write_all(it));
        let outcome = written.and_then(|()| fs::rename(&part, path));
        if outcome.is_err() {
            let _ = fs::remove_file(&part);
        }
        outcome
    }
}

/// Takes away the file of this name, if there is one; who reads it goes on reading it.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(it) if !it.is_file() && !it.is_symlink() => Err(Errno::EXIST.into()),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sees to it that the disk has room for a file of so many bytes.
fn reserve(file: &mut File, length: u64) -> io::Result<()> {
    match fallocate(&*file, FallocateFlags::empty(), 0, length) {
        // Not every file system can do that.
        Err(Errno::OPNOTSUPP) => io::copy(&mut io::repeat(0).take(length), file).map(drop),
        outcome => Ok(outcome?),
    }
}
