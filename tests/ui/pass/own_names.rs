//! States and fields with the names of what is generated.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Handler, eof => Ok, limit => Ok, message = Step)]
enum Drive {
    #[read(until = b"\n", max = 64, idle = 60s => Ok)]
    #[to(None | Some)]
    Handler,
    #[run]
    #[to(Err)]
    None {
        handler: u8,
        input: u8,
        cx: u8,
        bytes: u8,
        taken: u8,
        lapse: u8,
        error: u8,
        length: u64,
        time: u8,
        partial: u8,
        below: u8,
        frame: u8,
        message: u8,
    },
    #[read(exact = length, max = 64, idle = 60s => Ok)]
    #[to(Ok)]
    Err {
        #[carry]
        length: u64,
        #[carry]
        bytes: u8,
        #[carry]
        cx: u8,
    },
    #[message(within = 60s => Ok)]
    #[to(Machine)]
    Some { message: u8, cx_: u8, cx: u8 },
    #[sleep(std::time::Duration::from_secs(u64::from(*time)), max = 60s)]
    #[to(Ok)]
    Machine { time: u8 },
    #[end]
    Ok,
}

#[derive(Debug)]
struct Step;

struct Client;

impl drive::Handler for Client {
    fn handler(&mut self, line: &[u8], _: &mut Cx<'_, Step>) -> drive::AfterHandler {
        if line == b"some" {
            return drive::AfterHandler::Some { message: 1, cx_: 2, cx: 3 };
        }
        drive::AfterHandler::None {
            handler: 1,
            input: 2,
            cx: 3,
            bytes: 4,
            taken: 5,
            lapse: 6,
            error: 7,
            length: 2,
            time: 9,
            partial: 10,
            below: 11,
            frame: 12,
            message: 13,
        }
    }

    fn none(
        &mut self,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut u64,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: &mut Cx<'_, Step>,
    ) -> drive::AfterNone {
        drive::AfterNone::Err
    }

    fn err(
        &mut self,
        length: &mut u64,
        bytes: &mut u8,
        cx: &mut u8,
        came: &[u8],
        out: &mut Cx<'_, Step>,
    ) -> drive::AfterErr {
        out.write(format!("{length}{bytes}{cx}").as_bytes());
        out.write(came);
        drive::AfterErr::Ok
    }

    fn some(
        &mut self,
        _: &mut u8,
        _: &mut u8,
        _: &mut u8,
        _: Step,
        _: &mut Cx<'_, Step>,
    ) -> drive::AfterSome {
        drive::AfterSome::Machine { time: 2 }
    }
}

fn main() {
    let mut session = Session::<Drive, _>::new(Client);
    session.send(b"none\nab");
    assert_eq!(session.receive(), b"243ab");
    let mut session = Session::<Drive, _>::new(Client);
    session.send(b"some\n");
    session.post(Step).expect("it waits");
    assert_eq!(session.state(), Some("Machine"));
    session.advance(std::time::Duration::from_secs(2));
    assert_eq!(session.state(), None);
}
