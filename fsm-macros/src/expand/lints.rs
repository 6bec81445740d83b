use proc_macro2::TokenStream;

/// The lints that generated code may break; `dead_code` is none of them, it finds edges that are
/// never taken.
pub(crate) fn lints() -> TokenStream {
    generated! {
        #[allow(
            // Nobody edits generated code for style; what matters there is said of the enum.
            clippy::all,
            clippy::nursery,
            clippy::pedantic,
            clippy::restriction,
            // A verdict holds data of the user's, which need not be `Debug`, or `Copy`, or small.
            missing_copy_implementations,
            missing_debug_implementations,
            variant_size_differences,
            // The lifetime of a `Cx` says nothing to a reader.
            elided_lifetimes_in_paths,
            // A state may be deprecated; who uses it is to know, not who declares it.
            deprecated,
            // Said once already, of the types in the user's enum.
            private_interfaces,
            unused_qualifications,
            // An enum in a private module is `pub` as its author likes.
            unnameable_types,
            unreachable_pub,
            // A state's handler may need nothing of what it is given.
            unused_variables,
        )]
    }
}
