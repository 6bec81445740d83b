use proc_macro2::{Literal as Token, TokenStream};

use super::super::ast::{Case, Field, Frame, Kind, Labels, Literal, Value};
use super::names::{bytes, text, word_literal};
use super::size;

/// The layout as a constant expression, for a scope where `__rt` is the runtime.
pub(crate) fn layout(frame: &Frame) -> TokenStream {
    let name = text(&frame.name);
    let max = if frame.is_open() { generated!(0) } else { frame.max() };
    let tag = match (&frame.tag, &frame.line) {
        (Some(tag), _) => {
            let text = if tag.width == 3 { "u24".to_owned() } else { tag.rust.to_string() };
            generated!(__Some(#text))
        }
        (None, Some(_)) if frame.is_enum => generated!(__Some("word")),
        _ => generated!(__None),
    };
    let cases = frame.cases.iter().map(|case| self::case(frame, case));
    let line = frame.line.as_ref().map(|line| {
        let ends = line.ends.all().map(bytes);
        generated!(.with_line_ends(&[#(#ends),*]))
    });
    generated! {
        __rt::Layout::new(#name, #max, #tag, &[#(#cases),*]) #line
    }
}

fn case(frame: &Frame, case: &Case) -> TokenStream {
    let name = text(&case.name);
    let labels = match &case.labels {
        Labels::Are(labels) => labels.iter().map(|label| tag(frame, label)).collect(),
        Labels::Struct | Labels::Other => Vec::new(),
    };
    let words = case.words().len();
    let fields = case.fields.iter().enumerate().map(|(at, field)| {
        // A word ends at the next one, or where the line ends.
        let end = match &frame.line {
            Some(_) if at + 1 < words => Some(generated!(b" ")),
            Some(line) if at + 1 == words => Some(bytes(line.ends.last())),
            _ => None,
        };
        self::field(frame, field, end)
    });
    generated!(__rt::LayoutCase::new(#name, &[#(#labels),*], &[#(#fields),*]))
}

/// A tag as it is sent.
fn tag(frame: &Frame, label: &Literal) -> TokenStream {
    match (&label.value, &frame.tag) {
        (Value::Int(value), Some(tag)) => {
            let bytes = Token::byte_string(&tag.bytes(*value));
            generated!(#bytes)
        }
        (Value::Path, Some(tag)) => {
            let bytes = tag.to_bytes(&label.tokens);
            generated!(const { &#bytes })
        }
        _ => bytes(label),
    }
}

fn field(frame: &Frame, field: &Field, end_of_word: Option<TokenStream>) -> TokenStream {
    let (name, declared) = (text(&field.name), &field.text);
    let (least, most) = (field.least(frame), field.most(frame));
    let literal = field.is.as_ref().map(|is| {
        let bytes = match (&field.kind, &is.value) {
            _ if frame.line.is_some() => word_literal(field),
            (Kind::Int(int), Value::Int(value)) => {
                let bytes = Token::byte_string(&int.bytes(*value));
                generated!(#bytes)
            }
            (Kind::Int(int), _) => {
                let bytes = int.to_bytes(&is.tokens);
                generated!(const { &#bytes })
            }
            _ => is.tokens.clone(),
        };
        generated!(.with_literal(#bytes))
    });
    let end = match &field.kind {
        Kind::Until { end, .. } => Some(end),
        _ => field.then.as_ref(),
    };
    let end = end.map(bytes).or(end_of_word);
    let end = end.map(|end| generated!(.with_end(#end)));
    let inner = matches!(field.kind, Kind::Nested | Kind::Tagged(_) | Kind::Times { .. });
    let inner = inner.then(|| {
        let decoder = size::decoder(frame, field);
        generated!(.with_inner(<#decoder as __rt::__Nested>::LAYOUT))
    });
    let secret = field.secret.then(|| generated!(.as_secret()));
    generated!(__rt::LayoutField::new(#name, #declared, #least, #most) #literal #end #inner #secret)
}
