//! Words that users know from elsewhere, and ours for them.

use crate::ast::Event;

/// A word for an attribute on a state, which others have and we do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) means: Means,
    /// The text to write in its place.
    remedy: &'static str,
}

/// The attribute of this macro that a user means by a foreign one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// One of our attributes.
    Attribute(&'static str),
    /// That the machine starts here.
    Start,
    /// An edge in the parentheses of a wait.
    Edge,
}

use Means::{Attribute, Edge, Start};

const ATTRIBUTES: [(&[&str], Means, &str); 14] = [
    (
        &["wait", "recv", "receive", "on_message", "mailbox"],
        Attribute("message"),
        "write `#[message]`",
    ),
    (&["drain"], Attribute("writable"), "write `#[writable(below = ..)]`"),
    (
        &["start", "initial", "init", "entry", "begin"],
        Start,
        "write `start = STATE` in `#[state_machine(..)]`",
    ),
    (
        &["terminal", "finish", "finished", "done", "exit", "stop", "accept"],
        Attribute("end"),
        "write `#[end]`",
    ),
    (
        &["timeout", "deadline", "within", "expires"],
        Edge,
        "write `within = 30s => State` in the parentheses of its wait",
    ),
    (&["idle"], Edge, "write `idle = 30s => State` in the parentheses of its wait"),
    (&["eof"], Edge, "write `eof => State` in the parentheses of its wait"),
    (
        &["read_line", "read_until", "line", "lines"],
        Attribute("read"),
        "write `#[read(until = b\"\\n\", max = 1KiB)]`",
    ),
    (&["read_exact"], Attribute("read"), "write `#[read(exact = 8)]`"),
    (
        &["write", "send", "output"],
        Attribute("flush"),
        "write into `cx` in a handler, and wait with `#[flush]`",
    ),
    (&["delay", "timer", "after"], Attribute("sleep"), "write `#[sleep(30s)]`"),
    (
        &["starttls", "ssl", "secure", "encrypt", "handshake"],
        Attribute("tls"),
        "write `#[tls(within = 10s => State, error => State)]`",
    ),
    (
        &["next", "goto", "transition", "transitions", "target", "targets", "edges", "on"],
        Attribute("to"),
        "write `#[to(State)]`",
    ),
    (
        &["blocking", "spawn", "spawn_blocking", "compute"],
        Attribute("run"),
        "write `#[run(blocking)]`",
    ),
];

/// Words for a key, and our keys for them, of which the first that fits the attribute is meant.
const KEYS: [(&[&str], &[&str]); 17] = [
    (&["timeout", "deadline", "expires", "ttl"], &["within"]),
    (&["len", "length", "bytes", "count"], &["exact"]),
    (&["delimiter", "delim", "terminator", "separator", "sep", "line", "lines"], &["until"]),
    (&["available", "any"], &["some"]),
    (&["at_most", "remaining"], &["upto", "max"]),
    (&["codec", "decoder", "decode"], &["frame"]),
    (&["max_len", "max_size", "max_length", "capacity", "cap", "buffer"], &["max", "size"]),
    (&["low", "low_water", "under", "less"], &["below"]),
    (&["close", "closed", "eos", "disconnect", "disconnected", "hangup", "end"], &["eof"]),
    (&["overflow", "too_long", "too_large", "exceeded"], &["limit"]),
    (&["err", "fail", "failed", "failure", "on_error"], &["error", "refused"]),
    (&["busy", "overloaded", "rejected"], &["full"]),
    (&["invalid", "malformed", "bad", "decode_error", "parse_error"], &["refused"]),
    (&["lost", "unavailable", "dead", "down"], &["gone"]),
    (&["initial", "init", "begin", "entry", "first"], &["start"]),
    (&["name", "mod"], &["module"]),
    (&["input", "request", "task"], &["job"]),
];

/// The attribute `name` on a state, if it is a word of others.
pub(crate) fn for_attribute(name: &str) -> Option<Foreign> {
    let (_, means, remedy) = ATTRIBUTES.iter().find(|(words, ..)| words.contains(&name))?;
    Some(Foreign { means: *means, remedy })
}

impl Foreign {
    /// The remedy with the name of the state and what is in the parentheses of the attribute.
    pub(crate) fn remedy(self, state: &str, list: &str) -> String {
        let remedy = self.remedy.replace("STATE", state);
        match list {
            "" => remedy,
            edge if edge.contains("=>") => remedy.replace("30s => State", edge),
            time if remedy.contains("30s") => remedy.replace("30s", time),
            states => remedy.replace("State", states),
        }
    }
}

/// The key of `known` that is meant by `name`.
pub(crate) fn for_key(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let (_, ours) = KEYS.iter().find(|(words, _)| words.contains(&name))?;
    ours.iter().find(|key| known.contains(key)).copied()
}

/// How `key` is written with its value and target, if it has any.
pub(crate) fn written(key: &str, value: Option<&str>, target: Option<&str>) -> String {
    match (value, target) {
        _ if key == "some" || key == "blocking" => key.to_owned(),
        (Some(value), Some(target)) => format!("{key} = {value} => {target}"),
        (None, Some(target)) => format!("{key} => {target}"),
        (Some(value), None) if Event::named(key).is_some_and(|event| !event.is_timed()) => {
            format!("{key} => {value}")
        }
        (Some(value), None) if key == "size" => format!("{key} <= {value}"),
        (Some(value), None) => format!("{key} = {value}"),
        (None, None) => example(key).to_owned(),
    }
}

/// A key with a value as others write it, since it says nothing alone.
fn example(key: &str) -> &str {
    match key {
        "exact" => "exact = 8",
        "until" => "until = b\"\\n\"",
        "upto" => "upto = left",
        "frame" => "frame = Type",
        "max" => "max = 64KiB",
        "below" => "below = 64KiB",
        "size" => "size <= 64",
        key => key,
    }
}
