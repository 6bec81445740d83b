use proc_macro2::TokenStream;

use super::handler_call::HandlerCall;
use super::read::{self, WayOut};
use super::{both, moves, routes, timers};
use crate::ast::Expr;
use crate::model::{self, Active, Discard, DiscardEnd, Role, Transition};

/// `impl Drive<H> for ..`
pub(crate) fn drive(machine: &model::Machine) -> TokenStream {
    let interface = &machine.interface;
    let name = &interface.name;
    let (partial, types) = (interface.partial(), interface.cx_types());
    let context = interface.cx();
    let resume = machine.states.iter().map(|state| resume(machine, state));
    let resume_other = both::resume_other(machine);
    let expire = timers::expire(machine);
    let (drain, moves) = (drain(machine), moves::moves(machine));
    generated! {
        #[automatically_derived]
        impl<__H: __Handler> __rt::Drive<__H> for #name {
            #[inline]
            fn resume(
                &mut self,
                handler: &mut __H,
                input: &mut __rt::Input<'_, #partial>,
                cx: &mut __rt::#context<'_, #types>,
            ) -> __Step {
                match self {
                    #(#resume)*
                }
            }

            #resume_other

            fn expire(
                &mut self,
                timer: usize,
                handler: &mut __H,
                cx: &mut __rt::#context<'_, #types>,
            ) -> __Step {
                #expire
            }

            #drain

            #moves
        }
    }
}

/// `Drive::drain`, if some state has an edge for a drain.
fn drain(machine: &model::Machine) -> Option<TokenStream> {
    let arms: Vec<TokenStream> = machine
        .states
        .iter()
        .filter_map(|state| {
            let Role::Active(active) = &state.role else { return None };
            let transition = active.drain.as_ref()?.moves(machine, state);
            let any = state.any();
            Some(generated!(#any => { #transition true }))
        })
        .collect();
    (!arms.is_empty()).then(|| {
        generated! {
            fn drain(&mut self) -> bool {
                match self {
                    #(#arms)*
                    _ => false,
                }
            }
        }
    })
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
            let (all, call) =
                (state.all(), HandlerCall::main(machine, state, active, false).expand());
            return generated!(#all => #call);
        }
        model::Wait::Read(read) if active.message.is_some() => {
            return interleaved(machine, state, active, read);
        }
        model::Wait::Read(read) if read.other => {
            let waiting = generated!(return __Step::Waiting(__WaitSet::READ_OTHER),);
            (read::read(machine, state, read, &waiting, &WayOut::MAIN), true)
        }
        model::Wait::Read(read) => {
            (read::read(machine, state, read, &waiting(false), &WayOut::MAIN), true)
        }
        model::Wait::Discard(discard) => (discarded(machine, state, discard), false),
        model::Wait::Shutdown => (shutdown(), false),
        model::Wait::Flush => (flush(), false),
        model::Wait::Writable { below } => (writable(below), false),
        model::Wait::Message { eof } => (message(machine, state, eof.as_ref()), true),
        model::Wait::Connect { refused } => (connect(machine, state, refused), true),
        model::Wait::Tls { error } => (tls(machine, state, error), true),
        model::Wait::Relay(relay) => (self::relay(machine, state, relay), true),
        model::Wait::Job { eof } => (job(machine, state, eof.as_ref()), true),
        model::Wait::Call(route) => (routes::reply(machine, state, route), true),
    };
    let (all, call) = (state.all(), HandlerCall::main(machine, state, active, taken).expand());
    generated! {
        #all => {
            #before
            #call
        }
    }
}

/// The arm of a state that waits for input and for messages, which it takes in turns.
fn interleaved(
    machine: &model::Machine,
    state: &model::State,
    active: &Active,
    read: &model::Read,
) -> TokenStream {
    let Some(handler) = &active.message else { return TokenStream::new() };
    let read = read::read(machine, state, read, &waiting(true), &WayOut::MAIN);
    let input = HandlerCall::main(machine, state, active, true).expand();
    let message = HandlerCall::message(machine, state, active, handler).expand();
    let all = state.all();
    generated! {
        #all => {
            let taken = '__message: {
                if let ::core::option::Option::Some(taken) = cx.message_after_input() {
                    break '__message taken;
                }
                #read
                cx.input_taken();
                return #input;
            };
            #message
        }
    }
}

/// Returns because the input is incomplete, or takes a message in its place.
fn waiting(has_messages: bool) -> TokenStream {
    if !has_messages {
        return generated!(return __Step::Waiting(__WaitSet::READ),);
    }
    generated! {
            match cx.message_instead() {
                ::core::option::Option::Some(taken) => break '__message taken,
                ::core::option::Option::None => {
                    return __Step::Waiting(__WaitSet::READ | __WaitSet::MESSAGE);
                }
            }
    }
}

/// Returns until the input is thrown away.
fn discarded(machine: &model::Machine, state: &model::State, discard: &Discard) -> TokenStream {
    let (before, discards) = match &discard.end {
        DiscardEnd::After(length) => {
            (Some(length.bound()), generated!(input.discard_exact(length)))
        }
        DiscardEnd::Delimiter(delimiter) => (None, generated!(input.discard_until(#delimiter))),
    };
    let eof = discard.eof.expand(machine, state);
    generated! {
        #before
        match #discards {
            __Ok(()) => {}
            __Err(__Miss::Eof) => {
                #eof
                return __Step::Moved;
            }
            __Err(_) => return __Step::Waiting(__WaitSet::READ),
        }
    }
}

/// Returns until the output and the end of the stream to the peer have left.
fn shutdown() -> TokenStream {
    let flush = flush();
    generated! {
        #flush
        if !cx.is_shut() {
            return __Step::Waiting(__WaitSet::SHUTDOWN);
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
fn writable(below: &TokenStream) -> TokenStream {
    generated! {
        let below: usize = #below;
        if cx.queued() >= below {
            return __Step::Waiting(__WaitSet::writable(below));
        }
    }
}

/// Binds `taken` to the connection that has been made, or returns.
fn connect(machine: &model::Machine, state: &model::State, refused: &Transition) -> TokenStream {
    let error: syn::Type = syn::parse_quote!(::std::io::Error);
    let refused = refused.expand_error(machine, state, &error);
    generated! {
        let taken = match cx.connected() {
            __rt::Connecting::Connected(taken) => taken,
            __rt::Connecting::Failed(error) => {
                #refused
                return __Step::Moved;
            }
            __rt::Connecting::Waiting => return __Step::Waiting(__WaitSet::CONNECT),
        };
    }
}

/// Binds `taken` to the TLS session once its handshake is over, or returns. The handshake begins when all output
/// has left.
fn tls(machine: &model::Machine, state: &model::State, error: &Transition) -> TokenStream {
    let flush = flush();
    let ty: syn::Type = syn::parse_quote!(::std::io::Error);
    let error = error.expand_error(machine, state, &ty);
    generated! {
        #flush
        let taken = match cx.secured() {
            __rt::Securing::Secured(taken) => taken,
            __rt::Securing::Failed(error) => {
                #error
                return __Step::Moved;
            }
            __rt::Securing::Waiting => return __Step::Waiting(__WaitSet::TLS),
        };
    }
}

/// Binds `taken` to the number of bytes that were passed on, or returns.
fn relay(machine: &model::Machine, state: &model::State, relay: &model::Relay) -> TokenStream {
    let model::Relay { way, exact, max, eof, gone, .. } = relay;
    let way = quote::format_ident!("{way}");
    let length = exact.as_ref().map(Expr::bound);
    let exact = if exact.is_some() {
        generated!(::core::option::Option::Some(length))
    } else {
        generated!(::core::option::Option::None)
    };
    let eof = eof.as_ref().unwrap_or(gone).expand(machine, state);
    let gone = gone.expand(machine, state);
    generated! {
        #length
        let taken = match cx.relayed(__rt::Way::#way, #exact, #max) {
            __rt::Relaying::Done(taken) => taken,
            __rt::Relaying::Eof => {
                #eof
                return __Step::Moved;
            }
            __rt::Relaying::Gone => {
                #gone
                return __Step::Moved;
            }
            __rt::Relaying::Waiting => return __Step::Waiting(__WaitSet::RELAY),
        };
    }
}

/// Binds `taken` to the next job, or returns. A peer that has sent something unasked, or that has ended its
/// stream, gets no job; unasked datagrams are dropped before they get here.
fn job(machine: &model::Machine, state: &model::State, eof: Option<&Transition>) -> TokenStream {
    let unasked = eof.map(|eof| {
        let eof = eof.expand(machine, state);
        generated! {
            if input.ended() || !input.unread().is_empty() {
                cx.takes_no_job();
                #eof
                return __Step::Moved;
            }
        }
    });
    generated! {
        #unasked
        let ::core::option::Option::Some(taken) = cx.take_job::<Self>() else {
            return __Step::Waiting(__WaitSet::READ | __WaitSet::JOB);
        };
    }
}

/// Binds `taken` to the next message, or returns.
fn message(
    machine: &model::Machine,
    state: &model::State,
    eof: Option<&Transition>,
) -> TokenStream {
    let waits = if eof.is_some() {
        generated!(__WaitSet::MESSAGE | __WaitSet::END)
    } else {
        generated!(__WaitSet::MESSAGE)
    };
    let eof = eof.map(|eof| {
        let (eof, diverted) = (eof.expand(machine, state), machine.diverted());
        generated! {
            if input.at_end() {
                #eof
                return #diverted;
            }
        }
    });
    generated! {
        let ::core::option::Option::Some(taken) = cx.message() else {
            #eof
            return __Step::Waiting(#waits);
        };
    }
}
