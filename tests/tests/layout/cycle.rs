//! Circles in which modules use each other.

use std::collections::BTreeMap;

use crate::sources::{Module, Reference};

/// For each module, what it uses of those beside it, and one place where it does.
type Uses<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

/// Finds a circle among the modules of each parent in the crate of that name, and says where it comes from.
///
/// A use inside a child module counts as a use by its parent, so only sibling modules are compared: a module
/// and its children may use each other.
pub(crate) fn among_siblings(name: &str, references: &[Reference]) -> Vec<String> {
    let mut parents: BTreeMap<Module, Uses<'_>> = BTreeMap::new();
    for Reference { place, from, to } in references {
        let common = from.iter().zip(to).take_while(|(from, to)| from == to).count();
        if let (Some(user), Some(used)) = (from.get(common), to.get(common)) {
            let uses = parents.entry(from[..common].to_vec()).or_default();
            uses.entry(user).or_default().entry(used).or_insert(place);
        }
    }
    let found = parents.iter().filter_map(|(parent, uses)| {
        let cycle = shortest(uses)?;
        let inside = [&[name.to_owned()], parent.as_slice()].concat().join("::");
        let steps = (0..cycle.len()).map(|at| {
            let (module, next) = (cycle[at], cycle[(at + 1) % cycle.len()]);
            format!("    `{module}` uses `{next}` in {}", uses[module][next])
        });
        let steps: Vec<String> = steps.collect();
        Some(format!(
            "modules of `{inside}` use each other; move what both need into a module that both use:\n{}",
            steps.join("\n")
        ))
    });
    found.collect()
}

/// The shortest circle.
fn shortest<'a>(uses: &Uses<'a>) -> Option<Vec<&'a str>> {
    let back_to = |start: &'a str| {
        let mut ways = vec![vec![start]];
        let mut seen = vec![start];
        while !ways.is_empty() {
            let mut further = Vec::new();
            for way in ways {
                let last = way[way.len() - 1];
                for next in uses.get(last).into_iter().flat_map(BTreeMap::keys).copied() {
                    if next == start {
                        return Some(way);
                    }
                    if !seen.contains(&next) {
                        seen.push(next);
                        further.push([way.as_slice(), &[next]].concat());
                    }
                }
            }
            ways = further;
        }
        None
    };
    uses.keys().copied().filter_map(back_to).min_by_key(Vec::len)
}
