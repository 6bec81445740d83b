use super::*;
use crate::Ended;
use crate::link::Ready;
use crate::task::{After, Desk};

/// A task that does nothing; what matters is who runs it.
struct Idle;

impl Task for Idle {
    type Env = ();
    const SPEC: &'static Spec = &Spec {
        name: "Idle",
        docs: "",
        start: 0,
        messages: false,
        starts: crate::Starts::Connection,
        states: &[],
    };

    fn turn(&mut self, _: Key, _: Ready, (): &mut ()) -> After {
        After::Wait
    }

    fn due(&self) -> u64 {
        u64::MAX
    }

    fn state(&self) -> usize {
        0
    }

    fn cut_off(&self) {}

    fn over(self: Box<Self>, _: Key, _: Ended, (): &mut ()) {}

    fn recover(&mut self, (): &mut ()) {}

    fn desk((): &mut ()) -> &mut Desk {
        unreachable!("it has no turn")
    }
}

#[test]
fn r3_the_watchdog_is_called_when_a_poll_finds_work_for_which_all_that_may_run_are_busy() {
    let port = Port::<Idle>::new(0, (2, 1), Arc::default(), Box::new(|| ()));
    let alarm = Arc::<Alarm>::default();
    port.watched_by(&alarm);
    let open = || port.open(Box::new(Idle), Ready::NONE, true, |_, _| Ok(())).map_err(|_| ());
    assert!(matches!(port.begin(0), Next::Poll { .. }));
    let busy = open().unwrap();
    let other = open().unwrap();
    // The first thread runs both, one after the other, and then the first key once more.
    let Next::Run(turn) = port.polled(0, 0, &[]) else { panic!("there is work") };
    let Next::Run(turn) = port.turned(0, turn.key, Some(turn.task), Left::Waits(u64::MAX)) else {
        panic!("there is more work")
    };
    let next = port.turned(0, turn.key, Some(turn.task), Left::Waits(u64::MAX));
    assert!(matches!(next, Next::Poll { .. }));
    let Next::Run(_blocks) = port.polled(0, 0, &[(busy, Ready::READ)]) else {
        panic!("it has an event")
    };
    // Nothing waits yet, so nobody was called; the second thread polls.
    assert!(!alarm.is_raised());
    assert!(matches!(port.begin(1), Next::Poll { .. }));
    assert!(!alarm.is_raised());
    assert!(matches!(port.polled(1, 0, &[(other, Ready::READ)]), Next::Poll { .. }));
    assert!(alarm.is_raised());
}
