//! COMMAND and its subcommands, with which clients ask for the commands of the server.

use crate::command::{Access, Call, Command, TABLES, commands, find_name};
use crate::reply::{Out, Replied};

commands! { c:
    "command" -1 NoKeys => describe_all(c),
    "command|count" 2 NoKeys => c.out.count(top_level().count()),
    "command|list" 2 NoKeys => c.out.bulks(top_level().map(|(_, command)| command.name)),
    "command|info" -2 NoKeys => {
        if c.args.len() == 2 {
            describe_all(c)
        } else {
            c.out.array(c.args.len() - 2);
            for name in c.args.from(2) {
                match find_name(name) {
                    Some(command) => describe(c, command),
                    None => c.out.null(),
                };
            }
            Replied
        }
    },
    "command|docs" -2 NoKeys => {
        let found: Vec<_> = if c.args.len() == 2 {
            top_level().collect()
        } else {
            let all = || TABLES.iter().flat_map(|(group, table)| table.iter().map(|c| (*group, c)));
            let named = c.args.from(2).filter_map(find_name);
            named.filter_map(|one| all().find(|(_, command)| command.name == one.name)).collect()
        };
        c.out.map(found.len());
        for (group, command) in found {
            c.out.bulk(command.name.as_bytes());
            c.out.bulk_map([("group", group)]);
        }
        Replied
    },
}

/// The commands without subcommands, with their groups.
fn top_level() -> impl Iterator<Item = (&'static str, &'static Command)> {
    let all = TABLES.iter().flat_map(|(group, table)| table.iter().map(|c| (*group, c)));
    all.filter(|(_, command)| !command.name.contains('|'))
}

fn subcommands(of: &'static Command) -> impl Iterator<Item = &'static Command> {
    let all = TABLES.iter().flat_map(|(_, table)| *table);
    all.filter(|sub| sub.name.split_once('|').is_some_and(|(name, _)| name == of.name))
}

fn describe_all(c: &mut Call<'_>) -> Replied {
    c.out.array(top_level().count());
    for (_, command) in top_level() {
        describe(c, command);
    }
    Replied
}

/// The name, arity, flags, first key, last key and step of a command, the categories of its access,
/// hints and places of keys, of which this server has none, and the subcommands.
fn describe(c: &mut Call<'_>, command: &'static Command) -> Replied {
    let (flags, categories) = match command.access {
        Access::NoKeys => (&["fast"][..], &["@fast"][..]),
        Access::Read => (&["readonly"][..], &["@read"][..]),
        Access::Write => (&["write"][..], &["@write"][..]),
        Access::Grow => (&["write", "denyoom"][..], &["@write"][..]),
    };
    c.out.array(10);
    c.out.bulk(command.name.as_bytes());
    c.out.int(command.arity);
    words(c, flags);
    for number in keys(command) {
        c.out.int(number);
    }
    words(c, categories);
    c.out.array(0);
    c.out.array(0);
    c.out.array(subcommands(command).count());
    for sub in subcommands(command) {
        describe(c, sub);
    }
    Replied
}

fn words(c: &mut Call<'_>, words: &[&str]) {
    c.out.set(words.len());
    for word in words {
        c.out.simple(word);
    }
}

/// The first and the last argument that is a key, and the step between keys.
fn keys(command: &Command) -> [i64; 3] {
    match command.name {
        "dbsize" | "keys" | "scan" | "flushall" | "flushdb" => [0, 0, 0],
        "del" | "exists" | "mget" | "unlink" | "watch" => [1, -1, 1],
        "mset" => [1, -1, 2],
        "blpop" | "brpop" | "bzpopmin" | "bzpopmax" => [1, -2, 1],
        "lmove" | "rpoplpush" | "blmove" | "brpoplpush" => [1, 2, 1],
        _ if command.access == Access::NoKeys => [0, 0, 0],
        _ => [1, 1, 1],
    }
}
