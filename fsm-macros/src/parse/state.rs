use quote::ToTokens;
use syn::{Attribute, Fields, Meta, Variant};

use super::attribute::{self, Known};
use super::{entry, wait};
use crate::ast::{Field, State, To};
use crate::errors::Errors;

/// Reads a variant and the attributes on it.
pub(crate) fn parse(variant: &Variant, helpers: bool, errors: &mut Errors) -> State {
    let name = variant.ident.clone();
    let mut state = State {
        docs: super::docs(&variant.attrs),
        braced: matches!(variant.fields, Fields::Named(_)),
        fields: Vec::new(),
        waits: Vec::new(),
        to: None,
        rest: None,
        damaged: false,
        name,
    };
    match &variant.fields {
        Fields::Named(fields) => {
            state.fields = fields.named.iter().filter_map(field).collect();
        }
        Fields::Unnamed(fields) => {
            let name = &state.name;
            let text =
                format!("the data of state `{name}` has no names; write `{name} {{ name: Type }}`");
            errors.at(fields, text);
            state.damaged = true;
        }
        Fields::Unit => {}
    }
    if let Some((_, number)) = &variant.discriminant {
        let text = format!("a state has no number; remove `= {}`", number.to_token_stream());
        errors.at(number, text);
    }
    for attr in &variant.attrs {
        state.attribute(attr, helpers, errors);
    }
    let fields = variant.fields.iter().flat_map(|field| &field.attrs);
    for attr in variant.attrs.iter().chain(fields) {
        if attribute::is_conditional(attr) {
            let text = "what is left out of a machine cannot be known here; \
                        put the `cfg` on the whole enum, and write one for each case";
            errors.at(attr, text);
            state.damaged = true;
        }
    }
    state
}

fn field(field: &syn::Field) -> Option<Field> {
    let name = field.ident.clone()?;
    let marked = |mark: &str| {
        field.attrs.iter().find_map(|attr| match &attr.meta {
            Meta::Path(path) if path.is_ident(mark) => path.get_ident().cloned(),
            _ => None,
        })
    };
    Some(Field { carry: marked("carry"), error: marked("error"), ty: field.ty.clone(), name })
}

impl State {
    fn attribute(&mut self, attr: &Attribute, helpers: bool, errors: &mut Errors) {
        let Some(name) = attr.path().get_ident() else { return };
        match attribute::known(name, helpers) {
            Known::Other => return,
            Known::Slip(meant) => {
                let text = format!("unknown attribute `{name}`; did you mean `{meant}`?");
                errors.at(name, text);
                self.damaged = true;
                return;
            }
            Known::Ours => {}
        }
        let Some(arguments) = attribute::arguments(attr, errors) else {
            self.damaged = true;
            return;
        };
        let twice = format!("`{name}` is here twice; join them or remove one");
        match name.to_string().as_str() {
            "to" => {
                let empty = arguments.is_empty();
                let (targets, whole) = entry::names(arguments, errors);
                if self.to.is_some() {
                    errors.at(name, twice);
                } else if empty {
                    errors.at(name, "`to` names no state; write `#[to(State | Other)]`");
                    self.damaged = true;
                }
                self.damaged |= !whole;
                let to =
                    self.to.get_or_insert_with(|| To { key: name.clone(), targets: Vec::new() });
                to.targets.extend(targets);
            }
            "rest" => {
                if self.rest.is_some() {
                    errors.at(name, twice);
                }
                if !arguments.is_empty() {
                    errors.at(arguments, "`rest` takes nothing; write `#[rest]`");
                }
                self.rest = Some(name.clone());
            }
            _ => {
                let (wait, whole) = wait::parse(name, arguments, errors);
                self.damaged |= !whole;
                self.waits.extend(wait);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (State, Vec<String>) {
        let mut errors = Errors::default();
        let state = parse(&syn::parse_str(text).unwrap(), false, &mut errors);
        let messages = errors.messages();
        (state, messages)
    }

    #[test]
    fn attributes_and_fields_are_read() {
        let (state, messages) = read(
            "/// Docs.
             #[run] #[to(A | B)] #[rest] #[serde(skip)]
             S { #[carry] a: u8, #[error] b: E, c: u8 }",
        );
        assert_eq!(messages, [""; 0]);
        assert_eq!(state.docs, "Docs.");
        assert_eq!(state.to.unwrap().targets, ["A", "B"]);
        assert!(state.rest.is_some() && state.braced && !state.damaged);
        let marks: Vec<_> = state
            .fields
            .iter()
            .map(|field| (field.carry.is_some(), field.error.is_some()))
            .collect();
        assert_eq!(marks, [(true, false), (false, true), (false, false)]);
    }

    #[test]
    fn slips_are_named() {
        for (text, expected) in [
            ("#[raed(some)] S", "unknown attribute `raed`; did you mean `read`?"),
            ("#[to] S", "`to` names no state; write `#[to(State | Other)]`"),
            ("#[to(A)] #[to(B)] S", "`to` is here twice; join them or remove one"),
            ("#[to(A, B)] S", "expected the names of states, with `|` between them"),
            ("#[rest] #[rest] S", "`rest` is here twice; join them or remove one"),
            ("#[rest(x)] S", "`rest` takes nothing; write `#[rest]`"),
            ("#[read = 8] S", "expected parentheses; write `#[read(..)]`"),
        ] {
            assert_eq!(read(text).1, [expected], "{text}");
        }
    }
}
