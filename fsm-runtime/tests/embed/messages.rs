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
