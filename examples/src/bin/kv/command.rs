//! The table of commands: lookup, checks and execution.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

use fsm_runtime::Peer;
use smallvec::SmallVec;

use crate::clients::Place;
use crate::reply::{Out, Replied, Replies};
use crate::request::{Error, Request, parse_int};
use crate::store::Store;
use crate::subscriber::Subscriber;
use crate::transaction::{ABORT, Transaction};
use crate::{
    clients, collections, config, describe, keys, lists, pubsub, server, strings, transaction,
    zsets,
};

pub(crate) const SYNTAX: &str = "ERR syntax error";
pub(crate) const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
pub(crate) const OVERFLOW: &str = "ERR increment or decrement would overflow";

/// The fate of the connection after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    /// The client waits for an element, for this time at most.
    Wait(Duration),
    Quit,
    /// The command looks like a part of an HTTP request: a web page may have had a browser send it.
    Attack,
}

/// The state of a connection that commands see.
#[derive(Debug)]
pub(crate) struct Session {
    /// The place of the connection in the registry.
    pub(crate) place: Place,
    /// Whether the client speaks RESP3, and else RESP2.
    pub(crate) resp3: bool,
    /// Whether EXEC runs the commands, which then do not wait.
    pub(crate) is_executing: bool,
    /// Whether the client waits for an element.
    pub(crate) is_blocked: bool,
    pub(crate) transaction: Option<Box<Transaction>>,
    /// The subscriptions of the client; `None` if it subscribes to nothing.
    pub(crate) subscriber: Option<Box<Subscriber>>,
}

impl Session {
    /// The session of a new connection.
    pub(crate) fn new(store: &mut Store, peer: Peer, now: i64) -> Self {
        store.stats.connections += 1;
        let place = store.clients.add(store.stats.connections, peer, now);
        Self {
            place,
            resp3: false,
            is_executing: false,
            is_blocked: false,
            transaction: None,
            subscriber: None,
        }
    }

    /// Gives back to the store what the connection has in it.
    pub(crate) fn end(&mut self, store: &mut Store) {
        if let Some(mut transaction) = self.transaction.take() {
            transaction.end(store);
        }
        self.withdraw(store);
        store.clients.remove(self.place);
    }

    /// Ends the wait and all subscriptions.
    pub(crate) fn withdraw(&mut self, store: &mut Store) {
        if std::mem::take(&mut self.is_blocked) {
            store.give_up_wait(self.place);
        }
        if let Some(subscriber) = self.subscriber.take() {
            pubsub::end(store, self.place, &subscriber);
        }
    }

    /// Fails if a client of RESP2 hears channels, because it would take a reply for a message. RESP3 marks
    /// messages.
    fn allows(&self, command: &Command) -> Result<(), Error> {
        let name = command.name;
        let is_allowed = self.resp3
            || self.subscriber.is_none()
            || name.ends_with("subscribe")
            || matches!(name, "ping" | "quit");
        let error = || {
            let prefix = if name == "exec" { ABORT } else { "ERR" };
            format!(
                "{prefix} Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context"
            )
        };
        if is_allowed { Ok(()) } else { Err(error().into()) }
    }
}

/// A command's access to the keyspace. `Grow` is refused while memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    NoKeys,
    Read,
    Write,
    Grow,
}

/// A row of the command table. The name of a subcommand is `client|id`; a negative arity is a
/// minimum.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) arity: i64,
    pub(crate) access: Access,
    pub(crate) run: fn(&mut Call<'_>) -> Reply,
}

/// The result of a command: proof that it has replied, or an error to reply.
pub(crate) type Reply = Result<Replied, Error>;

/// Builds a command table from name, arity, access and reply.
macro_rules! commands {
    ($call:ident: $($name:literal $arity:literal $access:ident => $reply:expr,)*) => {
        pub(crate) const COMMANDS: &[$crate::command::Command] = &[$($crate::command::Command {
            name: $name,
            arity: $arity,
            access: $crate::command::Access::$access,
            run: |$call| Ok($reply),
        }),*];
    };
}
pub(crate) use commands;

/// All commands in their groups, which have the names of Redis.
pub(crate) const TABLES: &[(&str, &[Command])] = &[
    ("server", server::COMMANDS),
    ("server", config::COMMANDS),
    ("server", describe::COMMANDS),
    ("connection", clients::COMMANDS),
    ("generic", keys::COMMANDS),
    ("string", strings::COMMANDS),
    ("list", collections::COMMANDS),
    ("list", lists::COMMANDS),
    ("sorted-set", zsets::COMMANDS),
    ("transactions", transaction::COMMANDS),
    ("pubsub", pubsub::COMMANDS),
];

/// All commands.
fn all() -> impl Iterator<Item = &'static Command> {
    TABLES.iter().flat_map(|(_, table)| *table)
}

static BY_NAME: LazyLock<HashMap<&'static [u8], &'static Command>> =
    LazyLock::new(|| all().map(|command| (command.name.as_bytes(), command)).collect());

/// A running command.
pub(crate) struct Call<'a> {
    pub(crate) command: &'static Command,
    pub(crate) args: &'a Request<'a>,
    /// The first argument, which is the key in nearly all commands.
    pub(crate) key: &'a [u8],
    pub(crate) store: &'a mut Store,
    pub(crate) session: &'a mut Session,
    pub(crate) out: Replies<'a>,
}

/// Runs one request and writes its reply; `now` is in milliseconds since the Unix epoch.
pub(crate) fn execute(
    store: &mut Store,
    session: &mut Session,
    args: &Request<'_>,
    now: i64,
    out: &mut impl Out,
) -> Flow {
    if store.clients.is_killed(session.place) {
        return Flow::Quit;
    }
    if args.len() == 0 {
        return Flow::Next;
    }
    store.sweep(now);
    store.stats.commands += 1;
    let result = run_or_queue(args, store, session, out);
    let queued = session.transaction.as_ref().and_then(|transaction| transaction.queued());
    store.clients.set_queued(session.place, queued);
    if store.waits.has_changes() {
        store.serve_waits();
    }
    match result {
        Ok("quit") => return Flow::Quit,
        Ok(_) if store.clients.is_killed(session.place) => return Flow::Quit,
        Ok(_) if session.is_blocked => {
            return Flow::Wait(store.waits.time(session.place).unwrap_or_default());
        }
        Ok(_) => {}
        Err(_) if matches!(&*lowercase(&args[0]), b"post" | b"host:") => return Flow::Attack,
        Err(error) => {
            out.error(&error);
        }
    }
    Flow::Next
}

/// Runs a request, or queues it after MULTI; returns the name of its command.
fn run_or_queue(
    args: &Request<'_>,
    store: &mut Store,
    session: &mut Session,
    out: &mut impl Out,
) -> Result<&'static str, Error> {
    let command = find(args).and_then(|command| session.allows(command).map(|()| command));
    let Some(transaction) = &mut session.transaction else {
        let command = command?;
        return run(command, args, store, session, out).map(|_| command.name);
    };
    let command = command.inspect_err(|error| transaction.refuse(store, error))?;
    if transaction.queues(command) {
        let queued = transaction.push(store, command, args);
        queued.inspect_err(|error| transaction.refuse(store, error))?;
        out.simple("QUEUED");
    } else {
        run(command, args, store, session, out)?;
    }
    Ok(command.name)
}

/// Runs a command, unless memory is short.
pub(crate) fn run(
    command: &'static Command,
    args: &Request<'_>,
    store: &mut Store,
    session: &mut Session,
    out: &mut dyn Out,
) -> Reply {
    if command.access == Access::Grow {
        store.reserve(args.size())?;
    }
    store.clients.begin(session.place, command, store.now);
    let key = args.from(1).next().unwrap_or_default();
    let out = Replies::new(out, session.resp3);
    (command.run)(&mut Call { command, args, key, store, session, out })
}

/// Finds the command with this name, such as `get` or `client|id`.
pub(crate) fn find_name(name: &[u8]) -> Option<&'static Command> {
    BY_NAME.get(&*lowercase(name)).copied()
}

/// Finds the command of a request and checks the number of arguments.
pub(crate) fn find(args: &Request<'_>) -> Result<&'static Command, Error> {
    let mut name = lowercase(&args[0]);
    let is_whole = !name.contains(&b'|');
    let is_sub = args.len() > 1 && matches!(&*name, b"client" | b"command" | b"config" | b"pubsub");
    if is_sub {
        name.push(b'|');
        name.extend(lowercase(&args[1]));
    }
    let Some(&command) = BY_NAME.get(&*name).filter(|_| is_whole) else {
        return Err(unknown(args, is_sub));
    };
    let len = i64::try_from(args.len()).unwrap_or(i64::MAX);
    let fits = len == command.arity || (command.arity < 0 && len >= -command.arity);
    if fits { Ok(command) } else { Err(wrong_arity(command)) }
}

/// The error about an unknown command or subcommand.
fn unknown(args: &Request<'_>, is_sub: bool) -> Error {
    let name = text(&args[0], 128);
    if is_sub {
        let (sub, name) = (text(&args[1], 128), name.to_ascii_uppercase());
        return format!("ERR unknown subcommand '{sub}'. Try {name} HELP.").into();
    }
    let (mut quoted, mut len) = (String::new(), 0);
    for arg in args.from(1) {
        if len >= 128 {
            break;
        }
        let arg = format!("'{}' ", text(arg, 128 - len));
        len += arg.chars().count();
        quoted += &arg;
    }
    format!("ERR unknown command '{name}', with args beginning with: {quoted}").into()
}

/// An argument for an error message, cut to `max` bytes and before a NUL; a character for each byte.
pub(crate) fn text(arg: &[u8], max: usize) -> String {
    arg.iter().take(max).take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect()
}

/// The error about a wrong number of arguments.
pub(crate) fn wrong_arity(command: &Command) -> Error {
    let error = format!("wrong number of arguments for '{}' command", command.name);
    let prefix = if command.name == "exec" { ABORT } else { "ERR" };
    format!("{prefix} {error}").into()
}

/// The error about a wrong number of arguments that a subcommand itself finds.
pub(crate) fn wrong_subcommand(c: &Call<'_>) -> Error {
    let (sub, name) = (text(&c.args[1], 128), text(&c.args[0], 128).to_ascii_uppercase());
    let error = format!("unknown subcommand or wrong number of arguments for '{sub}'");
    format!("ERR {error}. Try {name} HELP.").into()
}

/// An argument in lower case, cut to the length of the longest option.
pub(crate) fn lowercase(word: &[u8]) -> SmallVec<[u8; 24]> {
    word.iter().take(24).map(u8::to_ascii_lowercase).collect()
}

/// An option in lower case, which ends before a NUL as all text does in C.
pub(crate) fn word(option: &[u8]) -> SmallVec<[u8; 24]> {
    lowercase(option.split(|byte| *byte == 0).next().unwrap_or_default())
}

/// Fails with an error unless `condition` holds.
pub(crate) fn ensure(condition: bool, error: &'static str) -> Result<(), Error> {
    if condition { Ok(()) } else { Err(error.into()) }
}

/// The elements from `start` to `end`; negative numbers count from the end.
pub(crate) fn range(start: i64, end: i64, len: usize) -> Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_end = |i: i64| if i < 0 { i + len } else { i };
    let start = from_end(start).clamp(0, len);
    let end = (from_end(end).min(len - 1) + 1).max(start);
    usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0)
}

impl Call<'_> {
    /// Parses argument `i` as an integer.
    pub(crate) fn int(&self, i: usize) -> Result<i64, Error> {
        parse_int(&self.args[i]).ok_or(NOT_AN_INTEGER.into())
    }

    /// Parses argument 2 as a count, if it is present.
    pub(crate) fn count(&self) -> Result<Option<usize>, Error> {
        let count = self.args.from(2).next().map(|count| parse_int(count).map(usize::try_from));
        match count {
            None => Ok(None),
            Some(Some(Ok(count))) => Ok(Some(count)),
            Some(_) => Err("ERR value is out of range, must be positive".into()),
        }
    }
}

#[cfg(test)]
mod tests;
