use proc_macro2::TokenStream;

use super::super::super::ast::{Case, Counted, Field, Frame, Kind, Labels};
use super::super::super::roles;
use super::super::names::{bytes, text};
use super::{Following, as_bytes, count, each, line, put};

/// The body of `check` for a case.
pub(crate) fn check(frame: &Frame, case: &Case) -> TokenStream {
    let fields = case.fields.iter().map(|field| self::field(frame, case, field));
    let line = frame.line.as_ref().map(|line| line::check(frame, case, line));
    let part = part(frame, case);
    let tag = tag(frame, case);
    let whole = frame.max.as_ref().map(|_| {
        let (error, decoder, name) = (frame.error(), &frame.decoder, text(&frame.name));
        generated! {
            let (len, max) = (__rt::Encode::encoded_len(self) as u64, #decoder::MAX as u64);
            if len > max {
                return __Err(#error::TooLong { field: #name, len, max });
            }
        }
    });
    generated! {
        #tag
        #(#fields)*
        #line
        #part
        #whole
        __Ok(())
    }
}

/// A tag that is kept is one of the case.
fn tag(frame: &Frame, case: &Case) -> Option<TokenStream> {
    let field = case.fields.iter().find(|field| matches!(field.kind, Kind::Tag(_)))?;
    let (name, error, text) = (&field.name, frame.error(), text(&field.name));
    let is_of = |case: &Case| match &case.labels {
        Labels::Are(labels) => {
            let labels = labels.iter().map(|label| &label.tokens);
            Some(generated!(#(#labels)|*))
        }
        _ => None,
    };
    let refused = generated!(return __Err(#error::Disagrees { field: #text }));
    if let Some(own) = is_of(case) {
        Some(generated!(match *#name { #own => {} _ => #refused, }))
    } else {
        let others: Vec<TokenStream> = frame.cases.iter().filter_map(is_of).collect();
        (!others.is_empty()).then(|| generated!(match *#name { #(#others)|* => #refused, _ => {} }))
    }
}

fn field(frame: &Frame, case: &Case, field: &Field) -> TokenStream {
    let text = text(&field.name);
    let error = frame.error();
    let there = field.when.as_ref().map(|when| {
        let (name, operands, when) = (&field.name, case.operands(), Case::value(when));
        generated! {
            if #name.is_some() != { #operands #when } {
                return __Err(#error::Disagrees { field: #text });
            }
        }
    });
    if let Some(following) = case.follows(frame, field) {
        return follows(frame, case, field, &following);
    }
    if field.is.is_some() {
        return there.unwrap_or_default();
    }
    let variant = roles::error_variant(field);
    let value = match &field.kind {
        kind if kind.int().is_some() => narrower(kind).map_or_else(TokenStream::new, |largest| {
            each(field, |value| {
                generated! {
                    if __rt::Length::length(#value) > #largest {
                        return __Err(#error::Number { field: #text });
                    }
                }
            })
        }),
        Kind::Bytes { counted, .. } => within(frame, case, field, counted, &generated!(TooLong)),
        Kind::Until { end, max, .. } => {
            let (end, max) = (bytes(end), &max.value);
            let is_digit = case.digits_before(field).map(|hex| {
                if hex { generated!(u8::is_ascii_hexdigit) } else { generated!(u8::is_ascii_digit) }
            });
            each(field, |value| {
                let bytes = as_bytes(field, value);
                let begins_with_digit = is_digit.as_ref().map(|is_digit| {
                    generated! {
                        if #bytes.first().is_some_and(#is_digit) {
                            return __Err(#error::Disagrees { field: #text });
                        }
                    }
                });
                generated! {
                    #begins_with_digit
                    if #value.len() > #max {
                        let (len, max) = (#value.len() as u64, (#max) as u64);
                        return __Err(#error::TooLong { field: #text, len, max });
                    }
                    if __parts::ends_early(#bytes, #end) {
                        return __Err(#error::Contains { field: #text });
                    }
                }
            })
        }
        Kind::Nested => each(field, |value| {
            generated! {
                if let __Err(error) = __rt::Encode::check(#value) {
                    return __Err(#error::#variant(error));
                }
            }
        }),
        Kind::Tagged(tag) => tagged(frame, case, field, tag),
        Kind::Times { counted: Some(counted), .. } => {
            within(frame, case, field, counted, &generated!(TooMany))
        }
        _ => TokenStream::new(),
    };
    generated!(#there #value)
}

/// The largest number that is sent, if the type has larger ones.
fn narrower(kind: &Kind) -> Option<u64> {
    let int = kind.int()?;
    let largest = match kind {
        Kind::Varint { bytes, .. } => int.largest().min(roles::largest_varint(*bytes)),
        _ => int.largest(),
    };
    let is_narrower = !int.signed && (int.width == 3 || largest < int.largest());
    is_narrower.then_some(largest)
}

/// A field is no longer than its bound, and as long as a kept length says.
fn within(
    frame: &Frame,
    case: &Case,
    field: &Field,
    counted: &Counted,
    too_long: &TokenStream,
) -> TokenStream {
    let (error, text) = (frame.error(), text(&field.name));
    let (max, agrees) = (bound(case, counted), counted_len(frame, case, field, counted));
    each(field, |value| {
        generated! {
            let max = #max;
            if #value.len() > max {
                let (len, max) = (#value.len() as u64, max as u64);
                return __Err(#error::#too_long { field: #text, len, max });
            }
            #agrees
        }
    })
}

/// The enum behind a tag is a frame, and has the tag that kept fields say.
fn tagged(frame: &Frame, case: &Case, field: &Field, tag: &TokenStream) -> TokenStream {
    let (error, text, variant) = (frame.error(), text(&field.name), roles::error_variant(field));
    let follows = match roles::length(tag) {
        roles::Length::Of { field, .. } => case.derived(&field).is_some(),
        roles::Length::Any => false,
    };
    let (operands, tag) = (case.operands(), Case::value(tag));
    each(field, |value| {
        let agrees = (!follows).then(|| {
            generated! {
                let tag = __rt::__EncodeTagged::tag(#value);
                if tag != { #operands #tag } {
                    return __Err(#error::Disagrees { field: #text });
                }
            }
        });
        generated! {
            #agrees
            if let __Err(error) = __rt::Encode::check(#value) {
                return __Err(#error::#variant(error));
            }
        }
    })
}

/// A field that follows from others can hold its value.
fn follows(frame: &Frame, case: &Case, field: &Field, following: &Following) -> TokenStream {
    let Some(int) = field.kind.int() else { return TokenStream::new() };
    let (error, rust) = (frame.error(), &int.rust);
    let value = match following {
        Following::Length(value) => value,
        Following::Tag(tag) => {
            let text = text(&field.name);
            let check = narrower(&field.kind).map(|largest| {
                generated! {
                    if __rt::Length::length(#tag) > #largest {
                        return __Err(#error::Number { field: #text });
                    }
                }
            });
            return check.unwrap_or_default();
        }
    };
    let (text, len, counted) = match case.derived(&field.name) {
        Some(roles::Derived::Of(of)) => match &of.kind {
            Kind::Bytes { counted, .. } | Kind::Times { counted: Some(counted), .. } => {
                (text(&of.name), count(of), &**counted)
            }
            _ => return TokenStream::new(),
        },
        Some(roles::Derived::Part(at, of)) => {
            let Some(part) = &of.part else { return TokenStream::new() };
            let lens = case.fields[at..].iter().map(|field| put::field_len(frame, case, field));
            (text(&of.name), generated!(((0_usize #(+ #lens)*) as u64)), part)
        }
        None => return TokenStream::new(),
    };
    let is_times = matches!(
        case.derived(&field.name),
        Some(roles::Derived::Of(Field { kind: Kind::Times { .. }, .. }))
    );
    let variant = quote::format_ident!("{}", if is_times { "TooMany" } else { "TooLong" });
    let narrow = if int.width == 3 {
        generated!(__parts::u24(value).is_ok())
    } else {
        generated!(<#rust as ::core::convert::TryFrom<u64>>::try_from(value).is_ok())
    };
    let (mut fits, mut largest) = (narrow, int.largest());
    if let Kind::Varint { bytes, .. } = &field.kind {
        largest = largest.min(roles::largest_varint(*bytes));
        fits = generated!(value <= #largest && #fits);
    }
    let inverse = super::inverse(&counted.len);
    let (max, most) = (bound(case, counted), inverse.most(largest));
    let fits = if inverse.is_total() {
        generated!(#value.is_some_and(|value| #fits))
    } else {
        // The field has a value for some lengths alone, such as even ones.
        generated!({
            let __Some(value) = #value else {
                return __Err(#error::Disagrees { field: #text });
            };
            #fits
        })
    };
    generated! {
        let len = #len;
        let max = #max as u64;
        if len > max {
            return __Err(#error::#variant { field: #text, len, max });
        }
        if !#fits {
            return __Err(#error::#variant { field: #text, len, max: #most });
        }
    }
}

/// A length that is kept agrees with what it counts.
fn counted_len(
    frame: &Frame,
    case: &Case,
    field: &Field,
    counted: &Counted,
) -> Option<TokenStream> {
    if let roles::Length::Of { field, .. } = roles::length(&counted.len) {
        if case.derived(&field).is_some() {
            return None;
        }
    }
    let (error, text, count) = (frame.error(), text(&field.name), count(field));
    let (operands, len) = (case.operands(), case.length(&counted.len));
    Some(generated! {
        if { #operands #len } != __Some(#count) {
            return __Err(#error::Disagrees { field: #text });
        }
    })
}

/// A part is within its bound, and as long as a kept length says.
fn part(frame: &Frame, case: &Case) -> Option<TokenStream> {
    let at = case.part()?;
    let field = &case.fields[at];
    let part = field.part.as_ref()?;
    if let roles::Length::Of { field, .. } = roles::length(&part.len) {
        if case.derived(&field).is_some() {
            return None;
        }
    }
    let (error, text) = (frame.error(), text(&field.name));
    let lens = case.fields[at..].iter().map(|field| put::field_len(frame, case, field));
    let (max, operands, len) = (bound(case, part), case.operands(), case.length(&part.len));
    Some(generated! {
        let count = 0_usize #(+ #lens)*;
        let max = #max;
        if count > max {
            return __Err(#error::TooLong { field: #text, len: count as u64, max: max as u64 });
        }
        if { #operands #len } != __Some(count as u64) {
            return __Err(#error::Disagrees { field: #text });
        }
    })
}

/// The bound of a length, where the integers that it names are kept.
fn bound(case: &Case, counted: &Counted) -> TokenStream {
    let (operands, bound) = (case.operands(), counted.bound());
    if counted.within.is_some() { generated!({ #operands #bound }) } else { generated!((#bound)) }
}
