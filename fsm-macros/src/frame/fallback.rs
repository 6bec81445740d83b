use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;

use super::ast::{Frame, Odd};
use super::{expand, parse};
use crate::errors::Errors;

/// An item that is no frame as far as it goes: as it is, without the macro's attributes.
pub(crate) fn refused(item: TokenStream, errors: Errors) -> TokenStream {
    let (kept, findings) = (parse::in_rust(stripped(item)), errors.into_compile_errors());
    quote!(#kept #(#findings;)*)
}

/// The item, and a decoder and an encoder that do nothing, so that rustc reports nothing about their users.
pub(crate) fn fallback(mut frame: Frame, item: TokenStream, errors: Errors) -> TokenStream {
    if frame.decoder == frame.name || frame.error() == frame.name {
        frame.decoder = parse::nameless(&frame.name);
    }
    let unknown = format_ident!("__{}_UNKNOWN", frame.name.unraw().to_string().to_uppercase());
    let mut has_unknown = false;
    for field in frame.cases.iter_mut().flat_map(|case| &mut case.fields) {
        if field.unread.as_ref().is_some_and(|unread| unread.is_of_no_type) {
            // rustc accepts any use of an array whose size is an error.
            let lifetime = frame.lifetime.as_ref();
            let lifetime = lifetime.map_or_else(|| quote!('static), ToTokens::to_token_stream);
            field.ty = syn::parse_quote!([&#lifetime u8; #unknown]);
            has_unknown = true;
            continue;
        }
        let lent = parse::lent(field.ty.to_token_stream(), frame.lifetime.as_ref());
        let is_itself = |token| matches!(token, TokenTree::Ident(name) if name == frame.name);
        // A frame in itself would have no end for rustc either.
        let lent = if lent.clone().into_iter().any(is_itself) {
            let lifetime = frame.lifetime.as_ref();
            let lifetime = lifetime.map_or_else(|| quote!('static), ToTokens::to_token_stream);
            quote!(&#lifetime #lent)
        } else {
            lent
        };
        field.ty = syn::parse2(lent).unwrap_or_else(|_| field.ty.clone());
    }
    let Frame { vis, decoder, .. } = &frame;
    let error = frame.error();
    match frame.odd {
        // There is no type of which the decoder could be.
        Some(Odd::Generic) => {
            let refused = refused(item, errors);
            return quote! {
                #refused

                #[derive(::core::fmt::Debug, ::core::default::Default)]
                #vis struct #decoder;
            };
        }
        Some(Odd::Tuple) => {
            let (item, rest) = (refused(item, errors), impls(&frame, &error));
            return quote!(#item #rest);
        }
        None => {}
    }
    let mut findings: Vec<TokenStream> = errors.into_compile_errors().collect();
    let unknown = if has_unknown { findings.pop() } else { None }
        .map(|last| quote!(const #unknown: usize = #last;));
    let (item, impls) = (expand::item(&frame, false), impls(&frame, &error));
    quote!(#(#findings;)* #unknown #item #impls)
}

fn impls(frame: &Frame, error: &Ident) -> TokenStream {
    let Frame { vis, name, decoder, root, .. } = frame;
    let of = |lifetime: TokenStream| frame.lifetime.as_ref().map(|_| quote!(<#lifetime>));
    let (lent, any) = (of(quote!('__input)), of(quote!('_)));
    // The type of a tag that is missing is any.
    let tagged = (frame.is_enum && frame.line.is_none()).then(|| {
        let tag = frame.tag.as_ref().map_or_else(|| quote!(u8), |tag| tag.rust.to_token_stream());
        quote! {
            impl #root::__Tagged for #decoder {
                type Tag = #tag;
                const MAX_BODY: usize = 1;

                fn tagged<'__input>(
                    &mut self,
                    _: #tag,
                    _: &'__input [u8],
                ) -> ::core::result::Result<#root::Decoded<#name #lent>, #error> {
                    loop {}
                }
            }

            impl #root::__EncodeTagged for #name #any {
                type Tag = #tag;

                fn tag(&self) -> #tag {
                    loop {}
                }

                fn body_len(&self) -> usize {
                    loop {}
                }

                fn put_body(&self, _: &mut impl #root::Output) {
                    loop {}
                }
            }
        }
    });
    quote! {
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

        #tagged
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
