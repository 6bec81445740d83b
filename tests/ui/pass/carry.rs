//! Data moves on, by a verdict and by a deadline.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Name, eof => Gone, limit => Gone)]
enum Store {
    #[read(until = b"\n", max = 64, idle = 60s => Gone)]
    #[to(Body)]
    Name,
    #[read(some, max = 64, within = 1s => Late)]
    #[to(Body | Filed)]
    Body { name: String, size: usize },
    #[run]
    #[to(Gone)]
    Late {
        #[carry]
        name: String,
    },
    #[run]
    #[to(Name)]
    Filed {
        #[carry]
        size: usize,
        #[carry]
        name: String,
        whole: bool,
    },
    #[end]
    Gone,
}

struct Client;

impl store::Handler for Client {
    fn name(&mut self, line: &[u8], _: &mut Cx<'_>) -> store::AfterName {
        store::AfterName::Body { name: String::from_utf8_lossy(line).into_owned(), size: 0 }
    }

    fn body(
        &mut self,
        name: &mut String,
        size: &mut usize,
        bytes: &[u8],
        _: &mut Cx<'_>,
    ) -> store::AfterBody {
        *size += bytes.len();
        name.push('+');
        if bytes.ends_with(b".") {
            store::AfterBody::Filed { whole: true }
        } else {
            store::AfterBody::Body
        }
    }

    fn late(&mut self, name: &mut String, cx: &mut Cx<'_>) -> store::AfterLate {
        cx.write(format!("late {name}").as_bytes());
        store::AfterLate::Gone
    }

    fn filed(
        &mut self,
        size: &mut usize,
        name: &mut String,
        whole: &mut bool,
        cx: &mut Cx<'_>,
    ) -> store::AfterFiled {
        cx.write(format!("{name} {size} {whole};").as_bytes());
        store::AfterFiled::Name
    }
}

fn main() {
    let mut session = Session::<Store, _>::new(Client);
    session.send(b"a\n");
    session.send(b"xy");
    session.send(b"z.");
    assert_eq!(session.receive(), b"a++ 4 true;");
    session.send(b"b\n");
    session.advance(std::time::Duration::from_secs(1));
    assert_eq!(session.receive(), b"late b");
}
