//! Every edge that may lead a state back to itself.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Number, eof => Gone, error = std::num::ParseIntError)]
enum Sum {
    #[read(exact = 1, within = 9s => Gone, idle = 5s => Number, error => Number)]
    #[to(Number)]
    Number,
    #[end]
    Gone,
}

#[derive(Default)]
struct Client {
    sum: u32,
}

impl sum::Handler for Client {
    fn number(
        &mut self,
        digit: &[u8; 1],
        cx: &mut Cx<'_>,
    ) -> Result<sum::AfterNumber, std::num::ParseIntError> {
        self.sum += String::from_utf8_lossy(digit).parse::<u32>()?;
        cx.write(self.sum.to_string().as_bytes());
        Ok(sum::AfterNumber::Number)
    }
}

fn main() {
    let mut session = Session::<Sum, _>::new(Client::default());
    session.send(b"1x2");
    assert_eq!(session.receive(), b"13");
    session.advance(std::time::Duration::from_secs(5));
    assert_eq!(session.state(), Some("Number"));
    session.advance(std::time::Duration::from_secs(5));
    assert_eq!(session.state(), None);
}
