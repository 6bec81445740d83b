//! Ways out of a pool: calls, hand-offs, and the replies of jobs.

use proc_macro2::{Literal, TokenStream};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::transition::taken;
use crate::model::{
    self, Delivery, HandOff, Interface, Outcome, Role, Route, RouteRef, Source, Transition,
};

/// `Machine::routes`, if some state leads to another pool.
pub(crate) fn routes(machine: &model::Machine) -> Option<TokenStream> {
    let routes: Vec<TokenStream> = machine
        .states
        .iter()
        .filter_map(|state| {
            let route = state.route()?;
            let (ty, waits_for_room) = (&route.ty, route.full.is_none());
            let root = machine.interface.root_at(ty.span());
            let name = state.name.unraw().to_string();
            let leaves = matches!(state.role, Role::HandOff(_));
            let constructor = if leaves { generated!(hand_off) } else { generated!(call) };
            Some(generated_at!(ty => #root::Route::#constructor::<#ty>(#name, #waits_for_room)))
        })
        .collect();
    (!routes.is_empty()).then(|| {
        generated! {
            fn routes() -> ::std::vec::Vec<__rt::Route> {
                ::core::convert::From::from([#(#routes),*])
            }
        }
    })
}

/// The impls that let others call a machine that runs or answers jobs.
pub(crate) fn service(interface: &Interface) -> Option<TokenStream> {
    let (root, name) = (&interface.root, &interface.name);
    let job = interface.beside(interface.job.as_ref()?);
    let reply = interface.beside(interface.reply.as_ref()?);
    let runs = interface.is_job().then(|| {
        generated! {
            #[automatically_derived]
            impl #root::JobMachine for #name {}
        }
    });
    Some(generated! {
        #[automatically_derived]
        impl #root::Service for #name {
            type Job = #job;
            type Reply = #reply;
        }

        #runs
    })
}

/// `Machine::answers`, if connections of the machine answer jobs.
pub(crate) fn answers(interface: &Interface) -> Option<TokenStream> {
    interface.answers.then(|| {
        generated! {
            fn answers() -> ::core::option::Option<__rt::Answers> {
                ::core::option::Option::Some(__rt::Answers::jobs_of::<Self>())
            }
        }
    })
}

/// Binds `taken` to the reply, or returns.
pub(crate) fn reply(machine: &model::Machine, state: &model::State, route: &Route) -> TokenStream {
    let ty = &route.ty;
    let root = machine.interface.root_at(ty.span());
    let diverted = machine.diverted();
    let moved = |transition: &Transition| {
        let transition = transition.expand(machine, state);
        generated_at!(ty => {
            #transition
            return #diverted;
        })
    };
    let (waits, full) = match &route.full {
        None => (generated_at!(ty => #root::Called::Waiting | #root::Called::Full(_)), None),
        Some(full) => {
            let (job, full) = (full.binding(Source::Job, &generated!(job)), moved(full));
            let full = generated_at!(ty => #root::Called::Full(#job) => #full);
            (generated_at!(ty => #root::Called::Waiting), Some(full))
        }
    };
    let gone = moved(&route.gone);
    let waiting = match &route.eof {
        None => generated_at!(ty => return #root::Step::Waiting(#root::WaitSet::REPLY),),
        Some(eof) => {
            let eof = moved(eof);
            generated_at!(ty => {
                if input.at_end() {
                    cx.withdraw();
                    #eof
                }
                return #root::Step::Waiting(#root::WaitSet::REPLY | #root::WaitSet::END);
            })
        }
    };
    generated_at! { ty =>
        let taken = match cx.reply::<#ty>() {
            #root::Called::Reply(taken) => taken,
            #waits => #waiting
            #full
            #root::Called::Gone => #gone
        };
    }
}

/// The arm of `resume` for a state from which the connection leaves.
pub(crate) fn hand_off(
    machine: &model::Machine,
    state: &model::State,
    handoff: &HandOff,
) -> TokenStream {
    let (any, route) = (state.any(), &handoff.route);
    let ty = &route.ty;
    let root = machine.interface.root_at(ty.span());
    let diverted = machine.diverted();
    let moved = |transition: &Transition| {
        let transition = transition.expand(machine, state);
        generated_at!(ty => {
            #transition
            #diverted
        })
    };
    let (waits, full) = match &route.full {
        None => (generated_at!(ty => #root::Handed::Waiting | #root::Handed::Full(_)), None),
        Some(full) => {
            let (seed, full) = (full.binding(Source::Seed, &generated!(seed)), moved(full));
            let full = generated_at!(ty => #root::Handed::Full(#seed) => #full);
            (generated_at!(ty => #root::Handed::Waiting), Some(full))
        }
    };
    let gone = moved(&route.gone);
    generated_at! { ty =>
        #any => match cx.handed::<#ty>() {
            #waits => #root::Step::Waiting(#root::WaitSet::ROOM),
            #root::Handed::Leaving => #root::Step::Leaving,
            #full
            #root::Handed::Gone => #gone
        }
    }
}

impl Transition {
    /// The pattern for a returned job or seed: `name` if a field takes it, otherwise `_`.
    fn binding(&self, source: Source, name: &TokenStream) -> TokenStream {
        if self.of(source).next().is_some() { name.clone() } else { generated!(_) }
    }
}

impl Outcome {
    /// The transition to another state, if the verdict's data is all that it needs.
    pub(crate) fn plain(&self) -> Option<&Transition> {
        let transition = self.transition.as_ref().filter(|_| self.delivery.is_none())?;
        let given = transition.inits.iter().all(|init| init.source == Source::Verdict);
        (given && !transition.stays).then_some(transition)
    }

    /// The pattern for the data of the verdict.
    pub(crate) fn data(&self) -> Option<TokenStream> {
        // Hygienic names, which cannot collide with a field of the user's.
        let payload = self.delivery.as_ref().map(|delivery| match delivery {
            Delivery::Job(RouteRef { ty, .. }) => generated_at!(ty => job),
            Delivery::Seed(RouteRef { ty, .. }) => generated_at!(ty => seed),
            Delivery::Reply(ty) | Delivery::Answer(ty) => generated_at!(ty => reply),
            Delivery::Target => generated!(to),
        });
        let fields = self.transition.iter().flat_map(|transition| transition.of(Source::Verdict));
        let fields = fields.map(|field| generated!(#field));
        let all: Vec<TokenStream> = payload.into_iter().chain(fields).collect();
        (!all.is_empty()).then(|| generated!({ #(#all),* }))
    }

    /// The code for the verdict, whose data is in scope. `stays` is the step if the machine stays in its
    /// state, and `moved` if it leaves it.
    pub(crate) fn expand(
        &self,
        machine: &model::Machine,
        source: &model::State,
        stays: &TokenStream,
        moved: &TokenStream,
    ) -> TokenStream {
        let (first, last) = match &self.delivery {
            None => (None, None),
            Some(Delivery::Reply(reply)) => (Some(finish(reply)), None),
            Some(Delivery::Answer(reply)) => (Some(answer(reply)), None),
            Some(Delivery::Target) => (None, Some(generated!(cx.connect(to);))),
            Some(Delivery::Job(route)) => (None, Some(route.call())),
            Some(Delivery::Seed(route)) => (None, Some(route.hand_off())),
        };
        match &self.transition {
            None => {
                let taken = taken(self.edge);
                generated!({ #first #last #taken #stays })
            }
            Some(transition) => {
                let transition = transition.expand(machine, source);
                generated!({ #first #transition #last #moved })
            }
        }
    }
}

fn finish(reply: &Type) -> TokenStream {
    generated_at!(reply => cx.finish::<#reply>(reply);)
}

fn answer(reply: &Type) -> TokenStream {
    generated_at!(reply => cx.answer::<Self>(reply);)
}

impl RouteRef {
    fn call(&self) -> TokenStream {
        let (ty, number) = (&self.ty, Literal::usize_unsuffixed(self.number));
        if self.waits_for_room {
            generated_at!(ty => cx.call::<#ty>(#number, job);)
        } else {
            generated_at!(ty => cx.try_call::<#ty>(#number, job);)
        }
    }

    fn hand_off(&self) -> TokenStream {
        let (ty, number) = (&self.ty, Literal::usize_unsuffixed(self.number));
        if self.waits_for_room {
            generated_at!(ty => cx.hand_off::<#ty>(#number, seed);)
        } else {
            generated_at!(ty => cx.try_hand_off::<#ty>(#number, seed);)
        }
    }
}
