//! The times that clients have, and slow clients that use them up.

use std::time::{Duration, Instant};

use fsm_tests::{
    BackgroundClient, Connection, Docserver, Random, TIMEOUT, eventually, get, one_at_a_time, put,
    request,
};

/// The time by which an end may be late on a busy machine.
const LATE: Duration = Duration::from_secs(3);

/// Checks that `ends` takes as long as `time`.
#[track_caller]
fn takes(time: Duration, ends: impl FnOnce()) {
    let start = Instant::now();
    ends();
    let took = start.elapsed();
    // A port counts in whole milliseconds.
    assert!(took + Duration::from_millis(5) >= time && took < time + LATE, "{took:?}");
}

#[test]
fn silence_between_requests_is_closed_quietly() {
    let docs = Docserver::in_memory(&["--idle", "300ms"]);
    let idle = Duration::from_millis(300);
    takes(idle, || docs.connect().expect_end());
    let mut connection = docs.connect();
    for path in ["/docs", "/none", "/"] {
        drop(connection.ask(get(path)));
        assert!(connection.is_silent_for(idle / 3), "{path}");
    }
    drop(connection.ask(get("/docs")));
    takes(idle, || connection.expect_end());
    docs.stop();
}

#[test]
fn a_head_has_its_time_from_the_first_byte() {
    let docs = Docserver::in_memory(&["--head-timeout", "500ms"]);
    let head = get("/docs");
    let mut connection = docs.connect();
    connection.ask(&head).expect(200);
    assert!(connection.is_silent_for(Duration::from_secs(1)), "no head has begun");
    takes(Duration::from_millis(500), || {
        for byte in head.chars() {
            connection.send(byte.to_string());
            if !connection.is_silent_for(Duration::from_millis(50)) {
                break;
            }
        }
        let answer = connection.answer().expect(408);
        assert!(!answer.keeps_alive());
    });
    connection.expect_end();
    docs.stop();
}

#[test]
fn a_document_that_stalls_is_answered_408() {
    let docs = Docserver::in_memory(&["--stall", "500ms"]);
    let chunked = request("PUT /docs/a", &["Transfer-Encoding: chunked"]);
    for upload in [put("a", b"one").split_last().expect("it is long").1, chunked.as_bytes()] {
        let mut connection = docs.connect();
        takes(Duration::from_millis(500), || {
            let answer = connection.ask(upload).expect(408);
            assert!(!answer.keeps_alive());
        });
        connection.expect_end();
    }
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

#[test]
fn a_client_that_stops_reading_a_document_is_disconnected() {
    let docs = Docserver::in_memory(&["--stall", "500ms"]);
    let sockets = docs.server().sockets();
    docs.put("large", &Random::new(5).next_bytes(16_000_000)).expect(201);
    let mut reading = docs.connect();
    reading.send(get("/docs/large"));
    assert_eq!(reading.line(), "HTTP/1.1 200 OK\r");
    eventually("it is gone", || docs.server().sockets() == sockets);
    docs.stop();
}

/// A slow upload, and the time that it has.
struct Slow {
    connection: Connection,
    /// Sent again and again.
    piece: &'static str,
    budget: Duration,
    ended: Option<Duration>,
}

impl Slow {
    fn start(docs: &Docserver, n: usize) -> Self {
        let (field, piece, millis) = [
            ("Content-Length: 1600", "x", 1_100),
            ("Content-Length: 1048576", "x", 2_024),
            ("Transfer-Encoding: chunked", "1\r\nx\r\n", 2_024),
        ][n % 3];
        let mut connection = docs.connect();
        connection.send(request(&format!("PUT /docs/slow{n}"), &[field]));
        Self { connection, piece, budget: Duration::from_millis(millis), ended: None }
    }

    /// Sends a piece unless the server has answered.
    fn go_on(&mut self, elapsed: Duration) {
        if self.ended.is_some() {
            return;
        }
        if self.connection.is_silent_for(Duration::ZERO) {
            // The server may end it at this moment.
            let _ = self.connection.try_send(self.piece.as_bytes());
            return;
        }
        self.connection.answer().expect(408);
        self.ended = Some(elapsed);
    }
}

/// Three hundred uploads of a byte now and then end within their budgets. An upload that keeps the least rate
/// takes longer than these, and is filed. It sends at more than twice that rate, because the machine may be busy.
#[test]
fn slow_uploads_end_within_their_budgets() {
    const PAUSE: Duration = Duration::from_millis(200);

    let _exclusive = one_at_a_time();
    let docs = Docserver::in_memory(&["--stall", "1s", "--body-rate", "16kB"]);
    let sockets = docs.server().sockets();
    let background = BackgroundClient::on_docserver(docs.server().address());
    let start = Instant::now();
    let mut slow: Vec<_> = (0..300).map(|n| Slow::start(&docs, n)).collect();
    let body = Random::new(7).next_bytes(200_000);
    let request = put("steady", &body);
    let mut steady = docs.connect();
    for piece in request.chunks(8_000) {
        steady.send(piece);
        for upload in &mut slow {
            upload.go_on(start.elapsed());
        }
        assert!(steady.is_silent_for(PAUSE) || start.elapsed() > 24 * PAUSE, "it is in time");
    }
    steady.answer().expect(201);
    for upload in &slow {
        let ended = upload.ended.expect("it should have ended by now");
        assert!(ended + PAUSE >= upload.budget, "{ended:?} is too early");
        assert!(ended <= upload.budget + LATE, "{ended:?} is too late");
    }
    println!("{}", background.finish());
    drop((slow, steady));
    eventually("they are gone", || docs.server().sockets() == sockets);
    eventually("their documents are gone", || docs.temporary() == 0);
    assert!(docs.get("/docs/steady").expect(200).body == body, "the document has changed");
    assert!(start.elapsed() < TIMEOUT);
    docs.stop();
}
