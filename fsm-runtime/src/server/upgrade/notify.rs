use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;

use socket2::{Domain, SockAddr, Socket, Type};

/// Tells the service manager about this process, as `sd_notify` does, if it has asked for it with `NOTIFY_SOCKET`.
pub(super) fn tell(state: &str) {
    let Some(to) = env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&to, state) {
        crate::log::warn!(%error, state, "cannot tell the service manager");
    }
}

fn send(to: &OsStr, state: &str) -> io::Result<()> {
    let mut path = to.as_bytes().to_vec();
    match path.first() {
        Some(b'/') => {}
        // A name without a file, on Linux.
        Some(b'@') => path[0] = 0,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "NOTIFY_SOCKET is no path")),
    }
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    let sent = socket.send_to(state.as_bytes(), &SockAddr::unix(OsStr::from_bytes(&path))?)?;
    if sent == state.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn u12_a_service_manager_gets_the_state_as_one_datagram() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), "MAINPID=7\nREADY=1").unwrap();
        let mut buffer = [0; 64];
        let length = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"MAINPID=7\nREADY=1");
        assert!(send(OsStr::new("relative"), "READY=1").is_err());
    }
}
