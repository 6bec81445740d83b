use proc_macro2::Ident;

use crate::ast::{Event, Field, Machine, State};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::Graph;
use crate::spelling;

/// Checks that every field is filled by something, on every edge.
pub(crate) fn check(machine: &Machine, graph: &Graph<'_>, errors: &mut Errors) {
    if let Some((start, _)) = graph.start {
        self::start(&machine.states[start], errors);
    }
    for (index, state) in machine.states.iter().enumerate() {
        marks(state, errors);
        carried(machine, graph, index, errors);
    }
    automatic(machine, graph, errors);
}

fn start(state: &State, errors: &mut Errors) {
    if state.fields.is_empty() || state.is_end() {
        return;
    }
    let name = &state.name;
    let fields = spelling::list(state.fields.iter().map(|field| &field.name));
    let text = format!(
        "the machine starts in `{name}` and nothing fills {fields} then; \
         start in a state without data"
    );
    errors.at(Code::StartWithData, &state.fields[0].name, text);
}

fn marks(state: &State, errors: &mut Errors) {
    let name = &state.name;
    let mut marked = state.fields.iter().filter_map(|field| Some((field, field.error.as_ref()?)));
    if let Some((first, _)) = marked.next() {
        for (second, mark) in marked {
            let (first, second) = (&first.name, &second.name);
            let text = format!(
                "state `{name}` has two fields for an error, `{first}` and `{second}`; \
                 remove one `#[error]`"
            );
            errors.at(Code::TwoErrors, mark, text);
        }
    }
    for field in &state.fields {
        if let (Some(_), Some(mark)) = (&field.carry, &field.error) {
            let field = &field.name;
            let text = format!(
                "`{field}` cannot be filled by the state before and by an error; \
                 remove `#[carry]` or `#[error]`"
            );
            errors.at(Code::CarryAndError, mark, text);
        }
    }
}

/// `#[carry]` takes a field from every state that leads here.
fn carried(machine: &Machine, graph: &Graph<'_>, index: usize, errors: &mut Errors) {
    let state = &machine.states[index];
    for field in state.fields.iter().filter(|field| field.carry.is_some()) {
        let (name, field) = (&state.name, &field.name);
        let lacking: Vec<&Ident> = graph
            .predecessors(index)
            .map(|source| &machine.states[source])
            .filter(|source| source.field(field).is_none() && !source.is_end() && !source.damaged)
            .map(|source| &source.name)
            .collect();
        if lacking.is_empty() {
            continue;
        }
        let verb = if lacking.len() == 1 { "has" } else { "have" };
        let sources = spelling::list(&lacking);
        let text = format!(
            "`{name}` carries `{field}` from the state before it, but {sources} {verb} no such \
             field; add it there or remove `#[carry]`"
        );
        errors.at(Code::NothingToCarry, field, text);
    }
}

/// An edge that the runtime takes leads to a state whose data is there without a handler.
fn automatic(machine: &Machine, graph: &Graph<'_>, errors: &mut Errors) {
    let mut said: Vec<&Ident> = Vec::new();
    for edge in graph.edges.iter().flatten() {
        let Some(answer) = edge.answer else { continue };
        let target = &machine.states[edge.target];
        // A default is one token for many edges.
        if said.iter().any(|name| std::ptr::eq(*name, edge.name)) || target.is_end() {
            continue;
        }
        said.push(edge.name);
        let filled = |field: &Field| {
            field.carry.is_some() || (field.error.is_some() && answer.event == Event::Error)
        };
        let empty: Vec<&Field> = target.fields.iter().filter(|field| !filled(field)).collect();
        if empty.is_empty() {
            continue;
        }
        let (event, name) = (answer.event.name(), &target.name);
        let fields = spelling::list(empty.iter().map(|field| &field.name));
        let marks = match answer.event {
            Event::Error => "`#[carry]` or `#[error]`",
            _ => "`#[carry]`",
        };
        let text = format!(
            "`{event}` leads to `{name}` and nothing fills {fields} then; \
             lead it to another state, or mark what there is with {marks}"
        );
        errors.at(Code::NothingFills, edge.name, text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn data_comes_from_somewhere() {
        table(&[
            (
                "start = A",
                "#[run] #[to(B)] A { x: u8 }, #[end] B",
                &["the machine starts in `A` and nothing fills `x` then; \
                   start in a state without data"],
            ),
            (
                "start = A, eof => B",
                "#[read(some, max = 1, within = 1s => B)] #[to(A)] A,
                 #[run] #[to(C)] B { x: u8, #[error] y: u8 }, #[end] C",
                &[
                    "`within` leads to `B` and nothing fills `x` and `y` then; \
                     lead it to another state, or mark what there is with `#[carry]`",
                    "`eof` leads to `B` and nothing fills `x` and `y` then; \
                     lead it to another state, or mark what there is with `#[carry]`",
                ],
            ),
            // A default is one token; an end with data is a finding of its own.
            (
                "start = A, eof => B",
                "#[read(some, max = 1, within = never)] #[to(C)] A,
                 #[read(some, max = 1, within = never)] #[to(C | B | D)] C,
                 #[run] #[to(D)] B { x: u8 }, #[end] D",
                &["`eof` leads to `B` and nothing fills `x` then; \
                   lead it to another state, or mark what there is with `#[carry]`"],
            ),
            (
                "start = A, eof => B",
                "#[read(some, max = 1, within = never)] #[to(A)] A, #[end] B { x: u8 }",
                &["an end has no data; remove `x`"],
            ),
            (
                "start = A, error = E, error => B",
                "#[run] #[to(C)] A, #[run(error => C)] #[to(C)] B { #[error] y: E, x: u8 }, #[end] C",
                &["`error` leads to `B` and nothing fills `x` then; \
                   lead it to another state, or mark what there is with `#[carry]` or `#[error]`"],
            ),
        ]);
    }

    #[test]
    fn every_state_before_has_what_is_carried() {
        table(&[
            (
                "start = A",
                "#[run] #[to(B | C)] A, #[run] #[to(C)] B, #[run] #[to(D)] C { #[carry] x: u8 },
                 #[end] D",
                &["`C` carries `x` from the state before it, but `A` and `B` have no such field; \
                   add it there or remove `#[carry]`"],
            ),
            (
                "start = A",
                "#[run] #[to(B)] A, #[run] #[to(C)] B { x: u8 },
                 #[sleep(1s)] #[to(C | D)] C { #[carry] x: u8 }, #[end] D",
                &[],
            ),
        ]);
    }

    #[test]
    fn a_field_has_one_source() {
        table(&[(
            "start = A",
            "#[run] #[to(B)] A, #[run] #[to(C)] B { x: u8 },
             #[run] #[to(D)] C { #[carry] #[error] x: u8 }, #[end] D",
            &["`x` cannot be filled by the state before and by an error; \
               remove `#[carry]` or `#[error]`"],
        )]);
    }
}
