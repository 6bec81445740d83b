use proc_macro2::TokenStream;

use super::super::super::ast::{Counted, Field};
use super::super::names::{bytes, literal_len, text};
use super::super::size::Sum;
use super::{At, Steps};
use crate::expand::Overflow;

impl Steps<'_> {
    /// Waits until all of the part is there.
    pub(super) fn part(&mut self, field: usize, part: &Counted) {
        let (len, max) = (self.case.length(&part.len), part.bound());
        let (error, at, name) = (self.error(), self.at(), self.name(field));
        let end = literal_len(part.then.as_ref());
        let total = Sum::known(end).after(&generated!(part_end));
        let outer = part.then.as_ref().map(|_| generated!(let outer = input;));
        let more = self.more(&total);
        let code = generated! {
            let __Some(len) = #len else {
                return __Err(#error::Short { field: #name });
            };
            let max = #max;
            let __Some(count) = __parts::bounded(len, max) else {
                return __Err(#error::TooLong { field: #name, len, max: max as u64 });
            };
            let part_end = #at + count;
            if input.len() < #total #more
            #outer
            let input = &input[..part_end];
        };
        self.push(code);
        self.in_part = true;
    }

    /// Refuses what is left of the part.
    pub(super) fn part_end(&mut self) {
        let Some(first) = self.case.part() else { return };
        let Some(part) = &self.case.fields[first].part else { return };
        let (error, at) = (self.error(), self.at());
        let last = self.name(self.case.fields.len() - 1);
        self.push(generated! {
            if #at < part_end {
                return __Err(#error::Surplus { field: #last });
            }
        });
        if let Some(then) = &part.then {
            let (then, len, name) = (bytes(then), literal_len(Some(then)), self.name(first));
            self.push(generated! {
                if __parts::begins(outer, part_end, #then) != __Some(true) {
                    return __Err(#error::End { field: #name });
                }
            });
            self.moved(At::There(generated!(part_end + #len)));
        }
    }

    /// Makes the inner frames that an earlier call has read, now that all bytes are there.
    pub(super) fn inner_frames(&mut self) {
        for (number, again) in std::mem::take(&mut self.later) {
            let field = &self.case.fields[number];
            let name = &field.name;
            self.push(if field.optional {
                generated! {
                    let #name = match #name {
                        __Some(__None) => __Some(#again),
                        __Some(frame) => frame,
                        __None => __None,
                    };
                }
            } else {
                generated! {
                    let #name = match #name {
                        __Some(frame) => frame,
                        __None => #again,
                    };
                }
            });
        }
    }

    /// Makes texts of the bytes that are to be UTF-8, now that all are there.
    pub(super) fn texts(&mut self) {
        let error = self.error();
        let is_text = |field: &&Field| field.kind.is_text() && self.case.keeps(field);
        let texts: Vec<_> =
            self.case.fields.iter().filter(is_text).map(|it| (&it.name, it.optional)).collect();
        for (name, optional) in texts {
            let field = text(name);
            let bytes = name;
            let refused = generated!(return __Err(#error::Utf8 { field: #field }));
            let code = if optional {
                generated! {
                    let #name = match #bytes {
                        __Some(bytes) => match ::core::str::from_utf8(bytes) {
                            __Ok(text) => __Some(text),
                            __Err(_) => #refused,
                        },
                        __None => __None,
                    };
                }
            } else {
                generated! {
                    let __Ok(#name) = ::core::str::from_utf8(#bytes) else { #refused };
                }
            };
            self.push(code);
        }
    }
}

impl Counted {
    /// The bound, an `usize`.
    pub(crate) fn bound(&self) -> TokenStream {
        let max = &self.max.value;
        match &self.within {
            Some(within) => {
                let within = crate::ast::Expr::new(within, &[]).length(Overflow::Saturates);
                generated!(__parts::narrower(#within, #max))
            }
            None => max.clone(),
        }
    }
}
