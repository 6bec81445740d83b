//! The settings that CONFIG shows and changes.

use crate::command::{Call, Reply, SYNTAX, commands, ensure, text};
use crate::glob::glob;
use crate::reply::{Out, Replied};
use crate::request::{Error, max_bulk, parse_int, set_max_bulk};
use crate::store::{Stats, Store};
use crate::subscriber::Limits;

commands! { c:
    "config" -2 NoKeys => c.out.error(SYNTAX),
    "config|get" -3 NoKeys => get(c),
    "config|set" -4 NoKeys => set(c)?,
    "config|resetstat" 2 NoKeys => {
        let connections = c.store.stats.connections;
        c.store.stats = Stats { connections, ..Stats::default() };
        c.out.ok()
    },
}

/// The settings and their values.
fn all(store: &Store) -> [(&'static str, String); 9] {
    [
        ("appendonly", "no".to_owned()),
        ("client-output-buffer-limit", store.channels.limits.to_string()),
        ("databases", "1".to_owned()),
        ("maxclients", store.max_clients.to_string()),
        ("maxmemory", store.maxmemory.to_string()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("proto-max-bulk-len", max_bulk().to_string()),
        ("save", String::new()),
        ("timeout", store.settings.timeout().to_string()),
    ]
}

/// `CONFIG GET pattern ..`; a pattern that is a name is replied as it was given.
fn get(c: &mut Call<'_>) -> Replied {
    let all = all(c.store);
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

/// A setting that CONFIG SET changes, with its new value.
enum Change {
    Timeout(u32),
    Limits(Limits),
    MaxMemory(usize),
    MaxBulk(i64),
}

/// `CONFIG SET name value ..`, which changes all of them or none.
fn set(c: &mut Call<'_>) -> Reply {
    ensure(c.args.len() % 2 == 0, SYNTAX)?;
    let (all, mut changes) = (all(c.store), Vec::new());
    for i in (2..c.args.len()).step_by(2) {
        let is_this = |other: usize| c.args[other].eq_ignore_ascii_case(&c.args[i]);
        if (2..i).step_by(2).any(is_this) {
            return Err(failed(&c.args[i], "duplicate parameter"));
        }
        changes.extend(change(&all, &c.args[i], &c.args[i + 1])?);
    }
    for change in changes {
        match change {
            Change::Limits(limits) => c.store.channels.limits = limits,
            Change::Timeout(seconds) => c.store.settings.set_timeout(seconds),
            Change::MaxMemory(size) => c.store.maxmemory = size,
            Change::MaxBulk(size) => set_max_bulk(size),
        }
    }
    Ok(c.out.ok())
}

fn failed(name: &[u8], why: &str) -> Error {
    let name = text(name, 128);
    format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}").into()
}

/// The change that sets a setting; `None` if it has that value.
fn change(
    all: &[(&'static str, String)],
    name: &[u8],
    value: &[u8],
) -> Result<Option<Change>, Error> {
    let failed = |why: &str| failed(name, why);
    let size_of = || std::str::from_utf8(value).map_err(|error| error.to_string());
    match &*name.to_ascii_lowercase() {
        b"maxmemory" => match size_of().and_then(size) {
            Ok(size) => Ok(Some(Change::MaxMemory(size))),
            Err(_) => Err(failed("argument must be a memory value")),
        },
        b"proto-max-bulk-len" => match size_of().and_then(parse_max_bulk) {
            Ok(size) => Ok(Some(Change::MaxBulk(size))),
            Err(why) => Err(failed(&why)),
        },
        b"client-output-buffer-limit" => match size_of().and_then(Limits::parse) {
            Ok(limits) => Ok(Some(Change::Limits(limits))),
            Err(why) => Err(failed(&why)),
        },
        b"timeout" => match size_of().and_then(parse_timeout) {
            Ok(seconds) => Ok(Some(Change::Timeout(seconds))),
            Err(why) => Err(failed(&why)),
        },
        name => match all.iter().find(|(known, _)| known.as_bytes() == name) {
            Some((_, old)) if old.as_bytes() == value => Ok(None),
            Some(_) => Err(failed("can't set immutable config")),
            None => {
                let name = text(name, 128);
                let error = "ERR Unknown option or number of arguments for CONFIG SET";
                Err(format!("{error} - '{name}'").into())
            }
        },
    }
}

/// Parses the seconds after which an idle client is disconnected; the errors are those of Redis.
pub(crate) fn parse_timeout(text: &str) -> Result<u32, String> {
    let seconds =
        parse_int(text.as_bytes()).ok_or("argument couldn't be parsed into an integer")?;
    let valid = u32::try_from(seconds).ok().filter(|seconds| i32::try_from(*seconds).is_ok());
    valid.ok_or_else(|| "argument must be between 0 and 2147483647 inclusive".to_owned())
}

/// Parses the longest argument, which Redis does not let be below 1 MiB, either.
pub(crate) fn parse_max_bulk(text: &str) -> Result<i64, String> {
    let max = i64::try_from(size(text)?).unwrap_or(i64::MAX);
    let valid = (1 << 20..=1 << 30).contains(&max);
    if valid { Ok(max) } else { Err("the size is from 1mb to 1gb".to_owned()) }
}

/// Parses a size as the configuration of Redis does: `k` is 1,000 bytes, and `kb` 1,024.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        unit => return Err(format!("`{unit}` is not a unit; use b, k, kb, m, mb, g or gb")),
    };
    let number: usize =
        text[..digits].parse().map_err(|_| "a size is a number and a unit, such as `64mb`")?;
    number.checked_mul(unit).ok_or_else(|| "the size is too large".to_owned())
}
