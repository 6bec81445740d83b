use proc_macro2::Ident;

use super::super::ast::Int;

/// The properties of an item that its fields depend on.
pub(crate) struct Owner {
    pub(crate) name: Ident,
    /// That of the item, without its `'`.
    pub(crate) lifetime: Option<String>,
    pub(crate) in_line: bool,
    /// The integer in `tag = u8`.
    pub(crate) tag: Option<Int>,
    pub(crate) little: bool,
    /// Some derive may bring attributes of its own.
    pub(crate) helpers: bool,
}
