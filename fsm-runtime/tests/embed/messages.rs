//! Messages to embedded connections.

use std::sync::{Arc, Mutex};

use super::*;

#[test]
fn m1_messages_come_beside_input_and_in_their_order() {
    let mut conn = talking();
    conn.post(1, at(0)).unwrap();
    give(&mut conn, b"mail\n", at(0));
    conn.post(2, at(0)).unwrap();
    conn.post(3, at(0)).unwrap();
    assert_eq!(taken(&mut conn, at(0)), b">1;mail;mail 2;>3;");
}

/// Posts the number of each connection that opens to the ones before.
#[state_machine(start = Join, message = u32, eof => Gone)]
enum Members {
    #[run]
    #[to(Listen)]
    Join,
    #[message(idle = 60s => Gone)]
    #[to(Listen)]
    Listen,
    #[end]
    Gone,
}

struct Member {
    number: u32,
    others: Arc<Mutex<Vec<Key>>>,
}

impl members::Handler for Member {
    fn join(&mut self, cx: &mut Cx<'_, u32>) -> members::AfterJoin {
        let mut others = self.others.lock().expect("no handler panics");
        others.retain(|other| cx.post(*other, self.number).is_ok());
        others.push(cx.key());
        members::AfterJoin::Listen
    }

    fn listen(&mut self, number: u32, cx: &mut Cx<'_, u32>) -> members::AfterListen {
        write!(cx, "{number};");
        members::AfterListen::Listen
    }
}

#[test]
fn m1_connections_of_a_host_post_to_each_other_and_those_that_are_to_run_are_told() {
    let (others, woken) = (Arc::<Mutex<Vec<Key>>>::default(), Arc::<Mutex<Vec<Key>>>::default());
    let wakes = Arc::clone(&woken);
    let host =
        HostBuilder::<Members>::new().on_wake(move |key| wakes.lock().unwrap().push(key)).build();
    let join = |number| host.open(Peer::Memory, Member { number, others: others.clone() }, at(0));
    let mut first = join(1);
    let second = join(2);
    assert_eq!(*woken.lock().unwrap(), [first.key()]);
    drop(second);
    // A key that is no longer in use reaches nobody, also when its slot is used again.
    let third = join(3);
    assert_eq!(others.lock().unwrap().as_slice(), [first.key(), third.key()]);
    assert_eq!(first.output(), b"");
    first.on_time(at(0));
    assert_eq!(first.output(), b"2;3;");
}

/// Counts down by messages to itself.
#[state_machine(start = From, message = u8, eof => Gone)]
enum Countdown {
    #[read(exact = 1, idle = 60s => Gone)]
    #[message]
    #[to(From)]
    #[rest]
    From,
    #[end]
    Gone,
}

struct Counter;

impl countdown::Handler for Counter {
    fn from(&mut self, from: &[u8; 1], cx: &mut Cx<'_, u8>) -> countdown::AfterFrom {
        cx.post(cx.key(), from[0]).expect("there is room");
        countdown::AfterFrom::From
    }

    fn from_message(&mut self, count: u8, cx: &mut Cx<'_, u8>) -> countdown::AfterFrom {
        cx.write(&[count]);
        if count > 0 {
            cx.post(cx.key(), count - 1).expect("there is room");
        }
        countdown::AfterFrom::From
    }
}

#[test]
fn m1_messages_that_a_machine_posts_to_itself_are_taken_without_a_waker() {
    let host = HostBuilder::<Countdown>::new().output_mark(4).build();
    let mut conn = host.open(Peer::Memory, Counter, at(1));
    conn.input(&[9], at(5));
    while conn.deadline() == Some(at(5)) {
        conn.on_time(at(5));
    }
    // At the output mark it takes no more, and asks for no call that would be in vain.
    assert_eq!(conn.output(), [9, 8, 7, 6]);
    conn.sent(4, at(5));
    while conn.deadline() == Some(at(5)) {
        conn.on_time(at(5));
    }
    let mut got = Vec::new();
    while !conn.output().is_empty() {
        got.extend_from_slice(conn.output());
        conn.sent(conn.output().len(), at(6));
        while conn.deadline() == Some(at(6)) {
            conn.on_time(at(6));
        }
    }
    assert_eq!(got, [5, 4, 3, 2, 1, 0]);
}
