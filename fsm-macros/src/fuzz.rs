//! For any input the passes neither panic nor hang, and the enum stays.
//!
//! `FSM_INPUTS` is the number of inputs: `FSM_INPUTS=1000000 cargo test --release -p fsm-macros fuzz`.
//! The initial machines and the inserted words are the corpus; a seed names an input.

use std::{env, panic};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Data, DeriveInput};

use crate::errors::Errors;
use crate::parse::Item;

/// The initial machines, as arguments and item.
const MACHINES: [(&str, &str); 9] = [
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
            #[message(within = 1d => Stream)] #[to(Wait | Frame)] #[rest] Wait,
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
            #[tick(20s)] #[to(Name | Ask)] #[rest(drain => Bye)] Name,
            #[discard(until = b\"\\n\", within = 10s => Gone)] #[to(Name)] TooLong,
            #[call(Index, within = 9s => Gone, gone => Gone, eof => Gone)] #[tick(1s)] #[to(Skip)] Ask,
            #[discard(exact = *left, within = 10s => Gone)] #[to(Name)] Skip { left: u32 },
            #[shutdown(within = 1s => Gone)] #[to(Gone)] Bye, #[end] Gone }",
    ),
    ("start = A", "pub struct Thing { #[carry] a: u8, #[read(some)] b: fn(u8) -> u8 }"),
];

/// The initial frames, as arguments and item.
const FRAMES: [(&str, &str); 9] = [
    (
        "Blocks",
        "pub struct Block<'a> { #[is(0xB10C)] magic: u16, pub kind: u8, len: u32,
         #[bytes(len <= 1MiB)] pub body: &'a [u8] }",
    ),
    (
        "Commands, line = b\"\\r\\n\", max = 224, ignore_case",
        "#[derive(Debug)] pub enum Command<'a> {
            #[is(\"put\")] Put { priority: u32, len: u32,
                #[bytes(len <= 64KiB, then = b\"\\r\\n\")] body: &'a [u8] },
            #[is(\"get\" | \"gets\")] Get { keys: Words<'a> },
            #[is(\"set\")] Set { #[hex] cas: u64, ttl: Option<i32>, #[is(\"noreply\")] noreply: bool },
            #[is(\"reserve\")] Reserve,
            #[other] Other { #[rest] line: &'a [u8] } }",
    ),
    (
        "Requests, crate = ::other",
        "struct Request<'a> { #[is(b'*')] kind: u8, #[decimal(then = b\"\\r\\n\")] count: u32,
         #[times(count <= 64)] arguments: Times<'a, self::Bulks> }",
    ),
    (
        "Publishes",
        "pub(crate) struct Publish<'a> { head: u8, #[varint(max = 4)] len: u32,
         #[part(len <= 256KiB, then = b\";\")] topic_len: u16, #[bytes(topic_len - 4 <= 65531)] topic: &'a str,
         #[when(head & 6 != 0)] id: Option<u16>, #[secret] #[rest] payload: &'a [u8] }",
    ),
    (
        "Bodies, le, tag = u24",
        "enum Body<'a> {
            #[is(3 | 4)] Publish { #[tag] kind: u24, len: u16, #[bytes(len <= LIMIT)] topic: &'a str,
                #[rest] rest: Times<'a, Blocks> },
            #[is(PING)] Ping,
            #[other] Other { #[tag] kind: u24, #[rest] rest: &'a [u8] } }",
    ),
    (
        "Packets",
        "struct Packet<'a> { head: u8, #[varint] len: u64, #[part(len <= 256KiB)] #[tag(head >> 4)] body: Body<'a>,
         #[be] crc: u24, more: Bulk<'a> }",
    ),
    (
        "Startups",
        "struct Startup<'a> { #[is(b\"PRI\")] magic: [u8; 3], salt: [u8; SALT], a: u24,
         #[until(b\"\\0\", max = 20)] user: &'a str, #[le] b: i16, #[until(b\"\\r\\n\", max = 20)] more: &'a [u8],
         #[hex(then = b\";\")] number: u64, #[decimal(then = b\",\")] signed: i8 }",
    ),
    ("Lines, line = b\"\\n\", max = 1KiB", "struct Line<'a> { #[is(\"go\")] go: &'a str, a: i64, b: &'a [u8] }"),
    ("Pings", "pub union Ping { a: u8, b: u24 }"),
];

/// Text that an edit of a frame may insert.
const FRAME_WORDS: [&str; 62] = [
    "is",
    "le",
    "be",
    "varint",
    "decimal",
    "hex",
    "bytes",
    "until",
    "rest",
    "part",
    "tag",
    "when",
    "times",
    "other",
    "secret",
    "then",
    "max",
    "line",
    "crate",
    "len",
    "head",
    "kind",
    "count",
    "body",
    "u8",
    "u16",
    "u24",
    "u64",
    "i32",
    "usize",
    "bool",
    "str",
    "Option<u8>",
    "Times<'a, Bulks>",
    "Words<'a>",
    "Block<'a>",
    "Vec<u8>",
    "&'a [u8]",
    "&[u8]",
    "[u8; 18446744073709551615]",
    "[u8; 0]",
    "#[rest]",
    "#[le]",
    "#[is(3)]",
    "#[cfg(x)]",
    "#[bytes(len <= 4)]",
    "len * 0",
    "64KiB",
    "0",
    "300",
    "-1",
    "18446744073709551615",
    "99999999999999999999",
    "4GiB",
    "b\"\"",
    "b\" \"",
    "\"get\"",
    "b'x'",
    "'x'",
    "<=",
    "'a",
    "struct",
];

/// Text that an edit may insert.
const WORDS: [&str; 79] = [
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
    "blocking",
    "job",
    "reply",
    "seed",
    "full",
    "gone",
    "Index",
    "Filing",
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

/// A change to the tokens of a machine, at a place modulo their number.
enum Edit {
    Insert(usize, usize),
    Replace(usize, usize),
    Delete(usize),
    Twice(usize),
    Swap(usize, usize),
    Copy { from: usize, to: usize, length: usize },
    Open(usize, usize),
    Close(usize),
}

/// A generator of the xorshift family; the seed names the input.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap() % end
    }

    fn edit(&mut self) -> Edit {
        const ANY: usize = 1 << 16;
        match self.below(8) {
            0 => Edit::Insert(self.below(ANY), self.below(ANY)),
            1 => Edit::Replace(self.below(ANY), self.below(ANY)),
            2 => Edit::Delete(self.below(ANY)),
            3 => Edit::Twice(self.below(ANY)),
            4 => Edit::Swap(self.below(ANY), self.below(ANY)),
            5 => Edit::Copy {
                from: self.below(ANY),
                to: self.below(ANY),
                length: 1 + self.below(40),
            },
            6 => Edit::Open(self.below(ANY), self.below(4)),
            _ => Edit::Close(self.below(ANY)),
        }
    }
}

/// Tokens without structure, so that edits can change that too.
#[derive(Clone)]
enum Token {
    Leaf(TokenTree),
    Open(Delimiter),
    Close,
}

fn flat(tokens: TokenStream, into: &mut Vec<Token>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                into.push(Token::Open(group.delimiter()));
                flat(group.stream(), into);
                into.push(Token::Close);
            }
            leaf => into.push(Token::Leaf(leaf)),
        }
    }
}

/// The tokens as a tree, without closing tokens that close nothing; open groups are closed at the
/// end.
fn tree(tokens: &[Token]) -> TokenStream {
    let mut open: Vec<(Delimiter, Vec<TokenTree>)> = Vec::new();
    let mut top: Vec<TokenTree> = Vec::new();
    let close = |open: &mut Vec<(Delimiter, Vec<TokenTree>)>, top: &mut Vec<TokenTree>| {
        if let Some((delimiter, inside)) = open.pop() {
            let group = Group::new(delimiter, inside.into_iter().collect());
            open.last_mut().map_or(top, |(_, outside)| outside).push(group.into());
        }
    };
    for token in tokens {
        match token {
            Token::Leaf(leaf) => {
                open.last_mut().map_or(&mut top, |(_, inside)| inside).push(leaf.clone());
            }
            Token::Open(delimiter) => open.push((*delimiter, Vec::new())),
            Token::Close => close(&mut open, &mut top),
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut top);
    }
    top.into_iter().collect()
}

impl Edit {
    fn apply(self, tokens: &mut Vec<Token>, words: &[&str]) {
        if tokens.is_empty() {
            return;
        }
        let count = tokens.len();
        let at = |place: usize| place % count;
        let word = |word: usize| {
            let mut tokens = Vec::new();
            flat(words[word % words.len()].parse().unwrap(), &mut tokens);
            tokens
        };
        match self {
            Self::Insert(place, new) => drop(tokens.splice(at(place)..at(place), word(new))),
            Self::Replace(place, new) => drop(tokens.splice(at(place)..=at(place), word(new))),
            Self::Delete(place) => drop(tokens.remove(at(place))),
            Self::Twice(place) => tokens.insert(at(place), tokens[at(place)].clone()),
            Self::Swap(one, other) => tokens.swap(at(one), at(other)),
            Self::Copy { from, to, length } => {
                let end = (at(from) + length).min(count);
                let copied = tokens[at(from)..end].to_vec();
                drop(tokens.splice(at(to)..at(to), copied));
            }
            Self::Open(place, kind) => {
                let kinds =
                    [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
                tokens.insert(at(place), Token::Open(kinds[kind % kinds.len()]));
            }
            Self::Close(place) => tokens.insert(at(place), Token::Close),
        }
    }
}

/// The arguments and the item of one of these after some edits, most of them of the item.
fn edited(seed: u64, known: &[(&str, &str)], words: &[&str]) -> (TokenStream, TokenStream) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (args, item) = known[random.below(known.len())];
    let [mut args, mut item] = [args, item].map(|text| {
        let mut tokens = Vec::new();
        flat(text.parse().unwrap(), &mut tokens);
        tokens
    });
    for _ in 0..=random.below(6) {
        let edit = random.edit();
        edit.apply(if random.below(4) == 0 { &mut args } else { &mut item }, words);
    }
    (tree(&args), tree(&item))
}

#[test]
fn l10_whatever_is_typed_the_enum_stays() {
    let inputs = env::var("FSM_INPUTS").map_or(3_000, |inputs| inputs.parse().unwrap());
    for seed in 1..=inputs {
        let (args, item) = edited(seed, &MACHINES, &WORDS);
        let checked = panic::catch_unwind(|| check(args.clone(), item.clone()));
        assert!(checked.is_ok(), "seed {seed}: #[state_machine({args})] {item}");
    }
}

#[test]
fn l10_whatever_is_typed_the_frame_stays() {
    let inputs = env::var("FSM_INPUTS").map_or(3_000, |inputs| inputs.parse().unwrap());
    for seed in 1..=inputs {
        let (args, item) = edited(seed, &FRAMES, &FRAME_WORDS);
        let checked = panic::catch_unwind(|| check_frame(args.clone(), item.clone()));
        assert!(checked.is_ok(), "seed {seed}: #[frame({args})] {item}");
    }
}

fn check_frame(args: TokenStream, item: TokenStream) {
    let text = crate::frame::frame(args, item.clone()).to_string();
    let is_refused = text.contains("compile_error");
    let Ok(read) = syn::parse2::<DeriveInput>(item) else {
        // It is neither a struct nor an enum, or rustc has refused it as well.
        return;
    };
    // A type of that name would be replaced.
    if read.ident == "u24" {
        return;
    }
    // The item is still there, by its name.
    let kind = match read.data {
        Data::Struct(_) => "struct",
        Data::Enum(_) => "enum",
        Data::Union(_) => "union",
    };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("{kind} {}", read.ident)), "{text}");
    assert!(is_refused || text.contains("__Framed for"), "{text}");
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
