//! The listening sockets that a service manager has passed to the process, as systemd does it (X15).

use std::env;
use std::net::TcpListener;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::{Mutex, PoisonError};

use rustix::io::{Errno, FdFlags};
use socket2::{Domain, SockRef, Type};

use crate::net::listener::ListeningSocket;

/// The most sockets that are taken, so that a wrong variable claims no descriptor of somebody else.
const MOST: u32 = 1024;

/// A descriptor that was passed.
struct Passed {
    number: usize,
    name: String,
    state: PassedState,
}

enum PassedState {
    Free(OwnedFd),
    /// A pool has it or had it.
    Taken,
    /// It was announced, but no such descriptor is open.
    Closed,
}

/// All descriptors that were passed, from the first look at them on. They are taken once, because a
/// descriptor has one owner.
static PASSED: Mutex<Option<Vec<Passed>>> = Mutex::new(None);

/// Becomes the owner of all descriptors that were passed, before the pools open others.
pub(crate) fn claim() {
    // `take` tells why it fails.
    let _ = claimed(&mut PASSED.lock().unwrap_or_else(PoisonError::into_inner));
}

fn claimed(passed: &mut Option<Vec<Passed>>) -> Result<&mut [Passed], String> {
    if passed.is_none() {
        *passed = Some(receive()?);
    }
    Ok(passed.as_deref_mut().unwrap_or_default())
}

/// Takes the sockets of a name, or the one with a number.
///
/// # Errors
///
/// Says why they cannot be used. Then none is taken.
pub(crate) fn take(which: &str) -> Result<Vec<ListeningSocket>, String> {
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let all = claimed(&mut passed)?;
    let number: Option<usize> = which.parse().ok();
    let is_meant = |it: &Passed| number.map_or(it.name == which, |number| it.number == number);
    if !all.iter().any(is_meant) {
        return Err(not_among(all));
    }
    for socket in all.iter().filter(|it| is_meant(it)) {
        socket.check()?;
    }
    let taken = all.iter_mut().filter(|it| is_meant(it)).filter_map(Passed::take);
    Ok(taken.collect())
}

impl Passed {
    /// Finds out whether a pool can take it.
    fn check(&self) -> Result<(), String> {
        let number = self.number;
        match &self.state {
            PassedState::Taken => Err(format!("a pool has taken descriptor {number} already")),
            PassedState::Closed => Err(format!("descriptor {number} is not open")),
            PassedState::Free(socket) => {
                let socket = SockRef::from(socket);
                let no_socket = |_| format!("descriptor {number} is no socket");
                let kind = socket.r#type().map_err(no_socket)?;
                let address = socket.local_addr().map_err(no_socket)?;
                let is_usable = address.is_unix() || address.as_socket().is_some();
                if kind != Type::STREAM || !is_usable {
                    return Err(format!("descriptor {number} is no stream socket of TCP or Unix"));
                }
                if !socket.is_listener().map_err(|error| error.to_string())? {
                    return Err(format!("descriptor {number} is a socket that does not listen"));
                }
                Ok(())
            }
        }
    }

    fn take(&mut self) -> Option<ListeningSocket> {
        match std::mem::replace(&mut self.state, PassedState::Taken) {
            PassedState::Free(socket) => {
                let domain = SockRef::from(&socket).local_addr().map(|it| it.domain());
                Some(match domain {
                    Ok(Domain::UNIX) => UnixListener::from(socket).into(),
                    _ => TcpListener::from(socket).into(),
                })
            }
            PassedState::Taken | PassedState::Closed => None,
        }
    }
}

fn not_among(all: &[Passed]) -> String {
    let names: Vec<_> = all.iter().map(|it| format!("`{}` ({})", it.name, it.number)).collect();
    if names.is_empty() {
        return "no socket was passed to the server".to_owned();
    }
    format!("the sockets that were passed are {}", names.join(", "))
}

/// Becomes the owner of all descriptors that were passed, and sees to it that no other program inherits them.
fn receive() -> Result<Vec<Passed>, String> {
    let Some(count) = variable("LISTEN_FDS")? else {
        return Err(
            "no socket was passed to the server, because `LISTEN_FDS` is not set".to_owned()
        );
    };
    match variable("LISTEN_PID")? {
        None => {
            let why = "no socket was passed to the server, because `LISTEN_PID` is not set";
            return Err(why.to_owned());
        }
        Some(pid) if pid != std::process::id() => {
            return Err(format!(
                "the sockets were passed to process {pid}, and this is process {}",
                std::process::id()
            ));
        }
        Some(_) => {}
    }
    if count > MOST {
        return Err(format!("`LISTEN_FDS` is {count}, and may be at most {MOST}"));
    }
    let sockets = sd_listen_fds::get().map_err(|error| error.to_string())?;
    let sockets = (3..).zip(sockets).map(|(number, (name, socket))| {
        let socket = socket.into_std();
        let state = match rustix::io::fcntl_setfd(&socket, FdFlags::CLOEXEC) {
            Err(Errno::BADF) => {
                // Code that opens a descriptor of this number later is its owner.
                let _ = socket.into_raw_fd();
                PassedState::Closed
            }
            _ => PassedState::Free(socket),
        };
        // As systemd calls what has no name.
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned());
        Passed { number, name, state }
    });
    Ok(sockets.collect())
}

fn variable(name: &str) -> Result<Option<u32>, String> {
    let Some(text) = env::var_os(name) else { return Ok(None) };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number
        .map(Some)
        .ok_or_else(|| format!("`{name}` is `{}`, which is no number", text.to_string_lossy()))
}
