//! `docserver` with a clock that was never set, or is broken: dates stay within those that HTTP has.

use std::process::Command;

use fsm_tests::{
    Connection, Docserver, Server, TIMEOUT, TempDir, client, get, list, put, request, run,
};

#[test]
fn a_clock_before_1970_or_after_9999_is_the_nearest_date() {
    let Some(faketime) = client("faketime") else { return };
    // Load its library without it, because signals would reach `faketime` and not the server.
    let print = ["-f", "+0", "sh", "-c", "echo $LD_PRELOAD"];
    let library = run(Command::new(faketime).args(print), TIMEOUT).stdout;
    let library = library.trim().to_owned();
    for (offset, date) in
        [("-100y", "Thu, 01 Jan 1970 00:00:00 GMT"), ("+8100y", "Fri, 31 Dec 9999 23:59:59 GMT")]
    {
        let data = TempDir::new("clock");
        let mut command = Docserver::command(data.path());
        command.env("LD_PRELOAD", &library).env("FAKETIME", offset);
        // Deadlines count on the clock that nobody sets.
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let server = Server::start(&mut command);
        let mut connection = Connection::new(server.address());
        let filed = connection.ask(put("a.txt", b"words")).expect(201);
        assert_eq!(filed.field("date"), Some(date));
        let answer = connection.ask(get("/docs/a.txt")).expect(200);
        assert_eq!([answer.field("date"), answer.field("last-modified")], [Some(date); 2]);
        let since = format!("If-Modified-Since: {date}");
        connection.ask(request("GET /docs/a.txt", &[&since])).expect(304);
        let unless = format!("If-Unmodified-Since: {date}");
        connection.ask(request("GET /docs/a.txt", &[&unless])).expect(200);
        assert_eq!(list(&mut connection).len(), 1);
        connection.ask(get("/search?q=words")).expect(200);
        connection.ask(request("DELETE /docs/a.txt", &[])).expect(204);
        server.stop();
    }
}
