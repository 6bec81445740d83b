use proc_macro2::{Literal as Token, TokenStream};

use super::super::super::ast::{Case, Field, Frame, Int, Kind, Labels, Line};
use super::super::super::roles;
use super::super::names::{bytes, literal_len, text, word_literal};
use super::{At, Steps, slot};

/// The body of `decode` for a line.
pub(crate) fn body(frame: &Frame, line: &Line) -> TokenStream {
    let (error, slot) = (frame.error(), slot(0));
    let (end, len, max) =
        (bytes(line.ends.last()), literal_len(Some(line.ends.last())), &line.max.value);
    let too_long = generated! {{
        let (len, max) = (len as u64, (#max) as u64);
        return __Err(#error::TooLong { field: "line", len, max });
    }};
    // It may have the beginning of the longer of its ends at its end.
    let (most, shortened) = match line.ends.before() {
        Some(before) => {
            let (len, before) = (before.len(), Token::byte_string(before));
            let shortened = generated! {
                let line = line.strip_suffix(#before).unwrap_or(line);
                let len = line.len();
                if len > #max #too_long
            };
            (generated!(#max + #len), Some(shortened))
        }
        None => (max.clone(), None),
    };
    let cases = match &frame.cases[..] {
        [only] if !frame.is_enum => steps(frame, only, 0),
        _ => cases(frame, line),
    };
    generated! {
        let (line, at) = match __parts::until(input, 0, self.#slot, #end, #most) {
            __parts::Until::Found(end) => (&input[..end], end + #len),
            __parts::Until::More(searched) => {
                self.#slot = __parts::mark(searched);
                return __Ok(__More(searched + 1));
            }
            __parts::Until::TooLong(len) => #too_long
        };
        #shortened
        let mut words = __rt::Words::of_line(line);
        #cases
    }
}

fn cases(frame: &Frame, line: &Line) -> TokenStream {
    let error = frame.error();
    let arms = frame.cases.iter().enumerate().filter_map(|(number, case)| {
        let Labels::Are(labels) = &case.labels else { return None };
        let labels = labels.iter().map(bytes);
        let steps = steps(frame, case, number);
        Some(if line.ignore_case {
            generated!(__Some(word) if #(word.eq_ignore_ascii_case(#labels))||* => { #steps })
        } else {
            generated!(#(__Some(#labels))|* => { #steps })
        })
    });
    let cases = frame.cases.iter().enumerate();
    let other = cases.clone().find(|(_, case)| matches!(case.labels, Labels::Other));
    let other = if let Some((number, case)) = other {
        // It reads the line from its first word.
        let steps = steps(frame, case, number);
        generated!(words = __rt::Words::of_line(line); #steps)
    } else {
        generated!(__Err(#error::Tag))
    };
    generated! {
        match ::core::iter::Iterator::next(&mut words) {
            #(#arms)*
            _ => { #other }
        }
    }
}

/// The words of the line, and the bytes behind it.
fn steps(frame: &Frame, case: &Case, number: usize) -> TokenStream {
    let mut steps = Steps::new(frame, case, number, At::There(generated!(at)));
    let (slot, error) = (slot(0), frame.error());
    steps.saves.push(generated!(self.#slot = __parts::mark(line.len());));
    let words = case.words();
    for number in 0..words.len() {
        steps.word(number);
    }
    let takes_all = |last: &Field| matches!(last.kind, Kind::Rest { .. } | Kind::Words);
    if !words.last().is_some_and(takes_all) {
        let last = words.last().map_or(&case.name, |last| &last.name);
        let last = text(last);
        steps.push(generated! {
            if words.as_bytes().is_some() {
                return __Err(#error::Surplus { field: #last });
            }
        });
    }
    for number in words.len()..case.fields.len() {
        steps.field(number);
    }
    steps.texts();
    steps.done()
}

impl Steps<'_> {
    /// Reads a word of the line.
    fn word(&mut self, number: usize) {
        let field = &self.case.fields[number];
        let (name, error, text) = (&field.name, self.error(), self.name(number));
        let missing = generated!({ return __Err(#error::Missing { field: #text }); });
        let code = match &field.kind {
            Kind::Flag => {
                let is = word_literal(field);
                generated! {
                    let mut after = ::core::clone::Clone::clone(&words);
                    let #name = ::core::iter::Iterator::next(&mut after) == __Some(#is);
                    if #name {
                        words = after;
                    }
                }
            }
            Kind::Words => generated!(let #name = words;),
            Kind::Rest { .. } if field.optional => generated!(let #name = words.as_bytes();),
            Kind::Rest { .. } => generated! {
                let __Some(#name) = words.as_bytes() else #missing;
            },
            _ if field.is.is_some() => {
                let (is, variant) = (word_literal(field), roles::error_variant(field));
                generated! {
                    match ::core::iter::Iterator::next(&mut words) {
                        __Some(word) if word == #is => {}
                        __Some(_) => return __Err(#error::#variant),
                        __None => #missing
                    }
                }
            }
            Kind::Digits { int, hex } => {
                let refused = generated!({ return __Err(#error::Number { field: #text }); });
                let number = number_of(int, *hex, &refused);
                if field.optional {
                    generated! {
                        let #name = match ::core::iter::Iterator::next(&mut words) {
                            __Some(word) => __Some(#number),
                            __None => __None,
                        };
                    }
                } else {
                    generated! {
                        let __Some(word) = ::core::iter::Iterator::next(&mut words) else #missing;
                        let #name = #number;
                    }
                }
            }
            // Of two spaces in a row one is between words, of which one is empty.
            _ if field.optional => generated! {
                let #name = match ::core::iter::Iterator::next(&mut words) {
                    __Some([]) => #missing
                    word => word,
                };
            },
            _ => generated! {
                let #name = match ::core::iter::Iterator::next(&mut words) {
                    __None | __Some([]) => #missing
                    __Some(word) => word,
                };
            },
        };
        self.push(code);
    }
}

/// The number that `word` is.
fn number_of(int: &Int, hex: bool, refused: &TokenStream) -> TokenStream {
    let read = if hex {
        generated!(__parts::hex_word)
    } else if int.signed {
        generated!(__parts::signed_word)
    } else {
        generated!(__parts::decimal_word)
    };
    let narrow = int.narrow();
    generated! {
        match #read(word).map(|number| #narrow) {
            __Some(__Ok(number)) => number,
            _ => #refused
        }
    }
}
