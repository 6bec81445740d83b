//! Quotations with the spans of generated code.

/// Quotes code with hygienic locals.
macro_rules! generated {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

/// As `generated!`; rustc reports errors in this code at the tokens `place`.
macro_rules! generated_at {
    ($place:expr => $($tokens:tt)*) => {{
        let place = ::syn::spanned::Spanned::span(&$place);
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site().located_at(place)=> $($tokens)*)
    }};
}
