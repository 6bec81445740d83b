use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;

use crate::model::{self, Active};

/// The enum of verdicts `after`, as the impls name it.
fn alias(after: &Ident) -> Ident {
    format_ident!("__{}", after, span = Span::mixed_site())
}

impl model::Wait {
    /// The argument for the received value, with the span of the type that defines it.
    pub(super) fn taken(&self) -> TokenStream {
        if let Some(ty) = self.given_by() {
            generated_at!(ty => taken,)
        } else {
            generated!(taken,)
        }
    }
}

/// Calls the handler and follows its verdict.
pub(super) fn call(
    machine: &model::Machine,
    state: &model::State,
    active: &Active,
    taken: Option<&TokenStream>,
) -> TokenStream {
    let interface = &machine.interface;
    let (name, after) = (&active.handler, &alias(&active.after));
    let fields = &state.fields;
    let fails = interface.error.is_some();
    let verdicts = active.verdicts.iter().map(|outcome| {
        if let (Some(transition), false) = (outcome.plain(), fails) {
            return transition.arm(after, &outcome.verdict);
        }
        let (verdict, data) = (&outcome.verdict, outcome.data());
        let pattern = generated!(#after::#verdict #data);
        let step = outcome.expand(machine, state);
        if fails { generated!(__Ok(#pattern) => #step,) } else { generated!(#pattern => #step,) }
    });
    let error = active.error.as_ref().zip(interface.error.as_ref()).map(|(error, ty)| {
        let transition = error.expand_error(machine, state, ty);
        let step = error.step();
        generated! {
            __Err(error) => {
                #transition
                #step
            }
        }
    });
    // A path, because the handler's type may have another method of that name.
    let call = if let Some(ty) = active.wait.given_by() {
        generated_at!(ty => __Handler::#name(handler, #(#fields,)* #taken cx))
    } else {
        generated!(__Handler::#name(handler, #(#fields,)* #taken cx))
    };
    if let model::Wait::Run { blocking: true } = active.wait {
        return generated!({
            cx.block();
            let verdict = #call;
            cx.unblock();
            match verdict {
                #(#verdicts)*
                #error
            }
        });
    }
    generated! {
        match #call {
            #(#verdicts)*
            #error
        }
    }
}
