use std::sync::Arc;

use super::*;

/// A port with `max_running` 1, whose thread 1 has been given the turn of a key.
fn given() -> (Shared<(), ()>, Key) {
    let shared = Shared::new(PortCore::new(0, 1, Arc::default()), 2, (), Box::new(|| {}));
    let key = shared.locked(|port| {
        port.handle(PortInput::Take(0));
        port.handle(PortInput::Take(1));
        let key = port.core().open(());
        assert_eq!(port.handle(PortInput::Post(key)), Effect::Run(1, key));
        key
    });
    (shared, key)
}

#[test]
fn r5_a_turn_that_has_not_begun_at_the_close_never_does() {
    let (shared, key) = given();
    shared.locked(|port| {
        assert_eq!(port.running(1), Some(key));
        port.handle(PortInput::Close);
        // The watchdog must not take it for a turn that runs for ever.
        assert_eq!(port.running(1), None);
    });
}

#[test]
fn r3_what_was_seen_of_an_earlier_turn_says_nothing_of_this_one() {
    let (shared, key) = given();
    shared.locked(|port| {
        let earlier = port.turn(1).unwrap();
        port.handle(PortInput::Post(key));
        port.done(1, false);
        assert!(!port.block(1, earlier, Blocked::Observed), "between two turns");
        assert_eq!(port.handle(PortInput::Take(1)), Effect::Run(1, key));
        assert!(!port.block(1, earlier, Blocked::Observed));
        assert_eq!(port.blocked(1), None);
        let turn = port.turn(1).unwrap();
        assert!(port.block(1, turn, Blocked::Observed));
        port.unblock(1, earlier, Blocked::Observed);
        assert_eq!(port.blocked(1), Some(Blocked::Observed));
    });
}

#[test]
fn r3_a_thread_blocks_once_and_goes_on_as_it_blocked() {
    let (shared, key) = given();
    shared.locked(|port| {
        let other = port.core().open(());
        port.handle(PortInput::Post(other));
        let turn = port.turn(1).unwrap();
        assert!(port.core().is_full_with_work());
        assert!(port.block(1, turn, Blocked::Observed));
        assert!(!port.core().is_full_with_work());
        // After the handler has declared it, only the handler says that it goes on.
        assert!(port.block(1, turn, Blocked::Declared));
        assert!(!port.block(1, turn, Blocked::Declared));
        assert!(!port.block(1, turn, Blocked::Observed));
        port.unblock(1, turn, Blocked::Observed);
        assert_eq!(port.blocked(1), Some(Blocked::Declared));
        port.unblock(1, turn, Blocked::Declared);
        assert_eq!((port.blocked(1), port.running(1)), (None, Some(key)));
        assert!(port.core().is_full_with_work());
    });
}
