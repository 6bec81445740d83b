use std::process::Command;

use crate::client;

/// Binds a TCP socket for each name, makes them descriptors from 3 on, and becomes the program.
const SCRIPT: &str = r"
import fcntl, os, socket, sys
names, program = sys.argv[1], sys.argv[2:]
sockets = [socket.create_server(('127.0.0.1', 0)) for _ in names.split(':')]
numbers = [fcntl.fcntl(it.fileno(), fcntl.F_DUPFD_CLOEXEC, 100) for it in sockets]
for number, passed in enumerate(numbers, 3):
    os.dup2(passed, number, inheritable=True)
pid, count = str(os.getpid()), str(len(numbers))
variables = dict(os.environ, LISTEN_PID=pid, LISTEN_FDS=count, LISTEN_FDNAMES=names)
os.execve(program[0], program, variables)
";

/// A command that runs the program of `command` with listening sockets of these names, which a colon
/// separates, as systemd passes them. `None` without Python, as [`client`] says.
pub fn with_sockets(names: &str, command: &Command) -> Option<Command> {
    let mut python = Command::new(client("python3")?);
    python.args(["-c", SCRIPT, names]).arg(command.get_program()).args(command.get_args());
    Some(python)
}
