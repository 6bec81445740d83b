//! Names that are words of Rust.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = r#Type, eof => r#Loop, limit => r#Loop, r#Any = r#Type | Match)]
enum r#Yield {
    #[read(until = b"\n", max = 64, idle = 60s => r#Loop)]
    #[to(Any)]
    r#Type,
    #[read(exact = *r#fn, max = 64, idle = 60s => Loop)]
    #[to(Type)]
    r#Match { r#fn: u8, r#as: bool },
    #[end]
    r#Loop,
}

struct Client;

impl r#yield::Handler for Client {
    fn r#type(&mut self, line: &[u8], _: &mut Cx<'_>) -> r#yield::AfterType {
        match line.len() {
            0 => r#yield::AfterType::Type,
            length => r#yield::AfterType::Match { r#fn: length as u8, r#as: true },
        }
    }

    fn r#match(
        &mut self,
        _: &mut u8,
        r#as: &mut bool,
        bytes: &[u8],
        cx: &mut Cx<'_>,
    ) -> r#yield::AfterMatch {
        if *r#as {
            cx.write(bytes);
        }
        r#yield::AfterMatch::Type
    }
}

fn main() {
    let mut session = Session::<r#Yield, _>::new(Client);
    session.send(b"abc\nxyz");
    assert_eq!(session.receive(), b"xyz");
    assert_eq!(session.state(), Some("Type"));
}
