use std::fs;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process has to say that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// The socket at which a new process finds the old one. Dropping it removes its file, unless another process has
/// put its own there.
#[derive(Debug)]
pub(super) struct Meeting {
    pub(super) listener: UnixListener,
    path: PathBuf,
    identity: (u64, u64),
    leaves_file: bool,
}

impl Meeting {
    /// Makes the socket, in place of one that is there.
    ///
    /// Its file is made beside the path and moved there, so that nobody sees it before its mode is set, and so that
    /// there is one at all times while a process follows another.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                let why = "a file that is no socket is there; remove it or choose another path";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
            _ => {}
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let aside = path.with_file_name(name);
        // One of an earlier process of this number.
        if fs::symlink_metadata(&aside).is_ok_and(|found| found.file_type().is_socket()) {
            fs::remove_file(&aside)?;
        }
        let listener = UnixListener::bind(&aside)?;
        let moved = fs::set_permissions(&aside, fs::Permissions::from_mode(0o600))
            .and_then(|()| identity(&aside))
            .and_then(|identity| fs::rename(&aside, path).map(|()| identity));
        match moved {
            Ok(identity) => {
                Ok(Self { listener, path: path.to_owned(), identity, leaves_file: false })
            }
            Err(error) => {
                let _ = fs::remove_file(&aside);
                Err(error)
            }
        }
    }

    /// Ends it without removing a file, because the next process puts its own there at this moment.
    pub(super) fn leave_file(mut self) {
        self.leaves_file = true;
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        if !self.leaves_file && identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Connects to the process that listens there; `None` if none does.
pub(super) fn find(path: &Path) -> io::Result<Option<UnixStream>> {
    match UnixStream::connect(path) {
        Ok(stream) => Ok(Some(stream)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether a process listens there and lives.
///
/// One that dies does not close its sockets together: for a moment it may still listen. It does not answer then,
/// and what waits for it is reset.
pub(super) fn is_alive(path: &Path) -> bool {
    let until = Instant::now() + SIGN_OF_LIFE;
    loop {
        match find(path) {
            Ok(None) => return false,
            Ok(Some(stream)) if has_ended(&stream) => {}
            _ => return true,
        }
        if Instant::now() >= until {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the other end closes without a word, which it has for one that says nothing.
fn has_ended(mut stream: &UnixStream) -> bool {
    let heard = stream
        .set_read_timeout(Some(SIGN_OF_LIFE))
        .and_then(|()| stream.shutdown(Shutdown::Write))
        .and_then(|()| stream.read(&mut [0]));
    match heard {
        Ok(bytes) => bytes == 0,
        // A time that has passed says that nobody has closed it.
        Err(error) => {
            matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected)
        }
    }
}

/// Whether the process at the other end is one of this user, or of root.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn is_trusted(peer: impl AsFd) -> bool {
    let own = rustix::process::geteuid();
    rustix::net::sockopt::socket_peercred(peer)
        .is_ok_and(|peer| peer.uid == own || peer.uid.is_root())
}

/// Elsewhere the mode of the file decides alone.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn is_trusted(_: impl AsFd) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u7_the_socket_replaces_a_stale_one_and_nothing_else_and_only_its_user_can_connect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upgrade.sock");
        assert!(find(&path).unwrap().is_none(), "nobody is there");
        drop(UnixListener::bind(&path).unwrap());
        assert!(find(&path).unwrap().is_none(), "nobody listens");
        let first = Meeting::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(find(&path).unwrap().is_some());
        // The next process takes its place before the first one ends.
        let second = Meeting::bind(&path).unwrap();
        drop(first);
        assert!(find(&path).unwrap().is_some());
        drop(second);
        assert!(!path.exists());
        fs::write(&path, "something else").unwrap();
        assert_eq!(Meeting::bind(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"something else");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
