use proc_macro2::Ident;

use crate::ast::{self, Event, Field, Mark, WaitKind};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::Graph;
use crate::spelling;

/// Checks that something fills every field, on every edge. Returns the names of the edges that it
/// refuses.
pub(crate) fn check<'a>(
    machine: &ast::Machine,
    graph: &Graph<'a>,
    errors: &mut Errors,
) -> Vec<&'a Ident> {
    if let Some(start) = graph.start {
        self::start(machine, &machine.states[start.index], start.name, errors);
    }
    for (index, state) in machine.states.iter().enumerate() {
        marks(state, errors);
        carried(machine, graph, index, errors);
    }
    automatic(machine, graph, errors)
}

fn start(machine: &ast::Machine, state: &ast::State, place: &Ident, errors: &mut Errors) {
    let args = &machine.args;
    if machine.runs_jobs() || (args.seed.is_some() && !machine.answers_jobs()) {
        // The start of an incomplete machine is not known.
        if !args.incomplete && !state.incomplete {
            seeded(machine, state, errors);
        }
        return;
    }
    // An unreadable key may be the one that fills them.
    if args.incomplete {
        return;
    }
    let name = &state.name;
    if state.is_end() {
        let other = machine.states.iter().find(|state| !state.is_end());
        let remedy = match other {
            Some(other) => format!("start in another state, such as `start = {}`", other.name),
            None => "add a state that waits, and start there".to_owned(),
        };
        let text =
            format!("the machine starts in the end `{name}`, so it is over at once; {remedy}");
        errors.at(Code::StartIsEnd, place, text);
        return;
    }
    if state.fields.is_empty() {
        return;
    }
    let fields = spelling::list(state.fields.iter().map(|field| &field.name));
    let one = if state.fields.len() > 1 { "keep one field and " } else { "" };
    if machine.answers_jobs() {
        let text = format!(
            "the machine starts in `{name}` and nothing fills {fields} then; start in a state without data"
        );
        errors.at(Code::StartWithData, &state.fields[0].name, text);
        return;
    }
    let text = format!(
        "the machine starts in `{name}` and nothing fills {fields} then; \
         start in a state without data, or {one}add `seed = Type`, or `job = Type` and \
         `reply = Type`, to `#[state_machine(..)]`"
    );
    errors.at(Code::StartWithData, &state.fields[0].name, text);
}

/// Checks that the start state has one field, for the job or the seed.
fn seeded(machine: &ast::Machine, state: &ast::State, errors: &mut Errors) {
    let what = if machine.runs_jobs() { "job" } else { "seed" };
    let name = &state.name;
    if state.is_end() {
        let text = format!(
            "the machine starts in the end `{name}`, which takes no {what}; start in another state"
        );
        errors.at(Code::StartTakesOne, name, text);
        return;
    }
    let unmarked: Vec<&Field> =
        state.fields.iter().filter(|field| field.marks.is_empty()).collect();
    let [taker] = unmarked[..] else {
        let remedy = if unmarked.is_empty() { "add one" } else { "keep one" };
        let text = format!(
            "the machine starts in `{name}` with a {what}, which one field takes; {remedy}"
        );
        let place = unmarked.get(1).map_or(name, |second| &second.name);
        errors.at(Code::StartTakesOne, place, text);
        return;
    };
    let others = state.fields.iter().filter(|field| field.name != taker.name);
    let others: Vec<&Ident> = others.map(|field| &field.name).collect();
    if let Some(first) = others.first() {
        let (taker, fields) = (&taker.name, spelling::list(&others));
        let text = format!(
            "the machine starts in `{name}` and nothing fills {fields} then; \
             start in a state that has `{taker}` alone"
        );
        errors.at(Code::StartWithData, first, text);
    }
}

impl Mark {
    /// The source of a field with this mark, in words.
    fn source(self) -> &'static str {
        match self {
            Self::Carry => "the state before",
            Self::Error => "an error",
            Self::Job => "a job that comes back",
            Self::Seed => "a seed that comes back",
        }
    }
}

fn marks(state: &ast::State, errors: &mut Errors) {
    let name = &state.name;
    for mark in Mark::ALL.into_iter().filter(|mark| *mark != Mark::Carry) {
        let mut marked = state.fields.iter().filter_map(|field| Some((field, field.mark(mark)?)));
        let Some((first, _)) = marked.next() else { continue };
        for (second, place) in marked {
            let (first, second) = (&first.name, &second.name);
            let (source, mark) = (mark.source(), mark.name());
            let text = format!(
                "state `{name}` has two fields for {source}, `{first}` and `{second}`; \
                 remove one `#[{mark}]`"
            );
            errors.at(Code::MarkTwice, place, text);
        }
    }
    for field in state.fields.iter().filter(|field| field.carries()) {
        for (mark, place) in field.marks.iter().filter(|(mark, _)| *mark != Mark::Carry) {
            let (field, source, mark) = (&field.name, mark.source(), mark.name());
            let text = format!(
                "`{field}` cannot be filled by the state before and by {source}; \
                 remove `#[carry]` or `#[{mark}]`"
            );
            errors.at(Code::TwoMarks, place, text);
        }
    }
}

/// Checks that every predecessor has the fields that a state carries.
fn carried(machine: &ast::Machine, graph: &Graph<'_>, index: usize, errors: &mut Errors) {
    let state = &machine.states[index];
    for field in state.fields.iter().filter(|field| field.carries()) {
        let (name, field) = (&state.name, &field.name);
        let lacking: Vec<&Ident> = graph
            .predecessors(index)
            .map(|source| &machine.states[source])
            .filter(|source| {
                source.field(field).is_none() && !source.is_end() && !source.incomplete
            })
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

/// Checks that the edges that the runtime takes lead to states whose data needs no handler.
fn automatic<'a>(machine: &ast::Machine, graph: &Graph<'a>, errors: &mut Errors) -> Vec<&'a Ident> {
    let mut reported: Vec<&'a Ident> = Vec::new();
    let edges = graph.edges.iter().zip(&machine.states);
    let edges = edges.flat_map(|(edges, source)| edges.iter().map(move |edge| (source, edge)));
    for (source, edge) in edges {
        let Some(declared) = edge.declared else { continue };
        let target = &machine.states[edge.target];
        // A default is one token for many edges.
        if reported.iter().any(|name| std::ptr::eq(*name, edge.name)) || target.is_end() {
            continue;
        }
        let brought = brought(source, declared.event);
        let filled = |field: &Field| {
            field.carries() || brought.is_some_and(|mark| field.mark(mark).is_some())
        };
        let empty: Vec<&Field> = target.fields.iter().filter(|field| !filled(field)).collect();
        if empty.is_empty() {
            continue;
        }
        reported.push(edge.name);
        let (event, name) = (declared.event.name(), &target.name);
        let fields = spelling::list(empty.iter().map(|field| &field.name));
        let marks = [Some(Mark::Carry), brought];
        let marks = marks.iter().flatten().map(|mark| format!("#[{}]", mark.name()));
        let marks = spelling::choice(marks);
        let marked = empty.iter().find_map(|field| field.marks.first());
        let fact = marked.map_or_else(String::new, |(mark, _)| {
            format!("brings nothing for `#[{}]`, so ", mark.name())
        });
        let text = format!(
            "`{event}` leads to `{name}` and {fact}nothing fills {fields} then; \
             lead it to another state, or mark what there is with {marks}"
        );
        errors.at(Code::NothingFills, edge.name, text);
    }
    reported
}

/// Adds the marks for what no edge to their state brings.
pub(crate) fn unused(machine: &ast::Machine, graph: &Graph<'_>, errors: &mut Errors) {
    for (index, state) in machine.states.iter().enumerate() {
        let brings = |mark: Mark| {
            graph.edges.iter().zip(&machine.states).any(|(edges, source)| {
                let mut edges = edges.iter().filter(|edge| edge.target == index);
                edges.any(|edge| edge.event().and_then(|it| brought(source, it)) == Some(mark))
            })
        };
        for (field, (mark, place)) in
            state.fields.iter().flat_map(|field| field.marks.iter().map(move |mark| (field, mark)))
        {
            if *mark == Mark::Carry || field.carries() || brings(*mark) {
                continue;
            }
            let (name, field, source) = (&state.name, &field.name, mark.source());
            let edge = match mark {
                Mark::Carry | Mark::Error => "`error` or `refused` edge",
                Mark::Job => "`full` edge of a call",
                Mark::Seed => "`full` edge of a hand-off",
            };
            let text = format!(
                "no {edge} leads to `{name}`, so {source} never fills `{field}`; \
                 remove `#[{}]`, or lead one there",
                mark.name()
            );
            errors.at(Code::MarkUnused, place, text);
        }
    }
}

/// The mark of the value that `event` brings from `source`.
fn brought(source: &ast::State, event: Event) -> Option<Mark> {
    match (event, &source.wait()?.kind) {
        (Event::Error | Event::Refused, _) => Some(Mark::Error),
        (Event::Full, WaitKind::Call(_)) => Some(Mark::Job),
        (Event::Full, WaitKind::HandOff(_)) => Some(Mark::Seed),
        _ => None,
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
                   start in a state without data, or add `seed = Type`, or `job = Type` and \
                   `reply = Type`, to `#[state_machine(..)]`"],
            ),
            (
                "start = A, eof => B",
                "#[read(some, max = 1, within = 1s => B)] #[to(A)] A,
                 #[run] #[to(C)] B { x: u8, #[error] y: u8 }, #[end] C",
                &[
                    "`within` leads to `B` and brings nothing for `#[error]`, so nothing fills `x` and `y` then; \
                     lead it to another state, or mark what there is with `#[carry]`",
                    "`eof` leads to `B` and brings nothing for `#[error]`, so nothing fills `x` and `y` then; \
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
    fn what_comes_back_fills_what_is_marked() {
        table(&[
            (
                "start = A, gone => D",
                "#[run] #[to(B)] A, #[call(S, within = 1s => C, full => C)] #[to(D)] B,
                 #[run] #[to(D)] C { #[job] j: J, #[seed] s: S }, #[end] D",
                &[
                    "`within` leads to `C` and brings nothing for `#[job]`, so nothing fills `j` and `s` then; \
                     lead it to another state, or mark what there is with `#[carry]`",
                    "`full` leads to `C` and brings nothing for `#[seed]`, so nothing fills `s` then; lead it to another state, \
                     or mark what there is with `#[carry]` or `#[job]`",
                ],
            ),
            // One default, which brings a job from one state and a seed from another.
            (
                "start = A, gone => D, full => C",
                "#[run] #[to(B | E)] A, #[call(S, within = 1s => D)] #[to(D)] B,
                 #[handoff(M, within = 1s => D)] E, #[run] #[to(D)] C { #[job] j: J }, #[end] D",
                &[
                    "`full` leads to `C` and brings nothing for `#[job]`, so nothing fills `j` then; lead it to another state, \
                   or mark what there is with `#[carry]` or `#[seed]`",
                ],
            ),
            (
                "start = A, gone => D, full => C",
                "#[run] #[to(B)] A, #[call(S, within = 1s => D)] #[to(D)] B,
                 #[run] #[to(D)] C { #[job] j: J, #[job] k: J }, #[end] D",
                &["state `C` has two fields for a job that comes back, `j` and `k`; \
                   remove one `#[job]`"],
            ),
        ]);
    }

    #[test]
    fn a_start_takes_what_it_is_started_with() {
        table(&[
            (
                "start = A, job = J, reply = R",
                "#[run] #[to(B)] A, #[end] B",
                &["the machine starts in `A` with a job, which one field takes; add one"],
            ),
            (
                "start = A, seed = S",
                "#[run] #[to(B)] A { x: u8, y: u8 }, #[end] B",
                &["the machine starts in `A` with a seed, which one field takes; \
                   keep one"],
            ),
            (
                "start = A, seed = S",
                "#[sleep(1s)] #[to(C)] A { x: u8, #[carry] y: u8 },
                 #[run] #[to(A | B)] C { y: u8 }, #[end] B",
                &["the machine starts in `A` and nothing fills `y` then; \
                   start in a state that has `x` alone"],
            ),
            (
                "start = B, seed = S",
                "#[end] B",
                &["the machine starts in the end `B`, which takes no seed; \
                   start in another state"],
            ),
        ]);
    }

    #[test]
    fn l6_every_state_before_has_what_is_carried() {
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
             #[run] #[to(D)] C { #[carry] #[error] #[seed] x: u8 }, #[end] D",
            &[
                "`x` cannot be filled by the state before and by an error; \
                 remove `#[carry]` or `#[error]`",
                "`x` cannot be filled by the state before and by a seed that comes back; \
                 remove `#[carry]` or `#[seed]`",
            ],
        )]);
    }
}
