use std::collections::HashMap;

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::groups::{Groups, Resolved};
use crate::ast;
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::{Edge, Graph, NamedState, event_edges, other_edges};
use crate::spelling;

/// Looks up the names in attributes.
pub(crate) fn resolve<'a>(machine: &'a ast::Machine, errors: &mut Errors) -> Graph<'a> {
    let groups = Groups::new(machine, errors);
    let mut resolver = Resolver { machine, groups, unknown: Vec::new(), misnamed: false };
    let start = resolver.start(errors);
    let edges: Vec<_> =
        (0..machine.states.len()).map(|state| resolver.edges(state, errors)).collect();
    resolver.rest(errors);
    let Resolver { unknown, misnamed, .. } = resolver;
    let duplicates = handlers(machine, errors);
    let mut graph = Graph::new(start, edges);
    graph.find_busy(machine);
    (graph.unknown, graph.misnamed, graph.duplicates) = (unknown, misnamed, duplicates);
    graph
}

struct Resolver<'a> {
    machine: &'a ast::Machine,
    groups: Groups<'a>,
    unknown: Vec<&'a Ident>,
    misnamed: bool,
}

impl<'a> Resolver<'a> {
    fn start(&mut self, errors: &mut Errors) -> Option<NamedState<'a>> {
        let args = &self.machine.args;
        if args.start.is_none() && !args.incomplete {
            let text = "nothing says where the machine starts; \
                        add `start = State` to `#[state_machine(..)]`";
            errors.at(Code::NoStart, &self.machine.name, text);
        }
        let name = args.start.as_ref()?;
        Some(NamedState { index: self.one(name, errors)?, name })
    }

    fn edges(&mut self, state: usize, errors: &mut Errors) -> Vec<Edge<'a>> {
        let machine = self.machine;
        let mut edges: Vec<Edge<'a>> = Vec::new();
        let written = machine.states[state].to.iter().flat_map(|to| &to.targets);
        let mut before: Vec<&Ident> = Vec::new();
        for name in written {
            if before.contains(&name) {
                errors.at(
                    Code::TargetTwice,
                    name,
                    format_args!("`{name}` is named twice; remove one"),
                );
                continue;
            }
            before.push(name);
            for NamedState { index: target, name } in self.all(name, errors) {
                // Groups may overlap.
                if edges.iter().all(|edge| edge.target != target) {
                    edges.push(Edge { target, name, declared: None, other: false });
                }
            }
        }
        let main = event_edges(machine, state).into_iter().map(|declared| (declared, false));
        let others = other_edges(machine, state).into_iter().map(|declared| (declared, true));
        for (declared, other) in main.chain(others) {
            if let Resolved::State(target) = self.groups.find(&declared.target) {
                let name = &declared.target;
                edges.push(Edge { target, name, declared: Some(declared), other });
            }
        }
        edges
    }

    /// Looks up every name that stands for one state, once, whether or not it makes an edge.
    fn rest(&mut self, errors: &mut Errors) {
        let machine = self.machine;
        let waits = machine.states.iter().flat_map(|state| &state.waits);
        let edges = waits.flat_map(|wait| &wait.edges.events);
        let rests = machine.states.iter().flat_map(|state| &state.rest_edges.events);
        let budgets = &machine.args.budgets;
        let of_budgets = budgets.iter().map(|budget| &budget.edge);
        let defaults = machine.args.defaults.events.iter();
        for edge in defaults.chain(of_budgets).chain(edges).chain(rests) {
            self.one(&edge.target, errors);
        }
        for budget in budgets {
            self.known(&budget.group, errors);
        }
        for member in machine.args.groups.iter().flat_map(|group| &group.members) {
            self.known(member, errors);
        }
    }

    /// The state that `name` stands for.
    fn one(&mut self, name: &'a Ident, errors: &mut Errors) -> Option<usize> {
        match self.known(name, errors) {
            Resolved::State(state) => Some(state),
            Resolved::Group(_) => {
                errors.at(
                    Code::GroupForState,
                    name,
                    format_args!("`{name}` is a group; name one state"),
                );
                self.misnamed = true;
                None
            }
            Resolved::Nothing => None,
        }
    }

    /// The states that `name` stands for, each with the name that stands for it.
    fn all(&mut self, name: &'a Ident, errors: &mut Errors) -> Vec<NamedState<'a>> {
        match self.known(name, errors) {
            Resolved::State(index) => vec![NamedState { index, name }],
            Resolved::Group(group) => self.groups.flat(group),
            Resolved::Nothing => Vec::new(),
        }
    }

    fn known(&mut self, name: &'a Ident, errors: &mut Errors) -> Resolved {
        let found = self.groups.find(name);
        if matches!(found, Resolved::Nothing) {
            let mut conditional = self.machine.conditional.iter();
            if let Some(state) = conditional.find(|it| it.name.unraw() == name.unraw()) {
                let condition = &state.condition;
                let text = format!(
                    "`{name}` exists only under `cfg({condition})`; put this attribute under \
                     `#[cfg_attr({condition}, ..)]`, and one without `{name}` under \
                     `#[cfg_attr(not({condition}), ..)]`"
                );
                errors.at(Code::Conditional, name, text);
                self.misnamed = true;
                return found;
            }
            match self.groups.meant(name) {
                Some(group) => {
                    let text = format!("unknown group `{name}`; did you mean `{group}`?");
                    errors.at(Code::UnknownGroup, name, text);
                    self.misnamed = true;
                }
                None => self.unknown.push(name),
            }
        }
        found
    }
}

/// Checks that each state can have a handler of its own, and returns whether two have the same
/// name.
fn handlers(machine: &ast::Machine, errors: &mut Errors) -> bool {
    let mut owners: HashMap<String, &Ident> = HashMap::new();
    let mut duplicates = false;
    for state in &machine.states {
        let name = &state.name;
        let handler = spelling::snake_case(name);
        if spelling::identifier(&handler, name.span()).is_none() {
            errors.at(
                Code::NoHandlerName,
                name,
                format_args!(
                    "no handler can be called `{handler}`; give state `{name}` another name"
                ),
            );
        }
        match owners.get(&handler) {
            Some(owner) if owner.unraw() == name.unraw() => duplicates = true,
            Some(owner) => errors.at(Code::SharedHandler, name, shared(owner, name, &handler)),
            None => {
                owners.insert(handler, name);
            }
        }
    }
    for state in &machine.states {
        for wait in state.beside() {
            let handler = format!("{}_{}", spelling::snake_case(&state.name), wait.suffix());
            if let Some(owner) = owners.get(&handler) {
                errors.at(Code::SharedHandler, *owner, shared(&state.name, owner, &handler));
            }
        }
    }
    if let Some(module) = machine.args.module.as_ref().filter(|module| **module == machine.name) {
        let text = format!(
            "the module cannot have the name of the enum; write `module = {}`",
            spelling::snake_case(module)
        );
        errors.at(Code::NoHandlerName, module, text);
    }
    let module = spelling::snake_case(&machine.name);
    if machine.args.module.is_none() && spelling::identifier(&module, machine.name.span()).is_none()
    {
        let text = format!("no module can be called `{module}`; add `module = name`");
        errors.at(Code::NoHandlerName, &machine.name, text);
    }
    duplicates
}

fn shared(owner: &Ident, name: &Ident, handler: &str) -> String {
    format!("states `{owner}` and `{name}` would share the handler `{handler}`; rename one")
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn names_that_clash() {
        table(&[
            (
                "eof => B",
                "#[read(some, max = 1, within = never)] #[to(A)] A, #[end] B",
                &["nothing says where the machine starts; \
                   add `start = State` to `#[state_machine(..)]`"],
            ),
            (
                "start = TooLong",
                "#[run] #[to(Too_Long)] TooLong, #[run] #[to(B)] Too_Long, #[end] B",
                &["states `TooLong` and `Too_Long` would share the handler `too_long`; rename one"],
            ),
            (
                "start = A, module = M",
                "#[run] #[to(B)] A, #[end] B",
                &["the module cannot have the name of the enum; write `module = m`"],
            ),
            (
                "start = Super",
                "#[run] #[to(B)] Super, #[end] B",
                &["no handler can be called `super`; give state `Super` another name"],
            ),
            ("start = A", "#[run] #[to(B | B)] A, #[end] B", &["`B` is named twice; remove one"]),
        ]);
    }

    #[test]
    fn unknown_names_are_left_to_rustc() {
        table(&[
            ("start = A, eof => Gon", "#[run] #[to(Bb)] A, #[end] B", &[]),
            ("start = Aa", "#[run] #[to(B)] A, #[end] B", &[]),
            ("start = A", "#[run] #[to(B)] A, #[run] #[to(B)] r#A, #[end] B", &[]),
        ]);
    }
}
