use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use super::ast::Frame;
use super::{expand, parse};
use crate::errors::Errors;

/// An item that is no frame as far as it goes: as it is, without the macro's attributes.
pub(crate) fn refused(item: TokenStream, errors: Errors) -> TokenStream {
    let (kept, findings) = (stripped(item), errors.into_compile_errors());
    quote!(#kept #(#findings;)*)
}

/// The item, and a decoder and an encoder that do nothing, so that rustc reports nothing about their users.
pub(crate) fn fallback(frame: &Frame, errors: Errors) -> TokenStream {
    let findings = errors.into_compile_errors();
    let item = expand::item(frame, false);
    let Frame { vis, name, decoder, root, .. } = frame;
    let error = frame.error();
    let of = |lifetime: TokenStream| frame.lifetime.as_ref().map(|_| quote!(<#lifetime>));
    let (lent, any) = (of(quote!('__input)), of(quote!('_)));
    quote! {
        #(#findings;)*
        #item

        #[derive(::core::fmt::Debug, ::core::default::Default)]
        #vis struct #decoder;

        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq)]
        #vis struct #error;

        impl ::core::fmt::Display for #error {
            fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                loop {}
            }
        }

        impl #decoder {
            #[allow(dead_code, missing_docs)]
            pub const MAX: usize = 1;
        }

        impl #root::Frame for #decoder {
            type Item<'__input> = #name #lent;
            type Error = #error;
            const LAYOUT: ::core::option::Option<&'static #root::Layout> =
                ::core::option::Option::Some(<Self as #root::__Nested>::LAYOUT);

            fn decode<'__input>(
                &mut self,
                _: &'__input [u8],
            ) -> ::core::result::Result<#root::Decoded<#name #lent>, #error> {
                loop {}
            }
        }

        impl #root::__Nested for #decoder {
            type Item<'__input> = #name #lent;
            type Error = #error;
            const MAX: usize = 1;
            const MIN: usize = 1;
            const OPEN: bool = false;
            const LAYOUT: &'static #root::Layout = &#root::Layout::new("", 1, ::core::option::Option::None, &[]);

            fn nested<'__input>(
                &mut self,
                _: &'__input [u8],
            ) -> ::core::result::Result<#root::Decoded<#name #lent>, #error> {
                loop {}
            }
        }

        impl #root::__Framed for #name #any {
            type Decoder = #decoder;
        }

        impl #root::Encode for #name #any {
            type Error = #error;

            fn encoded_len(&self) -> usize {
                loop {}
            }

            fn check(&self) -> ::core::result::Result<(), #error> {
                loop {}
            }

            fn put(&self, _: &mut impl #root::Output) {
                loop {}
            }
        }
    }
}

/// The tokens without the macro's attributes.
fn stripped(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_pound = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#');
        match tokens.peek() {
            Some(TokenTree::Group(group)) if is_pound && is_ours(group) => {
                tokens.next();
                continue;
            }
            _ => {}
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), stripped(group.stream()));
                inner.set_span(group.span());
                inner.into()
            }
            token => token,
        });
    }
    kept.into_iter().collect()
}

fn is_ours(bracketed: &Group) -> bool {
    match bracketed.stream().into_iter().next() {
        Some(TokenTree::Ident(name)) => parse::ATTRIBUTES.iter().any(|ours| name == ours),
        _ => false,
    }
}
