//! The registry of connections, and the commands that show and end them.

use std::fmt::Write;

use fsm_runtime::{Key, Moves, Peer};
use slab::Slab;

use crate::command::{
    Call, Command, Reply, SYNTAX, commands, ensure, lowercase, text, wrong_subcommand,
};
use crate::event::{Event, Post};
use crate::reply::Out;
use crate::request::{Error, parse_int};

commands! { c:
    "client" -2 NoKeys => c.out.error(SYNTAX),
    "client|id" 2 NoKeys => c.out.int(c.store.clients.entry(c.session.place).id),
    "client|getname" 2 NoKeys => {
        let name = &c.store.clients.entry(c.session.place).name;
        c.out.optional(Some(name).filter(|name| !name.is_empty()))
    },
    "client|setname" 3 NoKeys => {
        set_name(c, 2)?;
        c.out.ok()
    },
    "client|setinfo" 4 NoKeys => c.out.ok(),
    "client|no-evict" 3 NoKeys => {
        ensure(matches!(&*lowercase(&c.args[2]), b"on" | b"off"), SYNTAX)?;
        c.out.ok()
    },
    "client|list" -2 NoKeys => list(c)?,
    "client|info" 2 NoKeys => {
        let line = c.store.clients.entry(c.session.place).line(c.store.now, false);
        c.out.text(line.as_bytes())
    },
    "client|kill" -3 NoKeys => kill(c)?,
    "client|unblock" -3 NoKeys => unblock(c)?,
}

/// The place of a connection in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place(u32);

impl Place {
    fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a pool has fewer connections"))
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The entry of a connection.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    /// The key of the connection, to post to it; `None` before its first turn.
    pub(crate) key: Option<Key>,
    peer: Peer,
    pub(crate) name: Box<[u8]>,
    /// The second in which the connection began.
    since: u32,
    /// The time of its last command.
    active: i64,
    /// The last command.
    command: Option<&'static Command>,
    /// The number of commands that wait for EXEC, or -1.
    queued: i32,
    /// The numbers of subscriptions to channels and to patterns.
    pub(crate) subscriptions: [u32; 2],
    pub(crate) resp3: bool,
    /// Whether CLIENT KILL has named the connection, which ends after the command that it runs, or with the
    /// message that says so.
    is_killed: bool,
}

impl Entry {
    /// Appends what a new process needs to know.
    pub(crate) fn pack(&self, into: &mut Vec<u8>) {
        (self.id, self.since, self.active, self.resp3).pack(into);
        self.name.pack(into);
    }

    /// Takes up what an old process knew.
    pub(crate) fn unpack(&mut self, from: &mut &[u8]) -> Option<()> {
        (self.id, self.since, self.active, self.resp3) = Moves::unpack(from)?;
        self.name = Moves::unpack(from)?;
        Some(())
    }

    fn client_type(&self) -> ClientType {
        if self.subscriptions == [0; 2] { ClientType::Normal } else { ClientType::PubSub }
    }

    fn line(&self, now: i64, is_blocked: bool) -> String {
        let seconds = |since: i64| now.saturating_sub(since).max(0) / 1000;
        let name = text(&self.name, usize::MAX);
        let [channels, patterns] = self.subscriptions;
        let flags = [
            (self.client_type() == ClientType::PubSub, 'P'),
            (self.queued >= 0, 'x'),
            (is_blocked, 'b'),
            (self.is_killed, 'A'),
        ];
        let mut flags: String =
            flags.iter().filter(|(is_set, _)| *is_set).map(|(_, c)| c).collect();
        if flags.is_empty() {
            flags.push('N');
        }
        format!(
            "id={} addr={} name={name} age={} idle={} flags={flags} db=0 sub={channels} psub={patterns} \
             ssub=0 multi={} cmd={} user=default redir=-1 resp={}\n",
            self.id,
            self.peer,
            whole_seconds(now).saturating_sub(self.since),
            seconds(self.active),
            self.queued,
            self.command.map_or("NULL", |command| command.name),
            if self.resp3 { 3 } else { 2 },
        )
    }
}

/// The second of a time in milliseconds, up to the year 2106.
fn whole_seconds(millis: i64) -> u32 {
    u32::try_from(millis / 1000).unwrap_or(u32::MAX)
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    entries: Slab<Entry>,
}

impl Clients {
    /// Adds a connection; returns its place.
    pub(crate) fn add(&mut self, id: i64, peer: Peer, now: i64) -> Place {
        let place = self.entries.insert(Entry {
            id,
            key: None,
            peer,
            name: Box::default(),
            since: whole_seconds(now),
            active: now,
            command: None,
            queued: -1,
            subscriptions: [0; 2],
            resp3: false,
            is_killed: false,
        });
        Place::new(place)
    }

    /// Removes a connection.
    pub(crate) fn remove(&mut self, place: Place) {
        self.entries.remove(place.index());
    }

    /// The number of connections.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry of a connection.
    pub(crate) fn entry(&mut self, place: Place) -> &mut Entry {
        &mut self.entries[place.index()]
    }

    /// Notes that a connection begins a command.
    pub(crate) fn begin(&mut self, place: Place, command: &'static Command, now: i64) {
        let entry = &mut self.entries[place.index()];
        (entry.command, entry.active) = (Some(command), now);
    }

    /// Notes the number of commands that wait for EXEC.
    pub(crate) fn set_queued(&mut self, place: Place, queued: Option<usize>) {
        self.entries[place.index()].queued =
            queued.map_or(-1, |queued| i32::try_from(queued).unwrap_or(i32::MAX));
    }

    /// Whether CLIENT KILL has named the connection.
    pub(crate) fn is_killed(&self, place: Place) -> bool {
        self.entries[place.index()].is_killed
    }
}

/// Sets the name of the connection to argument `i`.
pub(crate) fn set_name(c: &mut Call<'_>, i: usize) -> Result<(), Error> {
    let error = "ERR Client names cannot contain spaces, newlines or special characters.";
    ensure(c.args[i].iter().all(u8::is_ascii_graphic), error)?;
    c.store.clients.entry(c.session.place).name = c.args[i].into();
    Ok(())
}

/// A type of clients. There are no others here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientType {
    Normal,
    PubSub,
    Replication,
}

/// The type of clients with this name.
fn client_type(kind: &[u8]) -> Result<ClientType, Error> {
    match &*lowercase(kind) {
        b"normal" => Ok(ClientType::Normal),
        b"pubsub" => Ok(ClientType::PubSub),
        b"master" | b"replica" | b"slave" => Ok(ClientType::Replication),
        _ => Err(format!("ERR Unknown client type '{}'", text(kind, usize::MAX)).into()),
    }
}

/// `CLIENT LIST [TYPE type | ID id ..]`
fn list(c: &mut Call<'_>) -> Reply {
    let (mut ids, mut wanted) = (None, None);
    match (c.args.len(), c.args.from(2).next().map(lowercase).as_deref()) {
        (2, _) => {}
        (4, Some(b"type")) => wanted = Some(client_type(&c.args[3])?),
        (4.., Some(b"id")) => {
            let parsed: Option<Vec<_>> = c.args.from(3).map(parse_int).collect();
            ids = Some(parsed.ok_or("ERR Invalid client ID")?);
        }
        _ => return Err(SYNTAX.into()),
    }
    let mut lines = String::new();
    for (place, entry) in &c.store.clients.entries {
        let is_blocked = c.store.waits.is_queued(Place::new(place));
        let has_type = wanted.is_none_or(|wanted| wanted == entry.client_type());
        if has_type && ids.as_ref().is_none_or(|ids| ids.contains(&entry.id)) {
            let _ = write!(lines, "{}", entry.line(c.store.now, is_blocked));
        }
    }
    Ok(c.out.text(lines.as_bytes()))
}

/// The connections that CLIENT KILL names.
#[derive(Debug, Default)]
struct Filter {
    id: Option<i64>,
    address: Option<String>,
    client_type: Option<ClientType>,
    spares_me: bool,
}

impl Filter {
    /// Parses `CLIENT KILL address` or `CLIENT KILL filter value ..`.
    fn parse(c: &Call<'_>) -> Result<Self, Error> {
        if c.args.len() == 3 {
            let address = Some(text(&c.args[2], usize::MAX));
            return Ok(Self { address, ..Self::default() });
        }
        ensure(c.args.len() % 2 == 0, SYNTAX)?;
        let mut filter = Self { spares_me: true, ..Self::default() };
        for i in (2..c.args.len()).step_by(2) {
            let value = &c.args[i + 1];
            match (&*lowercase(&c.args[i]), &*lowercase(value)) {
                (b"id", _) => {
                    let id = parse_int(value).filter(|id| *id > 0);
                    filter.id = Some(id.ok_or("ERR client-id should be greater than 0")?);
                }
                (b"addr", _) => filter.address = Some(text(value, usize::MAX)),
                (b"type", _) => filter.client_type = Some(client_type(value)?),
                (b"user", b"default") | (b"skipme", b"yes") => {}
                (b"user", _) => {
                    return Err(format!("ERR No such user '{}'", text(value, usize::MAX)).into());
                }
                (b"skipme", b"no") => filter.spares_me = false,
                _ => return Err(SYNTAX.into()),
            }
        }
        Ok(filter)
    }

    fn names(&self, entry: &Entry, me: i64) -> bool {
        !(self.client_type.is_some_and(|wanted| wanted != entry.client_type())
            || self.id.is_some_and(|id| id != entry.id)
            || self.address.as_ref().is_some_and(|address| *address != entry.peer.to_string())
            || self.spares_me && entry.id == me
            || entry.is_killed)
    }
}

/// `CLIENT KILL address`, or `CLIENT KILL [ID id] [ADDR address] [TYPE type] [USER user] [SKIPME yes | no]`
fn kill(c: &mut Call<'_>) -> Reply {
    let (filter, me) = (Filter::parse(c)?, c.store.clients.entry(c.session.place).id);
    let mut killed = 0;
    for (_, entry) in &mut c.store.clients.entries {
        if filter.names(entry, me) {
            entry.is_killed = true;
            killed += 1;
            let others_key = entry.key.filter(|_| entry.id != me);
            c.store.posts.extend(others_key.map(|to| Post { to, event: Event::Changed }));
        }
    }
    if c.args.len() > 3 {
        return Ok(c.out.count(killed));
    }
    ensure(killed > 0, "ERR No such client")?;
    Ok(c.out.ok())
}

/// `CLIENT UNBLOCK id [TIMEOUT | ERROR]`
fn unblock(c: &mut Call<'_>) -> Reply {
    let with_error = match c.args.from(3).next().map(lowercase).as_deref() {
        _ if c.args.len() > 4 => return Err(wrong_subcommand(c)),
        None | Some(b"timeout") => false,
        Some(b"error") => true,
        Some(_) => return Err("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR".into()),
    };
    let id = c.int(2)?;
    let found = c.store.clients.entries.iter().find(|(_, entry)| entry.id == id);
    let place = found.map(|(place, _)| Place::new(place));
    Ok(c.out.int(place.is_some_and(|place| c.store.unblock(place, with_error)).into()))
}
