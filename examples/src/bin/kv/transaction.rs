//! Transactions: commands that are queued and run together, unless a watched key has changed.

use std::collections::HashMap;

use fsm_runtime::Moves;

use crate::command::{Call, Command, Reply, Session, commands, find, run};
use crate::reply::{Out, Replied};
use crate::request::{Error, Request, max_bulk};
use crate::store::{Bytes, Store, cost};

/// The beginning of the error about an EXEC that itself is refused.
pub(crate) const ABORT: &str = "EXECABORT Transaction discarded because of:";

commands! { c:
    "multi" 1 NoKeys => {
        let transaction = c.session.transaction.get_or_insert_default();
        if transaction.queue.is_some() {
            return Err("ERR MULTI calls can not be nested".into());
        }
        transaction.queue = Some(Queue::default());
        c.out.ok()
    },
    "exec" 1 NoKeys => exec(c)?,
    "discard" 1 NoKeys => {
        take(c, "ERR DISCARD without MULTI")?;
        c.out.ok()
    },
    "watch" -2 NoKeys => watch(c)?,
    "unwatch" 1 NoKeys => {
        if let Some(transaction) = &mut c.session.transaction {
            transaction.unwatch(c.store);
        }
        c.out.ok()
    },
}

/// The transaction of a connection. A connection has one from its first MULTI or WATCH to the end of
/// the transaction.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    /// The commands since MULTI.
    queue: Option<Queue>,
    /// The watched keys, and the number of changes of each at its WATCH.
    watched: HashMap<Bytes, u64>,
}

#[derive(Debug, Default)]
struct Queue {
    commands: Vec<(&'static Command, Request<'static>)>,
    /// The memory of the commands, which counts as memory of the store.
    bytes: usize,
    /// Whether a command was refused, so that EXEC fails.
    has_failed: bool,
}

/// The memory that a watched key takes: in the connection, and in the store.
fn watch_cost(key: &[u8]) -> usize {
    2 * cost(key)
}

impl Transaction {
    /// Whether the command waits for EXEC.
    pub(crate) fn queues(&self, command: &Command) -> bool {
        let runs_at_once = matches!(command.name, "multi" | "exec" | "discard" | "watch" | "quit");
        self.queue.is_some() && !runs_at_once
    }

    /// Queues a command. A queue has at most twice the size of the longest argument, which by default
    /// is the 1 GiB that a single command may have.
    pub(crate) fn push(
        &mut self,
        store: &mut Store,
        command: &'static Command,
        args: &Request<'_>,
    ) -> Result<(), Error> {
        let Some(queue) = &mut self.queue else { return Ok(()) };
        if queue.has_failed {
            return Ok(()); // EXEC will run nothing
        }
        let more = args.memory();
        let max = usize::try_from(max_bulk()).unwrap_or(usize::MAX).saturating_mul(2);
        if queue.bytes + more > max {
            return Err("ERR the transaction is larger than twice proto-max-bulk-len".into());
        }
        store.reserve(more)?;
        store.used += more;
        queue.bytes += more;
        queue.commands.push((command, args.to_owned()));
        Ok(())
    }

    /// Lets EXEC fail, because a command was refused, and drops what is queued. A refused EXEC ends the
    /// transaction.
    pub(crate) fn refuse(&mut self, store: &mut Store, error: &Error) {
        if error.starts_with(ABORT) {
            self.end(store);
        }
        if let Some(queue) = &mut self.queue {
            queue.has_failed = true;
            queue.commands = Vec::new();
            store.used -= std::mem::take(&mut queue.bytes);
        }
    }

    /// The number of queued commands, if there was a MULTI.
    pub(crate) fn queued(&self) -> Option<usize> {
        self.queue.as_ref().map(|queue| queue.commands.len())
    }

    /// Appends what a new process needs to know: the queue, and for each watched key whether it has changed.
    pub(crate) fn pack(&self, store: &Store, into: &mut Vec<u8>) {
        let words = |args: &Request<'_>| args.from(0).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let commands = |queue: &Queue| queue.commands.iter().map(|(_, args)| words(args)).collect();
        let queue = self.queue.as_ref();
        let queue: Option<(bool, Vec<Vec<Vec<u8>>>)> =
            queue.map(|queue| (queue.has_failed, commands(queue)));
        queue.pack(into);
        let has_changed =
            |(key, changes): (&Bytes, &u64)| (key.to_vec(), store.watches.changes(key) != *changes);
        self.watched.iter().map(has_changed).collect::<Vec<_>>().pack(into);
    }

    /// Takes up what an old process knew. It may end in the middle, and is whole as far as it came.
    pub(crate) fn unpack(&mut self, store: &mut Store, from: &mut &[u8]) -> Option<()> {
        let queue: Option<(bool, Vec<Vec<Vec<u8>>>)> = Moves::unpack(from)?;
        if let Some((has_failed, commands)) = queue {
            let queue = self.queue.insert(Queue { has_failed, ..Queue::default() });
            for words in commands {
                let args = Request::of(&words);
                // A newer version may lack the command.
                let command = find(&args).ok()?;
                store.used += args.memory();
                queue.bytes += args.memory();
                queue.commands.push((command, args));
            }
        }
        for (key, has_changed) in Vec::<(Vec<u8>, bool)>::unpack(from)? {
            store.used += watch_cost(&key);
            let changes = store.watches.add(&key);
            self.watched.insert(key.into(), if has_changed { u64::MAX } else { changes });
        }
        Some(())
    }

    fn unwatch(&mut self, store: &mut Store) {
        for (key, _) in self.watched.drain() {
            store.used -= watch_cost(&key);
            store.watches.remove(&key);
        }
    }

    /// Forgets the watched keys and the queue.
    pub(crate) fn end(&mut self, store: &mut Store) {
        self.unwatch(store);
        store.used -= self.queue.take().map_or(0, |queue| queue.bytes);
    }

    /// Whether a watched key has changed, or has expired since its WATCH.
    fn is_stale(&self, store: &mut Store) -> bool {
        self.watched.iter().any(|(key, changes)| {
            store.expire_now(key);
            store.watches.changes(key) != *changes
        })
    }
}

/// Takes the transaction of a client that has sent MULTI; returns whether a watched key has changed, and
/// the queue.
fn take(c: &mut Call<'_>, error: &'static str) -> Result<(bool, Queue), Error> {
    let transaction = c.session.transaction.take_if(|transaction| transaction.queue.is_some());
    let mut transaction = transaction.ok_or(error)?;
    let is_stale = transaction.is_stale(c.store);
    let queue = transaction.queue.take().unwrap_or_default();
    c.store.used -= queue.bytes;
    transaction.end(c.store);
    Ok((is_stale, queue))
}

fn exec(c: &mut Call<'_>) -> Reply {
    let (is_stale, queue) = take(c, "ERR EXEC without MULTI")?;
    if queue.has_failed {
        return Err("EXECABORT Transaction discarded because of previous errors.".into());
    }
    if is_stale {
        return Ok(c.out.null_array());
    }
    c.out.array(queue.commands.len());
    c.session.is_executing = true;
    for (command, args) in &queue.commands {
        c.store.stats.commands += 1;
        if let Err(error) = run(command, args, c.store, c.session, &mut c.out) {
            c.out.error(&error);
        }
    }
    c.session.is_executing = false;
    Ok(Replied)
}

fn watch(c: &mut Call<'_>) -> Reply {
    let Session { transaction, .. } = &mut *c.session;
    if transaction.as_ref().is_some_and(|transaction| transaction.queue.is_some()) {
        return Err("ERR WATCH inside MULTI is not allowed".into());
    }
    let transaction = transaction.get_or_insert_default();
    for key in c.args.from(1) {
        if transaction.watched.contains_key(key) {
            continue;
        }
        c.store.reserve(watch_cost(key))?;
        c.store.used += watch_cost(key);
        c.store.expire_now(key);
        transaction.watched.insert(key.into(), c.store.watches.add(key));
    }
    Ok(c.out.ok())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fsm_runtime::sim::Session;

    use crate::protocol::{Client, Connection};
    use crate::shared::Server;
    use crate::store::Store;

    type Peer = Session<Connection, Client>;

    fn pair(server: &Arc<Server>) -> [Peer; 2] {
        [Session::new(Client::new(server)), Session::new(Client::new(server))]
    }

    fn ask(peer: &mut Peer, commands: &str) -> String {
        peer.send(commands.replace(';', "\r\n").as_bytes());
        String::from_utf8(peer.receive().into()).expect("replies of text")
    }

    /// Whether a transaction of a client that watches `k` runs, after another client did something.
    fn runs_after(before: &str, meanwhile: &str) -> bool {
        let server = Arc::new(Server::new(Store::new(0)));
        let [mut watcher, mut other] = pair(&server);
        ask(&mut other, before);
        ask(&mut watcher, "WATCH k nosuch k;MULTI;PING;");
        ask(&mut other, meanwhile);
        let reply = ask(&mut watcher, "EXEC;");
        drop(watcher);
        assert!(server.watches_nothing());
        reply == "*1\r\n+PONG\r\n"
    }

    #[test]
    fn changes_of_a_watched_key_end_the_transaction() {
        for (before, meanwhile) in [
            ("", "SET k 1;"),
            ("", "SET k 1;DEL k;"),
            ("SET k 1;", "SET k 1;"),
            ("SET k 1;", "APPEND k 2;"),
            ("SET k 1;", "EXPIRE k 100;"),
            ("SET k 1 EX 100;", "PERSIST k;"),
            ("SET k 1;", "FLUSHALL;"),
            ("SET k 1;", "MULTI;SET k 2;EXEC;"),
            ("HSET k f v;", "HSET k f v;"),
            ("HSET k f 1;", "HINCRBY k f 1;"),
            ("SADD k a;", "SREM k a;"),
            ("RPUSH k a;", "RPUSH k b;"),
        ] {
            assert!(!runs_after(before, meanwhile), "{before} {meanwhile}");
        }
    }

    #[test]
    fn what_changes_no_watched_key_ends_no_transaction() {
        for (before, meanwhile) in [
            ("SET k 1;", "GET k;SET other 1;SET k 2 NX;SETNX k 2;DEL other;"),
            ("", "DEL k;FLUSHALL;LPOP k;SREM k a;EXPIRE k 10;PERSIST k;"),
            ("SADD k a;", "SADD k a;SREM k b;"),
            ("HSET k f v;", "HDEL k g;HGETALL k;"),
            ("RPUSH k a;", "SET k 1 NX;GET k;SADD k a;"),
        ] {
            assert!(runs_after(before, meanwhile), "{before} {meanwhile}");
        }
    }

    #[test]
    fn queues_and_watches_count_as_memory_and_give_it_back() {
        let server = Arc::new(Server::new(Store::new(4096)));
        let [mut client, mut other] = pair(&server);
        let value = "v".repeat(1000);
        let oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
        ask(&mut client, "WATCH a b c;MULTI;");
        let set = format!("SET k {value};");
        let replies: Vec<_> = (0..4).map(|_| ask(&mut client, &set)).collect();
        assert_eq!(replies.iter().filter(|reply| *reply == "+QUEUED\r\n").count(), 3);
        assert_eq!(replies[3], oom);
        let error = "-EXECABORT Transaction discarded because of previous errors.\r\n";
        assert_eq!(ask(&mut client, "EXEC;"), error);
        assert_eq!(ask(&mut client, &format!("MULTI;{set}DISCARD;MULTI;{set}")).len(), 33);
        assert!((1000..1300).contains(&server.used()), "the queue: {}", server.used());
        drop(client);
        assert_eq!((server.used(), server.watches_nothing()), (0, true));
        assert_eq!(ask(&mut other, &set), "+OK\r\n");
    }
}
