use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

use super::super::ast::{Case, Field, Frame, Kind, Size};

/// A number of bytes: what the macro knows, and constants that it does not see.
#[derive(Default)]
pub(crate) struct Sum {
    known: u64,
    terms: Vec<TokenStream>,
}

impl Sum {
    pub(crate) fn known(known: usize) -> Self {
        Self { known: known as u64, terms: Vec::new() }
    }

    pub(crate) fn term(term: TokenStream) -> Self {
        Self { known: 0, terms: vec![term] }
    }

    fn of(size: &Size) -> Self {
        match size.known {
            Some(known) => Self { known, terms: Vec::new() },
            None => Self::term(size.value.clone()),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.known = self.known.saturating_add(other.known);
        self.terms.extend(other.terms);
    }

    pub(crate) fn plus(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    pub(crate) fn of_all(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::default(), Self::plus)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.known == 0 && self.terms.is_empty()
    }

    pub(crate) fn as_known(&self) -> Option<u64> {
        self.terms.is_empty().then_some(self.known)
    }

    /// `at` and this, as an expression.
    pub(crate) fn after(&self, at: &TokenStream) -> TokenStream {
        if self.is_zero() { at.clone() } else { generated!(#at + #self) }
    }
}

impl ToTokens for Sum {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let known = TokenTree::Literal(Literal::u64_unsuffixed(self.known));
        let terms = &self.terms;
        tokens.extend(match (self.known, &terms[..]) {
            (_, []) => known.into(),
            (0, [only]) => only.clone(),
            // Bounds of frames in frames may be too much for a number.
            _ => generated!(__rt::__frame::total(&[#known #(, #terms)*])),
        });
    }
}

/// The type of the decoder of a field that is another frame.
pub(crate) fn decoder(frame: &Frame, field: &Field) -> TokenStream {
    if let Kind::Times { decoder, .. } = &field.kind {
        return decoder.to_token_stream();
    }
    let root = &frame.root;
    let inner = super::super::parse::inner(&field.ty);
    let ty = forever(&inner);
    generated!(<#ty as #root::__Framed>::Decoder)
}

/// The type with `'static` for its lifetimes.
fn forever(ty: &Type) -> TokenStream {
    fn replaced(tokens: TokenStream) -> TokenStream {
        let mut after_mark = false;
        tokens
            .into_iter()
            .map(|token| match token {
                TokenTree::Ident(name) if after_mark => {
                    after_mark = false;
                    proc_macro2::Ident::new("static", name.span()).into()
                }
                TokenTree::Group(group) => {
                    proc_macro2::Group::new(group.delimiter(), replaced(group.stream())).into()
                }
                token => {
                    after_mark = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '\'');
                    token
                }
            })
            .collect()
    }
    replaced(ty.to_token_stream())
}

fn end(then: Option<&super::super::ast::Literal>) -> Sum {
    Sum::known(then.and_then(|then| then.value.bytes()).map_or(0, <[u8]>::len))
}

impl Field {
    /// The smallest number of bytes.
    pub(crate) fn least(&self, frame: &Frame) -> Sum {
        if self.when.is_some() {
            return Sum::default();
        }
        let end = end(self.then.as_ref());
        match &self.kind {
            Kind::Int(int) => Sum::known(int.width),
            Kind::Varint { .. } => Sum::known(1),
            Kind::Digits { .. } => Sum::known(1).plus(end),
            Kind::Array(len) => array(len),
            Kind::Bytes { .. } | Kind::Times { .. } => end,
            Kind::Until { end, .. } => self::end(Some(end)),
            Kind::Nested => {
                let decoder = decoder(frame, self);
                let root = &frame.root;
                Sum::term(generated!(<#decoder as #root::__Nested>::MIN))
            }
            _ => Sum::default(),
        }
    }

    /// The largest number of bytes; 0 for the rest of a part.
    pub(crate) fn most(&self, frame: &Frame) -> Sum {
        let root = &frame.root;
        let end = end(self.then.as_ref());
        match &self.kind {
            Kind::Int(int) => Sum::known(int.width),
            Kind::Varint { bytes, .. } => Sum::known(*bytes),
            Kind::Digits { int, hex } => {
                Sum::known(int.digits(*hex) + usize::from(int.signed)).plus(end)
            }
            Kind::Array(len) => array(len),
            Kind::Bytes { counted, .. } => Sum::of(&counted.max).plus(end),
            Kind::Until { end, max, .. } => Sum::of(max).plus(self::end(Some(end))),
            Kind::Nested => {
                let decoder = decoder(frame, self);
                Sum::term(generated!(<#decoder as #root::__Nested>::MAX))
            }
            Kind::Tagged(_) => {
                let decoder = decoder(frame, self);
                Sum::term(generated!(<#decoder as #root::__Tagged>::MAX_BODY))
            }
            Kind::Times { decoder, counted: Some(counted) } => {
                let max = &counted.max.value;
                Sum::term(
                    generated!(__rt::__frame::times(#max, <#decoder as #root::__Nested>::MAX)),
                )
                .plus(end)
            }
            _ => Sum::default(),
        }
    }
}

fn array(len: &TokenStream) -> Sum {
    match len.to_string().parse() {
        Ok(known) => Sum::known(known),
        Err(_) => Sum::term(generated!({ #len })),
    }
}

impl Case {
    /// The fields before the part, and those in it.
    fn parts(&self) -> (&[Field], &[Field]) {
        self.fields.split_at(self.part().unwrap_or(self.fields.len()))
    }

    /// The smallest number of bytes, without a tag.
    pub(crate) fn least(&self, frame: &Frame) -> Sum {
        if let Some(line) = &frame.line {
            return end(Some(line.ends.last()));
        }
        Sum::of_all(self.fields.iter().map(|field| field.least(frame)))
    }

    /// The largest number of bytes, without a tag.
    pub(crate) fn most(&self, frame: &Frame) -> Sum {
        if let Some(line) = &frame.line {
            let behind = self.fields.iter().filter(|it| matches!(it.kind, Kind::Bytes { .. }));
            let behind = behind.map(|field| field.most(frame));
            let before = Sum::known(line.ends.before().map_or(0, <[u8]>::len));
            let end = end(Some(line.ends.last())).plus(before);
            return Sum::of(&line.max).plus(end).plus(Sum::of_all(behind));
        }
        let (before, inside) = self.parts();
        let before = Sum::of_all(before.iter().map(|field| field.most(frame)));
        match inside.first().and_then(|first| first.part.as_ref()) {
            Some(part) => before.plus(Sum::of(&part.max)).plus(end(part.then.as_ref())),
            None => before,
        }
    }
}

impl Frame {
    fn tag_len(&self) -> Sum {
        Sum::known(self.tag.as_ref().map_or(0, |tag| tag.width))
    }

    /// The largest number of bytes behind a tag.
    pub(crate) fn max_body(&self) -> TokenStream {
        let cases: Vec<Sum> = self.cases.iter().map(|case| case.most(self)).collect();
        let known: Option<Vec<u64>> = cases.iter().map(Sum::as_known).collect();
        if let Some(known) = known.and_then(|known| known.into_iter().max()) {
            TokenTree::Literal(Literal::u64_unsuffixed(known)).into()
        } else {
            let root = &self.root;
            generated!(#root::__frame::largest(&[#(#cases),*]))
        }
    }

    /// The largest number of bytes of a frame.
    pub(crate) fn max(&self) -> TokenStream {
        let (tag, body) = (self.tag_len(), self.max_body());
        let all =
            if tag.is_zero() { body } else { generated!(__rt::__frame::total(&[#tag, #body])) };
        match &self.max {
            Some(max) => {
                let max = &max.value;
                generated!(__rt::__frame::least(#max, #all))
            }
            None => all,
        }
    }

    /// The smallest number of bytes that is known without the content.
    pub(crate) fn min(&self) -> TokenStream {
        let least = match &self.cases[..] {
            [only] if !self.is_enum => only.least(self),
            _ if self.line.is_some() => end(self.line.as_ref().map(|line| line.ends.last())),
            _ => Sum::default(),
        };
        self.tag_len().plus(least).to_token_stream()
    }
}
