use proc_macro2::{Ident, TokenStream};

use super::attribute::{self, Attr, Level, Owner};
use super::variant::{RawField, RawFields, RawVariant};
use super::words::Means;
use super::{Parsed, names, rest, wait};
use crate::ast::{self, Field, Mark, To};
use crate::code::Code;
use crate::errors::Errors;

/// Reads a variant and the attributes on it.
pub(crate) fn parse(variant: &RawVariant, helpers: bool, errors: &mut Errors) -> ast::State {
    let name = variant.name.clone();
    let mut state = ast::State {
        docs: attribute::docs(&variant.attrs),
        braced: matches!(variant.fields, RawFields::Named(..)),
        fields: Vec::new(),
        waits: Vec::new(),
        to: None,
        rest: None,
        rest_edges: ast::Edges::default(),
        keep: None,
        marked_as_start: false,
        incomplete: variant.broken,
        name,
    };
    match &variant.fields {
        RawFields::Named(_, fields) => {
            for field in fields {
                let field = Field::parse(field, helpers, errors);
                if state.field(&field.name).is_none() {
                    state.fields.push(field);
                }
            }
        }
        RawFields::Tuple(fields) => {
            let name = &state.name;
            let text =
                format!("the data of state `{name}` has no names; write `{name} {{ name: Type }}`");
            errors.at(Code::DataWithoutNames, fields, text);
            state.incomplete = true;
        }
        RawFields::None => {}
    }
    if let Some(number) = &variant.number {
        errors.at(Code::Number, number, format!("a state has no number; remove `= {number}`"));
    }
    for attr in &variant.attrs {
        state.attribute(attr, helpers, errors);
    }
    state
}

impl Field {
    fn parse(field: &RawField, helpers: bool, errors: &mut Errors) -> Self {
        let mut read = Self { name: field.name.clone(), ty: field.ty.clone(), marks: Vec::new() };
        for attr in &field.attrs {
            let Some(name) = attr.name() else { continue };
            let meant = match attr.owner(Level::Field, helpers) {
                Owner::Ours(meant) => meant,
                Owner::Misplaced(meant) => {
                    attr.misplaced(meant, Level::Field, errors);
                    continue;
                }
                Owner::Foreign(_) | Owner::Other => continue,
            };
            typo(name, meant, errors);
            let Some(mark) = Mark::named(meant) else { continue };
            if read.mark(mark).is_some() {
                errors.at(Code::Twice, name, format!("`{meant}` is here twice; remove one"));
            }
            if attr.arguments(errors).is_some_and(|arguments| !arguments.is_empty()) {
                let text = format!("`{meant}` takes nothing; write `#[{meant}]`");
                errors.at(Code::TooMuch, name, text);
            }
            if read.mark(mark).is_none() {
                read.marks.push((mark, name.clone()));
            }
        }
        read
    }
}

impl ast::State {
    fn attribute(&mut self, attr: &Attr, helpers: bool, errors: &mut Errors) {
        let Some(name) = attr.name() else { return };
        let meant = match attr.owner(Level::State, helpers) {
            Owner::Ours(meant) => meant,
            Owner::Misplaced(meant) => return attr.misplaced(meant, Level::State, errors),
            Owner::Foreign(foreign) => {
                let list = attr.list().map(|list| list.to_string()).unwrap_or_default();
                match foreign.means {
                    Means::Attribute(meant) => self.waits.extend(wait::unread(name, meant)),
                    Means::Start => self.marked_as_start = true,
                    Means::Edge => {}
                }
                let remedy = foreign.remedy(&self.name.to_string(), &list);
                let text = format!("unknown attribute `{name}`; {remedy}");
                errors.at(Code::UnknownAttribute, name, text);
                self.incomplete = true;
                return;
            }
            Owner::Other => return,
        };
        // Other findings about it can wait until its name is right.
        let quiet = &mut Errors::default();
        let typo = typo(name, meant, errors);
        let errors = if typo { quiet } else { errors };
        let arguments = attr.arguments(errors);
        self.incomplete |= typo || arguments.is_none();
        let twice = format!("`{name}` is here twice; join them or remove one");
        match meant {
            "to" => {
                let first = self.to.is_none();
                if !first {
                    errors.at(Code::Twice, name, twice);
                }
                let mut to =
                    self.to.take().unwrap_or_else(|| To { key: name.clone(), targets: Vec::new() });
                if let Some(arguments) = arguments {
                    self.targets(&mut to, name, arguments, errors);
                }
                self.to = Some(to);
            }
            "rest" => {
                if self.rest.is_some() {
                    errors.at(Code::Twice, name, twice);
                }
                if let Some(arguments) = arguments {
                    let rest = rest::rest(arguments, errors);
                    self.incomplete |= !rest.complete;
                    self.rest_edges.events.extend(rest.value.edges.events);
                    self.keep = self.keep.take().or(rest.value.keep);
                }
                self.rest = Some(name.clone());
            }
            _ => {
                let wait = match arguments {
                    Some(arguments) => wait::parse(name, meant, arguments, errors),
                    None => Parsed { value: wait::unread(name, meant), complete: false },
                };
                self.incomplete |= !wait.complete;
                self.waits.extend(wait.value);
            }
        }
    }

    fn targets(&mut self, to: &mut To, name: &Ident, list: TokenStream, errors: &mut Errors) {
        if list.is_empty() {
            let text = "`to` names no state; write `#[to(State | Other)]`";
            errors.at(Code::ValueMissing, name, text);
            self.incomplete = true;
        }
        let targets = names::names(list, errors);
        self.incomplete |= !targets.complete;
        to.targets.extend(targets.value);
    }
}

/// Adds a finding if the name of an attribute is a typo, and returns whether it is.
fn typo(name: &Ident, meant: &str, errors: &mut Errors) -> bool {
    if name == meant {
        return false;
    }
    let text = format!("unknown attribute `{name}`; did you mean `{meant}`?");
    errors.at(Code::UnknownAttribute, name, text);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (ast::State, Vec<String>) {
        let mut errors = Errors::default();
        let item = format!("enum M {{ {text} }}");
        let mut machine = crate::parse::tests::machine("start = S", &item, &mut errors);
        (machine.states.remove(0), errors.messages())
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
        assert!(state.rest.is_some() && state.braced && !state.incomplete);
        let marks: Vec<_> = state
            .fields
            .iter()
            .map(|field| (field.carries(), field.mark(Mark::Error).is_some()))
            .collect();
        assert_eq!(marks, [(true, false), (false, true), (false, false)]);
    }

    #[test]
    fn typos_are_named() {
        for (text, expected) in [
            ("#[raed(some)] S", "unknown attribute `raed`; did you mean `read`?"),
            ("#[raed(sum)] S", "unknown attribute `raed`; did you mean `read`?"),
            ("#[wait] S", "unknown attribute `wait`; write `#[message]`"),
            ("#[drain(below = 9)] S", "unknown attribute `drain`; write `#[writable(below = ..)]`"),
            ("#[to] S", "`to` names no state; write `#[to(State | Other)]`"),
            ("#[to(A)] #[to(B)] S", "`to` is here twice; join them or remove one"),
            ("#[to(A, B)] S", "states have `|` between them; write `|` for `,`"),
            ("#[rest] #[rest] S", "`rest` is here twice; join them or remove one"),
            ("#[rest(x)] S", "unknown key `x` on `rest`; it takes `keep` and `drain`"),
            ("#[rest(eof => A)] S", "`eof` is an edge of the wait; write it in its parentheses"),
            (
                "#[read(some, max = 9, drain => A)] S",
                "`drain` is an edge of a state at rest; write `#[rest(drain => State)]`",
            ),
            ("#[read = 8] S", "expected parentheses; write `#[read(..)]`"),
            ("S { #[cary] x: u8 }", "unknown attribute `cary`; did you mean `carry`?"),
            ("S { #[carry] #[carry] x: u8 }", "`carry` is here twice; remove one"),
            ("S { #[carry(y)] x: u8 }", "`carry` takes nothing; write `#[carry]`"),
            (
                "S { #[read(some)] x: u8 }",
                "`read` is about a state; put it on the variant, not on its field",
            ),
            ("#[carry] S", "`carry` takes the data of a field; put it on a field of a state"),
            ("#[error] S", "`error` fills a field; put it on a field of a state"),
        ] {
            assert_eq!(read(text).1, [expected], "{text}");
        }
    }

    #[test]
    fn attributes_on_the_enum_are_misplaced() {
        let messages = |item: &str| {
            let mut errors = Errors::default();
            let _ = crate::parse::tests::machine("start = S", item, &mut errors);
            errors.messages()
        };
        assert_eq!(
            messages("#[rest] #[carry] enum M { S }"),
            [
                "`rest` is about one state; put it on a variant",
                "`carry` takes the data of a field; put it on a field of a state",
            ]
        );
        assert_eq!(
            messages("#[state_machine(start = S)] enum M { S }"),
            ["`state_machine` is here twice; remove one"]
        );
        assert_eq!(messages("#[derive(Other)] #[rest] enum M { S }"), [""; 0]);
    }
}
