use serde_json::Value;

use crate::{Connection, get};

/// A client of `docserver` that is told of events.
#[derive(Debug)]
pub struct Watcher {
    connection: Connection,
}

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Something has happened.
    Event(Value),
    /// So many events were left out.
    Missed(u64),
}

impl Watcher {
    /// Asks to be told, and waits until it is sure to be.
    pub fn new(connection: Connection) -> Self {
        Self::with(connection, get("/events"))
    }

    /// Does so with a request of its own.
    pub fn with(mut connection: Connection, request: impl AsRef<[u8]>) -> Self {
        let answer = connection.ask(request).expect(200);
        assert_eq!(answer.field("content-type"), Some("text/event-stream"));
        assert!(!answer.goes_on(), "the stream ends with the connection");
        assert_eq!((connection.line(), connection.line()), ("retry: 1000".into(), String::new()));
        Self { connection }
    }

    /// What comes next.
    pub fn told(&mut self) -> Told {
        loop {
            let line = self.connection.line();
            // It says every now and then that it is alive.
            if line == ":" {
                assert_eq!(self.connection.line(), "");
                continue;
            }
            let is_missed = line == "event: missed";
            let line = if is_missed { self.connection.line() } else { line };
            assert_eq!(self.connection.line(), "", "an event is one line");
            let data = line.strip_prefix("data: ").unwrap_or_else(|| panic!("no event: {line:?}"));
            let value =
                serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
            return match value {
                Value::Number(count) if is_missed => {
                    Told::Missed(count.as_u64().expect("a number of events"))
                }
                event => Told::Event(event),
            };
        }
    }

    /// The next event, which must be the next thing.
    pub fn event(&mut self) -> Value {
        match self.told() {
            Told::Event(event) => event,
            missed @ Told::Missed(_) => panic!("{missed:?}"),
        }
    }

    /// Its connection.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
