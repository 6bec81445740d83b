use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::Path;

use super::super::ast::{Ends, Int, Line, Size};
use super::{literal, types};
use crate::code::Code;
use crate::errors::Errors;
use crate::parse::{marks, parts};
use crate::spelling;

const KEYS: [&str; 6] = ["le", "tag", "line", "max", "ignore_case", "crate"];

/// The arguments of `#[frame(..)]`.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) decoder: Option<Ident>,
    pub(crate) little: bool,
    pub(crate) tag: Option<Int>,
    pub(crate) line: Option<Line>,
    pub(crate) max: Option<Size>,
    root: Option<TokenStream>,
}

/// The arguments that are checked together, once all are read.
#[derive(Default)]
struct Given {
    tag: Option<Ident>,
    line: Option<Argument<Ends>>,
    max: Option<Argument<Size>>,
    ignore_case: Option<Ident>,
}

/// An argument `key = value`.
struct Argument<T> {
    key: Ident,
    /// `None` after a finding.
    value: Option<T>,
}

/// One comma-separated part of an attribute.
pub(crate) struct Entry {
    /// The word before the `=`.
    pub(crate) key: Option<Ident>,
    /// The tokens after the `=`, or all of it if there is none.
    pub(crate) value: TokenStream,
}

/// The parts of the arguments of an attribute.
pub(crate) fn entries(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let parts = parts::parts(tokens, false, errors);
    parts.into_iter().map(|part| Entry::new(&part)).collect()
}

impl Entry {
    fn new(part: &[TokenTree]) -> Self {
        match part {
            [TokenTree::Ident(key), equals, value @ ..]
                if marks::is_mark(equals, '=') && !marks::is_pair(&part[1..], "==") =>
            {
                Self { key: Some(key.clone()), value: value.iter().cloned().collect() }
            }
            all => Self { key: None, value: all.iter().cloned().collect() },
        }
    }

    /// The single word that the entry is.
    fn word(&self) -> Option<Ident> {
        match self.key {
            Some(_) => None,
            None => syn::parse2(self.value.clone()).ok(),
        }
    }
}

/// Whether a word begins as the names of types do.
fn looks_like_a_type(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

impl Args {
    /// Reads them for an item of that name.
    pub(crate) fn parse(
        tokens: TokenStream,
        item: &Ident,
        is_struct: bool,
        errors: &mut Errors,
    ) -> Self {
        let mut args = Self::default();
        let mut given = Given::default();
        let mut seen: Vec<String> = Vec::new();
        let place = tokens.clone();
        for (at, entry) in entries(tokens, errors).into_iter().enumerate() {
            let word = entry.word();
            if let Some(word) =
                word.as_ref().filter(|word| at == 0 && !KEYS.contains(&word.to_string().as_str()))
            {
                args.decoder = Some(word.clone());
                continue;
            }
            let Some(key) = entry.key.clone().or(word) else {
                if at == 0 {
                    let text = format!(
                        "the name of the decoder comes first; write a name such as `{item}s`"
                    );
                    errors.at(Code::NoDecoder, &entry.value, text);
                } else {
                    errors.at(Code::Grammar, &entry.value, "expected a key such as `tag = u8`");
                }
                continue;
            };
            let name = key.to_string();
            if args.decoder.is_none() && at > 0 && looks_like_a_type(&name) {
                let text =
                    format!("the name of the decoder comes first; write `#[frame({name}, ..)]`");
                errors.at(Code::NoDecoder, key, text);
                continue;
            }
            if seen.contains(&name) {
                errors.at(Code::Twice, &key, format_args!("`{name}` is here twice; remove one"));
                continue;
            }
            args.set(&mut given, key, entry, is_struct, errors);
            seen.push(name);
        }
        if let Some(tag) = &mut args.tag {
            tag.little = args.little;
        }
        let tag = given.tag.take();
        args.line(given, errors);
        if let (Some(tag), Some(_)) = (tag, &args.line) {
            let text = "the tag of a line is its first word; remove `tag`";
            errors.at(Code::TwoLayouts, tag, text);
        }
        if args.decoder.is_none() && errors.is_empty() {
            let text = format!(
                "`frame` lacks the name of the decoder, which comes first; write `#[frame({item}s)]`"
            );
            errors.at(Code::NoDecoder, place, text);
        }
        args
    }

    /// Takes an argument with a key that is there for the first time.
    fn set(
        &mut self,
        given: &mut Given,
        key: Ident,
        entry: Entry,
        is_struct: bool,
        errors: &mut Errors,
    ) {
        let name = key.to_string();
        let lacks = |example: &str, errors: &mut Errors| {
            let text = format!("`{name}` lacks its value; write `{example}`");
            errors.at(Code::ValueMissing, &key, text);
        };
        let has_value = entry.key.is_some() && !entry.value.is_empty();
        match name.as_str() {
            "le" | "ignore_case" if entry.key.is_some() => {
                let text = format!("`{name}` takes no value; write `{name}` alone");
                errors.at(Code::TooMuch, &entry.value, text);
            }
            "le" => self.little = true,
            "ignore_case" => given.ignore_case = Some(key),
            "tag" if !has_value => lacks("tag = u8", errors),
            "tag" => {
                self.tag = types::tag(&entry.value, errors);
                if is_struct {
                    let text =
                        "a struct has no tag; declare it as the first field, with `#[is(..)]`";
                    errors.at(Code::NoTag, &key, text);
                }
                given.tag = Some(key);
            }
            "line" if !has_value => lacks("line = b\"\\r\\n\"", errors),
            "line" => {
                given.line = Some(Argument { value: literal::ends(&entry.value, errors), key });
            }
            "max" if !has_value => lacks("max = 1KiB", errors),
            "max" => given.max = Some(Argument { value: literal::size(&entry.value, errors), key }),
            "crate" if syn::parse2::<Path>(entry.value.clone()).is_ok() => {
                self.root = Some(entry.value);
            }
            "crate" => lacks("crate = ::path", errors),
            _ => {
                let known = spelling::nearest(&name, &KEYS);
                let remedy = match known {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("the keys of `frame` are {}", spelling::list(KEYS)),
                };
                errors.at(Code::UnknownKey, &key, format_args!("unknown key `{name}`; {remedy}"));
            }
        }
    }

    /// Makes the line, or the bound, of the arguments for them.
    fn line(&mut self, given: Given, errors: &mut Errors) {
        let Given { line, max, ignore_case, .. } = given;
        match (line, max) {
            (Some(line), Some(max)) => {
                let (Some(ends), Some(max)) = (line.value, max.value) else { return };
                for end in ends.all() {
                    if end.value.bytes().is_some_and(|bytes| bytes.contains(&b' ')) {
                        let text = "a space is between the words of a line, and cannot end it";
                        errors.at(Code::Delimiter, &end.tokens, text);
                    }
                }
                self.line = Some(Line { ends, max, ignore_case: ignore_case.is_some() });
            }
            (Some(Argument { key, .. }), None) => {
                let text = "nothing bounds the line; add `max = 1KiB`";
                errors.at(Code::Unbounded, key, text);
            }
            (None, Some(max)) => self.max = max.value,
            (None, None) => {
                if let Some(key) = ignore_case {
                    let text =
                        "`ignore_case` is for the first words of lines; add `line = b\"\\r\\n\"`";
                    errors.at(Code::OnlyInLines, key, text);
                }
            }
        }
    }

    /// The path of the runtime.
    pub(crate) fn root(&self) -> TokenStream {
        self.root.clone().unwrap_or_else(|| quote!(::fsm_runtime))
    }
}
