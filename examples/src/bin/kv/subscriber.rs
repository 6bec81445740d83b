//! A client that hears channels: its subscriptions, and how far it lags behind.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize};

use bytes::Bytes;
use fsm_runtime::Cx;
use indexmap::IndexSet;

use crate::config;
use crate::reply::Out;
use crate::store;

/// The output that a subscriber may have queued before its next message waits. It is well below the mark of
/// the pool, at which the times of a state would count as those of a peer that takes nothing.
pub(crate) const ROOM: usize = 16 << 10;

/// The two kinds of names that a client subscribes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Channel,
    Pattern,
}

/// A text for a channel, as the subscribers of the channel or of a pattern get it.
#[derive(Debug)]
pub(crate) struct Published {
    kind: Kind,
    /// The channel or the pattern.
    name: Box<[u8]>,
    /// The message without its first byte, which depends on the protocol of the subscriber.
    frame: Bytes,
}

impl Published {
    /// A text for the subscribers of a channel, or of a pattern that the channel matches.
    pub(crate) fn new(channel: &[u8], pattern: Option<&[u8]>, text: &[u8]) -> Self {
        let mut frame = Vec::with_capacity(text.len() + channel.len() + 64);
        frame.array(if pattern.is_some() { 4 } else { 3 });
        frame.bulk(if pattern.is_some() { b"pmessage" } else { b"message" });
        for part in pattern.into_iter().chain([channel, text]) {
            frame.bulk(part);
        }
        let kind = if pattern.is_some() { Kind::Pattern } else { Kind::Channel };
        let name = pattern.unwrap_or(channel).into();
        Self { kind, name, frame: Bytes::from(frame).slice(1..) }
    }

    /// The bytes that a subscriber must take.
    pub(crate) fn len(&self) -> usize {
        self.frame.len() + 1
    }

    /// Writes the message at once.
    pub(crate) fn write(&self, resp3: bool, out: &mut dyn Out) {
        out.put(first_byte(resp3));
        out.put(&self.frame);
    }
}

/// A message is a push in RESP3, and an array in RESP2.
fn first_byte(resp3: bool) -> &'static [u8] {
    if resp3 { b">" } else { b"*" }
}

/// The channels and patterns that a client hears.
#[derive(Debug, Default)]
pub(crate) struct Subscriber {
    channels: IndexSet<store::Bytes>,
    patterns: IndexSet<store::Bytes>,
    pub(crate) backlog: Arc<Backlog>,
    /// The rest of a message that waits for room.
    rest: Bytes,
}

impl Subscriber {
    /// The names of one kind.
    pub(crate) fn names(&self, kind: Kind) -> &IndexSet<store::Bytes> {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
        }
    }

    /// The names of one kind, to change them.
    pub(crate) fn names_mut(&mut self, kind: Kind) -> &mut IndexSet<store::Bytes> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
        }
    }

    /// The number of channels and patterns.
    pub(crate) fn count(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Whether the client still hears this. A publisher that posted it before the client unsubscribed may
    /// post it afterwards.
    pub(crate) fn hears(&self, text: &Published) -> bool {
        self.names(text.kind).contains(&text.name)
    }

    /// Begins to send a message, after those before are sent.
    pub(crate) fn begin<M, S>(&mut self, text: &Published, resp3: bool, cx: &mut Cx<'_, M, S>) {
        cx.put(first_byte(resp3));
        self.backlog.remove(1);
        self.rest = text.frame.clone();
    }

    /// Sends the whole message, in a state that waits for something else than room.
    pub(crate) fn finish<M, S>(&mut self, cx: &mut Cx<'_, M, S>) {
        let rest = std::mem::take(&mut self.rest);
        self.backlog.remove(rest.len());
        cx.send(rest);
    }

    /// Sends as much of the message as there is room for. Returns whether there is room for another one.
    pub(crate) fn send<M, S>(&mut self, cx: &mut Cx<'_, M, S>) -> bool {
        while !self.rest.is_empty() && cx.queued() < ROOM {
            let part = self.rest.split_to(self.rest.len().min(ROOM));
            self.backlog.remove(part.len());
            cx.send(part);
        }
        self.rest.is_empty() && cx.queued() < ROOM
    }
}

/// The bytes that publishers have posted to a subscriber, and that have not been sent.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    bytes: AtomicUsize,
    /// Since when the bytes have been above the soft limit, or 0.
    over_since: AtomicI64,
    /// Whether the subscriber is too slow, so that its connection ends.
    is_over: AtomicBool,
}

impl Backlog {
    /// Adds the bytes of a message, unless the subscriber is too slow for it.
    pub(crate) fn add(&self, bytes: usize, limits: &Limits, now: i64) -> bool {
        self.bytes.fetch_add(bytes, Relaxed);
        self.keeps_up(limits, now)
    }

    /// Subtracts bytes that the subscriber has sent, or need not send.
    pub(crate) fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    /// Checks the limits. Callers hold the lock of the store, so that there is one at a time.
    pub(crate) fn keeps_up(&self, limits: &Limits, now: i64) -> bool {
        let bytes = self.bytes.load(Relaxed);
        let is_above = |limit| limit != 0 && bytes >= limit;
        let since = self.over_since.load(Relaxed);
        let soft = is_above(limits.soft);
        self.over_since.store(
            if !soft {
                0
            } else if since == 0 {
                now
            } else {
                since
            },
            Relaxed,
        );
        let too_long = soft && since != 0 && now.saturating_sub(since) / 1000 > limits.seconds;
        if is_above(limits.hard) || too_long {
            self.give_up();
        }
        !self.is_over()
    }

    /// Lets the connection end, because the subscriber is too slow.
    pub(crate) fn give_up(&self) {
        self.is_over.store(true, Relaxed);
    }

    /// Whether the subscriber is too slow.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}

/// The limits of a subscriber's backlog, `client-output-buffer-limit pubsub`: a subscriber that is above
/// the hard one ends at once, and one that is above the soft one for longer than the seconds. 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    hard: usize,
    soft: usize,
    seconds: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hard: 32 << 20, soft: 8 << 20, seconds: 60 }
    }
}

impl Limits {
    /// Parses `pubsub 32mb 8mb 60`; the errors are those of Redis.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [class, hard, soft, seconds] = words[..] else {
            return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
        };
        match class.to_ascii_lowercase().as_str() {
            "pubsub" => {}
            "normal" | "slave" | "replica" => {
                return Err("only the limits of the class pubsub can be set".to_owned());
            }
            _ => {
                return Err(
                    "Invalid client class specified in buffer limit configuration.".to_owned()
                );
            }
        }
        let limits = config::size(hard).ok().zip(config::size(soft).ok()).zip(seconds.parse().ok());
        match limits {
            Some(((hard, soft), seconds @ 0..)) => Ok(Self { hard, soft, seconds }),
            _ => Err("Error in hard, soft or soft_seconds setting in buffer limit configuration."
                .to_owned()),
        }
    }
}

impl Limits {
    /// The text from which [`parse`](Self::parse) makes the same limits.
    pub(crate) fn to_text(self) -> String {
        let Self { hard, soft, seconds } = self;
        format!("pubsub {hard} {soft} {seconds}")
    }
}

/// As `CONFIG GET` shows the limits, with those of other clients, which have none here.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hard, soft, seconds } = self;
        write!(f, "normal 0 0 0 slave 0 0 0 pubsub {hard} {soft} {seconds}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_the_syntax_of_redis() {
        let limits = Limits { hard: 1 << 20, soft: 1_000, seconds: 5 };
        assert_eq!(Limits::parse("pubsub 1mb 1k 5"), Ok(limits));
        assert_eq!(Limits::parse("pubsub 32mb 8mb 60"), Ok(Limits::default()));
        for wrong in
            ["", "pubsub 1 1", "pubsub 1 1 1 1", "pubsub x 1 1", "pubsub 1 1 -1", "all 1 1 1"]
        {
            assert!(Limits::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_soft_limit_has_a_time_and_the_hard_one_none() {
        let limits = Limits { hard: 100, soft: 10, seconds: 5 };
        let backlog = Backlog::default();
        assert!(backlog.add(50, &limits, 1_000));
        assert!(backlog.keeps_up(&limits, 6_999));
        backlog.remove(45);
        assert!(backlog.keeps_up(&limits, 7_000));
        assert!(backlog.add(50, &limits, 8_000), "the time begins anew");
        assert!(backlog.keeps_up(&limits, 13_999));
        assert!(!backlog.keeps_up(&limits, 14_000));
        assert!(!Backlog::default().add(100, &limits, 1));
        let none = Limits { hard: 0, soft: 0, seconds: 0 };
        assert!(Backlog::default().add(1 << 40, &none, 1));
    }
}
