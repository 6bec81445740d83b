use std::io;
use std::process::{Command, Stdio};

use crate::error::Error;

/// Checks that a command can be run.
///
/// # Errors
///
/// [`Error::Missing`] with the Debian packages that contain the command.
pub(crate) fn require(name: &str, packages: &str) -> Result<(), Error> {
    let mut command = Command::new(name);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::missing(format!("`{name}` is not installed; apt-get install {packages}")))
        }
        Err(error) => Err(Error::missing(format!("{name}: {error}"))),
        Ok(_) => Ok(()),
    }
}
