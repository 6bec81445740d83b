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
