//! Clients that leave while their requests wait for the index.

use fsm_tests::{Connection, Docserver, all_in_ci, eventually, list, one_at_a_time, put, request};

/// A server that files one document at a time, slowly; `first` is being filed by the client that is returned.
/// One more job can wait in the pool; others wait for room.
fn busy(delay: &str) -> (Docserver, Connection) {
    let docs = Docserver::in_memory(&[
        "--index-threads",
        "1",
        "--index-queue",
        "2",
        "--index-delay",
        delay,
    ]);
    docs.put("old", b"old").expect(201);
    let mut first = docs.connect();
    first.send(put("first", b"first"));
    eventually("the job has begun", || docs.filed() == 2);
    (docs, first)
}

fn names(docs: &Docserver) -> Vec<String> {
    list(&mut docs.connect()).into_iter().map(|listed| listed.name).collect()
}

/// Their connections are closed at once, and nothing is filed or deleted for them.
#[test]
fn the_jobs_of_clients_that_leave_are_withdrawn() {
    let _exclusive = one_at_a_time();
    let (docs, mut first) = busy(all_in_ci("2s", "1s"));
    let sockets = docs.server().sockets();
    let mut leaving: Vec<_> = (0..10).map(|_| docs.connect()).collect();
    for (n, connection) in leaving.iter_mut().enumerate() {
        connection.send(match n % 2 {
            0 => put(&format!("left{n}"), b"left"),
            _ => request("DELETE /docs/old", &[]).into_bytes(),
        });
    }
    eventually("they are spooled", || docs.temporary() == 5);
    drop(leaving);
    eventually("they are gone", || docs.server().sockets() == sockets);
    assert!(first.is_silent_for(std::time::Duration::ZERO), "their jobs had not begun");
    first.answer().expect(201);
    // This job is behind those.
    docs.put("last", b"last").expect(201);
    assert_eq!(names(&docs), ["first", "last", "old"]);
    assert_eq!((docs.filed(), docs.temporary()), (3, 0));
    docs.stop();
}

/// A client that only ends its stream hears that its request is withdrawn.
#[test]
fn a_client_that_ends_its_stream_hears_that_its_job_is_withdrawn() {
    let (docs, mut first) = busy(all_in_ci("1s", "500ms"));
    let mut waiting = docs.connect();
    waiting.send(put("waiting", b"waiting"));
    waiting.shutdown_write();
    let answer = waiting.answer().expect(400);
    assert!(String::from_utf8_lossy(&answer.body).contains("withdrawn"), "{answer:?}");
    waiting.expect_end();
    first.answer().expect(201);
    docs.put("last", b"last").expect(201);
    assert_eq!(names(&docs), ["first", "last", "old"]);
    docs.stop();
}

/// A job that has begun is done to its end.
#[test]
fn a_document_that_is_being_filed_is_filed_without_its_client() {
    let (docs, first) = busy("500ms");
    drop(first);
    eventually("it is filed", || names(&docs) == ["first", "old"]);
    assert_eq!((docs.filed(), docs.temporary()), (2, 0));
    docs.stop();
}
