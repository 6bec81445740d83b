use std::collections::HashMap;

use proc_macro2::TokenStream;

/// Generated code without tokens of the author's, parsed by rustc, because that takes a tenth of
/// the time that the macro needs to build the tokens one by one. The code has call-site hygiene, so
/// it cannot name a local of the macro.
pub(crate) fn parsed(text: &str) -> TokenStream {
    // `proc_macro2` would parse the text a second time.
    let tokens = if proc_macro::is_available() {
        text.parse::<proc_macro::TokenStream>().ok().map(TokenStream::from)
    } else {
        text.parse().ok()
    };
    tokens.unwrap_or_else(|| generated!(::core::compile_error!("the macro has a bug")))
}

/// Different texts, each with a number. All tables of the expansion are of this one type, because cargo compiles each
/// kind of map anew.
#[derive(Default)]
pub(crate) struct Texts(HashMap<String, usize>);

impl Texts {
    /// The number of a text; `next` if it is new.
    pub(crate) fn number(&mut self, text: &str, next: usize) -> usize {
        match self.get(text) {
            Some(known) => known,
            None => *self.0.entry(text.to_owned()).or_insert(next),
        }
    }

    pub(crate) fn get(&self, text: &str) -> Option<usize> {
        self.0.get(text).copied()
    }
}
