use super::*;

/// The attribute as text, then the messages.
fn read(text: &str) -> Vec<String> {
    let mut tokens = text.parse::<TokenStream>().unwrap().into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else { panic!("no name") };
    let arguments = match tokens.next() {
        Some(TokenTree::Group(group)) => group.stream(),
        _ => TokenStream::new(),
    };
    let mut errors = Errors::default();
    let meant = name.to_string();
    let wait = parse(&name, &meant, arguments, &mut errors).value.unwrap();
    let kind = match wait.kind {
        WaitKind::Connect => "connect".to_owned(),
        WaitKind::Tls { name: None } => "tls".to_owned(),
        WaitKind::Tls { name: Some(name) } => format!("tls {name}"),
        WaitKind::Relay(relay) => format!("relay {}", relay.text()),
        WaitKind::Read { shape, max, .. } => {
            let kind = described(shape);
            let max = max.map(|(_, max)| format!(", max {}", max.value));
            format!("read {kind}{}", max.unwrap_or_default())
        }
        WaitKind::Flush => "flush".to_owned(),
        WaitKind::Writable { below } => {
            format!("writable {}", below.map_or("?".to_owned(), |below| below.value.to_string()))
        }
        WaitKind::Job => "job".to_owned(),
        WaitKind::Run { blocking: false } => "run".to_owned(),
        WaitKind::Run { blocking: true } => "run blocking".to_owned(),
        WaitKind::Call(pool) => {
            format!("call {}", pool.map_or("?".to_owned(), |pool| pool.text))
        }
        WaitKind::HandOff(pool) => {
            format!("handoff {}", pool.map_or("?".to_owned(), |pool| pool.text))
        }
        WaitKind::Sleep(None) | WaitKind::Tick(None) => format!("{name} ?"),
        WaitKind::Sleep(Some(pause)) | WaitKind::Tick(Some(pause)) => {
            format!("{name} {}", paused(&pause))
        }
        WaitKind::Discard { shape } => format!("discard {}", described(shape)),
        WaitKind::Shutdown => "shutdown".to_owned(),
        WaitKind::Message => "message".to_owned(),
        WaitKind::End => "end".to_owned(),
    };
    let mut lines = vec![kind];
    lines.extend(wait.edges.never.map(|_| "never".to_owned()));
    lines.extend(wait.edges.events.iter().map(|edge| {
        let time = edge.time.as_ref().map_or("0".to_owned(), paused);
        format!("{} {time} {}", edge.event.name(), edge.target)
    }));
    lines.extend(errors.messages());
    lines
}

fn paused(pause: &Time) -> String {
    match pause {
        Time::Fixed(millis) => millis.to_string(),
        Time::Of { time, max } => format!("{time}, max {max}"),
        Time::Constant(path) => format!("constant {path}"),
    }
}

fn described(shape: Option<ast::Shape>) -> String {
    shape.map_or("?".to_owned(), |shape| match shape.kind {
        ShapeKind::Unknown => "unknown".to_owned(),
        ShapeKind::Exact(number) => format!("exactly {number}"),
        ShapeKind::ExactOf(length) => format!("exactly of {length}"),
        ShapeKind::Until(delimiter) => format!("until {delimiter}"),
        ShapeKind::Some => "some".to_owned(),
        ShapeKind::Datagram => "a datagram".to_owned(),
        ShapeKind::Upto(length) => format!("upto {length}"),
        ShapeKind::Peek(number) => format!("peek {number}"),
        ShapeKind::Frame(decoder) => format!("frame {}", decoder.to_token_stream()),
    })
}

#[test]
fn waits_are_read() {
    for (text, expected) in [
        ("read(exact = 8, within = 30s => A)", &["read exactly 8", "within 30000 A"][..]),
        ("read(exact = 4KiB)", &["read exactly 4096"]),
        ("read(exact = head.len + 2, max = 1KiB)", &["read exactly of head . len + 2, max 1024"]),
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
        ("writable(below = 64KiB)", &["writable 65536"]),
        ("run", &["run"]),
        ("run(error => A)", &["run", "error 0 A"]),
        ("run(blocking, error => A)", &["run blocking", "error 0 A"]),
        (
            "call(Index, within = 1min => A, full => B, gone => C)",
            &["call Index", "within 60000 A", "full 0 B", "gone 0 C"],
        ),
        ("call(a::Index<B, [u8; 3]>, gone => C)", &["call a::Index<B, [u8; 3]>", "gone 0 C"]),
        ("call(<A as B>::C)", &["call <A as B>::C"]),
        ("handoff(Events, within = never)", &["handoff Events", "never"]),
        ("sleep(100ms)", &["sleep 100"]),
        ("sleep(pause <= 5min)", &["sleep pause, max 300000"]),
        ("tick(settings.beat <= 1min)", &["tick settings . beat, max 60000"]),
        ("sleep(times::NAP)", &["sleep constant times :: NAP"]),
        (
            "read(exact = left <= 4KiB, begun = BEGUN => A, idle = settings.idle <= 1h => B)",
            &[
                "read exactly of left, max 4096",
                "begun constant BEGUN A",
                "idle settings . idle, max 3600000 B",
            ],
        ),
        ("read(upto = a <= 1KiB)", &["read upto a, max 1024"]),
        ("read(some, max = settings.piece <= 64KiB)", &["read some, max 65536"]),
        ("discard(exact = *left)", &["discard exactly of * left"]),
        ("discard(until = b';', within = 1s => A)", &["discard until & [b';']", "within 1000 A"]),
        ("shutdown(within = 1s => A)", &["shutdown", "within 1000 A"]),
        ("sleep(pause * 2, max = 5min, error => A)", &["sleep pause * 2, max 300000", "error 0 A"]),
        ("message(within = 1d => A)", &["message", "within 86400000 A"]),
        ("end", &["end"]),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn typos_are_named() {
    for (text, expected) in [
        ("read(exact = 0)", "a size must be more than nothing; write `1` or more"),
        ("read(exact = 8, exact = 9)", "`exact` is here twice; remove one"),
        ("read(exact = 8, some)", "a state reads in one way; remove `exact` or `some`"),
        ("read(until = b\"\", max = 1)", "a delimiter has at least one byte"),
        ("read(until = \"\\n\", max = 1)", "a delimiter is bytes; write `b\"\\n\"`"),
        ("read(upto = 9, max = 1)", "`upto = 9` never changes; write `some, max = 9`"),
        ("read(some = 9, max = 1)", "`some` takes nothing; write `some, max = 64KiB`"),
        ("read(some, max = 64KB)", "unknown unit `KB`; write `64KiB` or `64_000`"),
        ("read(exact =)", "`exact` lacks its value; write `exact = 8`"),
        ("read(frame = 5)", "`frame` needs the type of a decoder; write `frame = Type`"),
        ("read(until =)", "`until` lacks its value; write `until = b\"\\n\"`"),
        ("read(exact = 8 +)", "expected more after `+`"),
        ("read(some, mx = 64)", "unknown key `mx` on `read`; did you mean `max`?"),
        ("read(some, max)", "`max` lacks its value; write `max = 64KiB`"),
        ("flush(withn = 5s => A)", "unknown key `withn` on `flush`; did you mean `within`?"),
        ("flush(within => A)", "`within` lacks its time; write `within = 30s => A`"),
        ("flush(idle = never)", "`never` is for `within`; write `within = never`"),
        ("flush(within = never => A)", "`never` leads nowhere; remove `=> A`"),
        ("flush(eof = 3 => A)", "`eof` has no value; write `eof => A`"),
        ("run(blocking = true)", "`blocking` takes nothing; write `#[run(blocking)]`"),
        ("run(bloking)", "unknown key `bloking` on `run`; did you mean `blocking`?"),
        ("call", "`call` lacks its pool; write `#[call(Service, ..)]`"),
        ("call(gone => A)", "`call` lacks its pool; write `#[call(Service, ..)]`"),
        ("call(5)", "`call` needs the type of a pool; write `#[call(Service, ..)]`"),
        ("handoff(_)", "`handoff` needs the type of a pool; write `#[handoff(Machine, ..)]`"),
        ("call(Index, foll => A)", "unknown key `foll` on `call`; did you mean `full`?"),
        (
            "handoff(Events, max = 8)",
            "unknown key `max` on `handoff`; it takes `within`, `full`, `gone` and `error`",
        ),
        ("sleep", "`sleep` lacks its time; write `#[sleep(30s)]`"),
        ("sleep(pause * 2)", "nothing bounds this time; write `#[sleep(pause * 2 <= 5min)]`"),
        ("sleep(1s, max = 5s)", "this time has a bound already; remove `max`"),
        ("tick(pause <= 1s, max = 5s)", "this time has a bound already; remove `max`"),
        ("sleep(1s <= 5s)", "a literal needs no bound; write `1s`"),
        (
            "read(exact = left <= 9, max = 9)",
            "`max` has no effect beside the bound of `exact`; remove it",
        ),
        (
            "flush(within = settings.flush => A)",
            "nothing bounds this time; write `within = settings . flush <= 5min => A`",
        ),
        ("end(eof => A)", "`eof` can never happen at an end; write `#[end]`"),
    ] {
        let found = read(text);
        assert_eq!(found.last().map(String::as_str), Some(expected), "{text}");
    }
}
