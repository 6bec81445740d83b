use proc_macro2::TokenStream;

use super::handler_call::call;
use super::{read, routes, timers};
use crate::ast::Size;
use crate::model::{self, Role, Transition};

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
    let (before, taken) = match &active.wait {
        model::Wait::Sleep(_) => return generated!(#any => __Step::Waiting(__WaitSet::TIMER),),
        model::Wait::Run { .. } => {
            let (all, call) = (state.all(), call(machine, state, active, None));
            return generated!(#all => #call);
        }
        model::Wait::Read(read) => (read::read(machine, state, read), true),
        model::Wait::Flush => (flush(), false),
        model::Wait::Writable { below } => (writable(below), false),
        model::Wait::Message { eof } => (message(machine, state, eof.as_ref()), true),
        model::Wait::Call(route) => (routes::reply(machine, state, route), true),
    };
    let taken = taken.then(|| active.wait.taken());
    let (all, call) = (state.all(), call(machine, state, active, taken.as_ref()));
    generated! {
        #all => {
            #before
            #call
        }
    }
}

/// Returns while output is queued.
fn flush() -> TokenStream {
    generated! {
        if cx.queued() > 0 {
            return __Step::Waiting(__WaitSet::writable(1));
        }
    }
}

/// Returns while `below` bytes of output or more are queued.
fn writable(below: &Size) -> TokenStream {
    let below = &below.value;
    generated! {
        let below: usize = #below;
        if cx.queued() >= below {
            return __Step::Waiting(__WaitSet::writable(below));
        }
    }
}

/// Binds `taken` to the next message, or returns.
fn message(
    machine: &model::Machine,
    state: &model::State,
    eof: Option<&Transition>,
) -> TokenStream {
    let eof = eof.map(|eof| {
        let eof = eof.expand(machine, state);
        generated! {
            if input.ended() {
                #eof
                return __Step::Moved;
            }
        }
    });
    generated! {
        let ::core::option::Option::Some(taken) = cx.message() else {
            #eof
            return __Step::Waiting(__WaitSet::MESSAGE);
        };
    }
}
