//! Pictures of a pipeline: its pools with the states of their machines, and the routes between
//! them.

use std::fmt::Write;

use crate::machine::route::RouteKind;
use crate::server::plan::acceptors;
use crate::{Pool, Route};

/// The pools as a digraph for Graphviz.
pub(crate) fn dot(pools: &[Pool]) -> String {
    let mut text = "digraph pools {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
    for (index, pool) in pools.iter().enumerate() {
        let _ = writeln!(text, "    p{index} [label={:?}];", pool_label(pool));
    }
    for RouteEdge { from, to, route } in edges(pools) {
        let label = route_label(route);
        let style = match route.kind {
            RouteKind::Call => "solid",
            RouteKind::HandOff => "bold",
        };
        let _ = writeln!(text, "    p{from} -> p{to} [label={label:?}, style={style}];");
    }
    let _ = writeln!(text, "    label={:?};", state_count(pools));
    text + "}\n"
}

/// The pools as a flowchart for Mermaid.
pub(crate) fn mermaid(pools: &[Pool]) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, pool) in pools.iter().enumerate() {
        let _ = writeln!(text, "    p{index}[\"{}\"]", in_quotes(&pool_label(pool)));
    }
    for RouteEdge { from, to, route } in edges(pools) {
        let label = in_quotes(&route_label(route));
        let arrow = match route.kind {
            RouteKind::Call => "-->",
            RouteKind::HandOff => "==>",
        };
        let _ = writeln!(text, "    p{from} {arrow}|\"{label}\"| p{to}");
    }
    let _ = writeln!(text, "    %% {}", state_count(pools));
    text
}

/// The pools as lines of text. A route whose target is not in the pipeline is shown as missing.
pub(crate) fn table(pools: &[Pool]) -> String {
    let mut text = String::new();
    for pool in pools {
        let _ = writeln!(text, "{}", pool_label(pool));
        for route in &pool.routes {
            let target = acceptors(pools, route).next();
            let target = target.map_or("(missing)", |(_, pool)| pool.name.as_str());
            let _ = writeln!(text, "    {} -> {target}", route_label(route));
        }
    }
    text + &state_count(pools) + "\n"
}

/// A route between two pools, given by their numbers.
struct RouteEdge<'a> {
    from: usize,
    to: usize,
    route: &'a Route,
}

/// The routes whose targets are in the pipeline.
fn edges(pools: &[Pool]) -> impl Iterator<Item = RouteEdge<'_>> {
    pools.iter().enumerate().flat_map(move |(from, pool)| {
        pool.routes.iter().filter_map(move |route| {
            let (to, _) = acceptors(pools, route).next()?;
            Some(RouteEdge { from, to, route })
        })
    })
}

/// A text between quotes in Mermaid, which takes it as HTML and has escapes of its own.
fn in_quotes(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '"' => escaped.push_str("#quot;"),
            '#' => escaped.push_str("#35;"),
            '&' => escaped.push_str("#amp;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '\n' => escaped.push_str("<br>"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn pool_label(pool: &Pool) -> String {
    let label = format!("{}: {}, {} states", pool.name, pool.machine, pool.spec.states.len());
    match &pool.targets[..] {
        [] => label,
        targets => format!("{label}, connects to {}", targets.join(", ")),
    }
}

fn route_label(route: &Route) -> String {
    let kind = match route.kind {
        RouteKind::Call => "call",
        RouteKind::HandOff => "handoff",
    };
    let when_full = if route.waits_for_room { "waits for room" } else { "full edge" };
    format!("{kind} in {}, {when_full}", route.state)
}

/// The reason to use several simple machines: one machine for all of it would have up to the
/// product of their states, and these have the sum.
fn state_count(pools: &[Pool]) -> String {
    let states = || pools.iter().map(|pool| pool.spec.states.len() as u64);
    let sum: u64 = states().sum();
    let product = states().fold(1_u64, u64::saturating_mul);
    format!("{sum} states in all; one machine would need up to {product}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_newlines_in_a_name_end_no_label() {
        assert_eq!(in_quotes("spool: Front, 4 states"), "spool: Front, 4 states");
        assert_eq!(in_quotes("a \"b\"\n#1: Job<u8>"), "a #quot;b#quot;<br>#35;1: Job#lt;u8#gt;");
    }
}
