//! The graph of pools, and its checks before the start.

use super::*;

#[test]
fn pools_that_do_not_fit_together_do_not_start() {
    let missing = Pipeline::new().pool(front()).start().unwrap_err().to_string();
    assert_eq!(
        missing,
        "state `Asking` of the pool `front` calls `Upper`, and no pool is one; add it to the \
         `Pipeline`"
    );
    let upper = |name| Pool::workers::<Upper>(name, 1, |text: String| text);
    let twice = Pipeline::new().pool(front()).pool(upper("a")).pool(upper("b")).check();
    assert_eq!(
        twice.unwrap_err().to_string(),
        "state `Asking` of the pool `front` calls `Upper`, and the pools `a` and `b` both are one; \
         leave one of them out, or give it a service of its own"
    );
    let same = Pipeline::new().pool(upper("a")).pool(upper("a")).check();
    assert_eq!(
        same.unwrap_err().to_string(),
        "two pools are called `a`; give one of them another name"
    );
}

/// Greets a client by the name that another pool has read.
#[state_machine(start = Enter, seed = String)]
enum Greets {
    #[run]
    #[to(Gone)]
    Enter { name: String },
    #[end]
    Gone,
}

struct Greeter;

impl greets::Handler for Greeter {
    fn enter(&mut self, name: &mut String, cx: &mut Cx<'_>) -> greets::AfterEnter {
        writeln!(cx, "{name}");
        greets::AfterEnter::Gone
    }
}

#[test]
fn a_pool_that_no_connection_can_come_to_does_not_start() {
    let upper = || Pool::workers::<Upper>("upper", 1, |text: String| text);
    let front = Pool::builder::<Front>("front").handler(|_| Client);
    assert_eq!(
        Pipeline::new().pool(front).pool(upper()).start().unwrap_err().to_string(),
        "no connection can come to the pool `front`: it has no address, no other pool hands one over to it, \
         and nobody has its `handle()`; add `.listen(..)` or `.connect(..)`"
    );
    let greets = Pool::builder::<Greets>("greets").handler(|_| Greeter);
    assert_eq!(
        greets.start().map(drop).unwrap_err().to_string(),
        "no connection can come to the pool `greets`: it has no address, no other pool hands one over to it, \
         and nobody has its `handle()`; add a pool with `#[handoff(..)]` to it to the `Pipeline`"
    );
    // Streams may be handed in with a handle.
    let builder = Pool::builder::<Greets>("greets");
    let _handle = builder.handle();
    Pipeline::new().pool(builder.handler(|_| Greeter)).check().unwrap();
}

#[state_machine(start = One, job = u8, reply = u8, gone => Lost)]
enum Ping {
    #[run]
    #[to(Two)]
    One { n: u8 },
    #[call(Pong, within = 1s => Lost)]
    #[to(Done)]
    Two,
    #[run]
    #[to(Done)]
    Lost,
    #[end]
    Done,
}

#[state_machine(start = One, job = u8, reply = u8, gone => Lost)]
enum Pong {
    #[run]
    #[to(Two)]
    One { n: u8 },
    #[call(Ping, within = 1s => Lost)]
    #[to(Done)]
    Two,
    #[run]
    #[to(Done)]
    Lost,
    #[end]
    Done,
}

struct PingPong;

impl ping::Handler for PingPong {
    fn one(&mut self, n: &mut u8, _: &mut JobCx<'_>) -> ping::AfterOne {
        ping::AfterOne::Two { job: *n }
    }

    fn two(&mut self, reply: u8, _: &mut JobCx<'_>) -> ping::AfterTwo {
        ping::AfterTwo::Done { reply }
    }

    fn lost(&mut self, _: &mut JobCx<'_>) -> ping::AfterLost {
        ping::AfterLost::Done { reply: 0 }
    }
}

impl pong::Handler for PingPong {
    fn one(&mut self, n: &mut u8, _: &mut JobCx<'_>) -> pong::AfterOne {
        pong::AfterOne::Two { job: *n }
    }

    fn two(&mut self, reply: u8, _: &mut JobCx<'_>) -> pong::AfterTwo {
        pong::AfterTwo::Done { reply }
    }

    fn lost(&mut self, _: &mut JobCx<'_>) -> pong::AfterLost {
        pong::AfterLost::Done { reply: 0 }
    }
}

#[test]
fn pools_that_could_deadlock_do_not_start() {
    let pipeline = Pipeline::new()
        .pool(Pool::builder::<Ping>("ping").worker(|| PingPong))
        .pool(Pool::builder::<Pong>("pong").worker(|| PingPong));
    let refused = pipeline.check().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the pools `ping` -> `pong` -> `ping` wait for room in each other, and could do so for \
         ever; add `full => State` to `Two` of `ping` or `Two` of `pong`"
    );
}

#[test]
fn the_text_form_counts_the_states_of_all_pools() {
    let upper = Pool::workers::<Upper>("upper", 1, |text: String| text);
    let pipeline = Pipeline::new().pool(front()).pool(upper);
    assert_eq!(
        pipeline.to_string(),
        "front: Front, 5 states\n    call in Asking, waits for room -> upper\n\
         upper: Upper, 2 states\n7 states in all; one machine would need up to 10\n"
    );
    assert!(pipeline.mermaid().contains("p0 -->|\"call in Asking, waits for room\"| p1"));
    assert!(pipeline.dot().contains("p0 -> p1"));
}
