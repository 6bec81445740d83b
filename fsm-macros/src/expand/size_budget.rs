use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::ext::IdentExt;

use crate::code::Code;
use crate::model;

/// Constants for the bounds and times, so that rustc evaluates each expression once.
pub(crate) fn bounds(machine: &model::Machine) -> TokenStream {
    let bounds =
        machine.bounds.iter().map(|(name, value)| generated!(const #name: usize = #value;));
    let times = machine
        .times
        .iter()
        .map(|(name, path)| generated!(const #name: u64 = __rt::Timer::millis_of(#path);));
    bounds.chain(times).collect()
}

/// Refuses a machine that is larger than its budget, and names the state to make smaller.
pub(crate) fn budget(machine: &model::Machine) -> Option<TokenStream> {
    let budget = machine.size.as_ref()?;
    let (root, name) = (machine.interface.root_at(budget.key.span()), &machine.interface.name);
    let (text, value) = (name.unraw().to_string(), &budget.size.value);
    let code = Code::OverBudget.to_string();
    let states = machine.states.iter().map(|state| {
        let (name, types) = (state.name.unraw().to_string(), &state.types);
        generated!((#name, ::core::mem::size_of::<(#(#types,)*)>()))
    });
    let states = generated!(&[#(#states),*]);
    let size = generated!(::core::mem::size_of::<#name>());
    Some(quote_spanned! {budget.key.span()=>
        const _: () = #root::__fits(#text, #size, #value, #states, #code);
    })
}
