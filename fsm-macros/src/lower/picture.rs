//! The graph of a machine in its docs.

mod shared;

use std::fmt::Write;

use proc_macro2::Ident;
use syn::ext::IdentExt;

use self::shared::SharedTarget;
use super::docs::{self, code};
use crate::ast::{self, Event, EventEdge, Time, WaitKind};
use crate::graph::{Edge, Graph};
use crate::spelling;

/// The states of a machine as a table: their waits, deadlines and targets.
pub(crate) fn table(machine: &ast::Machine, graph: &Graph<'_>) -> String {
    let mut text =
        "# States\n\n| state | waits for | within | goes to |\n|---|---|---|---|".to_owned();
    for (index, state) in machine.states.iter().enumerate() {
        let mut name = link(machine, &state.name);
        if graph.start.is_some_and(|start| start.index == index) {
            name.push_str(" (start)");
        }
        if state.rest.is_some() {
            name.push_str(if state.keep.is_some() { " (rest, kept)" } else { " (rest)" });
        }
        let waits: Vec<String> =
            state.wait().into_iter().chain(state.beside()).map(waits_for).collect();
        let waits = waits.join("<br>").replace('|', "\\|");
        let (within, goes) = (times(graph, index), goes_to(machine, graph, index));
        let _ = write!(text, "\n| {name} | {waits} | {within} | {goes} |");
    }
    text
}

/// The graph as a Mermaid state diagram, in the format of `Spec::mermaid`: from state to state an
/// arrow for verdicts, and one for all events. Edges that many states share are a note at the target.
pub(crate) fn mermaid(machine: &ast::Machine, graph: &Graph<'_>) -> String {
    let name = |index: usize| machine.states[index].name.unraw();
    let shared = SharedTarget::all(machine, graph);
    let mut text = "stateDiagram-v2".to_owned();
    if let Some(start) = graph.start {
        let _ = write!(text, "\n    [*] --> {}", name(start.index));
    }
    for (index, state) in machine.states.iter().enumerate() {
        let name_here = name(index);
        let label = SharedTarget::marked(&shared, index, &name_here);
        if name_here != label {
            let _ = write!(text, "\n    state \"{label}\" as {name_here}");
        }
        for (target, mut edges) in by_target(graph, index) {
            edges.retain(|edge| !shared.iter().any(|note| note.has(index, edge)));
            let arrow = format!("\n    {name_here} --> {}", name(target));
            if edges.iter().any(|edge| edge.declared.is_none()) {
                text.push_str(&arrow);
            }
            let events =
                edges.iter().filter_map(|edge| edge.declared.map(|it| event(it, edge.other)));
            let events: Vec<String> = events.collect();
            if !events.is_empty() {
                let _ = write!(text, "{arrow}: {}", events.join(", "));
            }
        }
        if state.is_end() {
            let _ = write!(text, "\n    {name_here} --> [*]");
        }
    }
    for note in &shared {
        text.push_str(&note.note(machine));
    }
    text
}

/// The targets of a state in the order of the edges that lead there.
fn by_target<'a, 'g>(graph: &'g Graph<'a>, index: usize) -> Vec<(usize, Vec<&'g Edge<'a>>)> {
    let mut targets: Vec<(usize, Vec<&Edge<'a>>)> = Vec::new();
    for edge in &graph.edges[index] {
        match targets.iter_mut().find(|(target, _)| *target == edge.target) {
            Some((_, edges)) => edges.push(edge),
            None => targets.push((edge.target, vec![edge])),
        }
    }
    targets
}

/// The event of an edge, in the words of the attribute.
fn event(edge: &EventEdge, other: bool) -> String {
    let name = name_of(edge, other);
    match &edge.time {
        Some(time) if edge.event == Event::Budget => format!("{name} {} in all", longest(time)),
        Some(time) => format!("{name} {}", longest(time)),
        None => name,
    }
}

/// The name of an event, which says if it is one of the read of the other socket beside the main wait.
fn name_of(edge: &EventEdge, other: bool) -> String {
    let name = edge.event.name();
    if other { format!("other {name}") } else { name.to_owned() }
}

/// The time, or its bound, as `Spec::mermaid` shows it.
fn longest(pause: &Time) -> String {
    pause.at_most().map_or_else(|| docs::written(pause), docs::time)
}

fn goes_to(machine: &ast::Machine, graph: &Graph<'_>, index: usize) -> String {
    let verdicts: Vec<String> =
        graph.verdicts(index).map(|edge| link(machine, edge.name)).collect();
    let mut ways = vec![verdicts.join(", ")];
    for (_, edges) in by_target(graph, index) {
        let events =
            edges.iter().filter_map(|edge| edge.declared.map(|it| name_of(it, edge.other)));
        let events: Vec<String> = events.collect();
        if !events.is_empty() {
            ways.push(format!("{} on {}", link(machine, edges[0].name), events.join(", ")));
        }
    }
    ways.retain(|way| !way.is_empty());
    ways.join("; ")
}

fn times(graph: &Graph<'_>, index: usize) -> String {
    let written = |edge: &Edge<'_>| {
        Some(match edge.declared?.time.as_ref()? {
            Time::Fixed(millis) => docs::time(*millis),
            other => code(&docs::written(other)),
        })
    };
    let time = |event: Event| graph.on(index, event).and_then(written);
    let within = time(Event::Within);
    let idle = time(Event::Idle).map(|idle| format!("{idle} idle"));
    let other = graph.on_other(index, Event::Idle).and_then(written);
    let other = other.map(|idle| format!("{idle} other idle"));
    let begun = time(Event::Begun).map(|begun| format!("{begun} begun"));
    let budget = time(Event::Budget).map(|budget| format!("{budget} in all"));
    within
        .into_iter()
        .chain(idle)
        .chain(begun)
        .chain(budget)
        .chain(other)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The text of the attribute without its edges.
fn waits_for(wait: &ast::Wait) -> String {
    let inside = match &wait.kind {
        WaitKind::Relay(relay) => {
            let max = relay.max.as_ref().map(|max| format!("max = {}", max.text));
            let text = Some(relay.text()).filter(|text| !text.is_empty());
            text.into_iter().chain(max).collect::<Vec<_>>().join(", ")
        }
        WaitKind::Read { shape, max, other } => {
            let other = other.then(|| "other, ").unwrap_or_default();
            let shape = shape.as_ref().map(|shape| format!("{other}{}", shape.text));
            let max = max.as_ref().map(|(_, max)| format!("max = {}", max.text));
            shape.into_iter().chain(max).collect::<Vec<_>>().join(", ")
        }
        WaitKind::Tls { name: Some(name) } => format!("name = {}", spelling::tokens(name)),
        WaitKind::Call(Some(pool)) | WaitKind::HandOff(Some(pool)) => pool.text.clone(),
        WaitKind::Run { blocking: true } => "blocking".to_owned(),
        WaitKind::Writable { below: Some(below) } => format!("below = {}", below.text),
        WaitKind::Discard { shape: Some(shape) } => shape.text.clone(),
        WaitKind::Sleep(Some(pause)) | WaitKind::Tick(Some(pause)) => docs::written(pause),
        _ => String::new(),
    };
    let name = &wait.name;
    if inside.is_empty() { format!("`{name}`") } else { code(&format!("{name}({inside})")) }
}

fn link(machine: &ast::Machine, state: &Ident) -> String {
    format!("[`{}`]({}::{state})", state.unraw(), machine.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;

    const ARGS: &str = "start = Line, eof => Gone";
    const ITEM: &str = "enum Talk {
        #[read(until = b\"|\", max = 1KiB, limit => Gone, within = 90s => Late, idle = 5min => Gone)]
        #[to(Line | Late | Gone)] #[rest] Line,
        #[flush(within = 250ms => Gone)] #[to(Gone)] Late,
        #[end] Gone,
    }";

    #[test]
    fn the_table_shows_each_state() {
        let mut errors = Errors::default();
        let machine = crate::parse::tests::machine(ARGS, ITEM, &mut errors);
        let graph = crate::check::check(&machine, &mut errors);
        assert_eq!(
            table(&machine, &graph).lines().skip(4).collect::<Vec<_>>(),
            [
                "| [`Line`](Talk::Line) (start) (rest) | `read(until = b\"\\|\", max = 1KiB)` | 90s, \
                 5min idle | [`Line`](Talk::Line), [`Late`](Talk::Late), [`Gone`](Talk::Gone); \
                 [`Late`](Talk::Late) on within; [`Gone`](Talk::Gone) on idle, eof, limit |",
                "| [`Late`](Talk::Late) | `flush` | 250ms | [`Gone`](Talk::Gone); \
                 [`Gone`](Talk::Gone) on within |",
                "| [`Gone`](Talk::Gone) | `end` |  |  |",
            ]
        );
    }

    #[test]
    fn other_pools_are_in_the_picture() {
        let mut errors = Errors::default();
        let item = "enum Front {
            #[run(blocking)] #[to(Ask | Leave)] Start,
            #[call(a::Index<u8, 3>, within = 1min => Start, full => Gone)] #[to(Gone)] Ask,
            #[handoff(Events, within = 5s => Gone)] Leave, #[end] Gone }";
        let args = "start = Start, gone => Gone";
        let machine = crate::parse::tests::machine(args, item, &mut errors);
        let graph = crate::check::check(&machine, &mut errors);
        assert_eq!(errors.messages(), [""; 0]);
        assert_eq!(
            table(&machine, &graph).lines().skip(4).collect::<Vec<_>>(),
            [
                "| [`Start`](Front::Start) (start) | `run(blocking)` |  | [`Ask`](Front::Ask), \
                 [`Leave`](Front::Leave) |",
                "| [`Ask`](Front::Ask) | `call(a::Index<u8, 3>)` | 1min | [`Gone`](Front::Gone); \
                 [`Gone`](Front::Gone) on full, gone; [`Start`](Front::Start) on within |",
                "| [`Leave`](Front::Leave) | `handoff(Events)` | 5s | \
                 [`Gone`](Front::Gone) on within, gone |",
                "| [`Gone`](Front::Gone) | `end` |  |  |",
            ]
        );
        assert_eq!(
            mermaid(&machine, &graph).lines().skip(4).collect::<Vec<_>>(),
            [
                "    Ask --> Gone",
                "    Ask --> Gone: full, gone",
                "    Ask --> Start: within 1min",
                "    Leave --> Gone: within 5s, gone",
                "    Gone --> [*]",
            ]
        );
    }

    #[test]
    fn verdicts_have_an_arrow_and_events_another() {
        let mut errors = Errors::default();
        let machine = crate::parse::tests::machine(ARGS, ITEM, &mut errors);
        let graph = crate::check::check(&machine, &mut errors);
        assert_eq!(
            mermaid(&machine, &graph),
            "stateDiagram-v2
    [*] --> Line
    Line --> Line
    Line --> Late
    Line --> Late: within 90s
    Line --> Gone
    Line --> Gone: idle 5min, eof, limit
    Late --> Gone
    Late --> Gone: within 250ms
    Gone --> [*]"
        );
    }

    /// A machine of forty states, as its user writes it.
    const MAIL: &str = include_str!("picture/mail.rs");

    #[test]
    fn l9_edges_that_many_states_share_are_a_note_at_their_target() {
        let (_, rest) = MAIL.split_once("#[state_machine(").unwrap();
        let (args, item) = rest.split_once(")]\nenum").unwrap();
        let mut errors = Errors::default();
        let machine = crate::parse::tests::machine(args, &format!("enum{item}"), &mut errors);
        let graph = crate::check::check(&machine, &mut errors);
        assert_eq!(errors.messages(), [""; 0]);
        let drawn = mermaid(&machine, &graph) + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lower/picture/mail.mmd");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &drawn).unwrap();
        }
        assert_eq!(drawn, std::fs::read_to_string(path).unwrap());
        // Each edge is an arrow or in a list below its note.
        for (index, state) in machine.states.iter().enumerate() {
            for edge in &graph.edges[index] {
                let (name, target) = (state.name.to_string(), edge.name);
                let event = edge.declared.map_or("verdict", |declared| declared.event.name());
                let arrow = format!("    {name} --> {target}");
                let in_arrow = drawn.lines().any(|line| match line.strip_prefix(&arrow) {
                    Some(label) => {
                        label.contains(event) || (event == "verdict" && label.is_empty())
                    }
                    None => false,
                });
                let note = format!("    note right of {target}: ");
                let note = drawn.split(&note).nth(1).unwrap_or_default();
                let lists = note.lines().skip(1).take_while(|line| line.starts_with("    %%"));
                let mut lists = lists.filter(|line| line.contains(event));
                let has_name = |line: &str| line.split([' ', ',']).any(|word| word == name);
                let of_all = note.lines().next().unwrap_or_default().split("<br>");
                let of_all: Vec<_> = of_all.skip_while(|line| !line.contains(event)).collect();
                let of_all = of_all
                    .get(1)
                    .is_some_and(|line| line.starts_with("from all") && !has_name(line));
                let found = [in_arrow, lists.any(has_name), of_all];
                let count = found.iter().filter(|found| **found).count();
                assert_eq!(count, 1, "{name} {event} {target} {found:?}");
            }
        }
    }
}
