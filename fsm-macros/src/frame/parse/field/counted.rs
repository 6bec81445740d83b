use proc_macro2::{TokenStream, TokenTree};
use syn::Attribute;

use super::super::super::ast::{Counted, Size};
use super::super::args::{Entry, entries};
use super::super::{list, literal, name_of};
use super::Reader;
use crate::code::Code;
use crate::parse::marks;
use crate::spelling;

/// The number in an attribute that counts, and its bounds.
struct BoundedLen {
    counted: TokenStream,
    /// The bound behind the first `<=` of two, over other fields.
    within: Option<TokenStream>,
    max: Size,
}

impl Reader<'_> {
    /// `len - 4 <= 1MiB, then = b".."`
    pub(super) fn counted(&mut self, attr: &Attribute, example: &str) -> Option<Counted> {
        let name = name_of(attr);
        let (mut len, mut then) = (None, None);
        for Entry { key, value } in entries(list(attr), self.errors) {
            match key {
                None if len.is_none() => {
                    len = Some(self.bounded_len(&value, &name, example)?);
                }
                Some(key) if key == "then" => then = Some(literal::bytes(&value, self.errors)?),
                Some(key) => {
                    let text = if key == "max" || key == "len" {
                        format!("a length and its bound are written together; write `{example}`")
                    } else {
                        format!("unknown key `{key}`; write `then = b\"..\"` for bytes that follow")
                    };
                    self.errors.at(Code::UnknownKey, key, text);
                    return None;
                }
                None => {
                    let text =
                        format!("only `then = b\"..\"` comes behind the length; write `{example}`");
                    self.errors.at(Code::TooMuch, value, text);
                    return None;
                }
            }
        }
        let Some(BoundedLen { counted: len, within, max }) = len else {
            let text = format!("`{name}` lacks its length; write `{example}`");
            self.errors.at(Code::ValueMissing, attr.path(), text);
            return None;
        };
        Some(Counted { len, within, max, then })
    }

    /// `len - 4 <= 1MiB`
    fn bounded_len(
        &mut self,
        value: &TokenStream,
        name: &str,
        example: &str,
    ) -> Option<BoundedLen> {
        let Some((counted, bound)) = marks::bounded(value) else {
            self.refuse_unbounded(value, name, example);
            return None;
        };
        if counted.is_empty() || bound.is_empty() {
            let text =
                format!("a length and its bound are on the sides of `<=`; write `{example}`");
            self.errors.at(Code::ValueMissing, value, text);
            return None;
        }
        let max = literal::size(&bound, self.errors)?;
        if max.known.is_some_and(|known| known > u32::MAX.into()) {
            let text = "a frame has at most 4294967295 bytes; write a smaller bound";
            self.errors.at(Code::TooLarge, &max.place, text);
            return None;
        }
        Some(match marks::bounded(&counted) {
            Some((counted, within)) => {
                BoundedLen { counted: self.known(counted)?, within: Some(self.known(within)?), max }
            }
            None => BoundedLen { counted: self.known(counted)?, within: None, max },
        })
    }

    /// Adds the finding about a length without a bound.
    fn refuse_unbounded(&mut self, value: &TokenStream, name: &str, example: &str) {
        let written = spelling::tokens(value);
        if crate::parse::literal::is_number(value) {
            let text = match name {
                "bytes" => format!(
                    "bytes whose number is always the same are an array; write `[u8; {written}]` for the type"
                ),
                _ => format!("a length is a field that comes before; write `{example}`"),
            };
            self.errors.at(Code::NotAField, value, text);
            return;
        }
        if let Some((mark, remedy)) = compared(value, name, example) {
            self.errors.at(Code::Grammar, mark, remedy);
            return;
        }
        let bound = if name == "times" { "64" } else { "64KiB" };
        let text = format!(
            "a peer may send any `{written}`, and nothing bounds it; write `{name}({written} <= {bound})`"
        );
        self.errors.at(Code::Unbounded, value, text);
    }

    /// The expression in the parentheses of an attribute.
    pub(super) fn expression(&mut self, attr: &Attribute) -> Option<TokenStream> {
        let value = list(attr);
        if value.is_empty() {
            let name = name_of(attr);
            let example = if name == "tag" { "tag(kind)" } else { "when(flags & 1 != 0)" };
            let text = format!("`{name}` lacks its value; write `#[{example}]`");
            self.errors.at(Code::ValueMissing, attr.path(), text);
            return None;
        }
        self.known(value)
    }

    /// Refuses what is more than arithmetic and calls.
    pub(super) fn known(&mut self, value: TokenStream) -> Option<TokenStream> {
        let value = match crate::parse::literal::in_bytes(&value) {
            Ok(value) => value,
            Err((code, text)) => {
                self.errors.at(code, value, text);
                return None;
            }
        };
        if crate::ast::is_known(&value) {
            return Some(value);
        }
        let text = "an expression here has fields, constants, calls, `as` and arithmetic; \
                    put the rest into a function and call that";
        self.errors.at(Code::Grammar, value, text);
        None
    }
}

/// The finding about a comparison that is no bound: its mark, and what to write.
fn compared(value: &TokenStream, name: &str, example: &str) -> Option<(TokenTree, String)> {
    let tokens: Vec<TokenTree> = value.clone().into_iter().collect();
    let is_mark = |token: &TokenTree| marks::is_mark(token, '<') || marks::is_mark(token, '=');
    let at = tokens.iter().position(is_mark)?;
    let side = |tokens: &[TokenTree]| spelling::tokens(&tokens.iter().cloned().collect());
    let behind =
        tokens[at..].iter().take_while(|token| matches!(token, TokenTree::Punct(_))).count();
    let (len, bound) = (side(&tokens[..at]), side(&tokens[at + behind..]));
    let written = if len.is_empty() || bound.is_empty() {
        example.to_owned()
    } else {
        format!("{name}({len} <= {bound})")
    };
    Some((tokens[at].clone(), format!("a bound is written with `<=`; write `{written}`")))
}
