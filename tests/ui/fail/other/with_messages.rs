//! A message is heard beside a read of the first socket.
//! Plants fsm::E041.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, message = String, eof => Gone, limit => Gone, within = 5s => Gone)]
enum Front {
    #[read(until = b"\n", max = 80)]
    #[message]
    #[to(Dial | Line)]
    #[rest]
    Line,
    #[connect(refused => Gone)]
    #[to(Answer)]
    Dial,
    #[read(other, until = b"\n", max = 80)]
    #[message]
    //~-
    #[to(Line)]
    Answer,
    #[end]
    Gone,
}

struct Client;

impl front::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, String>) -> front::AfterLine {
        cx.other().write(line);
        front::AfterLine::Dial { to: Target::name("example.org", 80) }
    }

    fn line_message(&mut self, news: String, cx: &mut Cx<'_, String>) -> front::AfterLine {
        cx.write(news.as_bytes());
        front::AfterLine::Line
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_, String>) -> front::AfterDial {
        front::AfterDial::Answer
    }

    fn answer(&mut self, line: &[u8], cx: &mut Cx<'_, String>) -> front::AfterAnswer {
        cx.write(line);
        front::AfterAnswer::Line
    }
}

fn main() {}
