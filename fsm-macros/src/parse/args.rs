use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::parse::Parse;

use super::entry::{self, Entry};
use super::reader::Reader;
use super::{attribute, marks, names, parts, variant, wait, words};
use crate::ast::{Args, Budget, Edges, Event, GroupBudget, StateGroup, unknown};
use crate::code::Code;
use crate::errors::Errors;

const KEYS: [&str; 20] = [
    "start", "eof", "limit", "refused", "error", "within", "idle", "begun", "full", "gone",
    "drain", "message", "job", "reply", "seed", "settings", "moves", "module", "size", "crate",
];

/// Reads the arguments of `#[state_machine(..)]`.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let entries = entry::entries(&parts::parts(tokens, false, errors), errors);
    let mut args = Args {
        start: None,
        defaults: Edges::default(),
        error: None,
        message: None,
        job: None,
        reply: None,
        seed: None,
        settings: None,
        moves: None,
        module: None,
        size: None,
        root: None,
        groups: Vec::new(),
        budgets: Vec::new(),
        incomplete: !entries.complete,
    };
    let mut reader = Reader::new("state_machine", errors);
    for entry in entries.value {
        args.read(entry, &mut reader);
    }
    if let Some(never) = args.defaults.never.take() {
        let text = "`within = never` is no default; say it on each state that it is for";
        reader.unreadable(Code::Never, never, text);
    }
    args.incomplete |= reader.incomplete;
    args
}

impl Args {
    fn read(&mut self, entry: Entry, reader: &mut Reader<'_>) {
        let key = entry.key.to_string();
        if key.trim_start_matches("r#").starts_with(char::is_uppercase) {
            self.group(entry, reader);
            return;
        }
        if let Some(of) = entry.of.clone() {
            self.budget(&of, entry, reader);
            return;
        }
        if key == "error" && entry.value.is_some() {
            if let Some(target) = &entry.target {
                let text = "`error` takes a type or a state; write `error = Type, error => State`";
                reader.unreadable(Code::TooMuch, target, text);
            } else if reader.is_first(&entry, "=") {
                self.error = Some(typed(&entry, reader));
            }
            return;
        }
        if let Some(event) = Event::named(&key) {
            reader.event(event, entry, &mut self.defaults);
            return;
        }
        if !KEYS.contains(&key.as_str()) {
            Self::unknown(&entry, reader);
            return;
        }
        if !reader.is_first(&entry, "=") {
            return;
        }
        match key.as_str() {
            "start" => self.start = start(&entry, reader),
            "module" => self.module = parsed(&entry, "module = name", reader),
            "message" => self.message = Some(typed(&entry, reader)),
            "job" => self.job = Some(typed(&entry, reader)),
            "reply" => self.reply = Some(typed(&entry, reader)),
            "seed" => self.seed = Some(typed(&entry, reader)),
            "settings" => self.settings = Some(typed(&entry, reader)),
            "moves" => {
                wait::alone(&entry, "#[state_machine(moves)]", reader);
                self.moves = Some(entry.key);
            }
            "size" => self.size = budget(&entry, reader),
            _ => {
                self.root = parsed::<Root>(&entry, "crate = ::path", reader).map(|root| root.0);
            }
        }
    }

    /// Reads `within(Group) = 60s => State`.
    fn budget(&mut self, of: &Group, entry: Entry, reader: &mut Reader<'_>) {
        if entry.key != "within" {
            return reader.no_parentheses(&entry, of);
        }
        let name: Vec<TokenTree> = of.stream().into_iter().collect();
        let Some(group) = names::one(&name, reader.errors) else {
            reader.incomplete = true;
            return;
        };
        let mut edges = Edges::default();
        reader.deadline(Event::Budget, entry, &mut edges);
        self.budgets.extend(edges.events.pop().map(|edge| GroupBudget { group, edge }));
    }

    /// Adds a finding about an unknown key, which may be meant as a group.
    fn unknown(entry: &Entry, reader: &mut Reader<'_>) {
        let key = entry.key.to_string();
        let value = entry.value.clone().unwrap_or_default();
        if !value.clone().into_iter().any(|token| marks::is_mark(&token, '|')) {
            return reader.unknown(entry, &KEYS);
        }
        let mut letters = key.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        let name = first.unwrap_or_default() + letters.as_str();
        let text = format!("a group has a capital letter; write `{name} = {value}`");
        reader.unreadable(Code::UnknownKey, &entry.key, text);
    }

    fn group(&mut self, entry: Entry, reader: &mut Reader<'_>) {
        let key = entry.key.to_string().to_lowercase();
        let value = entry.value.clone().unwrap_or_default();
        let many = value.clone().into_iter().any(|token| marks::is_mark(&token, '|'));
        if KEYS.contains(&key.as_str()) && !many {
            let value = (!value.is_empty()).then(|| value.to_string());
            let target = entry.target.as_ref().map(ToString::to_string);
            let key = words::written(&key, value.as_deref(), target.as_deref());
            let text = format!("a key has small letters; write `{key}`");
            reader.unreadable(Code::UnknownKey, &entry.key, text);
            return;
        }
        if !reader.is_first(&entry, "=") {
            return;
        }
        if !attribute::is_name(&entry.key) {
            names::reserved(&entry.key, reader.errors);
            reader.incomplete = true;
            return;
        }
        let Some(value) = reader.value(&entry, &format!("{} = A | B", entry.key)) else { return };
        let members = names::names(value, reader.errors);
        reader.incomplete |= !members.complete;
        self.groups.push(StateGroup { name: entry.key, members: members.value });
    }
}

/// A path without generics.
struct Root(TokenStream);

impl Parse for Root {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let path = input.call(syn::Path::parse_mod_style)?;
        Ok(Self(quote::ToTokens::into_token_stream(path)))
    }
}

/// The state that the machine starts in.
fn start(entry: &Entry, reader: &mut Reader<'_>) -> Option<Ident> {
    let value: Vec<TokenTree> = reader.value(entry, "start = State")?.into_iter().collect();
    let start = names::one(&value, reader.errors);
    reader.incomplete |= start.is_none();
    start
}

/// A type; `_` if it cannot be read.
fn typed(entry: &Entry, reader: &mut Reader<'_>) -> (Ident, syn::Type) {
    let key = entry.key.clone();
    if let Some(ty) = entry.value.as_ref().filter(|ty| variant::borrows(ty)) {
        let text = format!("what a machine is given it owns; {}", variant::owned(ty));
        reader.unreadable(Code::Borrowed, ty, text);
        return (key, unknown());
    }
    let ty = match parsed(entry, &format!("{key} = Type"), reader) {
        Some(syn::Type::Infer(place)) => {
            let text = format!("`{key}` needs a type; write `{key} = Type`");
            reader.unreadable(Code::ValueUnreadable, place, text);
            None
        }
        ty => ty,
    };
    (key, ty.unwrap_or_else(unknown))
}

fn budget(entry: &Entry, reader: &mut Reader<'_>) -> Option<Budget> {
    let value = reader.value(entry, "size <= 64")?;
    Some(Budget { key: entry.key.clone(), size: reader.size(&value)? })
}

fn parsed<T: Parse>(entry: &Entry, example: &str, reader: &mut Reader<'_>) -> Option<T> {
    let value = reader.value(entry, example)?;
    let parsed = syn::parse2(value.clone()).ok();
    if parsed.is_none() {
        let text = format!("cannot read this; write `{example}`");
        reader.unreadable(Code::ValueUnreadable, value, text);
    }
    parsed
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn read(text: &str) -> (Args, Vec<String>) {
        let mut errors = Errors::default();
        let args = parse(text.parse().unwrap(), &mut errors);
        let messages = errors.messages();
        (args, messages)
    }

    #[test]
    fn all_keys_are_read() {
        use crate::ast;

        let (args, messages) = read(
            "start = A, eof => B, limit => C, error => D, within = 5min => E, idle = 1s => F, \
             error = Fault<u8, u8>, message = Msg, module = m, crate = ::a::b, G = A | H, H = B, \
             size <= 1KiB, full => I, gone => J, job = Map<u8, u8>, reply = R, seed = S, settings = T",
        );
        assert_eq!(messages, [""; 0]);
        assert_eq!(args.start.unwrap(), "A");
        let edges: Vec<_> = args
            .defaults
            .events
            .iter()
            .map(|edge| {
                let millis = edge.time.as_ref().and_then(ast::Time::fixed).unwrap_or(0);
                (edge.event, millis, edge.target.to_string())
            })
            .collect();
        assert_eq!(
            edges,
            [
                (Event::Eof, 0, "B".to_owned()),
                (Event::Limit, 0, "C".to_owned()),
                (Event::Error, 0, "D".to_owned()),
                (Event::Within, 300_000, "E".to_owned()),
                (Event::Idle, 1_000, "F".to_owned()),
                (Event::Full, 0, "I".to_owned()),
                (Event::Gone, 0, "J".to_owned()),
            ]
        );
        assert_eq!(args.error.unwrap().1.to_token_stream().to_string(), "Fault < u8 , u8 >");
        assert_eq!(args.message.unwrap().1.to_token_stream().to_string(), "Msg");
        assert_eq!(args.job.unwrap().1.to_token_stream().to_string(), "Map < u8 , u8 >");
        assert!(args.reply.is_some() && args.seed.is_some() && args.settings.is_some());
        assert_eq!(args.module.unwrap(), "m");
        assert_eq!(args.root.unwrap().to_string(), ":: a :: b");
        assert_eq!(args.size.unwrap().size.value.to_string(), "1024");
        assert_eq!(args.groups.len(), 2);
        assert_eq!(args.groups[0].members, ["A", "H"]);
        assert!(!args.incomplete);
    }

    #[test]
    fn slips_are_named() {
        for (text, expected) in [
            ("stat = A", "unknown key `stat` on `state_machine`; did you mean `start`?"),
            ("start = A, start = B", "`start` is here twice; remove one"),
            ("eof => A, eof => B", "`eof` is here twice; remove one"),
            ("start = A::B", "a state is named alone; write `B`"),
            ("start => A", "`start` is no edge; write `start = A`"),
            ("eof", "`eof` leads nowhere; write `eof => State`"),
            ("eof = A", "`eof` leads nowhere; write `eof => A`"),
            (
                "error = T => A",
                "`error` takes a type or a state; write `error = Type, error => State`",
            ),
            ("within = 5m => A", "unknown unit `m`; write `5min`"),
            ("within = 5min", "`within = 5min` leads nowhere; add `=> State`"),
            (
                "within = never",
                "`within = never` is no default; say it on each state that it is for",
            ),
            ("size = 64", "write `size <= 64`"),
            ("size < 64", "expected `<=` after `size`; write `size <= 64`"),
            ("start <= A", "write `start = State`"),
            ("size <= 0", "a size must be more than nothing; write `1` or more"),
            ("message = _", "`message` needs a type; write `message = Type`"),
            ("message =", "`message` lacks its value; write `message = Type`"),
            ("start = final", "`final` is a word of Rust, and names no state"),
            ("Self = A", "`Self` is a word of Rust, and names no state"),
            ("Live =", "`Live` lacks its value; write `Live = A | B`"),
            ("Live = A, Live = B", "`Live` is here twice; remove one"),
            (
                "colour = red",
                "unknown key `colour` on `state_machine`; it takes `start`, `eof`, `limit`, \
                 `refused`, `error`, `within`, `idle`, `begun`, `full`, `gone`, `drain`, `message`, `job`, \
                 `reply`, `seed`, `settings`, `moves`, `module`, `size` and `crate`",
            ),
        ] {
            assert_eq!(read(text).1[0], expected, "{text}");
        }
    }
}
