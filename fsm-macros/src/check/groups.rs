use std::collections::{HashMap, HashSet};

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::ast::{self, StateGroup};
use crate::code::Code;
use crate::errors::Errors;
use crate::graph::NamedState;
use crate::spelling;

/// The named groups of a machine.
pub(crate) struct Groups<'a> {
    machine: &'a ast::Machine,
    /// By name, without `r#`: a state hides a group of the same name, and the first of two hides
    /// the second.
    names: HashMap<String, Resolved>,
}

/// The meaning of a name, by index.
#[derive(Clone, Copy)]
pub(crate) enum Resolved {
    State(usize),
    Group(usize),
    Nothing,
}

impl<'a> Groups<'a> {
    pub(crate) fn new(machine: &'a ast::Machine, errors: &mut Errors) -> Self {
        let mut names = HashMap::new();
        for (index, group) in machine.args.groups.iter().enumerate().rev() {
            names.insert(group.name.unraw().to_string(), Resolved::Group(index));
        }
        for (index, state) in machine.states.iter().enumerate().rev() {
            names.insert(state.name.unraw().to_string(), Resolved::State(index));
        }
        let groups = Self { machine, names };
        for (index, group) in machine.args.groups.iter().enumerate() {
            groups.check(index, group, errors);
        }
        groups
    }

    pub(crate) fn find(&self, name: &Ident) -> Resolved {
        self.names.get(&name.unraw().to_string()).copied().unwrap_or(Resolved::Nothing)
    }

    /// The group of which an unknown name is probably a typo, if no state is as near.
    pub(crate) fn meant(&self, name: &Ident) -> Option<&'a Ident> {
        let states: Vec<String> =
            self.machine.states.iter().map(|state| state.name.to_string()).collect();
        let mut known: Vec<&str> = states.iter().map(String::as_str).collect();
        let groups: Vec<String> =
            self.machine.args.groups.iter().map(|group| group.name.to_string()).collect();
        known.extend(groups.iter().map(String::as_str));
        let meant = spelling::nearest(&name.to_string(), &known)?;
        self.machine.args.groups.iter().map(|group| &group.name).find(|group| *group == meant)
    }

    /// The states of a group and of the groups in it, with the names that stand for them.
    pub(crate) fn flat(&self, group: usize) -> Vec<NamedState<'a>> {
        let mut states = Vec::new();
        self.collect(group, &mut Vec::new(), &mut states);
        states
    }

    fn collect(&self, group: usize, seen: &mut Vec<usize>, states: &mut Vec<NamedState<'a>>) {
        if seen.contains(&group) {
            return;
        }
        seen.push(group);
        for member in &self.machine.args.groups[group].members {
            match self.find(member) {
                Resolved::State(index) => states.push(NamedState { index, name: member }),
                Resolved::Group(inner) => self.collect(inner, seen, states),
                Resolved::Nothing => {}
            }
        }
    }

    fn check(&self, index: usize, group: &StateGroup, errors: &mut Errors) {
        let name = &group.name;
        if let Resolved::State(_) = self.find(name) {
            errors.at(
                Code::StateAndGroup,
                name,
                format_args!("`{name}` is a state and a group; rename the group"),
            );
            return;
        }
        for (at, member) in group.members.iter().enumerate() {
            if group.members[..at].contains(member) {
                errors.at(
                    Code::TargetTwice,
                    member,
                    format_args!("`{member}` is named twice; remove one"),
                );
            }
        }
        if let Some(member) = self.link_to_itself(index) {
            errors.at(
                Code::GroupInItself,
                member,
                format_args!("the group `{name}` contains itself; remove `{member}`"),
            );
        }
    }

    /// The member of `group` through which it contains itself.
    fn link_to_itself(&self, group: usize) -> Option<&'a Ident> {
        self.machine.args.groups[group].members.iter().find(|member| match self.find(member) {
            Resolved::Group(inner) => {
                let mut seen = Vec::new();
                self.collect(inner, &mut seen, &mut Vec::new());
                seen.contains(&group)
            }
            _ => false,
        })
    }
}

/// Adds the groups that nothing uses.
pub(crate) fn unused(machine: &ast::Machine, errors: &mut Errors) {
    let targets = machine.states.iter().flat_map(|state| &state.to).flat_map(|to| &to.targets);
    let members = machine.args.groups.iter().flat_map(|group| &group.members);
    let budgets = machine.args.budgets.iter().map(|budget| &budget.group);
    let used: HashSet<Ident> = targets.chain(members).chain(budgets).map(Ident::unraw).collect();
    for group in &machine.args.groups {
        let name = &group.name;
        if !used.contains(&name.unraw()) {
            errors.at(
                Code::GroupUnused,
                name,
                format_args!("no `to(..)` uses the group `{name}`; remove it"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;

    #[test]
    fn groups_stand_for_states() {
        let states = "#[run] #[to(All)] A, #[run] #[to(C)] B, #[end] C";
        table(&[
            ("start = A, All = B | C", states, &[]),
            ("start = A, All = Some, Some = B | C", states, &[]),
            ("start = A, All = Some | B, Some = B | C", states, &[]),
            (
                "start = A, All = B | Some, Some = All",
                states,
                &[
                    "the group `All` contains itself; remove `Some`",
                    "the group `Some` contains itself; remove `All`",
                ],
            ),
            (
                "start = A, All = B | C, B = C",
                states,
                &["`B` is a state and a group; rename the group"],
            ),
            ("start = A, All = B | C | C", states, &["`C` is named twice; remove one"]),
            (
                "start = A, All = B | C, Few = C",
                states,
                &["no `to(..)` uses the group `Few`; remove it"],
            ),
            ("start = r#A, r#All = B | r#C", states, &[]),
            ("start = A, All = B | D", states, &[]),
            ("start = A, Alle = B | C", states, &["unknown group `All`; did you mean `Alle`?"]),
            ("start = All, All = B | C", states, &["`All` is a group; name one state"]),
        ]);
    }
}
