use proc_macro2::TokenStream;
use syn::ext::IdentExt;

use crate::model;

/// The methods of `Drive` for the moves of connections to another process, if those of the machine move.
pub(super) fn moves(machine: &model::Machine) -> Option<TokenStream> {
    machine.interface.moves.then(|| {
        let rests = || machine.states.iter().filter(|state| state.rest);
        let packs = rests().map(|state| pack(machine, state));
        let unpacks = rests().map(|state| unpack(machine, state));
        generated! {
            fn pack(
                &self,
                handler: &__H,
                fields: &mut __rt::PackedFields,
                data: &mut ::std::vec::Vec<u8>,
            ) -> bool {
                match self {
                    #(#packs)*
                    _ => return false,
                }
                __rt::MovesHandler::pack(handler, data);
                true
            }

            fn unpack(
                state: &str,
                fields: &__rt::PackedFields,
            ) -> ::core::option::Option<Self> {
                match state {
                    #(#unpacks)*
                    _ => ::core::option::Option::None,
                }
            }

            fn unpack_handler(handler: &mut __H, mut data: &[u8]) -> ::core::option::Option<()> {
                __rt::MovesHandler::unpack(handler, &mut data)?;
                data.is_empty().then_some(())
            }

            fn moved(handler: &mut __H, key: __rt::Key) {
                __rt::MovesHandler::moved(handler, key);
            }
        }
    })
}

/// The arm of `pack` for a state.
fn pack(machine: &model::Machine, state: &model::State) -> TokenStream {
    let all = state.all();
    let fields = state.fields.iter().zip(&state.types).map(|(field, ty)| {
        let (text, ty) = (field.unraw().to_string(), machine.interface.beside(ty));
        generated!(fields.put::<#ty>(#text, #field);)
    });
    generated!(#all => { #(#fields)* })
}

/// The arm of `unpack` for a state.
fn unpack(machine: &model::Machine, state: &model::State) -> TokenStream {
    let (name, text) = (&state.name, state.name.unraw().to_string());
    let count = state.fields.len();
    let fields = state.fields.iter().zip(&state.types).map(|(field, ty)| {
        let (text, ty) = (field.unraw().to_string(), machine.interface.beside(ty));
        generated!(#field: fields.value::<#ty>(#text)?)
    });
    let data = state.braced.then(|| generated!({ #(#fields),* }));
    generated! {
        #text if fields.count() == #count => ::core::option::Option::Some(Self::#name #data),
    }
}
