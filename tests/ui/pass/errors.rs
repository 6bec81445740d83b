//! Handlers that fail, with the error in a field, from another type, and without a field.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

use std::num::ParseIntError;

#[derive(Debug)]
enum Fault {
    Number(ParseIntError),
    Negative,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(error) => error.fmt(f),
            Self::Negative => f.write_str("negative"),
        }
    }
}

impl From<ParseIntError> for Fault {
    fn from(error: ParseIntError) -> Self {
        Self::Number(error)
    }
}

struct Words(String);

impl From<Fault> for Words {
    fn from(fault: Fault) -> Self {
        Self(fault.to_string())
    }
}

#[state_machine(start = Number, eof => Gone, limit => Gone, idle = 60s => Gone, error = Fault, error => Sorry)]
enum Sum {
    #[read(until = b"\n", max = 64)]
    #[to(Number)]
    Number,
    #[run(error => Gone)]
    #[to(Number)]
    Sorry {
        #[error]
        why: Words,
    },
    #[end]
    Gone,
}

#[derive(Default)]
struct Client {
    sum: i64,
}

impl sum::Handler for Client {
    fn number(&mut self, line: &[u8], cx: &mut Cx<'_>) -> Result<sum::AfterNumber, Fault> {
        let number: i64 = String::from_utf8_lossy(line).parse()?;
        if number < 0 {
            return Err(Fault::Negative);
        }
        self.sum += number;
        cx.write(format!("{}\n", self.sum).as_bytes());
        Ok(sum::AfterNumber::Number)
    }

    fn sorry(&mut self, why: &mut Words, cx: &mut Cx<'_>) -> Result<sum::AfterSorry, Fault> {
        cx.write(format!("{}\n", why.0).as_bytes());
        if why.0 == "negative" { Err(Fault::Negative) } else { Ok(sum::AfterSorry::Number) }
    }
}

fn main() {
    let mut session = Session::<Sum, _>::new(Client::default());
    session.send(b"4\nx\n5\n-1\n");
    let said = String::from_utf8_lossy(&session.receive()).into_owned();
    assert_eq!(said, "4\ninvalid digit found in string\n9\nnegative\n");
    assert_eq!(session.state(), None);
}
