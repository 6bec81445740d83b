use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// What is wrong with a machine, all of it: passes add to it and go on.
#[derive(Default)]
pub(crate) struct Errors {
    found: Vec<Error>,
}

impl Errors {
    /// Adds a finding whose caret goes on `place`.
    pub(crate) fn at(&mut self, place: impl ToTokens, message: impl Display) {
        self.found.push(Error::new_spanned(place, message));
    }

    /// Adds a finding of the parser.
    pub(crate) fn push(&mut self, error: Error) {
        self.found.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.found.iter().map(Error::to_compile_error).collect()
    }

    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.found.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use syn::Ident;

    use super::*;

    #[test]
    fn all_findings_are_kept() {
        let mut errors = Errors::default();
        assert!(errors.is_empty());
        errors.at(Ident::new("a", Span::call_site()), "first");
        errors.at(Ident::new("b", Span::call_site()), "second");
        assert_eq!(errors.messages(), ["first", "second"]);
        let text = errors.into_compile_errors().to_string();
        assert_eq!(text.matches("compile_error").count(), 2);
    }
}
