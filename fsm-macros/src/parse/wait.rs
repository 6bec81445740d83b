use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Lit;

use super::entry::{self, Entry};
use super::literal;
use super::reader::Reader;
use crate::ast::{Cut, Edges, Event, Kind, Pause, Shape, Size, Wait};
use crate::errors::Errors;

/// Reads `#[read(..)]` and its like, and says whether all of it could be read.
pub(crate) fn parse(
    name: &Ident,
    arguments: TokenStream,
    errors: &mut Errors,
) -> (Option<Wait>, bool) {
    let (text, own, mut kind): (_, &[_], _) = match name.to_string().as_str() {
        "read" => (
            "read",
            &["exact", "until", "some", "upto", "frame", "max"],
            Kind::Read { shape: None, max: None },
        ),
        "flush" => ("flush", &[], Kind::Flush),
        "drain" => ("drain", &["below"], Kind::Drain { below: None }),
        "run" => ("run", &[], Kind::Run),
        "sleep" => ("sleep", &["max"], Kind::Sleep(None)),
        "wait" => ("wait", &[], Kind::Message),
        "end" => ("end", &[], Kind::End),
        _ => return (None, false),
    };
    let mut reader = Reader::new(text, errors);
    let mut parts = entry::split(arguments);
    let time = match &kind {
        Kind::Sleep(_) => time(&mut parts),
        _ => None,
    };
    let (entries, whole) = entry::entries(&parts, reader.errors);
    let mut edges = Edges::default();
    let mut max = None;
    for entry in entries {
        let key = entry.key.to_string();
        if matches!(kind, Kind::End) {
            let text = format!("`{key}` can never happen at an end; write `#[end]`");
            reader.errors.at(&entry.key, text);
        } else if let Some(event) = Event::named(&key) {
            reader.event(event, entry, &mut edges);
        } else if !own.contains(&key.as_str()) {
            let known: Vec<_> =
                own.iter().copied().chain(Event::ALL.iter().map(|event| event.name())).collect();
            reader.unknown(&entry.key, &known);
        } else if reader.is_first(&entry, "=") {
            read(&mut kind, &mut max, &entry, &mut reader);
        }
    }
    if let Kind::Sleep(pause) = &mut kind {
        *pause = self::pause(name, time, max, &mut reader);
    }
    let whole = whole && !reader.damaged;
    (Some(Wait { name: name.clone(), kind, edges }), whole)
}

/// Reads a key that is no edge. `longest` is where the `max` of a `sleep` goes.
fn read(
    kind: &mut Kind,
    longest: &mut Option<(Ident, u64)>,
    entry: &Entry,
    reader: &mut Reader<'_>,
) {
    let key = entry.key.clone();
    match (kind, key.to_string().as_str()) {
        (Kind::Read { max, .. }, "max") => {
            *max = reader.value(entry, "max = 64KiB").map(|value| (key, reader.size(&value)));
        }
        (Kind::Drain { below }, _) => {
            *below = reader.value(entry, "below = 64KiB").map(|value| reader.size(&value));
        }
        (Kind::Sleep(_), _) => {
            *longest = reader.value(entry, "max = 5min").map(|value| (key, reader.millis(&value)));
        }
        (Kind::Read { shape: Some(first), .. }, name) => {
            let first = &first.key;
            reader.errors.at(
                key,
                format_args!("a state reads in one way, this in two; remove `{first}` or `{name}`"),
            );
        }
        (Kind::Read { shape, .. }, name) => {
            let cut = match name {
                "exact" => reader.value(entry, "exact = 8").map(|value| exact(value, reader)),
                "until" => {
                    let value = reader.value(entry, "until = b\"\\n\"");
                    value.map(|value| Cut::Until(until(value, reader)))
                }
                "upto" => {
                    let value = reader.value(entry, "upto = left");
                    value.map(|value| upto(value, reader))
                }
                "frame" => {
                    let value = reader.value(entry, "frame = Type");
                    value.and_then(|value| frame(value, reader))
                }
                _ => Some(some(entry, reader)),
            };
            let text = match &entry.value {
                Some(value) => format!("{key} = {value}"),
                None => key.to_string(),
            };
            *shape = cut.map(|cut| Shape { key, cut, text });
        }
        _ => {}
    }
}

fn exact(value: TokenStream, reader: &mut Reader<'_>) -> Cut {
    if !literal::is_number(&value) {
        return Cut::ExactOf(value);
    }
    let size: Size = reader.size(&value);
    match size.value.into_iter().next() {
        Some(TokenTree::Literal(number)) => Cut::Exact(number),
        _ => Cut::Exact(Literal::usize_unsuffixed(1)),
    }
}

fn until(value: TokenStream, reader: &mut Reader<'_>) -> TokenStream {
    match syn::parse2::<Lit>(value.clone()) {
        Ok(Lit::ByteStr(text)) => {
            if text.value().is_empty() {
                reader.errors.at(value.clone(), "a delimiter has at least one byte");
            }
            value
        }
        Ok(Lit::Byte(byte)) => quote!(&[#byte]),
        Ok(Lit::Str(text)) => {
            let meant = text.to_token_stream();
            reader.errors.at(text, format_args!("a delimiter is bytes; write `b{meant}`"));
            value
        }
        Ok(Lit::Char(letter)) => {
            let meant = letter.to_token_stream();
            reader.errors.at(letter, format_args!("a delimiter is bytes; write `b{meant}`"));
            value
        }
        Ok(_) => {
            reader.errors.at(value.clone(), "a delimiter is bytes, such as `b\"\\r\\n\"`");
            value
        }
        Err(_) => value,
    }
}

fn upto(value: TokenStream, reader: &mut Reader<'_>) -> Cut {
    if literal::is_number(&value) {
        let text = format!("`upto = {value}` never changes; write `some, max = {value}`");
        reader.errors.at(&value, text);
    }
    Cut::Upto(value)
}

fn frame(value: TokenStream, reader: &mut Reader<'_>) -> Option<Cut> {
    match syn::parse2(value) {
        Ok(decoder) => Some(Cut::Frame(Box::new(decoder))),
        Err(error) => {
            reader.errors.push(error);
            reader.damaged = true;
            None
        }
    }
}

fn some(entry: &Entry, reader: &mut Reader<'_>) -> Cut {
    let place =
        entry.value.clone().or_else(|| entry.target.as_ref().map(ToTokens::to_token_stream));
    if let Some(place) = place {
        reader.errors.at(place, "`some` takes nothing; write `some, max = 64KiB`");
    }
    Cut::Some
}

/// The time of a `sleep`, which has no key.
fn time(parts: &mut Vec<Vec<TokenTree>>) -> Option<TokenStream> {
    let keyed = match parts.first().map(Vec::as_slice) {
        None => return None,
        Some([TokenTree::Ident(key), TokenTree::Punct(mark), ..]) => {
            mark.as_char() == '=' && (key == "max" || Event::named(&key.to_string()).is_some())
        }
        Some(_) => false,
    };
    if keyed { None } else { Some(parts.remove(0).into_iter().collect()) }
}

fn pause(
    name: &Ident,
    time: Option<TokenStream>,
    max: Option<(Ident, u64)>,
    reader: &mut Reader<'_>,
) -> Option<Pause> {
    let Some(time) = time else {
        reader.lost(name, "`sleep` lacks its time; write `#[sleep(30s)]`");
        return None;
    };
    reader.whole(&time);
    match (literal::is_number(&time), max) {
        (true, max) => {
            if let Some((key, _)) = max {
                reader
                    .errors
                    .at(key, "`max` bounds an expression, this is a literal; remove `max`");
            }
            Some(Pause::Fixed(reader.millis(&time)))
        }
        (false, Some((_, max))) => Some(Pause::Of { time, max }),
        (false, None) => {
            let text = format!("nothing bounds this sleep; write `#[sleep({time}, max = 5min)]`");
            reader.errors.at(&time, text);
            Some(Pause::Of { time, max: 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the attribute reads, and the messages.
    fn read(text: &str) -> Vec<String> {
        let mut tokens = text.parse::<TokenStream>().unwrap().into_iter();
        let Some(TokenTree::Ident(name)) = tokens.next() else { panic!("no name") };
        let arguments = match tokens.next() {
            Some(TokenTree::Group(group)) => group.stream(),
            _ => TokenStream::new(),
        };
        let mut errors = Errors::default();
        let (wait, _) = parse(&name, arguments, &mut errors);
        let wait = wait.unwrap();
        let kind = match wait.kind {
            Kind::Read { shape, max } => {
                let cut = shape.map_or("?".to_owned(), |shape| match shape.cut {
                    Cut::Exact(number) => format!("exactly {number}"),
                    Cut::ExactOf(length) => format!("exactly of {length}"),
                    Cut::Until(delimiter) => format!("until {delimiter}"),
                    Cut::Some => "some".to_owned(),
                    Cut::Upto(length) => format!("upto {length}"),
                    Cut::Frame(decoder) => format!("frame {}", decoder.to_token_stream()),
                });
                let max = max.map(|(_, max)| format!(", max {}", max.value));
                format!("read {cut}{}", max.unwrap_or_default())
            }
            Kind::Flush => "flush".to_owned(),
            Kind::Drain { below } => {
                format!("drain {}", below.map_or("?".to_owned(), |below| below.value.to_string()))
            }
            Kind::Run => "run".to_owned(),
            Kind::Sleep(None) => "sleep ?".to_owned(),
            Kind::Sleep(Some(Pause::Fixed(millis))) => format!("sleep {millis}"),
            Kind::Sleep(Some(Pause::Of { time, max })) => format!("sleep {time}, max {max}"),
            Kind::Message => "wait".to_owned(),
            Kind::End => "end".to_owned(),
        };
        let mut lines = vec![kind];
        lines.extend(wait.edges.never.map(|_| "never".to_owned()));
        lines.extend(
            wait.edges.answers.iter().map(|answer| {
                format!("{} {} {}", answer.event.name(), answer.millis, answer.target)
            }),
        );
        lines.extend(errors.messages());
        lines
    }

    #[test]
    fn waits_are_read() {
        for (text, expected) in [
            ("read(exact = 8, within = 30s => A)", &["read exactly 8", "within 30000 A"][..]),
            ("read(exact = 4KiB)", &["read exactly 4096"]),
            (
                "read(exact = head.len + 2, max = 1KiB)",
                &["read exactly of head . len + 2, max 1024"],
            ),
            (
                "read(until = b\"\\r\\n\", max = 64, limit => L)",
                &["read until b\"\\r\\n\", max 64", "limit 0 L"],
            ),
            ("read(until = b'\\n', max = LINE)", &["read until & [b'\\n'], max LINE"]),
            ("read(until = codec::END, max = 9)", &["read until codec :: END, max 9"]),
            (
                "read(some, max = 64KiB, idle = 1h => A, eof => B)",
                &["read some, max 65536", "idle 3600000 A", "eof 0 B"],
            ),
            ("read(upto = left, max = 1, within = never)", &["read upto left, max 1", "never"]),
            (
                "read(frame = Codec<A, B>, max = 1, error => E)",
                &["read frame Codec < A , B >, max 1", "error 0 E"],
            ),
            ("flush(within = 5s => A)", &["flush", "within 5000 A"]),
            ("drain(below = 64KiB)", &["drain 65536"]),
            ("run", &["run"]),
            ("run(error => A)", &["run", "error 0 A"]),
            ("sleep(100ms)", &["sleep 100"]),
            (
                "sleep(pause * 2, max = 5min, error => A)",
                &["sleep pause * 2, max 300000", "error 0 A"],
            ),
            ("wait(within = 1d => A)", &["wait", "within 86400000 A"]),
            ("end", &["end"]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn slips_are_named() {
        for (text, expected) in [
            ("read(exact = 0)", "a size must be more than nothing"),
            ("read(exact = 8, exact = 9)", "`exact` is here twice; remove one"),
            (
                "read(exact = 8, some)",
                "a state reads in one way, this in two; remove `exact` or `some`",
            ),
            ("read(until = b\"\", max = 1)", "a delimiter has at least one byte"),
            ("read(until = \"\\n\", max = 1)", "a delimiter is bytes; write `b\"\\n\"`"),
            ("read(upto = 9, max = 1)", "`upto = 9` never changes; write `some, max = 9`"),
            ("read(some = 9, max = 1)", "`some` takes nothing; write `some, max = 64KiB`"),
            ("read(some, max = 64KB)", "unknown unit `KB`; write `64KiB`"),
            ("read(some, mx = 64)", "unknown key `mx` on `read`; did you mean `max`?"),
            ("read(some, max)", "`max` lacks its value; write `max = 64KiB`"),
            ("flush(withn = 5s => A)", "unknown key `withn` on `flush`; did you mean `within`?"),
            ("flush(within => A)", "`within` lacks its time; write `within = 30s => A`"),
            ("flush(idle = never)", "`idle = never` says too little; write `within = never`"),
            ("flush(within = never => A)", "`never` leads nowhere; remove `=> A`"),
            ("flush(eof = 3 => A)", "`eof` has no value; write `eof => A`"),
            ("sleep", "`sleep` lacks its time; write `#[sleep(30s)]`"),
            ("sleep(pause)", "nothing bounds this sleep; write `#[sleep(pause, max = 5min)]`"),
            ("sleep(1s, max = 5s)", "`max` bounds an expression, this is a literal; remove `max`"),
            ("end(eof => A)", "`eof` can never happen at an end; write `#[end]`"),
        ] {
            let found = read(text);
            assert_eq!(found.last().map(String::as_str), Some(expected), "{text}");
        }
    }
}
