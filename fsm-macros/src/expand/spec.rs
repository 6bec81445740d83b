use std::fmt::Write;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;

use super::text::{Texts, parsed};
use crate::ast::Event;
use crate::model::{self, DiscardEnd, Read, Role, SpecEdge, Tick, Time};

/// The graph as a constant expression, for a scope where `__rt` is the runtime.
pub(crate) fn spec(machine: &model::Machine) -> TokenStream {
    let name = machine.interface.name.unraw().to_string();
    let (docs, start) = (&machine.docs, machine.start.index);
    let shared = Shared::of(machine);
    let (messages, starts) = (machine.interface.message.is_some(), machine.interface.starts());
    // The text names only items of the runtime, so that short names are safe.
    let mut text = String::from(
        "{
            use ::core::time::Duration;
            use __rt::{Edge, Trigger, Shape, Spec, Starts, State, Wait};
    ",
    );
    shared.constants(&mut text);
    let _ = write!(text, "&Spec::new({name:?}, &[");
    for (index, state) in machine.states.iter().enumerate() {
        let (name, waits) = (state.name.unraw().to_string(), shared.waits(index));
        let _ = write!(text, "State::new({name:?}, {waits})");
        if !state.docs.is_empty() {
            let _ = write!(text, ".with_docs({:?})", state.docs);
        }
        if !state.edges.is_empty() {
            let edges: Vec<String> = state.edges.iter().map(|edge| shared.edge(edge)).collect();
            let _ = write!(text, ".with_edges(&[{}])", edges.join(", "));
        }
        if state.rest {
            text.push_str(".at_rest()");
        }
        if state.keeps_place {
            text.push_str(".kept()");
        }
        if let Some(layout) = state.layout() {
            let _ = write!(text, ".with_layout({layout})");
        }
        if !state.fields.is_empty() {
            let _ = write!(text, ".with_fields({})", shared.fields(index));
        }
        text.push(',');
    }
    text.push_str("])");
    if !docs.is_empty() {
        let _ = write!(text, ".with_docs({docs:?})");
    }
    if start != 0 {
        let _ = write!(text, ".with_start({start})");
    }
    if messages {
        text.push_str(".with_messages()");
    }
    if machine.interface.moves {
        text.push_str(".with_moves()");
    }
    if starts != "Connection" {
        let _ = write!(text, ".with_starts(Starts::{starts})");
    }
    text.push('}');
    parsed(&text)
}

impl model::State {
    fn waits(&self) -> String {
        match &self.role {
            Role::End => "&[Wait::End]".to_owned(),
            Role::Active(active) => {
                let mut waits = format!("Wait::{}", active.wait.kind());
                if let Some(other) = &active.other {
                    let _ = write!(waits, ", Wait::{}", other.read.kind());
                }
                if active.message.is_some() {
                    waits.push_str(", Wait::Message");
                }
                if let Some(Tick { every, .. }) = &active.tick {
                    let millis = every.at_most();
                    let _ =
                        write!(waits, ", Wait::Tick {{ every: Duration::from_millis({millis}) }}");
                }
                format!("&[{waits}]")
            }
            Role::HandOff(handoff) => {
                format!("&[Wait::HandOff {{ pool: {:?} }}]", handoff.route.text)
            }
        }
    }

    fn has(&self) -> String {
        let fields: Vec<String> =
            self.fields.iter().map(|field| format!("{:?}", field.unraw().to_string())).collect();
        format!("&[{}]", fields.join(", "))
    }
}

impl model::Wait {
    fn kind(&self) -> String {
        match self {
            Self::Connect { .. } => "Connect".to_owned(),
            Self::Tls { name, .. } => {
                let text = name.as_ref().map_or("", |name| &name.text);
                format!("Tls {{ text: {text:?} }}")
            }
            Self::Relay(relay) => format!("Relay {{ text: {:?}, max: {} }}", relay.text, relay.max),
            Self::Read(read) => read.kind(),
            Self::Flush => "Flush".to_owned(),
            Self::Writable { below } => format!("Writable {{ below: {below} }}"),
            Self::Run { blocking } => format!("Run {{ blocking: {blocking} }}"),
            Self::Call(route) => format!("Call {{ pool: {:?} }}", route.text),
            Self::Sleep(time) => {
                format!("Sleep {{ at_most: Duration::from_millis({}) }}", time.at_most())
            }
            Self::Message { .. } => "Message".to_owned(),
            Self::Job { .. } => "Job".to_owned(),
            Self::Discard(discard) => {
                let shape = match discard.end {
                    DiscardEnd::After(_) => "Exact",
                    DiscardEnd::Delimiter(_) => "Until",
                };
                format!("Discard {{ shape: Shape::{shape}, text: {:?} }}", discard.text)
            }
            Self::Shutdown => "Shutdown".to_owned(),
        }
    }
}

impl Read {
    fn kind(&self) -> String {
        let shape = match self.shape {
            model::Shape::Exact(_) | model::Shape::ExactOf { .. } => "Exact",
            model::Shape::Peek(_) => "Peek",
            model::Shape::Until { .. } => "Until",
            model::Shape::Some { .. } => "Some",
            model::Shape::Upto { .. } => "Upto",
            model::Shape::Frame { .. } => "Frame",
            model::Shape::Datagram { .. } => "Datagram",
        };
        let (says, max) = (&self.text, self.shape.max());
        let kind = if self.other { "ReadOther" } else { "Read" };
        format!("{kind} {{ shape: Shape::{shape}, text: {says:?}, max: {max} }}")
    }
}

/// An edge as the graph has it, which several states may share.
struct EdgeKey {
    /// The event is one of the read of the other socket beside the main wait.
    other: bool,
    /// The variant of `Trigger`.
    trigger: &'static str,
    /// The time in milliseconds, as an expression.
    millis: Option<String>,
    target: usize,
}

impl SpecEdge {
    fn key(&self) -> EdgeKey {
        let Some((event, time)) = &self.on else {
            let target = self.target;
            return EdgeKey { other: false, trigger: "Verdict", millis: None, target };
        };
        let trigger = match event {
            Event::Within => "Within",
            Event::Idle => "Idle",
            Event::Begun => "Begun",
            Event::HalfClosed => "HalfClosed",
            Event::Eof => "Eof",
            Event::Limit => "Limit",
            Event::Refused => "Refused",
            Event::Error => "Error",
            Event::Full => "Full",
            Event::Gone => "Gone",
            Event::Drain => "Drain",
            Event::Budget => "Budget",
        };
        let millis = time.as_ref().map(Time::at_most);
        EdgeKey { other: self.other, trigger, millis, target: self.target }
    }
}

/// Parts that several states share, such as default edges. Each is a constant, because rustc then
/// checks it once.
struct Shared {
    /// The edges that are constants, and their names.
    edges: Vec<EdgeKey>,
    names: Texts,
    waits: Parts,
    fields: Parts,
}

/// A part of each state.
struct Parts {
    kind: &'static str,
    texts: Vec<String>,
    /// The first state that has a text.
    first: Texts,
    /// For each state the number of states that have its text, if it is the first of them.
    uses: Vec<usize>,
}

/// The number of uses from which a constant costs rustc less time than its repeated value.
const WORTHWHILE: usize = 4;

impl Shared {
    fn of(machine: &model::Machine) -> Self {
        let (mut known, mut uses) = (Texts::default(), Vec::new());
        let (mut edges, mut names) = (Vec::new(), Texts::default());
        for state in &machine.states {
            for edge in &state.edges {
                let key = edge.key();
                let name = key.name();
                let number = known.number(&name, uses.len());
                if number == uses.len() {
                    uses.push(0);
                }
                uses[number] += 1;
                if uses[number] == WORTHWHILE {
                    names.number(&name, edges.len());
                    edges.push(key);
                }
            }
        }
        let waits = Parts::new("WAITS", machine.states.iter().map(model::State::waits).collect());
        let fields = Parts::new("FIELDS", machine.states.iter().map(model::State::has).collect());
        Self { edges, names, waits, fields }
    }

    fn constants(&self, text: &mut String) {
        for key in &self.edges {
            let _ = write!(text, "const {}: Edge = {};", key.name(), key.literal());
        }
        self.waits.constants("&[Wait]", text);
        self.fields.constants("&[&str]", text);
    }

    fn waits(&self, state: usize) -> String {
        self.waits.of(state)
    }

    fn fields(&self, state: usize) -> String {
        self.fields.of(state)
    }

    fn edge(&self, edge: &SpecEdge) -> String {
        let key = edge.key();
        let name = key.name();
        if self.names.get(&name).is_some() { name } else { key.literal() }
    }
}

impl Parts {
    fn new(kind: &'static str, texts: Vec<String>) -> Self {
        let (mut first, mut uses) = (Texts::default(), vec![0; texts.len()]);
        for (state, text) in texts.iter().enumerate() {
            uses[first.number(text, state)] += 1;
        }
        Self { kind, texts, first, uses }
    }

    fn constants(&self, ty: &str, text: &mut String) {
        for (state, (value, uses)) in self.texts.iter().zip(&self.uses).enumerate() {
            if *uses >= WORTHWHILE {
                let _ = write!(text, "const {}_OF_{state}: {ty} = {value};", self.kind);
            }
        }
    }

    fn of(&self, state: usize) -> String {
        let text = &self.texts[state];
        match self.first.get(text) {
            Some(first) if self.uses[first] >= WORTHWHILE => format!("{}_OF_{first}", self.kind),
            _ => text.clone(),
        }
    }
}

impl EdgeKey {
    /// The name of the constant for the edge, such as `IDLE_60000_TO_3`.
    fn name(&self) -> String {
        let other = if self.other { "OTHER_" } else { "" };
        let (trigger, target) = (self.trigger.to_ascii_uppercase(), self.target);
        match &self.millis {
            Some(millis) => format!("{other}{trigger}_{millis}_TO_{target}"),
            None => format!("{other}{trigger}_TO_{target}"),
        }
    }

    fn literal(&self) -> String {
        let Self { trigger, target, .. } = self;
        let time = self.millis.as_ref().map(|millis| format!("(Duration::from_millis({millis}))"));
        let time = time.unwrap_or_default();
        let trigger = format!("Trigger::{trigger}{time}");
        let on = if self.other { format!("Trigger::Other(&{trigger})") } else { trigger };
        format!("Edge {{ on: {on}, target: {target} }}")
    }
}
