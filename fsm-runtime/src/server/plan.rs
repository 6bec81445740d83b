use std::any::TypeId;
use std::collections::VecDeque;

use crate::machine::route::RouteKind;
use crate::server::layer::Carries;
use crate::server::type_name::short;
use crate::spec::{Features, Starts};
use crate::{Machine, Pool, PoolError, Route, Service};

/// The first step of a launch: how the pools of a pipeline fit together. Pools are numbered in the
/// order of the pipeline.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each pool the targets of its routes, in the order of the routes.
    pub(crate) targets: Vec<Vec<usize>>,
    /// The strongly connected components of the graph of routes: the pools of one can all reach
    /// each other, and so drain together. Each pool is in one. Callers come before those that they
    /// call.
    pub(crate) drain_groups: Vec<Vec<usize>>,
    /// The steps of a drain: the pools of one step drain at the same time.
    pub(crate) drain_order: Vec<Vec<usize>>,
}

/// The way into a pool from other pools: with a job or with a connection, and the type by which the
/// routes of the other pools name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryType {
    pub(crate) kind: RouteKind,
    pub(crate) target: TypeId,
}

impl EntryType {
    pub(crate) fn jobs_of<S: Service>() -> Self {
        Self { kind: RouteKind::Call, target: TypeId::of::<S>() }
    }

    pub(crate) fn connections_of<M: Machine>() -> Self {
        Self { kind: RouteKind::HandOff, target: TypeId::of::<M>() }
    }
}

impl Plan {
    /// Finds the target of each route, and checks that no pools could wait for each other for ever.
    pub(crate) fn new(pools: &[Pool]) -> Result<Self, PoolError> {
        check_names(pools)?;
        let targets: Vec<Vec<usize>> =
            pools.iter().map(|pool| targets_of(pool, pools)).collect::<Result<_, _>>()?;
        check_ways_in(pools, &targets)?;
        check_waits(pools, &targets)?;
        let drain_groups = drain_groups(&targets);
        let drain_order = drain_order(&drain_groups, &targets);
        Ok(Self { targets, drain_groups, drain_order })
    }
}

/// Returns the pools that accept the jobs or connections of a route, with their numbers. A pipeline
/// that fits together has one for each route.
pub(super) fn acceptors<'a>(
    pools: &'a [Pool],
    route: &'a Route,
) -> impl Iterator<Item = (usize, &'a Pool)> {
    let wanted = EntryType { kind: route.kind, target: route.target };
    pools.iter().enumerate().filter(move |(_, pool)| pool.entry_type == wanted)
}

fn check_names(pools: &[Pool]) -> Result<(), PoolError> {
    for (index, pool) in pools.iter().enumerate() {
        let name = &pool.name;
        if name.contains('\0') {
            // The system's name of a thread ends there.
            return Err(unfit(format!(
                "the name {name:?} of a pool has a NUL byte, and its threads could not have it; \
                 leave that out"
            )));
        }
        if pools[..index].iter().any(|other| other.name == *name) {
            return Err(unfit(format!(
                "two pools are called `{name}`; give one of them another name"
            )));
        }
    }
    Ok(())
}

fn targets_of(pool: &Pool, pools: &[Pool]) -> Result<Vec<usize>, PoolError> {
    pool.routes.iter().map(|route| target_of(route, pool, pools)).collect()
}

fn target_of(route: &Route, pool: &Pool, pools: &[Pool]) -> Result<usize, PoolError> {
    let found: Vec<(usize, &Pool)> = acceptors(pools, route).collect();
    let (name, state, target) = (&pool.name, route.state, short(route.target_name));
    let does = match route.kind {
        RouteKind::Call => "calls",
        RouteKind::HandOff => "hands its connection over to",
    };
    match found[..] {
        [(_, other)]
            if route.kind == RouteKind::HandOff && other.spec.uses(Features::DATAGRAMS) =>
        {
            Err(unfit(format!(
                "state `{state}` of the pool `{name}` hands its connection over to the pool `{}`, whose \
                 machine reads datagrams; hand it over to one that reads a stream",
                other.name
            )))
        }
        [(_, other)] if route.kind == RouteKind::HandOff && !pool.can_hand_over_to(other) => {
            Err(unfit(if let Carries::Layer(_, layer) = pool.carries {
                format!(
                    "state `{state}` of the pool `{name}` hands connections with the layer `{}` over to the pool \
                     `{}`, which cannot go on with it; give that one the same `layer(..)`",
                    short(layer),
                    other.name
                )
            } else {
                format!(
                    "state `{state}` of the pool `{name}` hands encrypted connections over to the pool `{}`, \
                     which cannot decrypt them; give that one `tls(..)`, too",
                    other.name
                )
            }))
        }
        [(index, _)] => Ok(index),
        [] => Err(unfit(format!(
            "state `{state}` of the pool `{name}` {does} `{target}`, and no pool is one; \
             add it to the `Pipeline`"
        ))),
        [(_, first), (_, second), ..] => Err(unfit(format!(
            "state `{state}` of the pool `{name}` {does} `{target}`, and the pools `{}` and `{}` \
             both are one; leave one of them out, or give it a service of its own",
            first.name, second.name
        ))),
    }
}

/// Refuses a pool of connections that none can ever come to.
fn check_ways_in(pools: &[Pool], targets: &[Vec<usize>]) -> Result<(), PoolError> {
    let is_closed = |(index, pool): &(usize, &Pool)| {
        pool.entry_type.kind == RouteKind::HandOff
            && !pool.is_open
            && !targets.iter().any(|targets| targets.contains(index))
    };
    let Some((_, pool)) = pools.iter().enumerate().find(is_closed) else { return Ok(()) };
    let remedy = match pool.spec.starts {
        Starts::Seed => "add a pool with `#[handoff(..)]` to it to the `Pipeline`",
        _ => "add `.listen(..)` or `.connect(..)`",
    };
    Err(unfit(format!(
        "no connection can come to the pool `{}`: it has no address, no other pool hands one over to it, and \
         nobody has its `handle()`; {remedy}",
        pool.name
    )))
}

/// Refuses a cycle of pools in which each may wait for room in the next one.
fn check_waits(pools: &[Pool], targets: &[Vec<usize>]) -> Result<(), PoolError> {
    let waits: Vec<Vec<RoomWait<'_>>> = pools
        .iter()
        .enumerate()
        .map(|(from, pool)| {
            let routes =
                pool.routes.iter().zip(&targets[from]).filter(|(route, _)| route.waits_for_room);
            routes.map(|(route, to)| RoomWait { from, to: *to, state: route.state }).collect()
        })
        .collect();
    let Some(cycle) = (0..pools.len()).find_map(|start| shortest_cycle(start, &waits)) else {
        return Ok(());
    };
    let mut path = Vec::new();
    let mut states = Vec::new();
    for wait in &cycle {
        let name = &pools[wait.from].name;
        path.push(format!("`{name}`"));
        states.push(format!("`{}` of `{name}`", wait.state));
    }
    // The path ends where it has begun.
    path.extend(path.first().cloned());
    Err(unfit(format!(
        "the pools {} wait for room in each other, and could do so for ever; add `full => State` \
         to {}",
        path.join(" -> "),
        states.join(" or "),
    )))
}

/// A route whose state waits while the target has no room.
#[derive(Clone, Copy)]
struct RoomWait<'a> {
    from: usize,
    to: usize,
    state: &'a str,
}

/// Finds a shortest cycle through `start`, by a breadth-first search.
fn shortest_cycle<'a>(start: usize, waits: &[Vec<RoomWait<'a>>]) -> Option<Vec<RoomWait<'a>>> {
    let mut reached_by: Vec<Option<RoomWait<'a>>> = vec![None; waits.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(pool) = queue.pop_front() {
        for wait in &waits[pool] {
            if reached_by[wait.to].is_none() {
                reached_by[wait.to] = Some(*wait);
                queue.push_back(wait.to);
            }
        }
    }
    let mut cycle = vec![reached_by[start]?];
    while cycle[cycle.len() - 1].from != start {
        cycle.push(reached_by[cycle[cycle.len() - 1].from]?);
    }
    cycle.reverse();
    Some(cycle)
}

/// Finds the strongly connected components, callers before those that they call.
fn drain_groups(targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let reachable: Vec<Vec<bool>> = (0..targets.len()).map(|pool| reach(pool, targets)).collect();
    let together = |a: usize, b: usize| a == b || (reachable[a][b] && reachable[b][a]);
    let mut left: Vec<usize> = (0..targets.len()).collect();
    let mut groups = Vec::new();
    // The components form no cycle, so there is always one that none of the others leads to.
    while let Some(first) = left
        .iter()
        .copied()
        .find(|pool| left.iter().all(|other| together(*pool, *other) || !reachable[*other][*pool]))
    {
        let (group, others) = left.into_iter().partition(|pool| together(first, *pool));
        groups.push(group);
        left = others;
    }
    groups
}

/// Returns for each pool whether `start` leads to it, by one route or more.
fn reach(start: usize, targets: &[Vec<usize>]) -> Vec<bool> {
    let mut reached = vec![false; targets.len()];
    let mut open = vec![start];
    while let Some(pool) = open.pop() {
        for target in &targets[pool] {
            if !std::mem::replace(&mut reached[*target], true) {
                open.push(*target);
            }
        }
    }
    reached
}

/// Puts each group into the step after the last one of those that lead to it.
fn drain_order(groups: &[Vec<usize>], targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut steps: Vec<Vec<usize>> = Vec::new();
    let mut step_of = vec![0; targets.len()];
    for group in groups {
        let leads_here = |pool: &usize| targets[*pool].iter().any(|target| group.contains(target));
        // The groups that lead here come before this one, so they have their steps.
        let others = (0..targets.len()).filter(|pool| !group.contains(pool));
        let step = others.filter(leads_here).map(|pool| step_of[pool] + 1).max().unwrap_or(0);
        for pool in group {
            step_of[*pool] = step;
        }
        if steps.len() <= step {
            steps.resize_with(step + 1, Vec::new);
        }
        steps[step].extend(group);
    }
    steps
}

fn unfit(why: String) -> PoolError {
    PoolError::Pipeline { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x11_pools_drain_after_all_that_lead_to_them() {
        for (targets, expected_groups, expected_order) in [
            (
                vec![vec![1], vec![2], vec![]],
                vec![vec![0], vec![1], vec![2]],
                vec![vec![0], vec![1], vec![2]],
            ),
            // Two fronts drain together, and so do those that both call.
            (
                vec![vec![2, 3], vec![2], vec![], vec![]],
                vec![vec![0], vec![1], vec![2], vec![3]],
                vec![vec![0, 1], vec![2, 3]],
            ),
            // The second and the third lead to each other.
            (
                vec![vec![1], vec![2], vec![1, 3], vec![]],
                vec![vec![0], vec![1, 2], vec![3]],
                vec![vec![0], vec![1, 2], vec![3]],
            ),
            (vec![vec![0]], vec![vec![0]], vec![vec![0]]),
        ] {
            let groups = drain_groups(&targets);
            assert_eq!(groups, expected_groups);
            assert_eq!(drain_order(&groups, &targets), expected_order);
        }
    }

    #[test]
    fn the_shortest_cycle_is_found_and_none_where_there_is_none() {
        let wait = |from, to| RoomWait { from, to, state: "Waits" };
        let path = |waits: &[Vec<RoomWait<'_>>]| {
            shortest_cycle(0, waits).map(|cycle| cycle.iter().map(|wait| wait.from).collect())
        };
        let line = [vec![wait(0, 1)], vec![wait(1, 2)], vec![]];
        assert_eq!(path(&line), None::<Vec<usize>>);
        let long_and_short = [vec![wait(0, 1), wait(0, 2)], vec![wait(1, 2)], vec![wait(2, 0)]];
        assert_eq!(path(&long_and_short), Some(vec![0, 2]));
        assert_eq!(path(&[vec![wait(0, 0)]]), Some(vec![0]));
    }
}
