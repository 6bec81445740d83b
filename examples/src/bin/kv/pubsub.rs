//! Channels: the registry of their subscribers, and the commands that subscribe and publish.

use std::sync::Arc;

use fsm_runtime::Key;
use indexmap::IndexMap;

use crate::clients::Place;
use crate::command::{Call, Reply, SYNTAX, Session, commands, wrong_subcommand};
use crate::event::{Event, Post};
use crate::glob::glob;
use crate::reply::{Out, Replied};
use crate::store::{Bytes, Store, cost};
use crate::subscriber::{Backlog, Kind, Limits, Published, Subscriber};

commands! { c:
    "subscribe" -2 NoKeys => subscribe(c, Kind::Channel)?,
    "psubscribe" -2 NoKeys => subscribe(c, Kind::Pattern)?,
    "unsubscribe" -1 NoKeys => unsubscribe(c, Kind::Channel),
    "punsubscribe" -1 NoKeys => unsubscribe(c, Kind::Pattern),
    "publish" 3 NoKeys => {
        let heard = publish(c);
        c.out.count(heard)
    },
    "pubsub" -2 NoKeys => c.out.error(SYNTAX),
    "pubsub|channels" -2 NoKeys => {
        if c.args.len() > 3 {
            return Err(wrong_subcommand(c));
        }
        let pattern = c.args.from(2).next().unwrap_or(b"*");
        let names = c.store.channels.of(Kind::Channel).0.keys();
        c.out.bulks(names.filter(|name| glob(pattern, name)))
    },
    "pubsub|numsub" -2 NoKeys => {
        c.out.array(2 * (c.args.len() - 2));
        for name in c.args.from(2) {
            c.out.bulk(name);
            c.out.count(c.store.channels.of(Kind::Channel).0.get(name).map_or(0, IndexMap::len));
        }
        Replied
    },
    "pubsub|numpat" 2 NoKeys => c.out.count(c.store.channels.of(Kind::Pattern).0.len()),
}

/// The subscribers of channels and of patterns.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    names: Topics,
    patterns: Topics,
    /// The limits of the backlog of each subscriber.
    pub(crate) limits: Limits,
}

/// The names of one kind, and the subscribers of each by their places in the registry of connections.
#[derive(Debug, Default)]
struct Topics(IndexMap<Bytes, IndexMap<Place, Listener>>);

#[derive(Debug)]
struct Listener {
    /// `None` for a client in memory.
    key: Option<Key>,
    backlog: Arc<Backlog>,
}

impl Channels {
    fn of(&self, kind: Kind) -> &Topics {
        match kind {
            Kind::Channel => &self.names,
            Kind::Pattern => &self.patterns,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut Topics {
        match kind {
            Kind::Channel => &mut self.names,
            Kind::Pattern => &mut self.patterns,
        }
    }

    /// The backlog of the first subscriber of a channel.
    #[cfg(test)]
    pub(crate) fn backlog(&self, channel: &[u8]) -> Arc<Backlog> {
        Arc::clone(&self.names.0[channel][0].backlog)
    }

    /// Notes the new key of a subscriber's connection.
    pub(crate) fn change_key(&mut self, place: Place, subscriber: Option<&Subscriber>, key: Key) {
        for kind in [Kind::Channel, Kind::Pattern] {
            for name in subscriber.into_iter().flat_map(|one| one.names(kind)) {
                let listeners = self.of_mut(kind).0.get_mut(name);
                if let Some(one) = listeners.and_then(|listeners| listeners.get_mut(&place)) {
                    one.key = Some(key);
                }
            }
        }
    }

    /// Whether nobody subscribes to anything.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.names.0.is_empty() && self.patterns.0.is_empty()
    }
}

impl Topics {
    fn remove(&mut self, name: &[u8], place: Place) {
        if let Some(listeners) = self.0.get_mut(name) {
            listeners.swap_remove(&place);
            if listeners.is_empty() {
                self.0.swap_remove(name);
            }
        }
    }
}

/// The memory that a subscription takes: in the connection, and in the registry.
fn subscription_cost(name: &[u8]) -> usize {
    2 * cost(name)
}

/// The word of a reply about a subscription.
fn word(kind: Kind, subscribes: bool) -> &'static [u8] {
    match (kind, subscribes) {
        (Kind::Channel, true) => b"subscribe",
        (Kind::Pattern, true) => b"psubscribe",
        (Kind::Channel, false) => b"unsubscribe",
        (Kind::Pattern, false) => b"punsubscribe",
    }
}

/// A reply about a subscription, one for each name.
fn confirm(c: &mut Call<'_>, word: &[u8], name: Option<&[u8]>) -> Replied {
    let count = c.session.subscriber.as_ref().map_or(0, |subscriber| subscriber.count());
    c.out.push(3);
    c.out.bulk(word);
    c.out.optional(name);
    c.out.count(count)
}

/// `SUBSCRIBE channel ..` and `PSUBSCRIBE pattern ..`
fn subscribe(c: &mut Call<'_>, kind: Kind) -> Reply {
    for name in c.args.from(1) {
        let subscriber = c.session.subscriber.get_or_insert_default();
        if !subscriber.names(kind).contains(name) {
            c.store.reserve(subscription_cost(name))?;
            add(c.store, c.session, kind, name);
        }
        confirm(c, word(kind, true), Some(name));
    }
    Ok(note(c))
}

fn add(store: &mut Store, session: &mut Session, kind: Kind, name: &[u8]) {
    let subscriber = session.subscriber.get_or_insert_default();
    store.used += subscription_cost(name);
    subscriber.names_mut(kind).insert(name.into());
    let backlog = Arc::clone(&subscriber.backlog);
    let entry = store.clients.entry(session.place);
    let key = entry.key;
    entry.subscriptions = [Kind::Channel, Kind::Pattern]
        .map(|kind| u32::try_from(subscriber.names(kind).len()).unwrap_or(u32::MAX));
    let listeners = store.channels.of_mut(kind).0.entry(name.into()).or_default();
    listeners.insert(session.place, Listener { key, backlog });
}

/// Subscribes a client that comes from another process.
pub(crate) fn hear_again(store: &mut Store, session: &mut Session, kind: Kind, name: &[u8]) {
    if session.subscriber.as_ref().is_none_or(|one| !one.names(kind).contains(name)) {
        add(store, session, kind, name);
    }
}

/// `UNSUBSCRIBE [channel ..]` and `PUNSUBSCRIBE [pattern ..]`; without names, from all.
fn unsubscribe(c: &mut Call<'_>, kind: Kind) -> Replied {
    let mut names: Vec<Bytes> = c.args.from(1).map(Into::into).collect();
    if names.is_empty() {
        let subscriber = c.session.subscriber.as_ref();
        names.extend(subscriber.iter().flat_map(|subscriber| subscriber.names(kind)).cloned());
    }
    for name in &names {
        let Session { subscriber, place, .. } = &mut *c.session;
        if let Some(subscriber) = subscriber {
            if subscriber.names_mut(kind).shift_remove(name) {
                forget(c.store, *place, kind, name);
            }
        }
        confirm(c, word(kind, false), Some(name));
    }
    if names.is_empty() {
        confirm(c, word(kind, false), None);
    }
    note(c)
}

/// Notes the numbers of subscriptions in the registry of connections.
fn note(c: &mut Call<'_>) -> Replied {
    let Session { subscriber, place, .. } = &mut *c.session;
    subscriber.take_if(|subscriber| subscriber.count() == 0);
    let count = |kind| subscriber.as_ref().map_or(0, |one| one.names(kind).len());
    let counts = [Kind::Channel, Kind::Pattern].map(count);
    c.store.clients.entry(*place).subscriptions =
        counts.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    Replied
}

fn forget(store: &mut Store, place: Place, kind: Kind, name: &[u8]) {
    store.channels.of_mut(kind).remove(name, place);
    store.used -= subscription_cost(name);
}

/// Ends all subscriptions of a connection.
pub(crate) fn end(store: &mut Store, place: Place, subscriber: &Subscriber) {
    for kind in [Kind::Channel, Kind::Pattern] {
        for name in subscriber.names(kind) {
            forget(store, place, kind, name);
        }
    }
}

/// `PUBLISH channel text`; returns how many subscriptions hear it. The posts leave after the store is
/// released; a client that publishes to itself gets its message before the reply.
fn publish(c: &mut Call<'_>) -> usize {
    let (channel, text) = (c.key, &c.args[2]);
    let Store { channels, posts, now, .. } = &mut *c.store;
    let Channels { names, patterns, limits } = channels;
    let mut hear = |pattern: Option<&Bytes>, listeners: &IndexMap<Place, Listener>| {
        let text = Arc::new(Published::new(channel, pattern.map(|pattern| &**pattern), text));
        let mut heard = 0;
        for (place, Listener { key, backlog }) in listeners {
            if *place == c.session.place {
                text.write(c.session.resp3, &mut c.out);
            } else if backlog.is_over() {
                continue;
            } else if let Some(to) = *key {
                let event = if backlog.add(text.len(), limits, *now) {
                    Event::Published { text: Arc::clone(&text), backlog: Arc::clone(backlog) }
                } else {
                    Event::Changed
                };
                posts.push(Post { to, event });
            }
            heard += 1;
        }
        heard
    };
    let listeners = names.0.get(channel).map(|listeners| hear(None, listeners));
    let matching = patterns.0.iter().filter(|(pattern, _)| glob(pattern, channel));
    listeners.unwrap_or(0)
        + matching.map(|(pattern, listeners)| hear(Some(pattern), listeners)).sum::<usize>()
}
