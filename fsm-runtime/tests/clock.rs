//! Several sessions on one clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::{Clock, JobSession, Session};

/// Owns a name until it has said nothing for ten seconds.
#[state_machine(start = Claiming, eof => Gone)]
enum Claim {
    #[read(until = b"\n", max = 64, limit => Gone, within = 10s => Gone)]
    #[to(Owning | Gone)]
    Claiming,
    #[read(until = b"\n", max = 64, limit => Gone, idle = 10s => Expired)]
    #[to(Owning)]
    Owning,
    #[run]
    #[to(Gone)]
    Expired,
    #[end]
    Gone,
}

/// The owner of each name, and the names that were given back, in their order.
#[derive(Default)]
struct Names {
    owners: HashMap<String, Key>,
    given_back: Vec<String>,
}

struct Owner {
    names: Arc<Mutex<Names>>,
    name: String,
}

impl claim::Handler for Owner {
    fn claiming(&mut self, name: &[u8], cx: &mut Cx<'_>) -> claim::AfterClaiming {
        self.name = String::from_utf8_lossy(name).into_owned();
        let mut names = lock(&self.names);
        if names.owners.contains_key(&self.name) {
            return claim::AfterClaiming::Gone;
        }
        names.owners.insert(self.name.clone(), cx.key());
        claim::AfterClaiming::Owning
    }

    fn owning(&mut self, _: &[u8], _: &mut Cx<'_>) -> claim::AfterOwning {
        claim::AfterOwning::Owning
    }

    fn expired(&mut self, cx: &mut Cx<'_>) -> claim::AfterExpired {
        let mut names = lock(&self.names);
        assert_eq!(names.owners.remove(&self.name), Some(cx.key()), "it is the owner's");
        names.given_back.push(self.name.clone());
        claim::AfterExpired::Gone
    }
}

fn lock(names: &Mutex<Names>) -> MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

fn owner(names: &Arc<Mutex<Names>>) -> Owner {
    Owner { names: Arc::clone(names), name: String::new() }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn sessions_that_share_a_store_see_their_deadlines_in_order() {
    let (clock, names) = (Clock::new(), Arc::default());
    let mut first = Session::<Claim, _>::on(&clock, owner(&names));
    let mut second = Session::<Claim, _>::on(&clock, owner(&names));
    first.send(b"ann\n");
    second.send(b"ann\n");
    assert_eq!((first.state(), second.state()), (Some("Owning"), None), "the name is taken");
    let mut second = Session::<Claim, _>::on(&clock, owner(&names));
    second.send(b"bob\n");
    // The first says something once more, so that the second is due before it.
    clock.advance(SECOND * 3);
    first.send(b"still here\n");
    clock.advance(SECOND * 20);
    assert_eq!((first.ended(), second.ended()), (Some(Ended::Done), Some(Ended::Done)));
    let names = lock(&names);
    assert_eq!(names.given_back, ["bob", "ann"]);
    assert!(names.owners.is_empty());
}

#[test]
fn a_session_that_is_due_first_has_ended_when_the_next_one_is_due() {
    let (clock, names) = (Clock::new(), Arc::default());
    let mut sessions: Vec<_> =
        (0..4).map(|_| Session::<Claim, _>::on(&clock, owner(&names))).collect();
    for (number, session) in sessions.iter_mut().enumerate() {
        session.send(format!("{number}\n").as_bytes());
        clock.advance(SECOND);
    }
    // Any of them moves the clock of all.
    sessions[3].advance(SECOND * 7);
    let states: Vec<_> = sessions.iter().map(Session::state).collect();
    assert_eq!(states, [None, None, Some("Owning"), Some("Owning")]);
    drop(sessions);
    // A session that is gone has no deadlines.
    clock.advance(SECOND * 60);
    assert_eq!(lock(&names).given_back, ["0", "1"]);
}

/// A job that takes two seconds, and tells when it is done.
#[state_machine(start = Working, job = u32, reply = u32)]
enum Work {
    #[sleep(2s)]
    #[to(Done)]
    Working { n: u32 },
    #[end]
    Done,
}

struct Worker(Arc<Mutex<Names>>);

impl work::Handler for Worker {
    fn working(&mut self, n: &mut u32, _: &mut JobCx<'_>) -> work::AfterWorking {
        lock(&self.0).given_back.push(format!("job {n}"));
        work::AfterWorking::Done { reply: *n }
    }
}

#[test]
fn jobs_and_connections_may_be_on_one_clock() {
    let (clock, names) = (Clock::new(), Arc::default());
    let mut peer = Session::<Claim, _>::on(&clock, owner(&names));
    peer.send(b"ann\n");
    clock.advance(SECOND * 9);
    let mut early = JobSession::<Work, _>::on(&clock, Worker(Arc::clone(&names)), 2);
    let mut late = JobSession::<Work, _>::on(&clock, Worker(Arc::clone(&names)), 3);
    clock.advance(SECOND * 2);
    assert_eq!((early.replied(), late.replied()), (Some(2), Some(3)));
    assert_eq!(lock(&names).given_back, ["ann", "job 2", "job 3"]);
}

/// Says its key.
#[state_machine(start = Naming, eof => Gone)]
enum Named {
    #[read(some, max = 64, idle = 60s => Gone)]
    #[to(Naming)]
    #[rest]
    Naming,
    #[end]
    Gone,
}

struct Speaker;

impl named::Handler for Speaker {
    fn naming(&mut self, _: &[u8], cx: &mut Cx<'_>) -> named::AfterNaming {
        let key = cx.key();
        write!(cx, "{key}");
        named::AfterNaming::Naming
    }
}

#[test]
fn keys_are_the_same_in_every_run_and_differ_on_one_clock() {
    let said = |mut session: Session<Named, Speaker>| {
        session.send(b"?");
        String::from_utf8(session.receive().into()).unwrap()
    };
    for _ in 0..2 {
        assert_eq!(said(Session::new(Speaker)), "0#0");
        let clock = Clock::new();
        let (first, second) = (Session::on(&clock, Speaker), Session::on(&clock, Speaker));
        assert_eq!((said(first), said(second)), ("0#0".to_owned(), "0#1".to_owned()));
    }
}
