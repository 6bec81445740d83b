use syn::Attribute;

use super::super::super::ast::{Int, Kind, Literal};
use super::super::super::roles::is_digit;
use super::super::args::{Entry, entries};
use super::super::{list, literal, name_of};
use super::Reader;
use crate::code::Code;

impl Reader<'_> {
    pub(super) fn int(&mut self, int: Int, is: Option<&Literal>) -> Option<Kind> {
        self.only(
            &["is", "varint", "decimal", "hex", "tag"],
            "an integer has its length in its type",
        );
        if let Some(attr) = self.get("tag") {
            return self.kept_tag(&attr, int);
        }
        if let Some(attr) = self.get("varint").filter(|_| self.owner.in_line) {
            let text = "a line has numbers in decimal digits, or with `#[hex]`; remove `#[varint]`";
            self.errors.at(Code::NotInLines, attr.path(), text);
            return None;
        }
        for hex in [false, true] {
            let Some(attr) = self.get(if hex { "hex" } else { "decimal" }) else { continue };
            if hex && int.signed {
                let text = "digits in base 16 have no sign; write `u32` or another unsigned type";
                self.errors.at(Code::FieldType, &int.rust, text);
            }
            self.then = self.digits_end(&attr);
            return Some(Kind::Digits { int, hex });
        }
        if let Some(attr) = self.get("varint") {
            return self.varint(&attr, int);
        }
        if self.owner.in_line && is.is_none() {
            return Some(Kind::Digits { int, hex: false });
        }
        Some(if self.owner.in_line { Kind::Word { text: false } } else { Kind::Int(int) })
    }

    /// `#[tag]` on an integer, which keeps the tag of the enum.
    fn kept_tag(&mut self, attr: &Attribute, int: Int) -> Option<Kind> {
        let (code, text) = if !list(attr).is_empty() {
            let text = "`#[tag(..)]` is for a field that is an enum; an integer that keeps the tag has \
                        `#[tag]` alone";
            (Code::TwoLayouts, text)
        } else if self.owner.in_line {
            (Code::NoTag, "the first word of a line is no integer; remove `#[tag]`")
        } else if self.owner.tag.is_none() {
            let text = "only an enum with `tag = u8` or another integer has a tag; remove `#[tag]`";
            (Code::NoTag, text)
        } else {
            return Some(Kind::Tag(int));
        };
        self.errors.at(code, attr.path(), text);
        None
    }

    /// `#[varint(max = 4, padded)]`
    fn varint(&mut self, attr: &Attribute, int: Int) -> Option<Kind> {
        if int.signed {
            let text = "a varint is unsigned; write `u32` or `u64`";
            self.errors.at(Code::FieldType, &int.rust, text);
        }
        let all = (8 * int.width).div_ceil(7);
        let (mut bytes, mut padded) = (all, false);
        for Entry { key, value } in entries(list(attr), self.errors) {
            match key {
                Some(key) if key == "max" => {
                    let size = literal::size(&value, self.errors)?;
                    let known = size.known.and_then(|known| usize::try_from(known).ok());
                    let Some(known) = known.filter(|known| (1..=all).contains(known)) else {
                        let text = format!(
                            "a varint of a `{}` has at most {all} bytes; write `max = {all}`",
                            int.rust
                        );
                        self.errors.at(Code::TooWide, value, text);
                        return None;
                    };
                    bytes = known;
                }
                None if value.to_string() == "padded" => padded = true,
                _ => {
                    let text = "`varint` takes the largest number of its bytes, as `max = 4`, and `padded`, or \
                                nothing";
                    self.errors.at(Code::Grammar, value, text);
                }
            }
        }
        Some(Kind::Varint { int, bytes, padded })
    }

    /// The delimiter that ends the digits in `#[decimal(then = b"\r\n")]`; in a line the word does. Without it they
    /// end at the first byte that is no digit.
    pub(super) fn digits_end(&mut self, attr: &Attribute) -> Option<Literal> {
        let name = name_of(attr);
        let mut then = None;
        for Entry { key, value } in entries(list(attr), self.errors) {
            match key {
                Some(key) if key == "then" && self.owner.in_line => {
                    let text = "a word ends at the next space; remove `then`";
                    self.errors.at(Code::TooMuch, key, text);
                    return None;
                }
                Some(key) if key == "then" => then = literal::bytes(&value, self.errors),
                _ => {
                    let text = format!("write `{name}(then = b\"\\r\\n\")`");
                    self.errors.at(Code::Grammar, value, text);
                    return None;
                }
            }
        }
        if then.is_none() && !self.owner.in_line {
            self.open_digits = Some(attr.path().clone());
        }
        let starts_with_digit =
            |then: &Literal| then.begins_with(|first| is_digit(name == "hex", first));
        if let Some(then) = then.as_ref().filter(|then| starts_with_digit(then)) {
            let text = "what ends digits cannot begin with one";
            self.errors.at(Code::Delimiter, &then.tokens, text);
        }
        then
    }
}
