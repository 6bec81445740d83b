//! How `kv` starts, and its messages when it cannot.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;

use fsm_tests::{Connection, Failure, Server, TIMEOUT, client, example, run};
#[cfg(target_os = "linux")]
use fsm_tests::{eventually, with_sockets};

#[test]
fn ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("this machine has no IPv6");
        return;
    }
    let server = Server::start(&mut kv(&["--listen", "[::1]:0"]));
    assert!(server.address().is_ipv6(), "{}", server.address());
    Connection::new(server.address()).expect(&["PING"], "+PONG\r\n");
    server.stop();
}

#[test]
fn a_port_in_use() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let address = other.local_addr().expect("it is bound");
    let log = refused(kv(&["--port", &address.port().to_string()]));
    assert!(log.contains(&format!("cannot listen on {address}")), "{log}");
    assert!(log.contains("another process"), "{log}");
}

#[test]
fn invalid_addresses() {
    let log = refused(kv(&["--listen", "300.1.1.1"]));
    assert!(log.contains("300.1.1.1") && log.contains("--listen"), "{log}");
    let log = refused(kv(&["--port", "70000"]));
    assert!(log.contains("70000") && log.contains("--port"), "{log}");
    // No machine has an address of 203.0.113.0/24, which is reserved for documentation.
    let log = refused(kv(&["--listen", "203.0.113.1:0"]));
    assert!(log.contains("203.0.113.1:0") && log.contains("no such address"), "{log}");
}

#[test]
fn wrong_options() {
    for (options, words) in [
        (&["--maxmemory", "12parsecs"][..], ["12parsecs", "--maxmemory"]),
        (&["--maxmemory", "99999999999gb"], ["99999999999gb", "--maxmemory"]),
        (&["--max-connections", "many"], ["many", "--max-connections"]),
        (&["--proto-max-bulk-len", "2gb"], ["from 1mb to 1gb", "--proto-max-bulk-len"]),
        (&["--timeout", "5min"], ["5min", "--timeout"]),
        (&["--timeout", "2147483648"], ["between 0 and", "--timeout"]),
        (
            &["--client-output-buffer-limit", "pubsub 32mb"],
            ["Wrong number of arguments", "--client-output-buffer-limit"],
        ),
        (&["--prot", "6380"], ["--prot", "--port"]),
    ] {
        let log = refused(kv(options));
        assert!(words.iter().all(|word| log.contains(word)), "{options:?}: {log}");
    }
}

/// A port below 1024 needs a privilege, which the test drops.
#[test]
fn a_port_that_needs_a_privilege() {
    let start = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let start = start.ok().and_then(|start| start.trim().parse::<u16>().ok());
    let Some(2..) = start else {
        println!("everybody may listen on low ports here");
        return;
    };
    let Some(setpriv) = client("setpriv") else { return };
    let mut server = Command::new(setpriv);
    let root = run(Command::new("id").arg("-u"), TIMEOUT).stdout.trim() == "0";
    server
        .args(if root { &["--bounding-set=-net_bind_service"][..] } else { &[] })
        .arg(example("kv"));
    server.args(["--port", "1"]);
    let log = refused(server);
    assert!(log.contains("cannot listen on 127.0.0.1:1: not permitted"), "{log}");
}

#[test]
fn unix_sockets() {
    let dir = dir("unix");
    let path = dir.join("kv.sock");
    let address = format!("unix:{}", path.display());
    let options = ["--port", "0", "--listen", &address];

    // The file of a dead server is replaced.
    drop(UnixListener::bind(&path).expect("the socket can be made"));
    let server = Server::start(&mut kv(&options));
    let mut client = UnixStream::connect(&path).expect("it should connect");
    client.set_read_timeout(Some(TIMEOUT)).expect("a socket takes options");
    client.write_all(b"PING\r\n").expect("it is connected");
    let mut reply = [0; 7];
    client.read_exact(&mut reply).expect("the server should reply");
    assert_eq!(&reply, b"+PONG\r\n");

    // The file of a running server is kept, and removed when it ends.
    let log = refused(kv(&options));
    assert!(log.contains("kv.sock") && log.contains("another process"), "{log}");
    drop(UnixStream::connect(&path).expect("the first server should be there still"));
    server.stop();
    assert!(!path.exists(), "the socket's file should go with the server");
    assert_eq!(client.read(&mut reply).expect("the stream should end"), 0);

    // Any other file is kept.
    fs::write(&path, "precious").expect("the file can be written");
    let log = refused(kv(&options));
    assert!(log.contains("kv.sock") && !log.contains("another process"), "{log}");
    assert_eq!(fs::read_to_string(&path).expect("the file should be there still"), "precious");

    let path = dir.join("missing").join("kv.sock");
    let path = path.to_str().expect("a path in UTF-8");
    let log = refused(kv(&["--listen", &format!("unix:{path}")]));
    assert!(log.contains(path) && log.contains("No such file or directory"), "{log}");
    fs::remove_dir_all(dir).expect("the directory can be removed");
}

#[cfg(target_os = "linux")]
#[test]
fn x15_sockets_of_a_service_manager_are_served_and_not_inherited() {
    let options = ["--listen", "fd:front", "--listen", "fd:6"];
    let Some(mut command) = with_sockets("front:other:front:unknown", &kv(&options)) else {
        return;
    };
    let server = Server::start(&mut command);
    Connection::new(server.address()).expect(&["PING"], "+PONG\r\n");
    server.logs("listening");
    eventually("all sockets are used", || server.addresses().len() == 3);
    for address in server.addresses() {
        Connection::new(address).expect(&["PING"], "+PONG\r\n");
    }
    // The pool has copies of those that it uses, and no program inherits the other one (`O_CLOEXEC`).
    let info = |number: u32| fs::read_to_string(format!("/proc/{}/fdinfo/{number}", server.pid()));
    let other = info(4).expect("it is open");
    let flags = other.lines().find_map(|line| line.strip_prefix("flags:")).expect("it has flags");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("they are octal");
    assert_eq!(flags & 0o2_000_000, 0o2_000_000, "{other}");
    server.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn x15_sockets_that_cannot_be_used_are_refused_with_the_reason() {
    for (options, words) in [
        (&["--listen", "fd:back"][..], "passed are `front` (3), `other` (4)"),
        (&["--listen", "fd:5"], "passed are `front` (3), `other` (4)"),
        (&["--listen", "fd:front", "--listen", "fd:3"], "a pool has taken descriptor 3 already"),
        (&["--listen", "fd:"], "the name is missing"),
        (&["--listen", "fd:2"], "from 3 on"),
        (&["--listen", "fd:a:b"], "can have this name"),
    ] {
        let Some(command) = with_sockets("front:other", &kv(options)) else { return };
        let log = refused(command);
        assert!(log.contains(words), "{options:?}: {log}");
    }
    let pid = std::process::id().to_string();
    for (variables, words) in [
        (&[][..], "`LISTEN_FDS` is not set"),
        (&[("LISTEN_FDS", "1")], "`LISTEN_PID` is not set"),
        (&[("LISTEN_FDS", "1"), ("LISTEN_PID", &pid)], "were passed to process"),
        (&[("LISTEN_FDS", "many"), ("LISTEN_PID", &pid)], "`LISTEN_FDS` is `many`"),
    ] {
        let mut command = kv(&["--listen", "fd:front"]);
        command.envs(variables.iter().copied());
        let log = refused(command);
        assert!(log.contains(words), "{variables:?}: {log}");
    }
    // The shell keeps its process id. It passes a file, a number that is not open, and too many.
    for (count, listen, words) in [
        ("2", "fd:3", "descriptor 3 is no socket"),
        ("64", "fd:60", "descriptor 60 is not open"),
        ("4000000000", "fd:3", "at most 1024"),
    ] {
        let line =
            format!("LISTEN_PID=$$ LISTEN_FDS={count} exec \"$0\" --listen {listen} 3</dev/null");
        let mut command = Command::new("sh");
        command.args(["-c", &line]).arg(example("kv"));
        let log = refused(command);
        assert!(log.contains(words), "{count} {listen}: {log}");
    }
}

#[test]
fn help_says_what_each_option_is_for() {
    let ran = run(&mut kv(&["--help"]), TIMEOUT);
    assert!(ran.status.success(), "{ran:?}");
    for word in
        ["--listen", "--maxmemory", "--proto-max-bulk-len", "--timeout", "6380", "redis-cli"]
    {
        assert!(ran.stdout.contains(word), "no `{word}` in:\n{}", ran.stdout);
    }
    let longest = ran.stdout.lines().map(str::len).max();
    println!("{} lines, the longest of {longest:?} bytes", ran.stdout.lines().count());
}

fn kv(options: &[&str]) -> Command {
    let mut command = Command::new(example("kv"));
    command.args(options);
    command
}

/// Starts a server that must fail with one clear message, and returns its log.
fn refused(mut server: Command) -> String {
    let Err(Failure { status, log }) = Server::try_start(&mut server) else {
        panic!("{server:?} should not start");
    };
    assert!(status.code().is_some_and(|code| code != 0), "{server:?}: {status}: {log}");
    assert!(!log.contains("panicked") && !log.contains("RUST_BACKTRACE"), "{server:?}: {log}");
    // Skip the hints of clap.
    let mut lines = log.lines().filter(|line| {
        let line = line.trim();
        !line.is_empty()
            && ["For more ", "Usage:", "tip:"].iter().all(|hint| !line.starts_with(hint))
    });
    let (line, more) = (lines.next().unwrap_or_default(), lines.next());
    assert!(line.to_lowercase().starts_with("error: "), "{server:?}: {log}");
    assert_eq!(more, None, "{server:?} should say one thing:\n{log}");
    println!("{line}");
    log
}

/// A new, empty directory with a short path, because the path of a socket is limited.
fn dir(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("fsm-kv-{name}-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a temporary directory can be made");
    dir
}
