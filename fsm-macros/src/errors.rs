use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use crate::code::Code;

/// All findings about a machine: a pass adds its own and goes on.
#[derive(Default)]
pub(crate) struct Errors {
    found: Vec<Finding>,
}

struct Finding {
    code: Code,
    message: String,
    /// The first and the last span under the caret.
    place: (Span, Span),
}

impl Errors {
    /// Adds a finding whose caret goes on `place`.
    pub(crate) fn at(&mut self, code: Code, place: impl ToTokens, message: impl Display) {
        self.add(code, place.into_token_stream(), message.to_string());
    }

    fn add(&mut self, code: Code, place: TokenStream, message: String) {
        let mut tokens = place.into_iter();
        let first = tokens.next().map_or_else(Span::call_site, |token| token.span());
        let last = tokens.last().map_or(first, |token| token.span());
        self.found.push(Finding { code, message, place: (first, last) });
    }

    /// Adds the first of other findings, because those behind it may follow from it. Whether there is one.
    pub(crate) fn first_of(&mut self, others: Self) -> bool {
        let first = others.found.into_iter().next();
        let any = first.is_some();
        self.found.extend(first);
        any
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Each finding as a `compile_error!`, which is an expression and, with a `;`, an item.
    pub(crate) fn into_compile_errors(self) -> impl Iterator<Item = TokenStream> {
        self.found.into_iter().map(|Finding { code, message, place: (first, last) }| {
            let text = format!("{message} [{code}]");
            let message = quote_spanned!(last=> (#text));
            quote_spanned!(first=> ::core::compile_error! #message)
        })
    }

    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.found.iter().map(|finding| finding.message.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use syn::Ident;

    use super::*;

    #[test]
    fn all_findings_are_kept_with_their_numbers() {
        let mut errors = Errors::default();
        assert!(errors.is_empty());
        errors.at(Code::Zero, Ident::new("a", Span::call_site()), "first");
        errors.at(Code::NotAnEnum, Ident::new("b", Span::call_site()), "second");
        assert_eq!(errors.messages(), ["first", "second"]);
        let found: Vec<String> =
            errors.into_compile_errors().map(|error| error.to_string()).collect();
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("\"first [fsm::E021]\""), "{}", found[0]);
        assert!(found[1].contains("\"second [fsm::E001]\""), "{}", found[1]);
    }
}
