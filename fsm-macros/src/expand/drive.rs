use proc_macro2::TokenStream;

use super::{read, routes};
use crate::ast::Event;
use crate::model::{Active, Machine, Role, State, Wait};

/// `impl Drive<H> for ..`
pub(crate) fn drive(machine: &Machine) -> TokenStream {
    let interface = &machine.interface;
    let (root, name) = (&interface.root, &interface.name);
    let (partial, message) = (interface.partial(), interface.message_type());
    let context = interface.cx();
    let resume = machine.states.iter().map(|state| resume(machine, state));
    let within = lapse(machine, Event::Within);
    let idle = lapse(machine, Event::Idle);
    generated! {
        #[automatically_derived]
        impl<__H: __Handler> #root::Drive<__H> for #name {
            #[inline]
            fn resume(
                &mut self,
                handler: &mut __H,
                input: &mut #root::Input<'_, #partial>,
                cx: &mut #root::#context<'_, #message>,
            ) -> #root::Step {
                match self {
                    #(#resume)*
                }
            }

            fn lapse(
                &mut self,
                lapse: #root::Lapse,
                handler: &mut __H,
                cx: &mut #root::#context<'_, #message>,
            ) -> #root::Step {
                match lapse {
                    #root::Lapse::Within => #within,
                    #root::Lapse::Idle => #idle,
                }
            }
        }
    }
}

/// The arm of `resume` for a state.
fn resume(machine: &Machine, state: &State) -> TokenStream {
    let root = &machine.interface.root;
    let any = state.any();
    let active = match &state.role {
        Role::End => return generated!(#any => #root::Step::End,),
        Role::Leaving(leaving) => return routes::leave(machine, state, leaving),
        Role::Active(active) => active,
    };
    let all = state.all();
    let (before, taken) = match &active.wait {
        Wait::Sleep(_) => return generated!(#any => #root::Step::Sleep,),
        Wait::Run { .. } => {
            let call = call(machine, state, active, None);
            return generated!(#all => #call);
        }
        Wait::Read(read) => (read::read(machine, state, read), Some(active.wait.taken())),
        Wait::Flush => (
            generated! {
                if cx.queued() > 0 {
                    return #root::Step::Drain(1);
                }
            },
            None,
        ),
        Wait::Drain { below } => {
            let below = &below.value;
            let drain = generated! {
                let below: usize = #below;
                if cx.queued() >= below {
                    return #root::Step::Drain(below);
                }
            };
            (drain, None)
        }
        Wait::Message { eof } => {
            let eof = eof.as_ref().map(|eof| {
                let eof = eof.expand(machine, state);
                generated! {
                    if input.ended() {
                        #eof
                        return #root::Step::Moved;
                    }
                }
            });
            let take = generated! {
                let ::core::option::Option::Some(taken) = cx.message() else {
                    #eof
                    return #root::Step::Wait;
                };
            };
            (take, Some(generated!(taken)))
        }
        Wait::Call(route) => (routes::reply(machine, state, route), Some(active.wait.taken())),
    };
    let call = call(machine, state, active, taken);
    generated! {
        #all => {
            #before
            #call
        }
    }
}

impl Wait {
    /// What has come, shown at the type that gave it.
    fn taken(&self) -> TokenStream {
        if let Some(ty) = self.given_by() { generated_at!(ty => taken) } else { generated!(taken) }
    }
}

/// Calls the handler and does what it says.
fn call(
    machine: &Machine,
    state: &State,
    active: &Active,
    taken: Option<TokenStream>,
) -> TokenStream {
    let interface = &machine.interface;
    let root = &interface.root;
    let (name, after) = (&active.handler, super::alias(&active.after));
    let fields = &state.fields;
    let given = fields.iter().map(|field| generated!(#field)).chain(taken);
    let fails = interface.error.is_some();
    let verdicts = active.verdicts.iter().map(|outcome| {
        let (verdict, data) = (&outcome.verdict, outcome.data());
        let pattern = generated!(#after::#verdict #data);
        let step = outcome.expand(machine, state);
        if fails {
            generated!(::core::result::Result::Ok(#pattern) => #step,)
        } else {
            generated!(#pattern => #step,)
        }
    });
    let error = active.error.as_ref().zip(interface.error.as_ref()).map(|(error, ty)| {
        let go = error.expand_error(machine, state, ty);
        let step = error.step(root);
        generated! {
            ::core::result::Result::Err(error) => {
                #go
                #step
            }
        }
    });
    // A path, since what implements the trait may have other methods of that name.
    let call = if let Some(ty) = active.wait.given_by() {
        generated_at!(ty => __Handler::#name(handler, #(#given,)* cx))
    } else {
        generated!(__Handler::#name(handler, #(#given,)* cx))
    };
    if let Wait::Run { blocking: true } = active.wait {
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

/// What `lapse` does when one of the two times has passed.
fn lapse(machine: &Machine, event: Event) -> TokenStream {
    let root = &machine.interface.root;
    let arms = machine.states.iter().filter_map(|state| {
        let (_, go) = match (&state.role, event) {
            (Role::Active(active), Event::Within) if matches!(active.wait, Wait::Sleep(_)) => {
                let (all, call) = (state.all(), call(machine, state, active, None));
                return Some(generated!(#all => #call));
            }
            (_, Event::Within) => state.within()?,
            (Role::Active(active), _) => active.idle.as_ref()?,
            _ => return None,
        };
        let withdraw = state.route().map(|_| generated!(cx.withdraw();));
        let (any, step, go) = (state.any(), go.step(root), go.expand(machine, state));
        Some(generated!(#any => { #withdraw #go #step }))
    });
    let arms: Vec<TokenStream> = arms.collect();
    if arms.is_empty() {
        return generated!(#root::Step::Stayed);
    }
    generated! {
        match self {
            #(#arms)*
            _ => #root::Step::Stayed,
        }
    }
}
