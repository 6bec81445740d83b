use proc_macro2::TokenStream;

/// The lints of Clippy that generated code may break. It breaks none of rustc's, because an `allow` of
/// those would not compile in a crate that forbids them: rustc reports its style lints in no code that
/// has the spans of a macro, and the enum's own `#[allow(..)]` stands beside this one.
pub(crate) fn lints() -> TokenStream {
    generated! {
        // Style lints are of no use in generated code; the enum itself is still checked.
        #[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
    }
}
