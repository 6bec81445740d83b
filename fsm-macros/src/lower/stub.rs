use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;

use super::interface::{handler, message, outline, verdict};
use crate::ast::{self, Event};
use crate::graph::Graph;
use crate::model::{Body, Handler, Interface, Verdict};

/// The module of a machine that is not sound, such that code that uses it compiles: every method
/// has a body, every verdict exists, and an unknown type has the size `unknown_size`.
pub(crate) fn stub(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    unknown_size: TokenStream,
) -> Option<Interface> {
    let targets = Targets::new(machine, graph);
    let fails = |index| graph.on(index, Event::Error).is_some();
    let some_fail = (0..machine.states.len()).any(fails);
    let mut handlers: Vec<Handler> = Vec::new();
    for (index, state) in machine.states.iter().enumerate() {
        if state.is_end() || state.is_handoff() {
            continue;
        }
        let mut verdicts: Vec<Verdict> = Vec::new();
        for target in targets.of(index) {
            let other = &machine.states[target];
            if verdicts.iter().all(|verdict| verdict.name != other.name) {
                verdicts.push(verdict(machine, graph, index, target, &other.name));
            }
        }
        let Some(mut handler) = handler(machine, state, verdicts) else { continue };
        handler.body = Body::Stub;
        handler.fails = machine.args.error.is_some() && (fails(index) || !some_fail);
        handlers.push(handler);
    }
    let (mut names, mut enums) = (HashSet::new(), HashSet::new());
    handlers.retain(|handler| {
        names.insert(handler.name.unraw()) && enums.insert(handler.after.clone())
    });
    for handler in &mut handlers {
        handler.beside.retain(|method| names.insert(method.name.unraw()));
    }
    let mut interface = outline(machine, handlers)?;
    interface.decoders.clear();
    interface.moves = false;
    interface.message = message(machine);
    interface.unknown_size = Some(unknown_size);
    Some(interface)
}

/// The targets of states, as far as they could be read.
struct Targets<'a> {
    machine: &'a ast::Machine,
    graph: &'a Graph<'a>,
    /// All states, and the groups whose members are known, without `r#`.
    known: HashSet<Ident>,
    /// Whether a state with unreadable targets has verdicts for all states. With very many of these
    /// the compilation would take too long.
    anywhere: bool,
}

impl<'a> Targets<'a> {
    fn new(machine: &'a ast::Machine, graph: &'a Graph<'a>) -> Self {
        const MOST: usize = 10_000;
        let states = machine.states.iter().map(|state| state.name.unraw());
        let mut known: HashSet<Ident> = states.collect();
        let names: HashSet<Ident> = known
            .iter()
            .cloned()
            .chain(machine.args.groups.iter().map(|group| group.name.unraw()))
            .collect();
        for group in &machine.args.groups {
            if group.members.iter().all(|member| names.contains(&member.unraw())) {
                known.insert(group.name.unraw());
            }
        }
        let mut targets = Self { machine, graph, known, anywhere: true };
        let unread = machine.states.iter().filter(|state| !targets.are_read(state)).count();
        targets.anywhere = unread * machine.states.len() <= MOST;
        targets
    }

    fn are_read(&self, state: &ast::State) -> bool {
        let is_known = |name: &Ident| self.known.contains(&name.unraw());
        let named = state.to.as_ref().is_some_and(|to| to.targets.iter().all(is_known));
        named && !state.incomplete
    }

    fn of(&self, index: usize) -> Vec<usize> {
        if self.anywhere && !self.are_read(&self.machine.states[index]) {
            return (0..self.machine.states.len()).collect();
        }
        self.graph.verdicts(index).map(|edge| edge.target).collect()
    }
}
