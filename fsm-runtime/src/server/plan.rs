use crate::machine::route::RouteKind;
use crate::server::type_name::short;
use crate::{Pool, PoolError, Route};

/// How the pools of a process fit together.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each pool the pools that its routes lead to, by number.
    pub(crate) targets: Vec<Vec<usize>>,
    /// The pools that lead to each other, each pool in one circle: those that lead to others first.
    pub(crate) cycles: Vec<Vec<usize>>,
    /// The order in which the pools are drained, those of one step together.
    pub(crate) order: Vec<Vec<usize>>,
}

impl Plan {
    pub(crate) fn new(pools: &[Pool]) -> Result<Self, PoolError> {
        names(pools)?;
        let mut targets = Vec::new();
        for pool in pools {
            let found: Result<Vec<usize>, PoolError> =
                pool.routes.iter().map(|route| target(pools, pool, route)).collect();
            targets.push(found?);
        }
        parks(pools, &targets)?;
        let cycles = cycles(&targets);
        let order = steps(&cycles, &targets);
        Ok(Self { targets, cycles, order })
    }
}

fn wrong<T>(why: String) -> Result<T, PoolError> {
    Err(PoolError::Pipeline { why })
}

fn names(pools: &[Pool]) -> Result<(), PoolError> {
    for (index, pool) in pools.iter().enumerate() {
        if pools[..index].iter().any(|other| other.name == pool.name) {
            return wrong(format!(
                "two pools are called `{}`; give one of them another name",
                pool.name
            ));
        }
    }
    Ok(())
}

pub(super) fn takers<'a>(
    pools: &'a [Pool],
    route: &'a Route,
) -> impl Iterator<Item = (usize, &'a Pool)> {
    let takes = |pool: &Pool| pool.takes.kind == route.kind && pool.takes.target == route.target;
    pools.iter().enumerate().filter(move |(_, pool)| takes(pool))
}

fn target(pools: &[Pool], pool: &Pool, route: &Route) -> Result<usize, PoolError> {
    let found: Vec<(usize, &Pool)> = takers(pools, route).collect();
    let (name, state, target) = (&pool.name, route.state, short(route.target_name));
    let does = match route.kind {
        RouteKind::Call => "calls",
        RouteKind::HandOff => "hands its connection over to",
    };
    match found[..] {
        [(index, _)] => Ok(index),
        [] => wrong(format!(
            "state `{state}` of the pool `{name}` {does} `{target}`, and no pool is one; \
             add it to the `Pipeline`"
        )),
        [(_, first), (_, second), ..] => wrong(format!(
            "state `{state}` of the pool `{name}` {does} `{target}`, and the pools `{}` and `{}` \
             both are one; leave one of them out, or give it a service of its own",
            first.name, second.name
        )),
    }
}

/// Refuses a cycle of pools in which each waits for room in the next one.
fn parks(pools: &[Pool], targets: &[Vec<usize>]) -> Result<(), PoolError> {
    let driver = |pool: usize| {
        let routes = pools[pool].routes.iter().zip(&targets[pool]);
        routes.filter(|(route, _)| route.parks).map(|(route, target)| (*target, route.state))
    };
    for start in 0..pools.len() {
        // A shortest way back.
        let mut came: Vec<Option<(usize, &str)>> = vec![None; pools.len()];
        let mut open = std::collections::VecDeque::from([start]);
        while let Some(pool) = open.pop_front() {
            for (target, state) in driver(pool) {
                if came[target].is_none() {
                    came[target] = Some((pool, state));
                    open.push_back(target);
                }
            }
        }
        if came[start].is_none() {
            continue;
        }
        let (mut way, mut states, mut at) = (vec![start], Vec::new(), start);
        while let Some((from, state)) = came[at] {
            way.push(from);
            states.push(format!("`{state}` of `{}`", pools[from].name));
            at = from;
            if at == start {
                break;
            }
        }
        way.reverse();
        states.reverse();
        let way: Vec<String> = way.iter().map(|pool| format!("`{}`", pools[*pool].name)).collect();
        return wrong(format!(
            "the pools {} wait for room in each other, and could do so for ever; add `full => State` \
             to {}",
            way.join(" -> "),
            states.join(" or "),
        ));
    }
    Ok(())
}

/// Each circle as soon as all are through that lead to it.
fn steps(cycles: &[Vec<usize>], targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut steps: Vec<Vec<usize>> = Vec::new();
    let mut step_of = vec![0; targets.len()];
    for cycle in cycles {
        let leads = |pool: &usize| targets[*pool].iter().any(|target| cycle.contains(target));
        let others = (0..targets.len()).filter(|pool| !cycle.contains(pool));
        // Those that lead to it come before it, and have their steps.
        let step = others.filter(leads).map(|pool| step_of[pool] + 1).max().unwrap_or(0);
        for pool in cycle {
            step_of[*pool] = step;
        }
        if steps.len() <= step {
            steps.resize_with(step + 1, Vec::new);
        }
        steps[step].extend(cycle);
    }
    steps
}

/// Pools before those that they lead to; those that lead to each other together.
fn cycles(targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let reach: Vec<Vec<bool>> = (0..targets.len())
        .map(|start| {
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
        })
        .collect();
    let mut left: Vec<usize> = (0..targets.len()).collect();
    let mut cycles = Vec::new();
    while !left.is_empty() {
        let together = |a: usize, b: usize| a == b || (reach[a][b] && reach[b][a]);
        // Nobody outside of its circle leads to it; there is one, since circles make no cycle.
        let first = left
            .iter()
            .copied()
            .find(|pool| left.iter().all(|other| together(*pool, *other) || !reach[*other][*pool]));
        let Some(first) = first else { break };
        let (cycle, others) = left.iter().copied().partition(|pool| together(first, *pool));
        cycles.push(cycle);
        left = others;
    }
    cycles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x11_pools_drain_after_all_that_lead_to_them() {
        for (targets, circles_expected, steps_expected) in [
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
            let found = cycles(&targets);
            assert_eq!(found, circles_expected);
            assert_eq!(steps(&found, &targets), steps_expected);
        }
    }
}
