//! Handlers that may block, with and without errors and data.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Line, eof => Gone, limit => Gone, within = 60s => Gone, error = std::num::ParseIntError, error => Gone)]
enum Sum {
    #[read(until = b"\n", max = 64)]
    #[to(Parse)]
    Line,
    #[run(blocking, error => Line)]
    #[to(Again)]
    Parse { line: String },
    #[run(blocking)]
    #[to(Line)]
    Again {
        #[carry]
        line: String,
    },
    #[end]
    Gone,
}

struct Client;

impl sum::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> Result<sum::AfterLine, Error> {
        Ok(sum::AfterLine::Parse { line: String::from_utf8_lossy(line).into_owned() })
    }

    fn parse(&mut self, line: &mut String, cx: &mut Cx<'_>) -> Result<sum::AfterParse, Error> {
        write!(cx, "{},", line.parse::<u32>()?);
        Ok(sum::AfterParse::Again)
    }

    fn again(&mut self, line: &mut String, cx: &mut Cx<'_>) -> Result<sum::AfterAgain, Error> {
        cx.write(line.as_bytes());
        Ok(sum::AfterAgain::Line)
    }
}

type Error = std::num::ParseIntError;

fn main() {
    let mut session = Session::<Sum, _>::new(Client);
    session.send(b"04\nx\n5\n");
    assert_eq!(session.receive(), b"4,045,5");
    assert_eq!(session.state(), Some("Line"));
}
