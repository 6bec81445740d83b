//! For any input the passes neither panic nor hang, and the enum stays.
//!
//! `FSM_INPUTS` is the number of inputs: `FSM_INPUTS=1000000 cargo test --release -p fsm-macros fuzz`.
//! The initial machines and the inserted words are the corpus; a seed names an input.

use std::{env, panic};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

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
    fn apply(self, tokens: &mut Vec<Token>) {
        if tokens.is_empty() {
            return;
        }
        let count = tokens.len();
        let at = |place: usize| place % count;
        let word = |word: usize| {
            let mut tokens = Vec::new();
            flat(WORDS[word % WORDS.len()].parse().unwrap(), &mut tokens);
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

/// The arguments and the item of a machine after some edits, most of them of the item.
fn edited(seed: u64) -> (TokenStream, TokenStream) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (args, item) = MACHINES[random.below(MACHINES.len())];
    let [mut args, mut item] = [args, item].map(|text| {
        let mut tokens = Vec::new();
        flat(text.parse().unwrap(), &mut tokens);
        tokens
    });
    for _ in 0..=random.below(6) {
        let edit = random.edit();
        edit.apply(if random.below(4) == 0 { &mut args } else { &mut item });
    }
    (tree(&args), tree(&item))
}

#[test]
fn l10_whatever_is_typed_the_enum_stays() {
    let inputs = env::var("FSM_INPUTS").map_or(3_000, |inputs| inputs.parse().unwrap());
    for seed in 1..=inputs {
        let (args, item) = edited(seed);
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
