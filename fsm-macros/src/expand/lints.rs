use proc_macro2::TokenStream;

/// The lints that generated code may break. `dead_code` is none of them, because it finds edges
/// that are never taken.
pub(crate) fn lints() -> TokenStream {
    generated! {
        #[allow(
            // Style lints are of no use in generated code; the enum itself is still checked.
            clippy::all,
            clippy::nursery,
            clippy::pedantic,
            clippy::restriction,
            // A verdict holds data of the user's, which need not be `Debug`, or `Copy`, or small.
            missing_copy_implementations,
            missing_debug_implementations,
            variant_size_differences,
            // The lifetime of a `Cx` is no information for a reader.
            elided_lifetimes_in_paths,
            // A state may be deprecated: rustc warns its users, not its declaration.
            deprecated,
            // rustc has already reported the types in the user's enum.
            private_interfaces,
            unused_qualifications,
            // An enum in a private module may be `pub`.
            unnameable_types,
            unreachable_pub,
            // A handler may ignore its arguments.
            unused_variables,
        )]
    }
}
