//! Commands on the connection and on the server.

use crate::clients::set_name;
use crate::command::{Call, Reply, SYNTAX, commands, ensure, lowercase, text, wrong_arity};
use crate::reply::{Out, Replied};
use crate::request::{Error, parse_int};

/// The version of Redis that this server imitates.
const VERSION: &str = "7.0.15";
const NO_VERSION: &str = "ERR Protocol version is not an integer or out of range";
const NO_PROTOCOL: &str = "NOPROTO unsupported protocol version";
const NO_PASSWORD: &str = "ERR AUTH <password> called without any password configured for the \
                           default user. Are you sure your configuration is correct?";

commands! { c:
    "ping" -1 NoKeys => match c.args.len() {
        1 | 2 if c.session.subscriber.is_some() && !c.session.resp3 => {
            c.out.array(2);
            c.out.bulk(b"pong");
            c.out.bulk(c.key)
        }
        1 => c.out.simple("PONG"),
        2 => c.out.bulk(c.key),
        _ => return Err(wrong_arity(c.command)),
    },
    "echo" 2 NoKeys => c.out.bulk(c.key),
    "quit" -1 NoKeys => c.out.ok(),
    "select" 2 NoKeys => {
        let range = "ERR value is out of range, value must between -2147483648 and 2147483647";
        let index = i32::try_from(c.int(1)?).or(Err(range))?;
        ensure(index == 0, "ERR DB index is out of range")?;
        c.out.ok()
    },
    "hello" -1 NoKeys => hello(c)?,
    "auth" -2 NoKeys => auth(c)?,
    "info" -1 NoKeys => info(c),
}

/// `HELLO [2 | 3 [AUTH user password] [SETNAME name]]`
fn hello(c: &mut Call<'_>) -> Reply {
    let version = c.args.from(1).next().map(parse_int);
    let version = version.map(|version| version.ok_or(NO_VERSION)).transpose()?;
    ensure(version.is_none_or(|version| matches!(version, 2 | 3)), NO_PROTOCOL)?;
    let (mut i, mut user) = (2, None);
    while i < c.args.len() {
        let more = c.args.len() - i - 1;
        match &*lowercase(&c.args[i]) {
            b"auth" if more >= 2 => {
                user = Some(i + 1);
                i += 3;
            }
            b"setname" if more >= 1 => {
                set_name(c, i + 1)?;
                i += 2;
            }
            _ => {
                let option = text(&c.args[i], usize::MAX);
                return Err(format!("ERR Syntax error in HELLO option '{option}'").into());
            }
        }
    }
    user.map_or(Ok(()), |user| log_in(&c.args[user]))?;
    if let Some(version) = version {
        c.session.resp3 = version == 3;
        c.out.resp3 = version == 3;
        c.store.clients.entry(c.session.place).resp3 = version == 3;
    }
    c.out.map(7);
    for text in ["server", "redis", "version", VERSION, "proto"] {
        c.out.bulk(text.as_bytes());
    }
    c.out.int(if c.session.resp3 { 3 } else { 2 });
    c.out.bulk(b"id");
    c.out.int(c.store.clients.entry(c.session.place).id);
    for text in ["mode", "standalone", "role", "master", "modules"] {
        c.out.bulk(text.as_bytes());
    }
    Ok(c.out.array(0))
}

/// `AUTH [user] password`; without passwords, the user `default` may have any.
fn auth(c: &mut Call<'_>) -> Reply {
    match c.args.len() {
        2 => return Err(NO_PASSWORD.into()),
        3 => log_in(c.key)?,
        _ => return Err(SYNTAX.into()),
    }
    Ok(c.out.ok())
}

fn log_in(user: &[u8]) -> Result<(), Error> {
    ensure(user == b"default", "WRONGPASS invalid username-password pair or user is disabled.")
}

/// `INFO [section ..]`
fn info(c: &mut Call<'_>) -> Replied {
    let (store, stats) = (&c.store, &c.store.stats);
    let uptime = store.now.saturating_sub(store.started).max(0) / 1000;
    let text = format!(
        "# Server\r\nredis_version:{VERSION}\r\nredis_mode:standalone\r\nos:{}\r\narch_bits:{}\r\n\
         process_id:{}\r\nuptime_in_seconds:{uptime}\r\nuptime_in_days:{}\r\n\
         \r\n# Clients\r\nconnected_clients:{}\r\nmaxclients:{}\r\nblocked_clients:{}\r\n\
         \r\n# Memory\r\nused_memory:{}\r\nused_memory_human:{}\r\nmaxmemory:{}\r\n\
         maxmemory_human:{}\r\nmaxmemory_policy:noeviction\r\n\
         \r\n# Stats\r\ntotal_connections_received:{}\r\ntotal_commands_processed:{}\r\n\
         rejected_connections:0\r\nexpired_keys:{}\r\nevicted_keys:0\r\n\
         keyspace_hits:{}\r\nkeyspace_misses:{}\r\n\
         \r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\
         \r\n# Keyspace\r\ndb0:keys={},expires={},avg_ttl=0",
        std::env::consts::OS,
        usize::BITS,
        std::process::id(),
        uptime / 86_400,
        store.clients.len(),
        store.max_clients,
        store.waits.len(),
        store.used,
        human(store.used),
        store.maxmemory,
        human(store.maxmemory),
        stats.connections,
        stats.commands,
        stats.expired,
        stats.hits,
        stats.misses,
        store.len(),
        store.volatile
    );
    let wanted = |section: &&str| {
        let name = &section.as_bytes()[2..section.find('\r').unwrap_or(2)];
        c.args.len() == 1
            || c.args.from(1).any(|word| {
                word.eq_ignore_ascii_case(name)
                    || matches!(&*lowercase(word), b"all" | b"default" | b"everything")
            })
    };
    let sections: Vec<_> = text.split("\r\n\r\n").filter(wanted).collect();
    let end = if sections.is_empty() { "" } else { "\r\n" };
    c.out.text((sections.join("\r\n\r\n") + end).as_bytes())
}

/// A number of bytes for people, such as `1.50M`.
fn human(bytes: usize) -> String {
    let units = [("G", 1_usize << 30), ("M", 1 << 20), ("K", 1 << 10)];
    match units.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => {
            let hundredths = bytes % size * 100 / size;
            format!("{}.{hundredths:02}{unit}", bytes / size)
        }
        None => format!("{bytes}B"),
    }
}
