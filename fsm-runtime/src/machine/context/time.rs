#![cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use std::time::{Instant, SystemTime};

use super::Cx;
use crate::Kind;

impl<Msg, Settings, K: Kind> Cx<'_, Msg, Settings, K> {
    /// The time at the beginning of this turn, which does not change while handlers of the turn run.
    /// It may be a few milliseconds old even then, because the thread does not read the clock for each
    /// turn. Under test it is the time of the [`Session`](crate::sim::Session), and in [`embed`](crate::embed)
    /// what the event loop has told.
    ///
    /// WebAssembly without a system has no `Instant` and no `SystemTime`, and this and `wall` do not exist there.
    #[inline]
    pub fn now(&self) -> Instant {
        self.context.instant
    }

    /// The wall-clock time of this turn, for dates that others see. The first call of a turn reads the clock,
    /// and later calls have the same time, also in turns that begin at the same [`now`](Self::now).
    ///
    /// The wall clock jumps when somebody sets it, so durations are differences of `now`. Under test it moves
    /// with the time of the [`Session`](crate::sim::Session), from the beginning of the year 2000 in UTC, until
    /// [`Session::set_wall`](crate::sim::Session::set_wall) sets it.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    /// use std::time::{Duration, SystemTime, UNIX_EPOCH};
    ///
    /// /// Answers each byte with the seconds since 1970.
    /// #[state_machine(start = Ask, eof => Gone)]
    /// enum Time {
    ///     #[read(exact = 1, idle = 1h => Gone)]
    ///     #[to(Ask)]
    ///     Ask,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl time::Handler for Client {
    ///     fn ask(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> time::AfterAsk {
    ///         let since_1970 = cx.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    ///         writeln!(cx, "{}", since_1970.as_secs());
    ///         time::AfterAsk::Ask
    ///     }
    /// }
    ///
    /// let mut peer = Session::<Time, _>::new(Client);
    /// peer.set_wall(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    /// peer.send(b"?");
    /// peer.advance(Duration::from_secs(7));
    /// peer.send(b"?");
    /// assert_eq!(peer.receive(), b"1000000000\n1000000007\n");
    /// ```
    #[inline]
    pub fn wall(&self) -> SystemTime {
        self.context.wall.at(self.context.instant)
    }
}
