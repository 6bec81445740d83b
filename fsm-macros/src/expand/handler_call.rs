use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;
use syn::Type;

use crate::model::{self, Active, OtherRead};

/// A call of a handler for one of the waits of a state, and what follows from its verdict.
pub(super) struct HandlerCall<'a> {
    machine: &'a model::Machine,
    state: &'a model::State,
    active: &'a Active,
    /// The method.
    name: &'a Ident,
    /// The handler takes the received value, which `taken` is bound to.
    takes: bool,
    /// The user's type that defines the received value.
    given_by: Option<&'a Type>,
    of: WaitOf,
}

/// The kind of wait that a handler is called for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitOf {
    /// The main wait of the state.
    Main,
    /// A message beside the main wait.
    Message,
    /// A tick beside the main wait.
    Tick,
    /// A read of the other socket beside the main wait.
    Other,
}

impl<'a> HandlerCall<'a> {
    /// The call for the main wait.
    pub(super) fn main(
        machine: &'a model::Machine,
        state: &'a model::State,
        active: &'a Active,
        takes: bool,
    ) -> Self {
        let (name, given_by) = (&active.handler, active.wait.given_by());
        Self { machine, state, active, name, takes, given_by, of: WaitOf::Main }
    }

    /// The call for a message beside the main wait.
    pub(super) fn message(
        machine: &'a model::Machine,
        state: &'a model::State,
        active: &'a Active,
        name: &'a Ident,
    ) -> Self {
        let of = WaitOf::Message;
        Self { machine, state, active, name, takes: true, given_by: None, of }
    }

    /// The call for a read of the other socket beside the main wait.
    pub(super) fn other(
        machine: &'a model::Machine,
        state: &'a model::State,
        active: &'a Active,
        other: &'a OtherRead,
    ) -> Self {
        let (name, given_by) = (&other.handler, other.read.decoder());
        Self { machine, state, active, name, takes: true, given_by, of: WaitOf::Other }
    }

    /// The call for a tick.
    pub(super) fn tick(
        machine: &'a model::Machine,
        state: &'a model::State,
        active: &'a Active,
        name: &'a Ident,
    ) -> Self {
        let of = WaitOf::Tick;
        Self { machine, state, active, name, takes: false, given_by: None, of }
    }

    /// Calls the handler and follows its verdict.
    pub(super) fn expand(&self) -> TokenStream {
        let call = self.call();
        let verdicts = self.verdicts();
        let error = self.error();
        if let (model::Wait::Run { blocking: true }, WaitOf::Main) = (&self.active.wait, self.of) {
            return generated!({
                cx.block();
                let verdict = #call;
                cx.unblock();
                match verdict {
                    #verdicts
                    #error
                }
            });
        }
        generated! {
            match #call {
                #verdicts
                #error
            }
        }
    }

    /// A path, because the handler's type may have another method of that name.
    fn call(&self) -> TokenStream {
        let (name, fields) = (self.name, &self.state.fields);
        match (self.given_by, self.takes) {
            (Some(ty), true) => {
                let taken = generated_at!(ty => taken,);
                generated_at!(ty => __Handler::#name(handler, #(#fields,)* #taken cx))
            }
            (Some(ty), false) => generated_at!(ty => __Handler::#name(handler, #(#fields,)* cx)),
            (None, true) => generated!(__Handler::#name(handler, #(#fields,)* taken, cx)),
            (None, false) => generated!(__Handler::#name(handler, #(#fields,)* cx)),
        }
    }

    /// The arms for the verdicts.
    fn verdicts(&self) -> TokenStream {
        let after = &alias(&self.active.after);
        let fails = self.active.error.is_some();
        let (may_wait_on, leave) = (self.may_wait_on(), self.leave());
        let mut arms = TokenStream::new();
        for outcome in &self.active.verdicts {
            let leaves = may_wait_on || outcome.transition.is_some();
            let leave = leave.as_ref().filter(|_| leaves);
            let is_plain = !fails && leave.is_none();
            if let (Some(transition), true) = (outcome.plain(), is_plain) {
                arms.extend(transition.arm(after, &outcome.verdict, &self.moved()));
                continue;
            }
            let (verdict, data) = (&outcome.verdict, outcome.data());
            let pattern = self.returned(&generated!(#after::#verdict #data));
            let step = outcome.expand(self.machine, self.state, &self.stays(), &self.moved());
            arms.extend(if leave.is_some() {
                generated!(#pattern => { #leave #step })
            } else {
                generated!(#pattern => #step,)
            });
        }
        if may_wait_on {
            let none = generated!(::core::option::Option::None);
            let pattern = if fails { generated!(__Ok(#none)) } else { none };
            arms.extend(generated!(#pattern => __Step::Stayed,));
        }
        arms
    }

    /// The pattern for a verdict, as the method returns it.
    fn returned(&self, verdict: &TokenStream) -> TokenStream {
        let some = self.may_wait_on().then(|| generated!(::core::option::Option::Some(#verdict)));
        let verdict = some.unwrap_or_else(|| verdict.clone());
        if self.active.error.is_some() { generated!(__Ok(#verdict)) } else { verdict }
    }

    /// Whether the method returns an `Option` of a verdict: at a tick the state may wait on for the
    /// reply of its call, and the verdict for the state itself gives another job.
    fn may_wait_on(&self) -> bool {
        self.of == WaitOf::Tick && matches!(self.active.wait, model::Wait::Call(_))
    }

    /// The code that gives up the main wait, when this one leads elsewhere.
    fn leave(&self) -> Option<TokenStream> {
        match (self.of, &self.active.wait) {
            (WaitOf::Tick, model::Wait::Call(_)) => Some(generated!(cx.withdraw();)),
            (WaitOf::Other, model::Wait::Relay(_)) => Some(generated!(cx.leave_other();)),
            _ => None,
        }
    }

    fn error(&self) -> Option<TokenStream> {
        let ty = self.machine.interface.error.as_ref()?;
        let transition = self.active.error.as_ref()?;
        let moves = transition.expand_error(self.machine, self.state, ty);
        let step = if transition.to_itself { self.stays() } else { self.moved() };
        let leave = self.leave().filter(|_| self.may_wait_on() || !transition.to_itself);
        Some(generated! {
            __Err(error) => {
                #leave
                #moves
                #step
            }
        })
    }

    /// The step to another state.
    fn moved(&self) -> TokenStream {
        let wait = &self.active.wait;
        // With a job, a connection or a session a new exchange begins.
        let begins = wait.takes_input()
            || matches!(
                wait,
                model::Wait::Job { .. }
                    | model::Wait::Connect { .. }
                    | model::Wait::Relay(_)
                    | model::Wait::Tls { .. }
            );
        if self.of == WaitOf::Main && begins {
            generated!(__Step::Moved)
        } else {
            self.machine.diverted()
        }
    }

    /// The step when the machine stays in its state.
    fn stays(&self) -> TokenStream {
        match self.of {
            WaitOf::Main | WaitOf::Tick => generated!(__Step::Stayed),
            WaitOf::Message => generated!(__Step::Continued),
            WaitOf::Other => generated!(__Step::OtherRead),
        }
    }
}

/// The enum of verdicts `after`, as the impls name it.
fn alias(after: &Ident) -> Ident {
    format_ident!("__{}", after, span = Span::mixed_site())
}
