use std::fmt::Write;

use crate::machine::route::RouteKind;
use crate::server::plan::takers;
use crate::{Pool, Route};

/// Each route with the number of its pool, and of its target where there is one.
fn edges(pools: &[Pool]) -> impl Iterator<Item = (usize, Option<usize>, &Route)> {
    pools.iter().enumerate().flat_map(move |(from, pool)| {
        let to = move |route| takers(pools, route).map(|(index, _)| index).next();
        pool.routes.iter().map(move |route| (from, to(route), route))
    })
}

fn label(pool: &Pool) -> String {
    format!("{}: {}, {} states", pool.name, pool.machine, pool.spec.states.len())
}

pub(crate) fn dot(pools: &[Pool]) -> String {
    let mut text = "digraph pools {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
    for (index, pool) in pools.iter().enumerate() {
        let _ = writeln!(text, "    p{index} [label={:?}];", label(pool));
    }
    for (from, to, route) in edges(pools) {
        let Some(to) = to else { continue };
        let style = if route.kind == RouteKind::Call { "solid" } else { "bold" };
        let _ = writeln!(text, "    p{from} -> p{to} [label={:?}, style={style}];", about(route));
    }
    let _ = writeln!(text, "    label={:?};", count(pools));
    text + "}\n"
}

pub(crate) fn mermaid(pools: &[Pool]) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, pool) in pools.iter().enumerate() {
        let _ = writeln!(text, "    p{index}[\"{}\"]", label(pool));
    }
    for (from, to, route) in edges(pools) {
        let Some(to) = to else { continue };
        let arrow = if route.kind == RouteKind::Call { "-->" } else { "==>" };
        let _ = writeln!(text, "    p{from} {arrow}|\"{}\"| p{to}", about(route));
    }
    let _ = writeln!(text, "    %% {}", count(pools));
    text
}

fn about(route: &Route) -> String {
    let kind = match route.kind {
        RouteKind::Call => "call",
        RouteKind::HandOff => "handoff",
    };
    let full = if route.parks { "waits for room" } else { "full edge" };
    format!("{kind} in {}, {full}", route.state)
}

pub(crate) fn table(pools: &[Pool]) -> String {
    let mut text = String::new();
    for pool in pools {
        let _ = writeln!(text, "{}", label(pool));
        for route in &pool.routes {
            let to = takers(pools, route).map(|(_, pool)| pool.name.as_str()).next();
            let _ = writeln!(text, "    {} -> {}", about(route), to.unwrap_or("(missing)"));
        }
    }
    text + &count(pools) + "\n"
}

/// What Hammond's answer counts: several simple machines in place of one that does it all.
fn count(pools: &[Pool]) -> String {
    let states = || pools.iter().map(|pool| pool.spec.states.len() as u64);
    let sum: u64 = states().sum();
    let product = states().fold(1_u64, u64::saturating_mul);
    format!("{sum} states in all; one machine would need up to {product}")
}
