mod shape;

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

use self::shape::{exact, shape_kind, upto};
use super::Parsed;
use super::entry::{self, Entry};
use super::parts;
use super::pool;
use super::reader::Reader;
use super::{literal, marks};
use crate::ast::{self, Edges, Event, ShapeKind, Time, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// The events that an attribute may have edges for, by its wait: those of waits for another pool, and so
/// on.
const OF_POOLS: [Event; 4] = [Event::Within, Event::Full, Event::Gone, Event::Error];
const OF_DISCARDS: [Event; 3] = [Event::Within, Event::Eof, Event::Error];
const OF_SHUTDOWNS: [Event; 2] = [Event::Within, Event::Error];
const OF_CONNECTS: [Event; 3] = [Event::Within, Event::Refused, Event::Error];
const OF_TLS: [Event; 2] = [Event::Within, Event::Error];
const OF_RELAYS: [Event; 5] = [Event::Within, Event::Idle, Event::Eof, Event::Gone, Event::Error];
const OF_OTHERS: [Event; 7] = [
    Event::Within,
    Event::Idle,
    Event::Begun,
    Event::Eof,
    Event::Limit,
    Event::Refused,
    Event::Error,
];

/// The `max` of a `sleep`.
struct MaxTime {
    key: Ident,
    millis: u64,
}

/// Reads an attribute such as `#[read(..)]`, whose right name is `meant`.
pub(super) fn parse(
    name: &Ident,
    meant: &str,
    arguments: TokenStream,
    errors: &mut Errors,
) -> Parsed<Option<ast::Wait>> {
    let (text, own): (_, &[_]) = match meant {
        "read" => (
            "read",
            &["exact", "until", "some", "upto", "frame", "peek", "datagram", "max", "other"],
        ),
        "flush" => ("flush", &[]),
        "writable" => ("writable", &["below"]),
        "run" => ("run", &["blocking"]),
        "sleep" => ("sleep", &["max"]),
        "tick" => ("tick", &["max"]),
        "discard" => ("discard", &["exact", "until"]),
        "shutdown" => ("shutdown", &[]),
        "message" => ("message", &[]),
        "job" => ("job", &[]),
        "connect" => ("connect", &[]),
        "tls" => ("tls", &["name"]),
        "relay" => ("relay", &["out", "back", "exact", "max"]),
        "call" => ("call", &[]),
        "handoff" => ("handoff", &[]),
        _ => ("end", &[]),
    };
    let Some(mut wait) = unread(name, meant) else {
        return Parsed { value: None, complete: false };
    };
    let mut reader = Reader::new(text, errors);
    let leads_out = wait.kind.leads_out();
    let mut parts = parts::parts(arguments, leads_out, reader.errors);
    let first = match &mut wait.kind {
        WaitKind::Sleep(_) | WaitKind::Tick(_) => first(&mut parts, own),
        WaitKind::Call(pool) | WaitKind::HandOff(pool) => {
            *pool = pool::parse(name, text, first(&mut parts, own), &mut reader);
            None
        }
        WaitKind::Message | WaitKind::Job => {
            if let Some(ty) = parts.first().filter(|part| is_type(part)) {
                no_type(name, &ty.iter().cloned().collect(), &mut reader);
                parts.remove(0);
            }
            None
        }
        _ => None,
    };
    let entries = entry::entries(&parts, reader.errors);
    let mut max_time = None;
    for mut entry in entries.value {
        let key = entry.key.to_string();
        if key == "max" && matches!(wait.kind, WaitKind::Read { .. }) {
            // `max = 80 => TooLong` has the `limit` edge with it.
            if let Some(target) = entry.target.take() {
                let edge = Entry { value: None, target: Some(target), ..entry.clone() };
                reader.event(Event::Limit, edge, &mut wait.edges);
            }
        }
        if matches!(wait.kind, WaitKind::End) {
            let text = format!("`{key}` can never happen at an end; write `#[end]`");
            reader.errors.at(Code::EndGoesOn, &entry.key, text);
        } else if let Some(of) = entry.of.as_ref() {
            reader.no_parentheses(&entry, of);
        } else if key == "drain" {
            let text = "`drain` is an edge of a state at rest; write `#[rest(drain => State)]`";
            reader.unreadable(Code::WrongPlace, &entry.key, text);
        } else if let Some(event) = Event::named(&key) {
            let ends_later = event == Event::Eof && entry.value.is_some();
            let event = match wait.kind {
                WaitKind::Relay(_) if ends_later => Event::HalfClosed,
                _ => event,
            };
            reader.event(event, entry, &mut wait.edges);
        } else if !own.contains(&key.as_str()) {
            let events = match &wait.kind {
                kind if kind.leads_out() => &OF_POOLS[..],
                WaitKind::Discard { .. } => &OF_DISCARDS,
                WaitKind::Shutdown => &OF_SHUTDOWNS,
                WaitKind::Tick(_) => &[],
                WaitKind::Connect => &OF_CONNECTS,
                WaitKind::Tls { .. } => &OF_TLS,
                WaitKind::Relay(_) => &OF_RELAYS,
                _ => &OF_OTHERS,
            };
            let known = own.iter().copied().chain(events.iter().map(|event| event.name()));
            reader.unknown(&entry, &known.collect::<Vec<_>>());
        } else if reader.is_first(&entry, "=") {
            read(&mut wait.kind, &mut max_time, &entry, &mut reader);
        }
    }
    if let WaitKind::Sleep(pause) | WaitKind::Tick(pause) = &mut wait.kind {
        *pause = self::pause(name, first, max_time, &mut reader);
    }
    let complete = entries.complete && !reader.incomplete;
    Parsed { value: Some(wait), complete }
}

/// The wait `meant` without its details.
pub(crate) fn unread(name: &Ident, meant: &str) -> Option<ast::Wait> {
    let kind = match meant {
        "read" => WaitKind::Read { shape: None, max: None, other: false },
        "flush" => WaitKind::Flush,
        "writable" => WaitKind::Writable { below: None },
        "run" => WaitKind::Run { blocking: false },
        "sleep" => WaitKind::Sleep(None),
        "tick" => WaitKind::Tick(None),
        "discard" => WaitKind::Discard { shape: None },
        "shutdown" => WaitKind::Shutdown,
        "message" => WaitKind::Message,
        "job" => WaitKind::Job,
        "connect" => WaitKind::Connect,
        "tls" => WaitKind::Tls { name: None },
        "relay" => WaitKind::Relay(Box::default()),
        "call" => WaitKind::Call(None),
        "handoff" => WaitKind::HandOff(None),
        "end" => WaitKind::End,
        _ => return None,
    };
    Some(ast::Wait { name: name.clone(), kind, edges: Edges::default() })
}

/// Reads a key that is no edge; the `max` of a `sleep` goes into `max_time`.
fn read(
    kind: &mut WaitKind,
    max_time: &mut Option<MaxTime>,
    entry: &Entry,
    reader: &mut Reader<'_>,
) {
    let key = entry.key.clone();
    match (kind, key.to_string().as_str()) {
        (WaitKind::Read { other, .. }, "other") => {
            *other = true;
            alone(entry, "#[read(other, ..)]", reader);
        }
        (WaitKind::Relay(relay), name) => self::relay(relay, name, entry, reader),
        (WaitKind::Read { max, shape, .. }, "max") => {
            let value = reader.value(entry, "max = 64KiB");
            let size = value.and_then(|value| reader.bounded_size(&value));
            match shape {
                Some(shape) if max.is_some() => needless(&shape.key.to_string(), &key, reader),
                _ => *max = size.map(|size| (key, size)),
            }
        }
        (WaitKind::Tls { name }, _) => {
            let value = reader.value(entry, "name = host");
            *name = value.filter(|value| reader.is_over_fields(value));
        }
        (WaitKind::Writable { below }, _) => {
            let value = reader.value(entry, "below = 64KiB");
            *below = value.and_then(|value| reader.size(&value));
        }
        (WaitKind::Run { blocking }, _) => {
            *blocking = true;
            alone(entry, "#[run(blocking)]", reader);
        }
        (WaitKind::Sleep(_) | WaitKind::Tick(_), _) => {
            // An unreadable bound counts as one.
            let value = reader.value(entry, "max = 5min");
            let millis = value.and_then(|value| reader.millis(&value)).unwrap_or(1);
            *max_time = Some(MaxTime { key, millis });
        }
        (
            WaitKind::Read { shape: Some(first), .. } | WaitKind::Discard { shape: Some(first) },
            name,
        ) => {
            let first = &first.key;
            let text = format!("a state reads in one way; remove `{first}` or `{name}`");
            reader.errors.at(Code::TwoShapes, key, text);
        }
        (WaitKind::Read { shape, max, .. }, name @ ("exact" | "upto")) if entry.is_bounded() => {
            let Some((length, bound)) = entry.value.as_ref().and_then(marks::bounded) else {
                return;
            };
            if let Some((key, _)) = max {
                needless(name, key, reader);
            }
            let text = format!("{name} = {}", spelling::tokens(&length));
            let kind = match name {
                "exact" => exact(Some(length), reader),
                _ => ShapeKind::Upto(upto(Some(length), reader)),
            };
            let size = reader.size(&bound);
            *shape = Some(ast::Shape { kind, text, key: key.clone() });
            *max = size.map(|size| (key, size));
        }
        (WaitKind::Read { shape, .. } | WaitKind::Discard { shape }, name) => {
            let text = match &entry.value {
                Some(value) => format!("{key} = {value}"),
                None => key.to_string(),
            };
            *shape = Some(ast::Shape { kind: shape_kind(name, entry, reader), key, text });
        }
        _ => {}
    }
}

/// Reads a key of a `relay` that is no edge.
fn relay(relay: &mut ast::Relay, name: &str, entry: &Entry, reader: &mut Reader<'_>) {
    match name {
        "max" => {
            let value = reader.value(entry, "max = 64KiB");
            relay.max = value.and_then(|value| reader.size(&value));
        }
        "exact" => match exact(reader.value(entry, "exact = left"), reader) {
            ShapeKind::Exact(length) => relay.exact = Some(TokenTree::from(length).into()),
            ShapeKind::ExactOf(length) => relay.exact = Some(length),
            _ => reader.incomplete = true,
        },
        way => {
            alone(entry, &format!("#[relay({way}, ..)]"), reader);
            let first = relay.way.replace(entry.key.clone());
            if let Some(first) = first {
                let text = format!(
                    "`{first}` and `{way}` each name one way; remove both words to pass bytes both ways, or \
                     one of them"
                );
                reader.errors.at(Code::TwoShapes, &entry.key, text);
                relay.way = None;
            }
        }
    }
}

/// Adds a finding about a `max` beside `name = expr <= bound`.
fn needless(name: &str, max: &Ident, reader: &mut Reader<'_>) {
    let text = format!("`max` has no effect beside the bound of `{name}`; remove it");
    reader.errors.at(Code::NeedlessBound, max, text);
}

/// Adds a finding if a key that is a mere word has a value or a target.
pub(super) fn alone(entry: &Entry, example: &str, reader: &mut Reader<'_>) {
    let place = entry.value.clone().filter(|value| !value.is_empty());
    let place = place.or_else(|| entry.target.as_ref().map(ToTokens::to_token_stream));
    if let Some(place) = place {
        let text = format!("`{}` takes nothing; write `{example}`", entry.key);
        reader.errors.at(Code::TooMuch, place, text);
    }
}

/// Takes the first part if it has no key: the time of a `sleep`, the type of a pool.
fn first(parts: &mut Vec<Vec<TokenTree>>, own: &[&str]) -> Option<TokenStream> {
    let keyed = match parts.first().map(Vec::as_slice) {
        None => return None,
        Some([TokenTree::Ident(key), TokenTree::Punct(mark), ..]) => {
            let is_key = own.iter().any(|own| key == own);
            mark.as_char() == '=' && (is_key || Event::named(&key.to_string()).is_some())
        }
        Some(_) => false,
    };
    if keyed { None } else { Some(parts.remove(0).into_iter().collect()) }
}

/// The key and the value of what is written as `key = value`.
fn keyed(part: &TokenStream) -> Option<(Ident, TokenStream)> {
    let mut tokens = part.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(key)), Some(TokenTree::Punct(mark)))
            if mark.as_char() == '=' && mark.spacing() == Spacing::Alone =>
        {
            Some((key, tokens.collect()))
        }
        _ => None,
    }
}

/// Whether it is a type, and neither a key nor an edge.
fn is_type(part: &[TokenTree]) -> bool {
    let is_key = |name: &Ident| name.to_string().starts_with(char::is_lowercase);
    !matches!(part, [] | [TokenTree::Literal(_), ..])
        && !matches!(part, [TokenTree::Ident(name)] if is_key(name))
        && syn::parse2::<Type>(part.iter().cloned().collect()).is_ok()
}

/// Refuses the type of the messages or the jobs in the parentheses of the wait for one.
fn no_type(name: &Ident, part: &TokenStream, reader: &mut Reader<'_>) {
    let ty = spelling::tokens(part);
    let text = format!(
        "all states wait for the same type; write `{name} = {ty}` on `#[state_machine(..)]`, and `#[{name}]` here"
    );
    reader.unreadable(Code::WrongPlace, part, text);
}

fn pause(
    name: &Ident,
    time: Option<TokenStream>,
    max: Option<MaxTime>,
    reader: &mut Reader<'_>,
) -> Option<Time> {
    let Some(time) = time else {
        let text = format!("`{name}` lacks its time; write `#[{name}(30s)]`");
        reader.unreadable(Code::ValueMissing, name, text);
        return None;
    };
    let text = name.to_string();
    if let Some((key, every)) = keyed(&time) {
        let every = spelling::tokens(&every);
        let text = format!("`{name}` takes its time alone; write `#[{name}({every})]`");
        reader.unreadable(Code::UnknownKey, key, text);
        return None;
    }
    if let Some((pause, target)) = parts::edge(&time) {
        let text = match text.as_str() {
            "tick" => format!("a `tick` only calls its handler; write `#[tick({pause})]`"),
            _ => format!(
                "a `{text}` leads where its handler says; write `#[{text}({pause})] #[to({target})]`"
            ),
        };
        reader.unreadable(Code::TooMuch, target, text);
        return None;
    }
    let Some(MaxTime { key, millis }) = max else {
        return reader.time(&time, |time| format!("#[{name}({time} <= 5min)]"));
    };
    if literal::is_literal(&time) || marks::bounded(&time).is_some() {
        let text = "this time has a bound already; remove `max`";
        reader.errors.at(Code::NeedlessBound, key, text);
        return reader.time(&time, ToString::to_string);
    }
    if !reader.is_whole(&time) || !reader.is_over_fields(&time) {
        return None;
    }
    Some(Time::Of { time, max: millis })
}

#[cfg(test)]
mod tests;
