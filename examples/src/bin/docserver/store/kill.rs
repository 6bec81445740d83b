//! Kills a process while it files documents.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{Digest, Spool, Store, cleanup, directory};
use crate::http::Name;

const DIRECTORY: &str = "DOCSERVER_KILL_TEST_DIRECTORY";
const NAMES: u64 = 3;

fn name(round: u64) -> Name {
    Name::new(&format!("doc{}", round % NAMES)).unwrap()
}

/// Runs in the process that is killed: files documents, and deletes some.
fn file_until_killed(root: &str) {
    let (mut store, _) = Store::open(root).unwrap();
    for round in 0.. {
        let mut spool = Spool::create(store.directory()).unwrap();
        for _ in 0..50 {
            spool.write(format!("round{round} ").repeat(100).as_bytes()).unwrap();
        }
        let mut spooled = spool.finish();
        let digested = spooled.digest().unwrap();
        let mut settled = store.settle(&mut spooled, digested).unwrap();
        settled.read_text().unwrap();
        let filed = store.index(&name(round), &mut settled, |_| true).unwrap().unwrap();
        println!("\nfiled {round}");
        if let Some(replaced) = filed.replaced {
            cleanup(&replaced);
        }
        if round % 5 == 0 {
            store.delete(&name(round + 1), |_| true).unwrap();
        }
    }
}

/// The test starts its own program again, as the process to kill.
#[test]
fn a_process_may_be_killed_at_any_moment() {
    if let Ok(root) = std::env::var(DIRECTORY) {
        return file_until_killed(&root);
    }
    let root = TempDir::new().unwrap();
    let mut filed = 0;
    for run in 0..15 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::kill::a_process_may_be_killed_at_any_moment", "--nocapture"])
            .env(DIRECTORY, root.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(30 + 11 * run));
        child.kill().unwrap(); // SIGKILL
        let mut output = String::new();
        child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        child.wait().unwrap();
        let mut rounds =
            output.lines().filter_map(|line| line.strip_prefix("filed ")?.parse().ok());
        let last = rounds.next_back();
        check(root.path(), last);
        filed += last.map_or(0, |last: u64| last + 1);
    }
    assert!(filed > 0, "every process was killed before it did anything");
}

/// Every document is complete, no other file is left, and no document that was reported as filed is
/// missing.
fn check(root: &Path, last: Option<u64>) {
    let (store, recovery) = Store::open(root).unwrap();
    assert!(recovery.broken.is_empty(), "{recovery}");
    let documents = store.list("", 100).unwrap().documents;
    for document in &documents {
        let bytes = fs::read(&document.path).unwrap();
        assert_eq!(Digest(Sha256::digest(&bytes).into()), document.digest);
        let text = String::from_utf8(bytes).unwrap();
        let word = text.split(' ').next().unwrap();
        let hits = store.search(word, 100).unwrap();
        assert!(hits.iter().any(|hit| hit.name == document.name), "{word}");
    }
    if let Some(round) = last {
        let (_, mut file): (_, File) = store.open_file(&name(round)).unwrap().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert!(text.starts_with(&format!("round{round} ")), "{round}");
    }
    assert_eq!(directory::files(&root.join("docs")).unwrap().len(), documents.len());
    assert!(directory::files(&root.join("tmp")).unwrap().is_empty());
    let texts = "SELECT count(*) FROM texts";
    let rows: usize = store.sql.query_row(texts, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, documents.len());
    let integrity = "INSERT INTO texts (texts) VALUES ('integrity-check')";
    store.sql.execute(integrity, []).unwrap();
}
