use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;

use super::{read, routes, timers};
use crate::model::{self, Active, Role};

/// `impl Drive<H> for ..`
pub(crate) fn drive(machine: &model::Machine) -> TokenStream {
    let interface = &machine.interface;
    let name = &interface.name;
    let (partial, message) = (interface.partial(), interface.message_type());
    let context = interface.cx();
    let resume = machine.states.iter().map(|state| resume(machine, state));
    let expire = timers::expire(machine);
    generated! {
        #[automatically_derived]
        impl<__H: __Handler> __rt::Drive<__H> for #name {
            #[inline]
            fn resume(
                &mut self,
                handler: &mut __H,
                input: &mut __rt::Input<'_, #partial>,
                cx: &mut __rt::#context<'_, #message>,
            ) -> __Step {
                match self {
                    #(#resume)*
                }
            }

            fn expire(
                &mut self,
                timer: usize,
                handler: &mut __H,
                cx: &mut __rt::#context<'_, #message>,
            ) -> __Step {
                #expire
            }
        }
    }
}

/// The arm of `resume` for a state.
fn resume(machine: &model::Machine, state: &model::State) -> TokenStream {
    let any = state.any();
    let active = match &state.role {
        Role::End => return generated!(#any => __Step::Done,),
        Role::HandOff(handoff) => return routes::hand_off(machine, state, handoff),
        Role::Active(active) => active,
    };
    let all = state.all();
    let (before, taken) = match &active.wait {
        model::Wait::Sleep(_) => return generated!(#any => __Step::Waiting(__WaitSet::TIMER),),
        model::Wait::Run { .. } => {
            let call = call(machine, state, active, None);
            return generated!(#all => #call);
        }
        model::Wait::Read(read) => (read::read(machine, state, read), Some(active.wait.taken())),
        model::Wait::Flush => (
            generated! {
                if cx.queued() > 0 {
                    return __Step::Waiting(__WaitSet::writable(1));
                }
            },
            None,
        ),
        model::Wait::Writable { below } => {
            let below = &below.value;
            let drain = generated! {
                let below: usize = #below;
                if cx.queued() >= below {
                    return __Step::Waiting(__WaitSet::writable(below));
                }
            };
            (drain, None)
        }
        model::Wait::Message { eof } => {
            let eof = eof.as_ref().map(|eof| {
                let eof = eof.expand(machine, state);
                generated! {
                    if input.ended() {
                        #eof
                        return __Step::Moved;
                    }
                }
            });
            let take = generated! {
                let ::core::option::Option::Some(taken) = cx.message() else {
                    #eof
                    return __Step::Waiting(__WaitSet::MESSAGE);
                };
            };
            (take, Some(active.wait.taken()))
        }
        model::Wait::Call(route) => {
            (routes::reply(machine, state, route), Some(active.wait.taken()))
        }
    };
    let call = call(machine, state, active, taken.as_ref());
    generated! {
        #all => {
            #before
            #call
        }
    }
}

/// The enum of verdicts called `after`, where the impls are.
fn alias(after: &Ident) -> Ident {
    format_ident!("__{}", after, span = Span::mixed_site())
}

impl model::Wait {
    /// What has come, shown at the type that gave it.
    fn taken(&self) -> TokenStream {
        if let Some(ty) = self.given_by() {
            generated_at!(ty => taken,)
        } else {
            generated!(taken,)
        }
    }
}

/// Calls the handler and does what it says.
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
    // A path, since what implements the trait may have other methods of that name.
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
