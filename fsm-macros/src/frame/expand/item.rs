use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::super::ast::{Case, Field, Frame};
use super::super::parse;

/// The struct or enum without the macro's attributes, and without the fields that follow from others.
pub(crate) fn item(frame: &Frame, docs: bool) -> TokenStream {
    let Frame { attrs, vis, name, lifetime, decoder, .. } = frame;
    let generics = lifetime.as_ref().map(|lifetime| quote!(<#lifetime>));
    let about = docs.then(|| {
        let text = format!("Its decoder is [`{decoder}`], whose docs show the layout.");
        quote!(#[doc = ""] #[doc = #text])
    });
    if !frame.is_enum {
        let Some(case) = frame.cases.first() else { return TokenStream::new() };
        let fields = fields(case);
        let body = if case.braced { quote!({ #(#fields),* }) } else { quote!(;) };
        return quote!(#(#attrs)* #about #vis struct #name #generics #body);
    }
    let variants = frame.cases.iter().map(|case| {
        let (attrs, name, fields) = (&case.attrs, &case.name, fields(case));
        let body = (!fields.is_empty()).then(|| quote!({ #(#fields),* }));
        quote!(#(#attrs)* #name #body)
    });
    quote!(#(#attrs)* #about #vis enum #name #generics { #(#variants),* })
}

fn fields(case: &Case) -> Vec<TokenStream> {
    let kept = case.fields.iter().filter(|field| case.keeps(field));
    let field = |field: &Field| {
        let Field { attrs, vis, name, .. } = field;
        let ty = parse::in_rust(field.ty.to_token_stream());
        quote!(#(#attrs)* #vis #name: #ty)
    };
    kept.map(field).collect()
}

impl Case {
    /// The path of the struct or variant.
    pub(crate) fn path(&self, frame: &Frame) -> TokenStream {
        let (item, case) = (&frame.name, &self.name);
        if frame.is_enum { quote!(#item::#case) } else { quote!(#item) }
    }

    /// The struct or variant with its kept fields, as an expression or a pattern.
    pub(crate) fn whole(&self, frame: &Frame) -> TokenStream {
        let path = self.path(frame);
        let kept: Vec<_> = self.fields.iter().filter(|field| self.keeps(field)).collect();
        if !self.braced || (frame.is_enum && kept.is_empty()) {
            return path;
        }
        let names = kept.iter().map(|field| &field.name);
        quote!(#path { #(#names),* })
    }
}
