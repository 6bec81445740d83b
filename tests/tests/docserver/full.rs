//! `docserver` on a full disk: all that frees room works there, also after a restart, and then uploads work
//! again.

use std::path::{Path, PathBuf};
use std::process::Command;

use fsm_tests::{
    Connection, Docserver, Server, TIMEOUT, TempDir, all_in_ci, eventually, example, get, put,
    request, run, skip,
};

/// A small disk, in memory.
struct Disk(TempDir);

impl Disk {
    /// Mounts it, or says why the test is skipped.
    fn mount(size: &str) -> Option<Self> {
        let at = TempDir::new("disk");
        let mut mount = Command::new("mount");
        let size = format!("size={size}");
        let ran = run(mount.args(["-t", "tmpfs", "-o", &size, "none"]).arg(at.path()), TIMEOUT);
        if ran.status.success() {
            return Some(Self(at));
        }
        skip(&format!("it may not mount a disk in memory: {}", ran.stderr.trim()));
        None
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, because a server that a failed test left may use it still.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn start(data: &Path) -> Server {
    Server::start(&mut Docserver::command(data))
}

fn ask(server: &Server, request: impl AsRef<[u8]>) -> u16 {
    Connection::new(server.address()).ask(request).status
}

/// Files documents until none finds room; returns their number.
fn fill(server: &Server, bytes: &[u8]) -> usize {
    let is_full = |n: &usize| ask(server, put(&format!("doc{n}"), bytes)) == 507;
    (0..10_000).find(is_full).expect("the disk should fill")
}

fn delete(server: &Server, name: &str) -> u16 {
    ask(server, request(&format!("DELETE /docs/{name}"), &[]))
}

/// Ends a server with this signal, and starts another one.
fn restart(mut server: Server, signal: &str, data: &Path) -> Server {
    server.signal(signal);
    server.wait(TIMEOUT);
    start(data)
}

/// Documents that are large and have no words, that are small, and that have many words.
fn documents() -> [Vec<u8>; 3] {
    let words: Vec<_> = (0..4000).map(|n| format!("word{n}")).collect();
    [vec![0xff; 100_000], b"a few words".to_vec(), words.join(" ").into_bytes()]
}

#[test]
fn a_full_disk_can_be_emptied_and_filled_again() {
    for document in documents() {
        let Some(disk) = Disk::mount(all_in_ci("8m", "5m")) else { return };
        let server = start(&disk.data());
        let mut counts = Vec::new();
        for _ in 0..2 {
            let count = fill(&server, &document);
            for n in 0..count {
                assert_eq!(delete(&server, &format!("doc{n}")), 204, "{n} of {count}");
            }
            counts.push(count);
        }
        assert!(counts[1] > 0, "{counts:?}");
        assert_eq!(ask(&server, put("doc", &document)), 201);
        server.signal("TERM");
    }
}

#[test]
fn a_full_disk_can_be_emptied_after_a_restart() {
    for (document, signal) in documents().iter().zip(["TERM", "KILL", "KILL"]) {
        let Some(disk) = Disk::mount(all_in_ci("8m", "5m")) else { return };
        let server = start(&disk.data());
        let count = fill(&server, document);
        let server = restart(server, signal, &disk.data());
        assert_eq!(ask(&server, get("/docs/doc0")), 200);
        for n in 0..count {
            assert_eq!(delete(&server, &format!("doc{n}")), 204, "{n} of {count}");
        }
        assert_eq!(ask(&server, put("doc", document)), 201);
    }
}

/// Unfinished uploads that fill the disk are removed at the next start.
#[test]
fn a_server_that_was_killed_on_a_full_disk_starts() {
    let Some(disk) = Disk::mount("8m") else { return };
    let server = start(&disk.data());
    assert_eq!(ask(&server, put("doc", b"words")), 201);
    let mut upload = Connection::new(server.address());
    upload.send("PUT /docs/half HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
    upload.send(vec![0; 4_000_000]);
    let files = || disk.data().join("tmp").read_dir().expect("the server has made it");
    eventually("the upload is spooled", || {
        files().any(|file| {
            file.and_then(|file| file.metadata()).is_ok_and(|file| file.len() == 4_000_000)
        })
    });
    fill(&server, &[0xff; 10_000]);
    let server = restart(server, "KILL", &disk.data());
    assert!(server.log().contains("removed 1 unfinished uploads"), "{}", server.log());
    assert_eq!(ask(&server, put("doc", b"other words")), 200);
}

/// The limit of file sizes is a signal, which ends a process that does not handle it.
#[test]
fn a_document_that_is_larger_than_files_may_be_finds_no_room() {
    let data = TempDir::new("limit");
    let mut limited = Command::new("sh");
    // In blocks of 512 bytes: 4 MiB.
    limited.args(["-c", "ulimit -f 8192; exec \"$0\" --listen 127.0.0.1:0 --data \"$1\""]);
    limited.arg(example("docserver")).arg(data.path().join("data"));
    let server = Server::start(&mut limited);
    assert_eq!(ask(&server, put("large", &vec![0; 5_000_000])), 507);
    assert_eq!(ask(&server, put("small", b"words")), 201);
    assert_eq!(delete(&server, "small"), 204);
    server.stop();
}
