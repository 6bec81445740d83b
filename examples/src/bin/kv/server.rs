//! Commands on the connection and on the server.

use crate::command::{
    Access, Call, Command, Reply, SYNTAX, all, commands, ensure, lowercase, text, wrong_arity,
};
use crate::glob::glob;
use crate::reply::Replied;
use crate::request::{Error, max_bulk, parse_int};
use crate::store::Stats;

/// The version of Redis that this server imitates.
const VERSION: &str = "7.0.15";

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
        c.out.bulk(format!("id={id} name={name} db=0 cmd=client|list\n").as_bytes())
    },
    "command" -1 NoKeys => describe(c),
    "command|count" 2 NoKeys => c.out.count(top_level().count()),
    "command|list" 2 NoKeys => c.out.bulks(top_level().map(|command| command.name)),
    "command|docs" -2 NoKeys => c.out.array(0),
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
    let found = all.iter().filter_map(|(name, value)| Some([shown(name)?, value.as_bytes()]));
    c.out.bulks(found.flatten())
}

fn set_name(c: &mut Call<'_>, i: usize) -> Result<(), Error> {
    let error = "ERR Client names cannot contain spaces, newlines or special characters.";
    ensure(c.args[i].iter().all(u8::is_ascii_graphic), error)?;
    c.session.name = c.args[i].into();
    Ok(())
}

/// `HELLO [2 [SETNAME name]]`
fn hello(c: &mut Call<'_>) -> Reply {
    let version = c.args.from(1).next().map_or(Some(2), parse_int);
    let version = version.ok_or("ERR Protocol version is not an integer or out of range")?;
    ensure(version == 2, "NOPROTO unsupported protocol version")?;
    for i in (2..c.args.len()).step_by(2) {
        if &*lowercase(&c.args[i]) != b"setname" || i + 1 == c.args.len() {
            let option = text(&c.args[i], usize::MAX);
            return Err(format!("ERR Syntax error in HELLO option '{option}'").into());
        }
        set_name(c, i + 1)?;
    }
    c.out.array(14);
    for text in ["server", "redis", "version", VERSION, "mode", "standalone", "role", "master"] {
        c.out.bulk(text.as_bytes());
    }
    let end =
        format!("$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:{}\r\n$7\r\nmodules\r\n*0\r\n", c.session.id);
    c.out.put(end.as_bytes());
    Ok(Replied)
}

/// The commands without subcommands.
fn top_level() -> impl Iterator<Item = &'static Command> {
    all().filter(|command| !command.name.contains('|'))
}

/// COMMAND: the name, arity, flags, first key, last key and step of each command.
fn describe(c: &mut Call<'_>) -> Replied {
    c.out.array(top_level().count());
    for command in top_level() {
        let keys = match command.name {
            "dbsize" | "keys" | "scan" | "flushall" | "flushdb" => [0, 0, 0],
            "del" | "exists" | "mget" | "unlink" => [1, -1, 1],
            "mset" => [1, -1, 2],
            _ if command.access == Access::NoKeys => [0, 0, 0],
            _ => [1, 1, 1],
        };
        c.out.array(6);
        c.out.bulk(command.name.as_bytes());
        c.out.int(command.arity);
        c.out.bulks(match command.access {
            Access::NoKeys => &["fast"][..],
            Access::Read => &["readonly"],
            Access::Write => &["write"],
            Access::Grow => &["write", "denyoom"],
        });
        for number in keys {
            c.out.int(number);
        }
    }
    Replied
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
    c.out.bulk((sections.join("\r\n\r\n") + "\r\n").as_bytes())
}
