use super::*;
use crate::ast::Expr;
use crate::errors::Errors;

fn lowered(args: &str, states: &str) -> model::Machine {
    let mut errors = Errors::default();
    let item = format!("enum M {{ {states} }}");
    let machine = crate::parse::tests::machine(args, &item, &mut errors);
    let graph = crate::check::check(&machine, &mut errors);
    assert_eq!(errors.messages(), [""; 0]);
    lower(&machine, &graph).unwrap()
}

/// Each edge as `event target`, with how the target's fields are filled.
fn transitions<'a>(state: &'a model::State) -> Vec<String> {
    let timed = |event: &str, deadline: &'a Deadline| {
        (format!("{event} {}", deadline.time.at_most()), Some(&deadline.transition))
    };
    let mut transitions: Vec<(String, Option<&Transition>)> = Vec::new();
    if let Role::Active(active) = &state.role {
        transitions.extend(active.verdicts.iter().map(|outcome| {
            let payload = outcome.delivery.as_ref().map(payload).unwrap_or_default();
            (format!("verdict {}{payload}", outcome.verdict), outcome.transition.as_ref())
        }));
    }
    transitions.extend(state.within().map(|deadline| timed("within", deadline)));
    if let Role::Active(active) = &state.role {
        transitions.extend(active.idle.iter().map(|deadline| timed("idle", deadline)));
        match &active.wait {
            model::Wait::Read(read) => transitions.push(("eof".to_owned(), read.eof.as_ref())),
            model::Wait::Message { eof } => {
                transitions.extend(eof.iter().map(|eof| ("eof".to_owned(), Some(eof))));
            }
            _ => {}
        }
        transitions
            .extend(active.error.iter().map(|transition| ("error".to_owned(), Some(transition))));
    }
    if let Some(route) = state.route() {
        transitions
            .extend(route.full.iter().map(|transition| ("full".to_owned(), Some(transition))));
        transitions.push(("gone".to_owned(), Some(&route.gone)));
    }
    transitions
        .into_iter()
        .map(|(on, transition)| format!("{on}: {}", transition.map_or("stay".into(), described)))
        .collect()
}

fn payload(delivery: &Delivery) -> String {
    let numbered = |name: &str, out: &RouteRef| {
        format!(" {name} {}{}", out.number, if out.waits_for_room { " waits" } else { "" })
    };
    match delivery {
        Delivery::Job(out) => numbered("job", out),
        Delivery::Seed(out) => numbered("seed", out),
        Delivery::Reply(_) => " reply".to_owned(),
        Delivery::Answer(_) => " answer".to_owned(),
        Delivery::Target => " to".to_owned(),
    }
}

fn described(transition: &Transition) -> String {
    let mut described = if transition.stays { "stay as ".to_owned() } else { String::new() };
    described.push_str(&transition.target.to_string());
    for init in &transition.inits {
        let source = match init.source {
            Source::Verdict => "verdict",
            Source::Carry => "carry",
            Source::Error => "error",
            Source::Job => "job",
            Source::Seed => "seed",
        };
        described.extend([" ", &init.field.to_string(), "<-", source]);
    }
    described
}

#[test]
fn edges_become_moves() {
    let machine = lowered(
        "start = A, eof => D, within = 1s => D, error = E, error => F, Both = A | B",
        "#[read(some, max = 1)] #[to(Both)] A,
         #[read(upto = x, max = 1, idle = 2s => C)] #[to(B | C)] B { x: u8, y: u8 },
         #[sleep(1s)] #[to(D)] C { #[carry] y: u8 },
         #[end] D,
         #[run(error => D)] #[to(D)] F { #[error] why: E }",
    );
    assert_eq!(machine.start.index, 0);
    assert_eq!(machine.end, "D");
    assert_eq!(
        transitions(&machine.states[0]),
        [
            "verdict A: stay",
            "verdict B: B x<-verdict y<-verdict",
            "within 1000: D",
            "eof: D",
            "error: F why<-error",
        ]
    );
    assert_eq!(
        transitions(&machine.states[1]),
        [
            "verdict B: stay",
            "verdict C: C y<-carry",
            "idle 2000: C y<-carry",
            "eof: D",
            "error: F why<-error",
        ]
    );
    assert_eq!(transitions(&machine.states[4]), ["verdict D: D", "error: D"]);
}

#[test]
fn what_verdicts_give_goes_out() {
    let machine = lowered(
        "start = A, gone => D, within = 1s => D, seed = S",
        "#[run] #[to(B | C | D)] A { x: u8 },
         #[call(S, full => E)] #[to(B | C)] B { #[carry] x: u8 },
         #[handoff(M, full => E)] C,
         #[end] D,
         #[call(S)] #[to(D)] G { y: u8 },
         #[run] #[to(G)] E { #[job] #[seed] back: J }",
    );
    assert_eq!(
        transitions(&machine.states[0]),
        ["verdict B job 0: B x<-carry", "verdict C seed 1: C", "verdict D: D"]
    );
    assert_eq!(
        transitions(&machine.states[1]),
        [
            "verdict B job 0: stay",
            "verdict C seed 1: C",
            "within 1000: D",
            "full: E back<-job",
            "gone: D",
        ]
    );
    assert_eq!(
        transitions(&machine.states[2]),
        ["within 1000: D", "full: E back<-seed", "gone: D"]
    );
    assert_eq!(transitions(&machine.states[5]), ["verdict G job 2 waits: G y<-verdict"]);
}

#[test]
fn an_end_of_a_job_has_the_reply() {
    let machine = lowered(
        "start = A, job = J, reply = R, message = M",
        "#[run(blocking)] #[to(B)] A { x: u8 }, #[message(within = never)] #[to(C)] B, #[end] C",
    );
    assert_eq!(transitions(&machine.states[1]), ["verdict C reply: C"]);
    assert_eq!(transitions(&machine.states[0]), ["verdict B: B"]);
}

#[test]
fn an_automatic_edge_back_keeps_the_data() {
    let machine = lowered(
        "start = A",
        "#[run] #[to(B)] A, #[run] #[to(C)] B { x: u8 },
         #[flush(within = 1s => C, idle = 9s => D)] #[to(D)] C { #[carry] x: u8 }, #[end] D",
    );
    assert_eq!(
        transitions(&machine.states[2]),
        ["verdict D: D", "within 1000: stay as C x<-carry", "idle 9000: D"]
    );
}

#[test]
fn expressions_know_their_fields() {
    let fields = ["left", "head", "other"].map(|name| syn::parse_str(name).unwrap());
    let expr = Expr::new(&"head.len() + (left - 1) + head.x".parse().unwrap(), &fields);
    assert_eq!(expr.fields, ["head", "left"]);
}
