//! What leads out of a pool: calls, hand-offs, and the replies of jobs.

use proc_macro2::{Literal, TokenStream};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::model::{
    Gives, Interface, Leaving, Machine, Move, Out, Outcome, Role, Route, Source, State,
};

/// `Machine::routes`, where a state leads out.
pub(crate) fn routes(machine: &Machine) -> Option<TokenStream> {
    let routes: Vec<TokenStream> = machine
        .states
        .iter()
        .filter_map(|state| {
            let route = state.route()?;
            let (ty, parks) = (&route.ty, route.full.is_none());
            let root = machine.interface.root_at(ty.span());
            let name = state.name.unraw().to_string();
            let leaves = matches!(state.role, Role::Leaving(_));
            let way = if leaves { generated!(hand_off) } else { generated!(call) };
            Some(generated_at!(ty => #root::Route::#way::<#ty>(#name, #parks)))
        })
        .collect();
    (!routes.is_empty()).then(|| {
        generated! {
            fn routes() -> ::std::vec::Vec<__rt::Route> {
                ::std::vec::Vec::from([#(#routes),*])
            }
        }
    })
}

/// A machine that runs jobs is what others can call.
pub(crate) fn service(interface: &Interface) -> Option<TokenStream> {
    let (root, name) = (&interface.root, &interface.name);
    let job = interface.beside(interface.seed.as_ref()?);
    let reply = interface.beside(interface.reply.as_ref()?);
    Some(generated! {
        #[automatically_derived]
        impl #root::Service for #name {
            type Job = #job;
            type Reply = #reply;
        }

        #[automatically_derived]
        impl #root::JobMachine for #name {}
    })
}

/// Binds `taken` to the reply, or returns.
pub(crate) fn reply(machine: &Machine, state: &State, route: &Route) -> TokenStream {
    let ty = &route.ty;
    let root = machine.interface.root_at(ty.span());
    let moved = |go: &Move| {
        let go = go.expand(machine, state);
        generated_at!(ty => {
            #go
            return #root::Step::Moved;
        })
    };
    let (waits, full) = match &route.full {
        None => (generated_at!(ty => #root::Called::Waiting | #root::Called::Full(_)), None),
        Some(full) => {
            let (job, full) = (full.back(Source::Job, &generated!(job)), moved(full));
            let full = generated_at!(ty => #root::Called::Full(#job) => #full);
            (generated_at!(ty => #root::Called::Waiting), Some(full))
        }
    };
    let gone = moved(&route.gone);
    generated_at! { ty =>
        let taken = match cx.reply::<#ty>() {
            #root::Called::Reply(taken) => taken,
            #waits => return #root::Step::Call,
            #full
            #root::Called::Gone => #gone
        };
    }
}

/// The arm of `resume` for a state from which the connection leaves.
pub(crate) fn leave(machine: &Machine, state: &State, leaving: &Leaving) -> TokenStream {
    let (any, route) = (state.any(), &leaving.route);
    let ty = &route.ty;
    let root = machine.interface.root_at(ty.span());
    let moved = |go: &Move| {
        let go = go.expand(machine, state);
        generated_at!(ty => {
            #go
            #root::Step::Moved
        })
    };
    let (waits, full) = match &route.full {
        None => (generated_at!(ty => #root::Handed::Waiting | #root::Handed::Full(_)), None),
        Some(full) => {
            let (seed, full) = (full.back(Source::Seed, &generated!(seed)), moved(full));
            let full = generated_at!(ty => #root::Handed::Full(#seed) => #full);
            (generated_at!(ty => #root::Handed::Waiting), Some(full))
        }
    };
    let gone = moved(&route.gone);
    generated_at! { ty =>
        #any => match cx.handed::<#ty>() {
            #waits => #root::Step::HandOff,
            #full
            #root::Handed::Gone => #gone
        }
    }
}

impl Move {
    /// The pattern for what comes back: `name`, if a field takes it.
    fn back(&self, source: Source, name: &TokenStream) -> TokenStream {
        if self.of(source).next().is_some() { name.clone() } else { generated!(_) }
    }
}

impl Outcome {
    /// The way to another state with data of the verdict alone, and nothing else to do.
    pub(crate) fn plain(&self) -> Option<&Move> {
        let go = self.go.as_ref().filter(|_| self.gives.is_none())?;
        let given = go.fills.iter().all(|fill| fill.source == Source::Verdict);
        (given && !go.stays).then_some(go)
    }

    /// The pattern for the data of the verdict.
    pub(crate) fn data(&self) -> Option<TokenStream> {
        // Names that no field of the user's meets, whatever it is called.
        let gift = self.gives.as_ref().map(|gives| match gives {
            Gives::Job(Out { ty, .. }) => generated_at!(ty => job),
            Gives::Seed(Out { ty, .. }) => generated_at!(ty => seed),
            Gives::Reply(ty) => generated_at!(ty => reply),
        });
        let fields = self.go.iter().flat_map(|go| go.of(Source::Verdict));
        let fields = fields.map(|field| generated!(#field));
        let all: Vec<TokenStream> = gift.into_iter().chain(fields).collect();
        (!all.is_empty()).then(|| generated!({ #(#all),* }))
    }

    /// What is done on the verdict, whose data is in scope.
    pub(crate) fn expand(&self, machine: &Machine, source: &State) -> TokenStream {
        let (first, last) = match &self.gives {
            None => (None, None),
            Some(Gives::Reply(reply)) => (Some(finish(reply)), None),
            Some(Gives::Job(out)) => (None, Some(out.call())),
            Some(Gives::Seed(out)) => (None, Some(out.hand_off())),
        };
        match &self.go {
            None if last.is_none() => generated!(__Step::Stayed),
            None => generated!({ #last __Step::Stayed }),
            Some(go) => {
                let go = go.expand(machine, source);
                generated!({ #first #go #last __Step::Moved })
            }
        }
    }
}

fn finish(reply: &Type) -> TokenStream {
    generated_at!(reply => cx.finish::<#reply>(reply);)
}

impl Out {
    fn call(&self) -> TokenStream {
        let (ty, number) = (&self.ty, Literal::usize_unsuffixed(self.number));
        if self.parks {
            generated_at!(ty => cx.call::<#ty>(#number, job);)
        } else {
            generated_at!(ty => cx.try_call::<#ty>(#number, job);)
        }
    }

    fn hand_off(&self) -> TokenStream {
        let (ty, number) = (&self.ty, Literal::usize_unsuffixed(self.number));
        if self.parks {
            generated_at!(ty => cx.hand_off::<#ty>(#number, seed);)
        } else {
            generated_at!(ty => cx.try_hand_off::<#ty>(#number, seed);)
        }
    }
}
