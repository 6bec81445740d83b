//! Commands on the connection and on the server.

use crate::command::{Call, Reply, SYNTAX, commands, ensure, lowercase, text, wrong_arity};
use crate::glob::glob;
use crate::reply::{Out, Replied};
use crate::request::{Error, max_bulk, parse_int};
use crate::store::Stats;

/// The version of Redis that this server imitates.
const VERSION: &str = "7.0.15";
const NO_VERSION: &str = "ERR Protocol version is not an integer or out of range";
const NO_PROTOCOL: &str = "NOPROTO unsupported protocol version";
const NO_PASSWORD: &str = "ERR AUTH <password> called without any password configured for the \
                           default user. Are you sure your configuration is correct?";

commands! { c:
    "ping" -1 NoKeys => match c.args.len() {
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
    "client" -2 NoKeys => c.out.error(SYNTAX),
    "client|id" 2 NoKeys => c.out.int(c.session.id),
    "client|getname" 2 NoKeys => {
        c.out.optional(Some(&c.session.name).filter(|name| !name.is_empty()))
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
    "client|list" -2 NoKeys => {
        ensure(c.args.len() == 2, SYNTAX)?;
        let (id, name) = (c.session.id, String::from_utf8_lossy(&c.session.name));
        c.out.text(format!("id={id} name={name} db=0 cmd=client|list\n").as_bytes())
    },
    "config" -2 NoKeys => c.out.error(SYNTAX),
    "config|get" -3 NoKeys => config_get(c),
    "config|resetstat" 2 NoKeys => {
        let connections = c.store.stats.connections;
        c.store.stats = Stats { connections, ..Stats::default() };
        c.out.ok()
    },
    "info" -1 NoKeys => info(c),
}

/// `CONFIG GET pattern ..`; a pattern that is a name is replied as it was given.
fn config_get(c: &mut Call<'_>) -> Replied {
    let maxmemory = c.store.maxmemory.to_string();
    let max_bulk = max_bulk().to_string();
    let all = [
        ("appendonly", "no"),
        ("databases", "1"),
        ("maxmemory", &maxmemory),
        ("maxmemory-policy", "noeviction"),
        ("proto-max-bulk-len", &max_bulk),
        ("save", ""),
    ];
    let shown = |name: &'static str| {
        c.args.from(2).find_map(|pattern| {
            let is_name = pattern.eq_ignore_ascii_case(name.as_bytes());
            let matches = is_name || glob(&pattern.to_ascii_lowercase(), name.as_bytes());
            matches.then_some(if is_name { pattern } else { name.as_bytes() })
        })
    };
    let found = all.iter().filter_map(|(name, value)| Some((shown(name)?, value.as_bytes())));
    c.out.bulk_map(found)
}

fn set_name(c: &mut Call<'_>, i: usize) -> Result<(), Error> {
    let error = "ERR Client names cannot contain spaces, newlines or special characters.";
    ensure(c.args[i].iter().all(u8::is_ascii_graphic), error)?;
    c.session.name = c.args[i].into();
    Ok(())
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
    }
    c.out.map(7);
    for text in ["server", "redis", "version", VERSION, "proto"] {
        c.out.bulk(text.as_bytes());
    }
    c.out.int(if c.session.resp3 { 3 } else { 2 });
    c.out.bulk(b"id");
    c.out.int(c.session.id);
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
    let text = format!(
        "# Server\r\nredis_version:{VERSION}\r\nredis_mode:standalone\r\n\
         \r\n# Clients\r\nconnected_clients:{}\r\n\
         \r\n# Memory\r\nused_memory:{}\r\nmaxmemory:{}\r\n\
         \r\n# Stats\r\ntotal_connections_received:{}\r\ntotal_commands_processed:{}\r\n\
         keyspace_hits:{}\r\nkeyspace_misses:{}\r\nexpired_keys:{}\r\n\
         \r\n# Replication\r\nrole:master\r\n\
         \r\n# Keyspace\r\ndb0:keys={},expires={},avg_ttl=0",
        store.clients,
        store.used,
        store.maxmemory,
        stats.connections,
        stats.commands,
        stats.hits,
        stats.misses,
        stats.expired,
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
    c.out.text((sections.join("\r\n\r\n") + "\r\n").as_bytes())
}
