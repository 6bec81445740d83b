use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::Path;
use syn::ext::IdentExt;

use crate::code::Code;
use crate::model::{self, Role, Shape, Wait};

/// Constants for the bounds and times, so that rustc evaluates each expression once, and refuses those of
/// nothing.
pub(crate) fn bounds(machine: &model::Machine) -> TokenStream {
    let bounds = machine.bounds.iter().map(|(name, value)| {
        let text = format!("`{value}` is 0, and a size must be more than nothing");
        let assertion = assertion(value, &generated!(#name > 0), &text, Code::Zero);
        generated!(const #name: usize = #value; #assertion)
    });
    let times = machine
        .times
        .iter()
        .map(|(name, path)| generated!(const #name: u64 = __rt::Timer::millis_of(#path);));
    let delimiters = machine.states.iter().filter_map(delimiter);
    bounds.chain(times).chain(delimiters).chain(machine.states.iter().filter_map(layout)).collect()
}

/// The layout of the frames that a state reads, for the graph as data.
fn layout(state: &model::State) -> Option<TokenStream> {
    let (name, decoder) = (state.layout()?, state.decoder()?);
    Some(generated! {
        const #name: ::core::option::Option<&'static __rt::Layout> = {
            use __rt::__NoLayout as _;
            __rt::__LayoutOf::<#decoder>::LAYOUT
        };
    })
}

/// Refuses a constant without bytes as a delimiter. The parser has seen to literals.
fn delimiter(state: &model::State) -> Option<TokenStream> {
    let Role::Active(active) = &state.role else { return None };
    let Wait::Read(read) = &active.wait else { return None };
    let Shape::Until { delimiter, .. } = &read.shape else { return None };
    syn::parse2::<Path>(delimiter.clone()).ok()?;
    let text = format!("`{delimiter}` is empty, and a delimiter has at least one byte");
    let condition = generated!(!<[u8]>::is_empty(#delimiter));
    Some(assertion(delimiter, &condition, &text, Code::Delimiter))
}

/// An assertion at compile time, which fails at the tokens `place`.
fn assertion(place: &TokenStream, condition: &TokenStream, text: &str, code: Code) -> TokenStream {
    let text = format!("{text} [{code}]");
    generated_at! { place => const _: () = __rt::__holds(#condition, #text); }
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
