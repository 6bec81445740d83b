//! Times and sizes from settings, times of groups, and times that survive detours.

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

/// The settings that an operator may choose.
struct Limits {
    line: usize,
    idle: Duration,
    beat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 8, idle: Duration::from_secs(10), beat: Duration::from_secs(3) }
    }
}

const NAP: Duration = Duration::from_millis(1_500);

#[state_machine(start = Line, settings = Limits, eof => Gone, limit => Gone)]
enum Tuned {
    #[read(until = b"\n", max = settings.line <= 16, idle = settings.idle <= 30s => Gone)]
    #[tick(settings.beat <= 1min)]
    #[to(Line | Body | Nap)]
    Line,
    #[read(exact = len + 2 <= 16, within = Duration::from_millis(u64::from(*len) * 100) <= 1s => Gone)]
    #[to(Line)]
    Body { len: u8 },
    #[sleep(NAP)]
    #[to(Line)]
    Nap,
    #[end]
    Gone,
}

struct Tuner;

impl tuned::Handler for Tuner {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, NoMessage, Limits>) -> tuned::AfterLine {
        write!(cx, "{}/{}", line.len(), cx.settings().line);
        match line {
            b"nap" => tuned::AfterLine::Nap,
            [b'b', len] => tuned::AfterLine::Body { len: *len },
            _ => tuned::AfterLine::Line,
        }
    }

    fn line_tick(&mut self, cx: &mut Cx<'_, NoMessage, Limits>) -> tuned::AfterLine {
        cx.write(b".");
        tuned::AfterLine::Line
    }

    fn body(
        &mut self,
        _: &mut u8,
        bytes: &[u8],
        cx: &mut Cx<'_, NoMessage, Limits>,
    ) -> tuned::AfterBody {
        cx.write(bytes);
        tuned::AfterBody::Line
    }
}

fn tuned(settings: Limits) -> Session<Tuned, Tuner> {
    Session::with_settings(Tuner, settings)
}

#[test]
fn l14_t1_t2_times_and_sizes_come_from_the_settings_up_to_their_bounds() {
    let mut peer = Session::<Tuned, _>::new(Tuner);
    peer.send(b"12345678\n");
    assert_eq!(peer.receive(), b"8/8");
    peer.advance(Duration::from_secs(9));
    assert_eq!((peer.receive(), peer.state()), (b"...".into(), Some("Line")));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);

    // Above the bounds.
    let far = Duration::from_secs(1_000_000);
    let mut peer = tuned(Limits { line: 1_000, idle: far, beat: far });
    peer.send(&[b'x'; 17]);
    assert_eq!(peer.state(), None);
    let mut peer = tuned(Limits { line: 1_000, idle: far, beat: far });
    peer.advance(Duration::from_secs(29));
    assert_eq!(peer.state(), Some("Line"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);

    // Nothing at all counts as the least there is.
    let mut peer = tuned(Limits { line: 0, idle: far, beat: Duration::ZERO });
    peer.send(b"x\n");
    assert_eq!(peer.receive(), b"1/0");
    peer.advance(Duration::from_millis(3));
    assert_eq!(peer.receive(), b"...");
}

#[test]
fn t1_an_expression_is_evaluated_when_its_timer_is_armed() {
    let mut peer = Session::<Tuned, _>::new(Tuner);
    peer.send(b"b\x03\n");
    assert_eq!(peer.state(), Some("Body"));
    peer.advance(Duration::from_millis(299));
    assert_eq!(peer.state(), Some("Body"));
    peer.send(b"12345");
    assert_eq!(peer.receive(), b"2/812345");
    peer.send(b"b\x03\n");
    peer.advance(Duration::from_millis(300));
    assert_eq!(peer.state(), None);

    let mut peer = Session::<Tuned, _>::new(Tuner);
    peer.send(b"nap\n");
    peer.advance(Duration::from_millis(1_499));
    assert_eq!(peer.state(), Some("Nap"));
    peer.advance(Duration::from_millis(1));
    assert_eq!(peer.state(), Some("Line"));
}

/// Reads a head and a body within a time for both.
#[state_machine(
    start = Idle, settings = Patience, eof => Gone, limit => Gone,
    Request = Head | Body | Pause,
    within(Request) = settings.request <= 1min => Slow,
)]
enum Budgeted {
    #[read(exact = 1, idle = 30s => Gone)]
    #[to(Head)]
    #[rest]
    Idle,
    #[read(until = b"\n", max = 64)]
    #[to(Body)]
    Head,
    #[read(exact = 4, within = 5s => Pause)]
    #[to(Idle | Body)]
    Body,
    #[sleep(1s)]
    #[to(Body)]
    Pause,
    #[run]
    #[to(Gone)]
    Slow,
    #[end]
    Gone,
}

struct Patience {
    request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { request: Duration::from_secs(20) }
    }
}

struct Requests;

impl budgeted::Handler for Requests {
    fn idle(&mut self, _: &[u8; 1], _: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterIdle {
        budgeted::AfterIdle::Head
    }

    fn head(&mut self, _: &[u8], _: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterHead {
        budgeted::AfterHead::Body
    }

    fn body(&mut self, body: &[u8; 4], _: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterBody {
        if body == b"more" { budgeted::AfterBody::Body } else { budgeted::AfterBody::Idle }
    }

    fn slow(&mut self, cx: &mut Cx<'_, NoMessage, Patience>) -> budgeted::AfterSlow {
        cx.write(b"slow");
        budgeted::AfterSlow::Gone
    }
}

#[test]
fn t4_a_budget_runs_through_the_states_of_its_group() {
    let mut peer = Session::<Budgeted, _>::new(Requests);
    let wait =
        |peer: &mut Session<Budgeted, _>, seconds| peer.advance(Duration::from_secs(seconds));
    peer.send(b"x");
    wait(&mut peer, 9);
    peer.send(b"head\n");
    // A loop inside the group does not give it more time.
    for _ in 0..3 {
        wait(&mut peer, 3);
        peer.send(b"more");
    }
    wait(&mut peer, 1);
    peer.send(b"done");
    assert_eq!(peer.state(), Some("Idle"));
    // Outside of the group it is off, and it begins anew.
    wait(&mut peer, 25);
    peer.send(b"x");
    wait(&mut peer, 19);
    assert_eq!(peer.state(), Some("Head"));
    wait(&mut peer, 1);
    assert_eq!(peer.receive(), b"slow");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn t4_a_deadline_inside_does_not_hide_the_budget() {
    let mut peer = Session::<Budgeted, _>::new(Requests);
    peer.send(b"xhead\n");
    peer.advance(Duration::from_secs(19));
    assert!(matches!(peer.state(), Some("Body" | "Pause")));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.ended(), Some(Ended::Done));
}

/// Hears of others in a state of its own, and writes a beat while its peer is silent.
#[state_machine(start = Hall, message = u8, eof => Gone, limit => Gone)]
enum Guest {
    #[read(until = b"\n", max = 64, begun = 6s => Slow, idle = 10s => Silent, within = 4s => Beat)]
    #[message]
    #[to(Hall | Telling)]
    Hall,
    #[flush(within = 5s => Gone)]
    #[to(Hall)]
    Telling,
    #[sleep(1s)]
    #[to(Hall)]
    Beat,
    #[run]
    #[to(Gone)]
    Silent,
    #[run]
    #[to(Gone)]
    Slow,
    #[end]
    Gone,
}

struct Quiet;

impl guest::Handler for Quiet {
    fn hall(&mut self, _: &[u8], _: &mut Cx<'_, u8>) -> guest::AfterHall {
        guest::AfterHall::Hall
    }

    fn hall_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> guest::AfterHall {
        guest::AfterHall::Telling
    }

    fn silent(&mut self, cx: &mut Cx<'_, u8>) -> guest::AfterSilent {
        cx.write(b"silent");
        guest::AfterSilent::Gone
    }

    fn slow(&mut self, cx: &mut Cx<'_, u8>) -> guest::AfterSlow {
        cx.write(b"slow");
        guest::AfterSlow::Gone
    }
}

#[test]
fn t5_idle_survives_detours_by_messages_and_deadlines() {
    for (posts, seconds) in [
        (true, 10),
        // 4 s in the hall and 1 s of a beat, twice, and 2 s more in the hall are 10 s of silence there.
        (false, 12),
    ] {
        let mut peer = Session::<Guest, _>::new(Quiet);
        for second in 0..seconds {
            assert!(matches!(peer.state(), Some("Hall" | "Beat")), "{second}");
            if posts {
                peer.post(0).unwrap();
            }
            peer.advance(Duration::from_secs(1));
        }
        assert_eq!(peer.receive(), b"silent");
    }

    // Half a line does not become whole because others talk.
    let mut peer = Session::<Guest, _>::new(Quiet);
    peer.advance(Duration::from_secs(3));
    peer.send(b"half");
    for _ in 0..6 {
        peer.post(0).unwrap();
        peer.advance(Duration::from_secs(1));
    }
    assert_eq!(peer.receive(), b"slow");
}
