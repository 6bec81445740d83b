//! Finds what a zone knows of a name (RFC 1034, section 4.3.2).

use domain::base::Rtype;

use crate::names::Labels;
use crate::zone::{Node, RecordSet, Zone};

/// The answer of a zone for a name.
pub(crate) enum Found<'a> {
    /// It is not in the zone.
    Outside,
    /// It is here, or a wildcard stands for it.
    Node(&'a Node),
    /// Other servers know it: those of the name that begins at this place.
    Elsewhere(usize, &'a RecordSet),
    /// It does not exist.
    Nothing,
}

impl Zone {
    /// Finds a name. A question for `DS` is for the servers above the name.
    pub(crate) fn find<'a>(&'a self, name: &Labels, rtype: Rtype) -> Found<'a> {
        let lower = &name.lower;
        let mut starts = name.starts().rev().skip_while(|start| lower[*start..] != self.apex);
        if starts.next().is_none() {
            return Found::Outside;
        }
        let mut above = &self.apex[..];
        for start in starts {
            let Some(node) = self.nodes.get(&lower[start..]) else {
                return self.wildcard(above);
            };
            let is_asked_above = start == 0 && rtype == Rtype::DS;
            if let (Some(servers), false) = (node.set(Rtype::NS), is_asked_above) {
                return Found::Elsewhere(start, servers);
            }
            above = &lower[start..];
        }
        self.nodes.get(&lower[..]).map_or(Found::Nothing, Found::Node)
    }

    fn wildcard(&self, encloser: &[u8]) -> Found<'_> {
        let name = [b"\x01*", encloser].concat();
        self.nodes.get(&name).map_or(Found::Nothing, Found::Node)
    }

    /// The records of a name of this type, if it is in the zone or they are glue for a referral.
    pub(crate) fn addresses(&self, name: &[u8], rtype: Rtype) -> Option<&RecordSet> {
        self.nodes.get(name)?.set(rtype)
    }
}
