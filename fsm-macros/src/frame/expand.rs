//! [`ast`](super::ast) to tokens, for a frame without findings.

mod constants;
mod decode;
mod encode;
mod error;
mod expression;
mod item;
mod layout;
mod names;
mod picture;
mod size;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use self::decode::progress;
pub(crate) use self::item::item;
use super::ast::{Frame, Int};
use crate::expand::lints;

/// The item as it is kept, its decoder, its error, and their impls.
pub(crate) fn expand(mut frame: Frame) -> TokenStream {
    let constants = constants::bind(&mut frame);
    let frame = &frame;
    let item = item(frame, true);
    let decoder = decoder(frame);
    let error = error::error(frame);
    let lints = lints();
    let root = &frame.root;
    let impls = [decode::impls(frame), encode::impls(frame)];
    generated! {
        #item
        #decoder
        #error
        #lints
        const _: () = {
            use #root as __rt;
            use ::core::option::Option::{None as __None, Some as __Some};
            use ::core::result::Result::{Err as __Err, Ok as __Ok};
            use __rt::__frame as __parts;
            use __rt::Decoded::{Frame as __Frame, More as __More};

            #constants
            #(#impls)*
        };
    }
}

/// Code that links the keywords to their docs, for editors.
pub(crate) fn keywords(root: &TokenStream, keywords: &[Ident]) -> TokenStream {
    generated! {
        // Only rust-analyzer sets this `cfg`, which rustc does not know.
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            const fn names() {
                use #root::__frame_keywords;
                let _: &[__frame_keywords::FrameWord] = &[#(__frame_keywords::#keywords),*];
            }
        };
    }
}

/// The decoder, with what it remembers of an incomplete frame.
fn decoder(frame: &Frame) -> TokenStream {
    let (vis, name, item) = (&frame.vis, &frame.decoder, &frame.name);
    let mut fields =
        progress(frame).into_iter().map(|(name, ty)| generated!(#name: #ty)).peekable();
    let fields = if fields.peek().is_some() { quote!({ #(#fields),* }) } else { quote!({}) };
    let about = format!("Decodes [`{item}`].");
    let picture = picture::picture(frame);
    quote! {
        #[doc = #about]
        #[doc = ""]
        #[doc = #picture]
        #[derive(::core::fmt::Debug, ::core::default::Default)]
        #vis struct #name #fields
    }
}

impl Int {
    /// The integer of these bytes.
    fn of_bytes(&self, bytes: &[TokenStream]) -> TokenStream {
        let rust = &self.rust;
        let zeros = (bytes.len()..size_of_rust(&rust.to_string())).map(|_| generated!(0));
        match (bytes, self.little) {
            ([byte], _) if !self.signed => byte.clone(),
            (bytes, true) => generated!(<#rust>::from_le_bytes([#(#bytes,)* #(#zeros),*])),
            (bytes, false) => generated!(<#rust>::from_be_bytes([#(#zeros,)* #(#bytes),*])),
        }
    }

    /// The bytes of an integer, as an array of its width.
    fn to_bytes(&self, value: &TokenStream) -> TokenStream {
        let rust = &self.rust;
        if self.width == size_of_rust(&rust.to_string()) {
            let to_bytes =
                format_ident!("{}", if self.little { "to_le_bytes" } else { "to_be_bytes" });
            return generated!(<#rust>::#to_bytes(#value));
        }
        let kept = (0..self.width)
            .map(|at| format_ident!("byte_{at}", span = proc_macro2::Span::mixed_site()));
        let kept: Vec<_> = kept.collect();
        if self.little {
            generated!({ let [#(#kept,)* ..] = <#rust>::to_le_bytes(#value); [#(#kept),*] })
        } else {
            generated!({ let [_, #(#kept),*] = <#rust>::to_be_bytes(#value); [#(#kept),*] })
        }
    }
}

fn size_of_rust(name: &str) -> usize {
    match name {
        "u8" | "i8" => 1,
        "u16" | "i16" => 2,
        "u32" | "i32" => 4,
        _ => 8,
    }
}
