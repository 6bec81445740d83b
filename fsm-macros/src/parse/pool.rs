use proc_macro2::{Ident, TokenStream};
use syn::Type;

use super::reader::Reader;
use crate::ast::Pool;
use crate::code::Code;
use crate::spelling;

/// Reads the type that names the pool of a `wait`, which is `call` or `handoff`.
pub(crate) fn parse(
    name: &Ident,
    wait: &str,
    written: Option<TokenStream>,
    reader: &mut Reader<'_>,
) -> Option<Pool> {
    let example = if wait == "call" { "#[call(Service, ..)]" } else { "#[handoff(Machine, ..)]" };
    let Some(written) = written else {
        reader.unreadable(
            Code::ValueMissing,
            name,
            format_args!("`{wait}` lacks its pool; write `{example}`"),
        );
        return None;
    };
    match syn::parse2(written.clone()) {
        Ok(Type::Infer(_)) | Err(_) => {
            let text = format!("`{wait}` needs the type of a pool; write `{example}`");
            reader.unreadable(Code::ValueUnreadable, written, text);
            None
        }
        Ok(ty) => Some(Pool { ty, text: spelling::tokens(&written) }),
    }
}
