use std::panic;

use proc_macro2::TokenStream;

use super::edits::edited;
use super::inputs;
use crate::errors::Errors;
use crate::parse::Item;

/// The initial machines, as arguments and item.
const MACHINES: [(&str, &str); 14] = [
    (
        "start = Talk, eof => Gone",
        "enum Echo { #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
         #[end] Gone }",
    ),
    (
        "start = Length, eof => Closed, limit => Closed, within = 5min => Closed,
         error = Fault<u8>, error => Failed, Next = Body | Closed, size <= 1KiB, module = up",
        "pub(crate) enum Upload {
            #[read(exact = 8)] #[to(Next)] #[rest] Length,
            #[read(upto = *left - 1, max = 64KiB, within = 10min => Closed)] #[to(Body | Filing)]
            Body { name: Vec<Map<u8, u8>>, left: u64 },
            #[run] #[to(Sent)] Filing { #[carry] name: Vec<Map<u8, u8>> },
            #[flush(within = 30s => Closed, error => Closed)] #[to(Length)] Sent,
            #[writable(below = 4KiB, error => Closed)] #[to(Closed)] Failed { #[error] why: Fault<u8> },
            #[end] Closed }",
    ),
    (
        "start = Frame, eof => Gone, limit => Gone, message = News, crate = ::other",
        "#[derive(Debug)] enum Frames {
            #[read(frame = Codec<'static, 3>, max = LIMIT, within = never, refused => Gone)]
            #[to(Frame | Wait | Nap)] Frame,
            #[message(within = 1d => Look)] #[to(Wait | Frame)] #[rest] Wait,
            #[read(peek = 4, idle = 1s => Gone)] #[to(Frame | Stream)] Look,
            #[sleep(pause, max = 5min)] #[to(Frame)] Nap { pause: Duration },
            #[writable(below = 1KiB, idle = 30s => Gone)] #[to(Stream | Gone)] Stream,
            #[end] Gone }",
    ),
    (
        "start = A, eof => Z",
        "enum Part { #[cfg(x)] #[read(until = b\"\\r\\n\", max = 9, limit => Z, idle = 0.5s => Z)]
         #[to(A | Z)] A { #[cfg_attr(y, carry)] x: [u8; { 3 }] }, #[end] Z {} }",
    ),
    (
        "start = Line, eof => Closed, limit => Closed, within = 5min => Closed, gone => Sorry",
        "enum Front {
            #[read(until = b'\n', max = 1KiB)] #[to(Filing | Watching | Closed)] #[rest] Line,
            #[call(Index<u8, 3>, within = 1min => Sorry, full => Busy)] #[to(Filing | Sorry)]
            Filing { name: String },
            #[sleep(10ms)] #[to(Filing)] Busy { #[carry] name: String, #[job] document: Vec<u8> },
            #[handoff(Events, within = never, full => Refused)] Watching { topic: u8 },
            #[flush] #[to(Watching | Line)] Refused { #[seed] topic: Topic },
            #[run(blocking)] #[to(Line)] Sorry,
            #[end] Closed }",
    ),
    (
        "start = Digest, job = Document<u8, 4>, reply = Filed, message = u32, error = E, error => Fail",
        "pub enum Index {
            #[run(blocking)] #[to(Store | Done)] Digest { document: Document<u8, 4> },
            #[call(self::Disk, within = 1s => Fail, gone => Fail)] #[to(Store | Told)]
            Store { digest: u64 },
            #[message(within = 1s => Fail)] #[to(Done)] Told,
            #[sleep(1s)] #[to(Done)] Fail,
            #[end] Done }",
    ),
    (
        "start = Hello, seed = Topic, eof => Gone",
        "enum Events { #[flush(within = 1s => Gone)] #[to(Listen)] Hello { topic: Topic },
         #[read(some, max = 16, within = never)] #[to(Listen)] Listen { #[carry] topic: Topic },
         #[end] Gone }",
    ),
    (
        "start = Name, message = Arc<str>, eof => Gone, limit => TooLong, drain => Bye",
        "enum Chat {
            #[read(until = b\"\\n\", max = 64, begun = 5s => Gone, idle = 60s => Gone)] #[message]
            #[tick(20s)] #[to(Name | Ask)] #[rest(keep, drain => Bye)] Name,
            #[discard(until = b\"\\n\", within = 10s => Gone)] #[to(Name)] TooLong,
            #[call(Index, within = 9s => Gone, gone => Gone, eof => Gone)] #[tick(1s)] #[to(Skip)] Ask,
            #[discard(exact = *left, within = 10s => Gone)] #[to(Name)] Skip { left: u32 },
            #[shutdown(within = 1s => Gone)] #[to(Gone)] Bye, #[end] Gone }",
    ),
    (
        "start = Free, job = Query<u8>, reply = Result<Rows, Lost>, eof => Cut, limit => Cut",
        "enum Client {
            #[job(idle = 1min => Gone, eof => Gone)] #[to(Answer | Free | Gone)] #[rest] Free,
            #[read(until = b\"\\n\", max = 1KiB, within = 30s => Cut)] #[to(Rows | Free | Gone)] Answer,
            #[read(exact = *left, max = 1KiB, within = 30s => Cut)] #[to(Free | Gone)] Rows { left: u32 },
            #[run] #[to(Gone)] Cut, #[end] Gone }",
    ),
    (
        "start = Hello, job = String, reply = R, error = E, gone => Cut, within = 9s => Gone",
        "enum Caller {
            #[read(frame = Codec, max = 64, eof => Gone, limit => Gone, refused => Gone)] #[to(Free)] Hello,
            #[job(within = never, eof => Gone, error => Cut)] #[to(Ask)] #[rest(drain => Gone)] Free,
            #[call(Index, within = 9s => Cut, full => Busy)] #[to(Sent)] Ask { text: String },
            #[run] #[to(Free)] Busy { #[job] key: Key }, #[flush(within = 9s => Cut)] #[to(Free)] Sent,
            #[run] #[to(Gone)] Cut, #[end] Gone }",
    ),
    (
        "start = Hello, settings = Route, size <= 8",
        "enum Forward { #[run] #[to(Dial)] Hello,
         #[connect(within = 5s => Gone, refused => Sorry)] #[to(Tunnel)] Dial,
         #[relay(max = LIMIT, idle = 1h => Gone, eof = 30s => Gone, gone => Gone)] #[to(Gone)] Tunnel,
         #[run] #[to(Gone)] Sorry { #[error] why: io::Error }, #[end] Gone }",
    ),
    (
        "start = Head, eof => Gone, limit => Gone, refused => Gone, gone => Gone, idle = 9s => Gone",
        "enum Proxy {
            #[read(frame = Codec, max = 1KiB)] #[to(Dial)] #[rest] Head,
            #[connect(within = 5s => Gone)] #[to(Body | Answer)] Dial { left: u64 },
            #[relay(out, exact = *left + 1, max = 64KiB)] #[to(Answer)] Body { #[carry] left: u64 },
            #[read(other, until = b\"\\n\", max = 1KiB)] #[to(Back | Rest | Head)] Answer,
            #[relay(back, exact = 8, max = 64KiB, eof => Gone)] #[to(Head)] Back,
            #[relay(back, max = 64KiB)] #[to(Gone)] Rest, #[end] Gone }",
    ),
    (
        "start = Line, eof => Gone, limit => Gone, within = 9s => Gone",
        "enum Mail { #[read(until = b\"\\n\", max = 80)] #[to(Line | Secure)] #[rest] Line,
         #[tls(error => Sorry)] #[to(Line | Gone)] Secure { #[carry] n: u8 },
         #[run] #[to(Gone)] Sorry { #[error] why: io::Error }, #[end] Gone }",
    ),
    ("start = A", "pub struct Thing { #[carry] a: u8, #[read(some)] b: fn(u8) -> u8 }"),
];

/// Text that an edit may insert.
const WORDS: [&str; 89] = [
    "read",
    "flush",
    "writable",
    "run",
    "sleep",
    "tick",
    "discard",
    "shutdown",
    "begun",
    "drain",
    "message",
    "end",
    "to",
    "rest",
    "call",
    "handoff",
    "connect",
    "relay",
    "tls",
    "other",
    "out",
    "back",
    "refused",
    "blocking",
    "job",
    "reply",
    "seed",
    "full",
    "gone",
    "Index",
    "Filing",
    "Free",
    "Answer",
    "carry",
    "error",
    "start",
    "eof",
    "limit",
    "within",
    "idle",
    "never",
    "message",
    "module",
    "size",
    "crate",
    "exact",
    "until",
    "some",
    "upto",
    "peek",
    "frame",
    "max",
    "below",
    "A",
    "Gone",
    "Closed",
    "Length",
    "left",
    "name",
    "Self",
    "self",
    "super",
    "final",
    "fn",
    "r#A",
    "_",
    "enum",
    "pub",
    "=",
    ">",
    "<",
    "|",
    ",",
    ":",
    ";",
    "#",
    "!",
    "-",
    "'a",
    "0",
    "8",
    "30s",
    "64KB",
    "99999999999h",
    "0.5ms",
    "1e9d",
    "b\"\"",
    "'x'",
    "é",
];

#[test]
fn l10_whatever_is_typed_the_enum_stays() {
    for seed in 1..=inputs() {
        let (args, item) = edited(seed, &MACHINES, &WORDS);
        let checked = panic::catch_unwind(|| check(args.clone(), item.clone()));
        assert!(checked.is_ok(), "seed {seed}: #[state_machine({args})] {item}");
    }
}

fn check(args: TokenStream, item: TokenStream) {
    let made = crate::attribute(args.clone(), item.clone()).to_string();
    let mut errors = Errors::default();
    let Some(read) = Item::read(item, &mut errors) else {
        assert!(made.contains("compile_error"));
        return;
    };
    // The item is still there, by its name.
    assert!(made.contains(&format!("enum {}", read.name)), "{made}");
    let whole = errors.is_empty() && !read.broken;
    match crate::machine(args, &read, errors) {
        // The expansion of a sound machine is Rust, but for expressions of the user's.
        Ok(_) => assert!(whole && !made.contains("compile_error"), "{made}"),
        // Another machine is refused by us, by rustc's grammar, or by rustc for its names.
        Err(fallback) => {
            let fallback = fallback.to_string();
            let said = fallback.contains("compile_error") || fallback.contains("fn unknown (");
            assert!(said || read.broken || has_twins(&read), "{fallback}");
        }
    }
}

/// Whether rustc refuses the enum, because two of its variants have one name.
fn has_twins(item: &Item) -> bool {
    let names: Vec<String> = item.variants.iter().map(|variant| variant.name.to_string()).collect();
    (1..names.len()).any(|name| {
        names[..name]
            .iter()
            .any(|other| other.trim_start_matches("r#") == names[name].trim_start_matches("r#"))
    })
}
