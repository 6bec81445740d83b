//! The counts and steps of upgrades (U15).

use super::*;
use crate::server::progress::UpgradeStep;

/// Leaves its rest for a message, and comes back.
#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
enum Works {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Body)]
    #[rest]
    Line,
    #[read(exact = 4, within = 30s => Gone)]
    #[to(Line)]
    Body,
    #[end]
    Gone,
}

impl works::Handler for Client {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_>) -> works::AfterLine {
        cx.write(b"\n");
        works::AfterLine::Body
    }

    fn body(&mut self, _: &[u8; 4], cx: &mut Cx<'_>) -> works::AfterBody {
        cx.write(b"\n");
        works::AfterBody::Line
    }
}

#[test]
fn u15_each_connection_that_stays_counts_for_its_reason() {
    let place = Place::new();
    let start = |last: &str, upgrade: Upgrade| {
        let works = Pool::builder::<Works>("works").listen("127.0.0.1:0");
        let names = Pool::builder::<Name>("names").listen("127.0.0.1:0");
        let other = Pool::builder::<Mover>(last).listen("127.0.0.1:0");
        let pipeline = Pipeline::new().pool(works.handler(|_peer| Client("works")));
        let pipeline = pipeline.pool(names.handler(|_peer| Client("names")));
        let pipeline = pipeline.pool(other.handler(|_peer| Client("other")));
        pipeline.upgradable(upgrade).start().unwrap()
    };
    let upgrade = place.upgrade();
    let control = upgrade.upgrader().0;
    let old = start("old", upgrade);
    let to = |index: usize| match &old.addresses()[index] {
        Address::Tcp(at) => Asker::new(*at),
        other => panic!("{other:?}"),
    };
    // Two in the middle of something, one at rest, one whose machine does not move, and one of a pool that is no more.
    let mut clients = [0, 0, 1, 2].map(to);
    for client in &mut clients {
        client.ask();
    }
    let mut moves = to(0);
    moves.ask();
    moves.0.get_mut().write_all(b"body").unwrap();
    moves.0.read_line(&mut String::new()).unwrap();
    assert_eq!(control.progress.lock().step, UpgradeStep::Waits);
    let upgrade = place.upgrade();
    let new_control = upgrade.upgrader().0;
    let new = start("new", upgrade);
    until("the old process has handed over", || control.progress.lock().succeeded == 1);
    let progress = control.progress.lock().clone();
    assert_eq!(
        (progress.step, progress.moved_out, progress.failed),
        (UpgradeStep::HandedOver, 1, 0)
    );
    let stayed: Vec<_> =
        progress.stayed.iter().map(|(why, count)| (why.as_str(), *count)).collect();
    assert_eq!(
        stayed,
        [
            ("it was not at rest in time", 2),
            ("its machine is none with `moves`", 1),
            ("the new process has no pool `old`", 1),
        ]
    );
    assert_eq!(new_control.progress.lock().moved_in, 1);
    drop((clients, moves));
    old.join().unwrap();
    new.drain().unwrap();
}
