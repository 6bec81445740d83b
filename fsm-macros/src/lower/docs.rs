use std::fmt::Write;

use quote::ToTokens;

use crate::ast::{self, Event, ShapeKind, Size, Time, WaitKind};
use crate::graph::{Edge, Graph};
use crate::spelling;

/// The docs of a handler method: those of the state, when it is called, and its verdicts.
pub(crate) fn handler(machine: &ast::Machine, graph: &Graph<'_>, index: usize) -> String {
    let state = &machine.states[index];
    let mut text = without_code(&state.docs);
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(&state.wait().map(|wait| called(&wait.kind)).unwrap_or_default());
    for event in [Event::Within, Event::Idle, Event::Begun, Event::Budget] {
        let Some(edge) = graph.on(index, event) else { continue };
        let Some(time) = edge.declared.and_then(|edge| edge.time.as_ref()).map(in_words) else {
            continue;
        };
        let target = edge.name;
        let when = match event {
            Event::Within => format!("{time} after the state was entered"),
            Event::Begun => format!("{time} after the first byte of what is incomplete"),
            Event::Budget => match machine.budget_of(state) {
                Some((_, budget)) => format!("{time} after `{}` was entered", budget.group),
                None => continue,
            },
            _ => format!("when the wait does not complete for {time}"),
        };
        let _ = write!(text, " `{target}` follows {when}.");
    }
    push_verdicts(&mut text, state, graph, index);
    text
}

/// The docs of the method for a wait beside the main one.
pub(crate) fn beside(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    index: usize,
    wait: &ast::Wait,
) -> String {
    let state = &machine.states[index];
    let of_other = if wait.kind.reads_other() { ", for the other socket" } else { "" };
    let mut text = format!("In state `{}`{of_other}: ", state.name);
    text.push_str(&called(&wait.kind).replace("Called", "called"));
    let idle = graph.on_other(index, Event::Idle).filter(|_| wait.kind.reads_other());
    let time = |edge: &Edge<'_>| Some(in_words(edge.declared?.time.as_ref()?));
    if let Some((edge, time)) = idle.and_then(|edge| Some((edge, time(edge)?))) {
        let target = edge.name;
        let _ = write!(text, " `{target}` follows when this does not happen for {time}.");
    }
    push_verdicts(&mut text, state, graph, index);
    text
}

fn push_verdicts(text: &mut String, state: &ast::State, graph: &Graph<'_>, index: usize) {
    let after = spelling::after_name(&state.name);
    let links = graph.verdicts(index).map(|edge| {
        let name = edge.name;
        format!("[`{name}`]({after}::{name})")
    });
    let _ = write!(text, "\n\nVerdicts: {}.", links.collect::<Vec<_>>().join(", "));
}

/// The docs of a verdict for `target`.
pub(crate) fn verdict(target: &ast::State, stays: bool) -> String {
    let name = &target.name;
    let verb = if stays { "Stay in" } else { "Go to" };
    let docs = without_code(&target.docs);
    match docs.split("\n\n").next() {
        None | Some("") => format!("{verb} `{name}`."),
        Some(first) => format!("{verb} `{name}`: {}", first.replace('\n', " ")),
    }
}

/// Docs without their code blocks, which are tested where they were written.
fn without_code(docs: &str) -> String {
    let mut in_code = false;
    let mut lines = Vec::new();
    for line in docs.lines() {
        let fence = line.trim_start().starts_with("```");
        if !fence && !in_code {
            lines.push(line);
        }
        in_code ^= fence;
    }
    lines.join("\n").trim().to_owned()
}

/// When the handler is called.
fn called(wait: &WaitKind) -> String {
    match wait {
        WaitKind::Connect => {
            "Called when the connection to the target that the verdict carried is there.".to_owned()
        }
        WaitKind::Relay(_) => "Called when all is passed on.".to_owned(),
        WaitKind::Tls { .. } => "Called when the TLS handshake is over.".to_owned(),
        WaitKind::Read { shape, max, .. } => {
            let max = max.as_ref().map_or("", |(_, Size { text, .. })| text);
            match shape.as_ref().map(|shape| &shape.kind) {
                Some(ShapeKind::Exact(length)) => format!("Called with the next {length} bytes."),
                Some(ShapeKind::Peek(length)) => {
                    format!("Called with the next {length} bytes, which stay unread.")
                }
                Some(ShapeKind::ExactOf(length)) => {
                    format!("Called with the next `{length}` bytes, at most {max}.")
                }
                Some(ShapeKind::Until(delimiter)) => {
                    format!(
                        "Called with the bytes before {}, at most {max}.",
                        code(&delimiter.to_string())
                    )
                }
                Some(ShapeKind::Upto(length)) => {
                    format!("Called with the bytes that are there, never past the next `{length}`.")
                }
                Some(ShapeKind::Datagram) => {
                    format!("Called with the next datagram, of at most {max}.")
                }
                Some(ShapeKind::Frame(decoder)) => {
                    format!("Called with the next frame of `{}`.", decoder.to_token_stream())
                }
                Some(ShapeKind::Some | ShapeKind::Unknown) | None => {
                    format!("Called with the bytes that are there, at most {max}.")
                }
            }
        }
        WaitKind::Flush => "Called when all output has left.".to_owned(),
        WaitKind::Writable { below } => {
            let below = below.as_ref().map_or("", |below| &below.text);
            format!("Called whenever less than {below} of output is queued.")
        }
        WaitKind::Run { blocking: false } => "Called at once.".to_owned(),
        WaitKind::Run { blocking: true } => {
            "Called at once, and may block: meanwhile the port lets another thread run.".to_owned()
        }
        WaitKind::Call(Some(pool)) => {
            format!("Called with the reply of `{}` to the job that the verdict carried.", pool.text)
        }
        WaitKind::Sleep(Some(pause)) => format!("Called after {}.", in_words(pause)),
        WaitKind::Message => "Called with the next message.".to_owned(),
        WaitKind::Job => "Called with the next job.".to_owned(),
        WaitKind::Tick(Some(pause)) => format!("Called every {}.", in_words(pause)),
        WaitKind::Discard { .. } => "Called when the input is thrown away.".to_owned(),
        WaitKind::Shutdown => {
            "Called when all output and the end of the stream have left.".to_owned()
        }
        WaitKind::Sleep(None)
        | WaitKind::Tick(None)
        | WaitKind::Call(None)
        | WaitKind::HandOff(_)
        | WaitKind::End => String::new(),
    }
}

/// A time in a sentence.
fn in_words(pause: &Time) -> String {
    match pause {
        Time::Fixed(millis) => time(*millis),
        Time::Of { time: value, max } => {
            format!("`{}` (at most {})", spelling::tokens(value), time(*max))
        }
        Time::Constant(path) => format!("`{}`", spelling::tokens(path)),
    }
}

/// A time as an attribute has it.
pub(crate) fn written(pause: &Time) -> String {
    match pause {
        Time::Fixed(millis) => time(*millis),
        Time::Of { time: value, max } => {
            format!("{} <= {}", spelling::tokens(value), time(*max))
        }
        Time::Constant(path) => spelling::tokens(path),
    }
}

pub(crate) fn time(millis: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    match units.into_iter().find(|(unit, _)| millis % unit == 0) {
        Some((unit, name)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}

/// A text as code in Markdown, between more backticks than are in it.
pub(crate) fn code(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if text.ends_with('`') || text.starts_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_may_have_backticks() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("read(until = b\"`\")"), "``read(until = b\"`\")``");
    }

    #[test]
    fn code_stays_where_it_was_written() {
        let docs = "Waits.\nFor a line.\n\n```\nassert!(true);\n```\n\nMore.";
        assert_eq!(without_code(docs), "Waits.\nFor a line.\n\n\nMore.");
    }

    #[test]
    fn times_read_as_they_are_written() {
        for (millis, text) in [
            (250, "250ms"),
            (30_000, "30s"),
            (90_000, "90s"),
            (300_000, "5min"),
            (86_400_000, "1d"),
        ] {
            assert_eq!(time(millis), text);
        }
    }
}
