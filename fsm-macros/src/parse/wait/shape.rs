use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Lit, Type};

use super::super::entry::Entry;
use super::super::literal;
use super::super::reader::Reader;
use super::alone;
use crate::ast::ShapeKind;
use crate::code::Code;

pub(super) fn shape_kind(name: &str, entry: &Entry, reader: &mut Reader<'_>) -> ShapeKind {
    match name {
        "exact" => exact(reader.value(entry, "exact = 8"), reader),
        "until" => ShapeKind::Until(until(reader.value(entry, "until = b\"\\n\""), reader)),
        "upto" => ShapeKind::Upto(upto(reader.value(entry, "upto = left"), reader)),
        "frame" => frame(reader.value(entry, "frame = Type"), reader),
        "peek" => peek(reader.value(entry, "peek = 8"), reader),
        "datagram" => {
            alone(entry, "datagram, max = 1232", reader);
            ShapeKind::Datagram
        }
        _ => {
            alone(entry, "some, max = 64KiB", reader);
            ShapeKind::Some
        }
    }
}

pub(super) fn exact(value: Option<TokenStream>, reader: &mut Reader<'_>) -> ShapeKind {
    match value {
        None => ShapeKind::Unknown,
        Some(value) if !literal::is_literal(&value) => {
            let value = reader.is_over_fields(&value).then(|| reader.size(&value)).flatten();
            value.map_or(ShapeKind::Unknown, |size| ShapeKind::ExactOf(size.value))
        }
        Some(value) => match reader.size(&value).and_then(|size| size.value.into_iter().next()) {
            Some(TokenTree::Literal(number)) => ShapeKind::Exact(number),
            _ => ShapeKind::Unknown,
        },
    }
}

fn peek(value: Option<TokenStream>, reader: &mut Reader<'_>) -> ShapeKind {
    let Some(value) = value else { return ShapeKind::Unknown };
    if !literal::is_literal(&value) {
        let text =
            "`peek` looks at a fixed number of bytes; write it as a number, such as `peek = 8`";
        reader.errors.at(Code::NeverChanges, &value, text);
        return ShapeKind::Unknown;
    }
    match reader.size(&value).and_then(|size| size.value.into_iter().next()) {
        Some(TokenTree::Literal(number)) => ShapeKind::Peek(number),
        _ => ShapeKind::Unknown,
    }
}

fn until(value: Option<TokenStream>, reader: &mut Reader<'_>) -> TokenStream {
    let Some(value) = value else { return TokenStream::new() };
    let text = match syn::parse2::<Lit>(value.clone()) {
        Ok(Lit::ByteStr(text)) if text.value().is_empty() => {
            "a delimiter has at least one byte".to_owned()
        }
        Ok(Lit::Byte(byte)) => return quote!(&[#byte]),
        Ok(Lit::Str(_) | Lit::Char(_)) => format!("a delimiter is bytes; write `b{value}`"),
        Ok(Lit::CStr(_)) => {
            format!("a delimiter is bytes; write `{}`", value.to_string().replacen('c', "b", 1))
        }
        Err(_) if is_several(&value) => {
            "a read has one delimiter; write the one that ends all messages, such as `b\"\\n\"`, and let the handler \
             strip the rest, or declare a frame with `line = b\"\\r\\n\" | b\"\\n\"`"
                .to_owned()
        }
        Ok(Lit::ByteStr(_)) | Err(_) => return value,
        Ok(_) => "a delimiter is bytes, such as `b\"\\r\\n\"`".to_owned(),
    };
    reader.errors.at(Code::Delimiter, &value, text);
    value
}

/// Whether this is a list of literals with `|` between them, as the delimiters of a frame may be.
fn is_several(value: &TokenStream) -> bool {
    let mut tokens = value.clone().into_iter().enumerate();
    tokens.all(|(index, token)| match token {
        TokenTree::Literal(_) => index % 2 == 0,
        TokenTree::Punct(mark) => index % 2 == 1 && mark.as_char() == '|',
        _ => false,
    })
}

pub(super) fn upto(value: Option<TokenStream>, reader: &mut Reader<'_>) -> TokenStream {
    let Some(value) = value else { return TokenStream::new() };
    if literal::is_number(&value) {
        let text = format!("`upto = {value}` never changes; write `some, max = {value}`");
        reader.errors.at(Code::NeverChanges, &value, text);
    } else if literal::is_literal(&value) {
        reader.size(&value);
    } else if let (true, Some(size)) = (reader.is_over_fields(&value), reader.size(&value)) {
        return size.value;
    }
    value
}

fn frame(value: Option<TokenStream>, reader: &mut Reader<'_>) -> ShapeKind {
    let Some(value) = value else { return ShapeKind::Unknown };
    match syn::parse2(value.clone()) {
        Ok(Type::Infer(_)) | Err(_) => {
            let text = "`frame` needs the type of a decoder; write `frame = Type`";
            reader.unreadable(Code::ValueUnreadable, value, text);
            ShapeKind::Unknown
        }
        Ok(decoder) => ShapeKind::Frame(Box::new(decoder)),
    }
}
