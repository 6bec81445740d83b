use serde_json::Value;

use crate::{Connection, get};

/// A client of `docserver` that subscribed to its events.
#[derive(Debug)]
pub struct Subscriber {
    connection: Connection,
}

/// A message of the event stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// An event.
    Event(Value),
    /// The number of events that the subscriber missed.
    Missed(u64),
    /// The server shuts down; the stream ends next.
    Bye,
}

impl Subscriber {
    /// Subscribes, and waits until the server has confirmed it.
    pub fn new(connection: Connection) -> Self {
        Self::with(connection, get("/events"))
    }

    /// Subscribes with this request.
    pub fn with(mut connection: Connection, request: impl AsRef<[u8]>) -> Self {
        let answer = connection.ask(request).expect(200);
        assert_eq!(answer.field("content-type"), Some("text/event-stream"));
        assert!(!answer.keeps_alive(), "the stream ends with the connection");
        assert_eq!((connection.line(), connection.line()), ("retry: 1000".into(), String::new()));
        Self { connection }
    }

    /// The next message.
    pub fn receive(&mut self) -> Received {
        loop {
            let line = self.connection.line();
            // Skip the comments that keep the connection alive.
            if line == ":" {
                assert_eq!(self.connection.line(), "");
                continue;
            }
            if line == "retry: 5000" {
                let rest = [(); 3].map(|()| self.connection.line());
                assert_eq!(rest, ["event: bye", "data: \"the server shuts down\"", ""]);
                return Received::Bye;
            }
            let is_missed = line == "event: missed";
            let line = if is_missed { self.connection.line() } else { line };
            assert_eq!(self.connection.line(), "", "an event is one line");
            let data = line.strip_prefix("data: ").unwrap_or_else(|| panic!("no event: {line:?}"));
            let value =
                serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
            return match value {
                Value::Number(count) if is_missed => {
                    Received::Missed(count.as_u64().expect("a number of events"))
                }
                event => Received::Event(event),
            };
        }
    }

    /// The next message, which must be an event.
    pub fn event(&mut self) -> Value {
        match self.receive() {
            Received::Event(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// Checks that the server says goodbye and then ends the stream.
    pub fn expect_goodbye(&mut self) {
        assert_eq!(self.receive(), Received::Bye);
        self.connection.expect_end();
    }

    /// Its connection.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
