//! A place for a file: tried before there is anything to write, kept from others, and replaced as a whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::file::FileError;

/// A place for a file. [`new`](Self::new) finds out whether a file can be written there; [`write`](Self::write) replaces
/// what is there by the whole of something else, or leaves it as it is.
///
/// While a `Destination` lives, there is no other of the same place, in this process or another: a file beside it, with
/// the ending `.lock`, is locked. The system takes the lock off when a process ends, however it ends.
///
/// What is no file (a pipe, a device) is neither tried nor locked, and written as it is.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// assert!(nn::Destination::new(folder.path().join("no such folder/answers.csv")).is_err());
///
/// let path = folder.path().join("answers.csv");
/// let destination = nn::Destination::new(&path)?;
/// assert!(nn::Destination::new(&path).is_err());         // it is taken
/// destination.write(b"a,b\n1,2\n")?;
/// assert_eq!(std::fs::read(&path)?, b"a,b\n1,2\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Destination {
    /// As it was given, for messages.
    path: PathBuf,
    /// Where the file itself is, if it is one: the folder's full path, links followed.
    place: PathBuf,
    _lock: Lock,
}

impl Destination {
    /// Tries the place: whether its folder is there, a file in it can be made, and no other has it.
    ///
    /// # Errors
    /// [`FileError::Write`], with the reason; [`FileError::InUse`] while there is another `Destination` of the place.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref().to_owned();
        match Self::tried(&path) {
            Ok(Some((place, lock))) => Ok(Self { path, place, _lock: lock }),
            Ok(None) => Err(FileError::InUse { path }),
            Err(reason) => Err(FileError::Write { path, reason }),
        }
    }

    fn tried(path: &Path) -> io::Result<Option<(PathBuf, Lock)>> {
        let place = place_of(path)?;
        if !is_file_or_nothing(&place)? {
            return Ok(Some((place, Lock::none())));
        }
        let Some(lock) = Lock::take(&beside(&place, ".lock"))? else { return Ok(None) };
        let part = beside(&place, ".part");
        let tried = write_through(&part, b"\n", None);
        // What is left of the attempt is of no use.
        let removed = fs::remove_file(&part);
        tried.and(removed)?;
        Ok(Some((place, lock)))
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is where a path leads.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        place_of(path).is_ok_and(|place| place == self.place)
    }

    /// Puts a file with these bytes there. They are written beside it first, down to the disk, and then take the place of
    /// what was there in one step: whenever the machine stops, the one or the other is there, and whole.
    ///
    /// # Errors
    /// [`FileError::Write`], after which what was there before is as it was.
    pub fn write(&self, bytes: &[u8]) -> Result<(), FileError> {
        self.replace(bytes).map_err(|reason| FileError::Write { path: self.path.clone(), reason })
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        if !is_file_or_nothing(&self.place)? {
            return OpenOptions::new().write(true).open(&self.place)?.write_all(bytes);
        }
        let part = beside(&self.place, ".part");
        let permissions = fs::metadata(&self.place).ok().map(|found| found.permissions());
        let written = write_through(&part, bytes, permissions)
            .and_then(|()| fs::rename(&part, &self.place))
            .and_then(|()| sync_folder(&self.place));
        written.inspect_err(|_| {
            // That what is left cannot be removed changes nothing.
            let _ = fs::remove_file(&part);
        })
    }
}

/// A file that is locked for as long as this lives, and removed then. There may be none.
#[derive(Debug)]
struct Lock(Option<(PathBuf, File)>);

impl Lock {
    fn none() -> Self {
        Self(None)
    }

    /// The lock; `None` if another has it.
    fn take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                // A file system without locks: then none is kept.
                Err(TryLockError::Error(reason)) if reason.kind() == io::ErrorKind::Unsupported => {
                }
                Err(TryLockError::Error(reason)) => return Err(reason),
            }
            // Who had it before may have removed the file in between; then this is no longer the one that others find.
            let own = same_file::Handle::from_file(file.try_clone()?)?;
            if same_file::Handle::from_path(path).is_ok_and(|found| found == own) {
                return Ok(Some(Self(Some((path.to_owned(), file)))));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((path, _file)) = self.0.take() {
            // While it is still locked. One that stays does no harm: the system takes the lock off.
            let _ = fs::remove_file(path);
        }
    }
}

/// The file that a path leads to, or will.
fn place_of(path: &Path) -> io::Result<PathBuf> {
    if let Ok(place) = fs::canonicalize(path) {
        return Ok(place);
    }
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no name of a file"));
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match fs::canonicalize(folder) {
        Ok(folder) => Ok(folder.join(name)),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => {
            let what = format!("there is no folder {}", folder.display());
            Err(io::Error::new(reason.kind(), what))
        }
        Err(reason) => Err(reason),
    }
}

/// Whether there is a file that may be replaced, or nothing; `false` for a pipe or a device.
fn is_file_or_nothing(place: &Path) -> io::Result<bool> {
    let found = match fs::metadata(place) {
        Ok(found) => found,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(reason) => return Err(reason),
    };
    if found.is_dir() {
        let what = "there is a folder of this name";
        return Err(io::Error::new(io::ErrorKind::IsADirectory, what));
    }
    // To replace a file asks nothing of the file itself, only of its folder.
    if found.permissions().readonly() {
        let what = "the file that is there is read-only";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    Ok(found.is_file())
}

/// A new file with these bytes, on the disk when this returns.
fn write_through(
    path: &Path,
    bytes: &[u8],
    permissions: Option<fs::Permissions>,
) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.sync_all()
}

/// Makes sure that the new name of a file is on the disk too.
#[cfg(unix)]
fn sync_folder(place: &Path) -> io::Result<()> {
    place.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Only Unix opens folders.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn beside(place: &Path, ending: &str) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
