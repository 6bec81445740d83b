use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::format_ident;

use syn::Type;
use syn::ext::IdentExt;

use crate::model::{self, Source, Transition};

impl model::State {
    /// The pattern for the state with any data.
    pub(crate) fn any(&self) -> TokenStream {
        let name = &self.name;
        match (self.braced, self.fields.is_empty()) {
            (false, _) => generated!(Self::#name),
            (true, true) => generated!(Self::#name {}),
            (true, false) => generated!(Self::#name { .. }),
        }
    }

    /// The same as text.
    pub(crate) fn pattern(&self) -> String {
        let name = &self.name;
        match (self.braced, self.fields.is_empty()) {
            (false, _) => format!("Self::{name}"),
            (true, true) => format!("Self::{name} {{}}"),
            (true, false) => format!("Self::{name} {{ .. }}"),
        }
    }

    /// The pattern that binds `fields`.
    pub(crate) fn some(&self, fields: &[Ident]) -> TokenStream {
        let name = &self.name;
        if fields.is_empty() {
            return self.any();
        }
        let others = (fields.len() < self.fields.len()).then(|| generated!(..));
        generated!(Self::#name { #(#fields,)* #others })
    }

    /// The pattern that binds all data.
    pub(crate) fn all(&self) -> TokenStream {
        self.some(&self.fields)
    }

    /// The state with `seed` in its only field, by its `name` where that was written.
    pub(crate) fn seeded(&self, name: &Ident) -> TokenStream {
        let fields = self.fields.iter().zip(&self.types).map(|(field, ty)| {
            let seed = generated_at!(ty => seed);
            generated!(#field: #seed)
        });
        generated!(Self::#name { #(#fields),* })
    }

    /// The state without data, by its `name` where that was written.
    pub(crate) fn empty(&self, name: &Ident) -> TokenStream {
        let braces = self.braced.then(|| generated!({}));
        generated!(Self::#name #braces)
    }
}

impl Transition {
    /// Counts the edge and moves `self` from `source`; the verdict's data, and `error` if there is one, are in
    /// scope.
    ///
    /// It counts first, because rustc then knows the state that comes after the move.
    pub(crate) fn expand(&self, machine: &model::Machine, source: &model::State) -> TokenStream {
        let (moves, taken) = (self.moves(machine, source), taken(self.edge));
        generated!(#taken #moves)
    }

    /// The same for an edge that the runtime counts: that of a deadline or of a drain.
    pub(crate) fn moves(&self, machine: &model::Machine, source: &model::State) -> TokenStream {
        if self.stays {
            return TokenStream::new();
        }
        let target = &self.target;
        let values = self.inits.iter().map(|init| {
            let field = &init.field;
            match init.source {
                Source::Verdict => generated!(#field),
                Source::Carry => {
                    let value = carried(field);
                    generated!(#field: #value)
                }
                Source::Error => generated!(#field: error),
                Source::Job => returned(field, &generated_at!(field => job)),
                Source::Seed => returned(field, &generated_at!(field => seed)),
            }
        });
        let data = self.braced.then(|| generated!({ #(#values),* }));
        let transition = generated!(*self = Self::#target #data;);
        let fields: Vec<&Ident> = self.of(Source::Carry).collect();
        if fields.is_empty() {
            return transition;
        }
        let name = &source.name;
        let others = (fields.len() < source.fields.len()).then(|| generated!(..));
        let values = fields.iter().map(|field| carried(field));
        let taken = generated!(Self::#name { #(#fields: #values,)* #others });
        let end = machine.stand_in();
        generated! {
            if let #taken = ::core::mem::replace(self, #end) {
                #transition
            }
        }
    }

    /// The whole arm for a plain verdict of the enum `after`, in one quote, because most arms are
    /// such. `moved` is the step to another state.
    pub(crate) fn arm(&self, after: &Ident, verdict: &Ident, moved: &TokenStream) -> TokenStream {
        let (target, fields) = (&self.target, self.inits.iter().map(|init| &init.field));
        let edge = Literal::usize_unsuffixed(self.edge);
        if !self.inits.is_empty() {
            let given = fields.clone();
            generated! {
                #after::#verdict { #(#given),* } => {
                    cx.edge(#edge);
                    *self = Self::#target { #(#fields),* };
                    #moved
                }
            }
        } else if self.braced {
            generated!(#after::#verdict => { cx.edge(#edge); *self = Self::#target {}; #moved })
        } else {
            generated!(#after::#verdict => { cx.edge(#edge); *self = Self::#target; #moved })
        }
    }

    /// Moves on an error of type `ty`, which is logged if no field takes it.
    pub(crate) fn expand_error(
        &self,
        machine: &model::Machine,
        source: &model::State,
        ty: &Type,
    ) -> TokenStream {
        let transition = self.expand(machine, source);
        if let Some(field) = self.of(Source::Error).next() {
            // The conversion is the user's code, which must not run between the two halves of a
            // move.
            let convert = generated_at!(field => __rt::FromError::from_error(error));
            return generated! {
                let error = #convert;
                #transition
            };
        }
        let name = source.name.unraw().to_string();
        let error = generated_at!(ty => &error);
        generated! {
            cx.failed(#name, #error);
            #transition
        }
    }

    /// Whether it does the same as `other`, which starts in the same state.
    pub(crate) fn leads_as(&self, other: &Self) -> bool {
        let plain =
            |transition: &Self| transition.inits.iter().all(|init| init.source == Source::Carry);
        self.target == other.target && plain(self) && plain(other)
    }

    /// The `Step` of the transition: a transition of a state to itself does not enter it anew.
    pub(crate) fn step(&self, moved: &TokenStream) -> TokenStream {
        if self.to_itself { generated!(__Step::Stayed) } else { moved.clone() }
    }

    pub(crate) fn of(&self, source: Source) -> impl Iterator<Item = &Ident> {
        self.inits.iter().filter(move |init| init.source == source).map(|init| &init.field)
    }
}

/// The local for the value of a field that is carried. It is no name of the user's, so that rustc, which
/// reports another type at the field, does not suggest to convert it there.
fn carried(field: &Ident) -> Ident {
    format_ident!("__{}", field, span = Span::mixed_site().located_at(field.span()))
}

/// Counts the edge with this number.
pub(super) fn taken(edge: usize) -> TokenStream {
    let edge = Literal::usize_unsuffixed(edge);
    generated!(cx.edge(#edge);)
}

/// The initialiser of `field` with a returned value, with the span of the field.
fn returned(field: &Ident, value: &TokenStream) -> TokenStream {
    generated_at!(field => #field: #value)
}

impl model::Machine {
    /// The step to another state for another reason than a read.
    pub(crate) fn diverted(&self) -> TokenStream {
        if self.has_detours { generated!(__Step::Diverted) } else { generated!(__Step::Moved) }
    }

    /// The state that replaces the machine while its data moves.
    fn stand_in(&self) -> TokenStream {
        let end = &self.end;
        let state = self.states.iter().find(|state| state.name == *end);
        state.map_or_else(|| generated!(Self::#end), |state| state.empty(end))
    }
}
