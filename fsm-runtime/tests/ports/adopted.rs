//! Connections that other code has opened or accepted.

use super::*;

fn shouting() -> (Running, Handle<Lines>) {
    let builder = Pool::builder::<Lines>("adopting").max_connections(2);
    let handle = builder.handle();
    let running = start(builder, |line, _| line.to_uppercase());
    (running, handle)
}

fn ask(mut stream: impl Read + Write, line: &str) -> String {
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

#[test]
fn x10_a_connection_that_is_handed_in_is_served_and_bounded() {
    let (running, handle) = shouting();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut clients = Vec::new();
    for number in 0..2 {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(handle.adopt(accepted, ()).is_ok());
        assert_eq!(ask(&client, &format!("client {number}")), format!("CLIENT {number}\n"));
        clients.push(client);
    }
    let _third = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    let full = handle.adopt(accepted, ()).unwrap_err();
    assert!(matches!(full, TrySendError::Full(_)));
    let (stream, ()) = full.into_inner();
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.drained, stats.refused), (2, 2, 1));
    assert!(matches!(handle.adopt(stream, ()), Err(TrySendError::Gone(_))));
}

#[cfg(target_os = "linux")]
#[test]
fn x10_pipes_terminals_and_child_processes_are_connections() {
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    let (running, handle) = shouting();
    let (ours, theirs) = UnixStream::pair().unwrap();
    handle.adopt(ours, ()).unwrap();
    assert_eq!(ask(&theirs, "unix"), "UNIX\n");
    drop(theirs);

    // A terminal reads and writes through one descriptor.
    let main = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR).unwrap();
    rustix::pty::grantpt(&main).unwrap();
    rustix::pty::unlockpt(&main).unwrap();
    let name = rustix::pty::ptsname(&main, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    // No echo, and no change of newlines.
    let mut modes = rustix::termios::tcgetattr(&terminal).unwrap();
    modes.make_raw();
    rustix::termios::tcsetattr(&terminal, rustix::termios::OptionalActions::Now, &modes).unwrap();
    handle.adopt(OwnedFd::from(terminal), ()).unwrap();
    assert_eq!(ask(File::from(main), "terminal"), "TERMINAL\n");

    // A file that the system does not poll ends as broken, and nobody else notices.
    let file = File::open("/proc/self/exe").unwrap();
    handle.adopt(OwnedFd::from(file), ()).unwrap();
    while running.stats().reset < 1 {
        thread::sleep(Duration::from_millis(1));
    }
    let cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut cat = cat.unwrap();
    handle.adopt(OwnedFd::from(cat.stdout.take().unwrap()), ()).unwrap();
    cat.stdin.take().unwrap().write_all(b"a pipe\n").unwrap();
    // The answer cannot be written there, which resets the connection.
    while running.stats().reset < 2 {
        thread::sleep(Duration::from_millis(1));
    }
    cat.wait().unwrap();
    running.drain().unwrap();
}
