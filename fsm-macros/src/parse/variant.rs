use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Token, Type, Visibility, token};

use super::Parsed;
use super::attribute::{Attr, Level};
use super::entry;
use crate::ast::unknown;
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// A variant as it is written.
pub(crate) struct RawVariant {
    pub(crate) attrs: Vec<Attr>,
    vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) fields: RawFields,
    /// The tokens after `=`.
    pub(crate) number: Option<TokenStream>,
    /// rustc has refused some attribute of it.
    pub(crate) broken: bool,
}

pub(crate) enum RawFields {
    None,
    Named(Group, Vec<RawField>),
    Tuple(Group),
}

pub(crate) struct RawField {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) name: Ident,
    /// `_` if it cannot be read.
    pub(crate) ty: Type,
    vis: Visibility,
}

/// The items in the braces of an enum or of a variant.
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// rustc has refused a part by its grammar.
    pub(crate) broken: bool,
}

impl Listed<RawVariant> {
    pub(crate) fn read(body: TokenStream, errors: &mut Errors) -> Self {
        let mut listed = Self { items: Vec::new(), broken: false };
        for part in entry::split(body, false) {
            let variants = |input: ParseStream<'_>| {
                while !input.is_empty() {
                    if let Ok(variant) = RawVariant::parse(input, &mut listed, errors) {
                        listed.items.push(variant);
                    } else {
                        listed.broken = true;
                        input.parse::<TokenStream>()?;
                    }
                    // A comma is missing.
                    listed.broken |= !input.is_empty();
                }
                Ok(())
            };
            listed.broken |= variants.parse2(part.into_iter().collect()).is_err();
        }
        listed
    }
}

impl RawVariant {
    fn parse(
        input: ParseStream<'_>,
        listed: &mut Listed<Self>,
        errors: &mut Errors,
    ) -> syn::Result<Self> {
        let Parsed { value: attrs, complete } = Attr::all(input)?;
        let broken = !complete;
        listed.broken |= broken;
        let (vis, name) = (input.parse()?, input.parse()?);
        let fields = if input.peek(token::Brace) {
            let group: Group = input.parse()?;
            let fields = Listed::<RawField>::read(group.stream(), errors);
            listed.broken |= fields.broken;
            RawFields::Named(group, fields.items)
        } else if input.peek(token::Paren) {
            RawFields::Tuple(input.parse()?)
        } else {
            RawFields::None
        };
        let number = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { attrs, vis, name, fields, number, broken })
    }

    /// All attributes, with the level that they are on.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (Level, &Attr)> {
        let fields = match &self.fields {
            RawFields::Named(_, fields) => &fields[..],
            RawFields::None | RawFields::Tuple(_) => &[],
        };
        let on_fields = fields.iter().flat_map(|field| &field.attrs);
        let on_state = self.attrs.iter().map(|attr| (Level::State, attr));
        on_state.chain(on_fields.map(|attr| (Level::Field, attr)))
    }

    /// The variant with its attributes mapped by `with`, without refused parts.
    pub(crate) fn tokens(&self, with: &dyn Fn(Level, &Attr) -> TokenStream) -> TokenStream {
        let Self { attrs, vis, name, .. } = self;
        let attrs = attrs.iter().map(|attr| with(Level::State, attr));
        let fields = match &self.fields {
            RawFields::None => TokenStream::new(),
            RawFields::Tuple(group) => group.into_token_stream(),
            RawFields::Named(group, fields) => {
                let known = fields.iter().filter(|field| !matches!(field.ty, Type::Infer(_)));
                let fields = known.map(|RawField { attrs, vis, name, ty }| {
                    let attrs = attrs.iter().map(|attr| with(Level::Field, attr));
                    quote!(#(#attrs)* #vis #name: #ty)
                });
                let mut braced = Group::new(Delimiter::Brace, quote!(#(#fields),*));
                braced.set_span(group.span());
                braced.into_token_stream()
            }
        };
        quote!(#(#attrs)* #vis #name #fields)
    }
}

impl Listed<RawField> {
    fn read(body: TokenStream, errors: &mut Errors) -> Self {
        let mut listed = Self { items: Vec::new(), broken: false };
        for part in entry::split(body, true) {
            let field = |input: ParseStream<'_>| {
                let Parsed { value: attrs, complete } = Attr::all(input)?;
                listed.broken |= !complete;
                let (vis, name) = (input.parse()?, input.parse()?);
                input.parse::<Token![:]>()?;
                let ty: TokenStream = input.parse()?;
                Ok((RawField { attrs, vis, name, ty: unknown() }, ty))
            };
            match field.parse2(part.into_iter().collect()) {
                Ok((field, ty)) if borrows(&ty) => {
                    errors.at(
                        Code::Borrowed,
                        &ty,
                        format_args!("a state owns its data; {}", owned(&ty)),
                    );
                    listed.items.push(field);
                }
                Ok((mut field, ty)) => match Type::parse.parse2(ty.clone()) {
                    Ok(known) if !infers(&ty) => {
                        // rustc refuses a second field of the name.
                        listed.broken |= listed.items.iter().any(|it| it.name == field.name);
                        field.ty = known;
                        listed.items.push(field);
                    }
                    // syn does not read blocks here, such as in the length of an array.
                    Err(_) if has_block(&ty) => {
                        field.ty = Type::Verbatim(ty);
                        listed.items.push(field);
                    }
                    // rustc has reported a type that is missing or has no end.
                    Err(_) if ty.is_empty() || !is_balanced(&ty) => listed.broken = true,
                    _ => {
                        let name = &field.name;
                        let text = format!("cannot read the type of `{name}`; write it out");
                        errors.at(Code::Unreadable, ty, text);
                        listed.items.push(field);
                    }
                },
                Err(_) => listed.broken = true,
            }
        }
        listed
    }
}

/// Whether there is a `_` for a type in it.
fn infers(ty: &TokenStream) -> bool {
    ty.clone().into_iter().any(|token| match token {
        TokenTree::Ident(name) => name == "_",
        TokenTree::Group(group) => infers(&group.stream()),
        _ => false,
    })
}

/// Whether there is a reference without a lifetime in it, but for those of functions.
pub(super) fn borrows(ty: &TokenStream) -> bool {
    let mut before = ' ';
    let mut tokens = ty.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let mark = match &token {
            TokenTree::Punct(mark) => mark.as_char(),
            _ => ' ',
        };
        match tokens.peek() {
            // The result of a function may have the lifetime of its argument.
            _ if before == '-' && mark == '>' => return false,
            Some(TokenTree::Punct(next)) if mark == '&' && next.as_char() == '\'' => {}
            Some(_) if mark == '&' => return true,
            _ => {}
        }
        before = mark;
    }
    false
}

/// The text to write in place of a type that borrows.
pub(super) fn owned(ty: &TokenStream) -> String {
    let Ok(Type::Reference(reference)) = syn::parse2(ty.clone()) else {
        return "write a type without `&`, such as `String` or `Vec<u8>`".to_owned();
    };
    let own = match &*reference.elem {
        Type::Slice(slice) => format!("Vec<{}>", spelling::tokens(&slice.elem.to_token_stream())),
        other => match spelling::tokens(&other.to_token_stream()) {
            text if text == "str" => "String".to_owned(),
            other => other,
        },
    };
    format!("write `{own}`")
}

fn has_block(ty: &TokenStream) -> bool {
    ty.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => {
            group.delimiter() == Delimiter::Brace || has_block(&group.stream())
        }
        _ => false,
    })
}

/// Whether each `<` has its `>`.
fn is_balanced(ty: &TokenStream) -> bool {
    let mut depth = 0_i32;
    let mut before = ' ';
    for token in ty.clone() {
        let TokenTree::Punct(mark) = token else {
            before = ' ';
            continue;
        };
        match mark.as_char() {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        before = mark.as_char();
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variants that stay, whether some part is broken, and the messages.
    fn read(body: &str) -> (String, bool, Vec<String>) {
        let mut errors = Errors::default();
        let listed = Listed::<RawVariant>::read(body.parse().unwrap(), &mut errors);
        let all = |_: Level, attr: &Attr| attr.to_token_stream();
        let kept = listed.items.iter().map(|variant| variant.tokens(&all).to_string());
        (kept.collect::<Vec<_>>().join(", ").replace("# [", "#["), listed.broken, errors.messages())
    }

    #[test]
    fn what_is_whole_stays() {
        for body in [
            "#[run] #[to (B)] A { x : Map < u8 , u8 > , y : fn (u8) -> u8 }, B",
            "A { #[carry] x : [u8 ; { 3 }] }, B (u8 , u8)",
            "pub A { pub x : u8 }, r#B",
            "A { x : [u8 ; { const N : usize = 1 ; N }] }",
        ] {
            assert_eq!(read(body), (body.to_owned(), false, Vec::new()));
        }
    }

    #[test]
    fn what_rustc_has_refused_is_left_out_in_silence() {
        for (body, kept) in [
            ("A { x : }, B", "A { }, B"),
            ("A { x, y : u8 }, B", "A { y : u8 }, B"),
            ("A { x : Vec < u8 }, B", "A { }, B"),
            ("A { x : u8, x : u16 }", "A { x : u8 , x : u16 }"),
            ("A #[run] B, C", "A, #[run] B, C"),
            ("A { x : u8 } B", "A { x : u8 }, B"),
            ("#[final] A, B", "A, B"),
            ("A, final, B", "A, B"),
            ("A, B +, C", "A, B, C"),
            ("A, #[run]", "A"),
        ] {
            assert_eq!(read(body), (kept.to_owned(), true, Vec::new()), "{body}");
        }
    }

    #[test]
    fn what_only_we_cannot_read_is_said() {
        for (body, kept) in [("A { x : _ }", "A { }"), ("A { x : u8 = 5 }", "A { }")] {
            let text = "cannot read the type of `x`; write it out".to_owned();
            assert_eq!(read(body), (kept.to_owned(), false, vec![text]), "{body}");
        }
    }
}
