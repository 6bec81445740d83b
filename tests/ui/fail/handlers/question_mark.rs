//! A handler passes an error on, and the machine has no type of errors.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
//~ #[state_machine(start = Line, eof => Gone, error = std::str::Utf8Error)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone)]
    //~ #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone, error => Sorry)]
    #[to(Line | Sorry)]
    #[rest]
    Line,
    #[run]
    #[to(Gone)]
    Sorry,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterLine {
    //~ fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> Result<talk::AfterLine, std::str::Utf8Error> {
        let _ = std::str::from_utf8(line)?;
        cx.write(line);
        talk::AfterLine::Line
        //~ Ok(talk::AfterLine::Line)
    }

    fn sorry(&mut self, cx: &mut Cx<'_>) -> talk::AfterSorry {
        cx.write(b"sorry");
        talk::AfterSorry::Gone
    }
}

fn main() {}
