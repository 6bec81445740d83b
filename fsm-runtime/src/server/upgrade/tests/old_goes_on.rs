//! The behaviour of the old process when the new one fails at some step (U7, U8).

use super::*;

#[test]
fn u8_if_the_new_process_dies_at_any_step_the_old_one_goes_on_and_the_next_upgrade_works() {
    for steps in 0..=NewProcess::STEPS {
        let place = Place::new();
        let old = place.start("old").unwrap();
        let at = address(&old);
        let mut before = Asker::new(at);
        assert_eq!(before.ask(), "old");
        let new = NewProcess::connect(&place.path());
        new.steps(steps);
        drop(new);
        assert_eq!(before.ask(), "old", "after {steps} steps");
        assert_eq!(who(at), "old", "after {steps} steps");
        // The old process may not have noticed yet.
        let mut next = None;
        until("the next upgrade begins", || {
            match place.start("new") {
                Ok(new) => next = Some(new),
                Err(error) => assert!(error.to_string().contains("another upgrade"), "{error}"),
            }
            next.is_some()
        });
        assert_eq!(who(at), "new", "after {steps} steps");
        old.join().unwrap();
        next.unwrap().drain().unwrap();
    }
}

#[test]
fn u8_if_the_new_process_is_silent_at_any_step_the_old_one_goes_on_and_says_so() {
    for steps in 0..=NewProcess::STEPS {
        let place = Place::new();
        let patience = Duration::from_millis(30);
        let upgrade = place.upgrade().ready_within(patience).answer_within(patience);
        let old = pipeline("old").upgradable(upgrade);
        let old = old.start().unwrap();
        let at = address(&old);
        let new = NewProcess::connect(&place.path());
        new.steps(steps);
        if steps < NewProcess::STEPS {
            // After the third step it waits for `Ready`, and until then for `Hello`.
            let why = loop {
                match Message::receive(&new.0) {
                    Ok(Some(Message::Refused { why })) => break why,
                    Ok(Some(_)) => {}
                    // It was cut off, so that it cannot answer any more.
                    Ok(None) => break "the new process is silent".to_owned(),
                    other => panic!("{other:?}"),
                }
            };
            assert!(why.contains("the new process is silent"), "{why}");
        } else {
            assert!(Message::receive(&new.0).unwrap().is_none(), "it is cut off");
            assert!(Message::Committed.send(&new.0).is_err(), "and knows that it is too late");
        }
        assert_eq!(who(at), "old", "after {steps} steps");
        old.drain().unwrap();
    }
}

#[test]
fn u8_a_new_process_that_is_ready_and_silent_holds_clients_up_for_a_short_time() {
    let place = Place::new();
    let upgrade = place.upgrade().answer_within(Duration::from_millis(50));
    let old = movers("old").upgradable(upgrade).start().unwrap();
    let mut client = Asker::new(address(&old));
    assert_eq!(client.ask(), "old");
    let since = Instant::now();
    let new = NewProcess::connect(&place.path());
    new.steps(5);
    // It has the connection, and says nothing.
    let Message::Connections { sockets: _sockets, .. } = new.next() else { panic!() };
    assert_eq!((client.ask().as_str(), who(address(&old)).as_str()), ("old", "old"));
    assert!(since.elapsed() < PATIENCE, "it has not waited for `ready_within`");
    old.drain().unwrap();
}

/// Its connections are at work between two lines.
#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
enum Worker {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Work)]
    #[rest]
    Line,
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line)]
    Work,
    #[end]
    Gone,
}

impl worker::Handler for Client {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_>) -> worker::AfterLine {
        writeln!(cx, "{} ?", self.0);
        worker::AfterLine::Work
    }

    fn work(&mut self, _: &[u8], cx: &mut Cx<'_>) -> worker::AfterWork {
        writeln!(cx, "{} ?", self.0);
        worker::AfterWork::Line
    }
}

#[test]
fn u8_the_old_process_waits_for_those_that_come_to_rest_though_refused_ones_have_ended() {
    let place = Place::new();
    let builder = Pool::builder::<Worker>("front").listen("127.0.0.1:0");
    let handle = builder.handle();
    let pool = builder.handler(|_peer| Client("old"));
    let upgrade = place.upgrade().rest_within(PATIENCE);
    let old = Pipeline::new().pool(pool).upgradable(upgrade).start().unwrap();
    let (mut at_rest, mut at_work) = (Asker::new(address(&old)), Asker::new(address(&old)));
    assert_eq!(at_work.ask(), "old");
    assert_eq!((at_rest.ask(), at_rest.ask()), ("old".to_owned(), "old".to_owned()));
    let new = NewProcess::connect(&place.path());
    new.steps(5);
    let takes = |refused: Vec<(u32, String)>| {
        let Message::Connections { packed, .. } = new.next() else { panic!("no connection comes") };
        assert_eq!(packed.len(), 1);
        Message::Have.send(&new.0).unwrap();
        Message::Taken { refused }.send(&new.0).unwrap();
    };
    takes(vec![(0, "I do not like it".to_owned())]);
    drop(at_rest);
    until("the refused one has ended", || handle.stats().open == 1);
    new.0.set_patience(Duration::from_millis(100)).unwrap();
    let early = Message::receive(&new.0).unwrap_err();
    assert_eq!(early.kind(), io::ErrorKind::TimedOut, "it waits for the one at work");
    new.0.set_patience(PATIENCE).unwrap();
    assert_eq!(at_work.ask(), "old");
    takes(Vec::new());
    assert!(matches!(new.next(), Message::Commit));
    Message::Committed.send(&new.0).unwrap();
    assert_eq!(old.join().unwrap().moved, 1);
}

#[test]
fn u7_after_the_commit_the_old_process_removes_no_file() {
    let place = Place::new();
    let old = place.start("old").unwrap();
    let new = NewProcess::connect(&place.path());
    new.steps(NewProcess::STEPS);
    Message::Committed.send(&new.0).unwrap();
    old.join().unwrap();
    // The next one may put its own there between a look of the old one and its removal.
    assert!(place.path().exists());
    place.start("next").unwrap().drain().unwrap();
    assert!(!place.path().exists());
}

/// The fate of a connection for which the new process has done this much.
#[test]
fn u8_a_connection_is_here_or_there_whatever_the_new_process_does_with_it() {
    let nothing: &[Message] = &[];
    let refused = vec![(0, "I do not like it".to_owned())];
    let cases: [(&[Message], bool); 4] = [
        (nothing, true),
        (&[Message::Have], false),
        (&[Message::Have, Message::Taken { refused }], true),
        (&[Message::Have, Message::Taken { refused: Vec::new() }], false),
    ];
    for (says, goes_on) in cases {
        for is_silent in [false, true] {
            let place = Place::new();
            let patience = if is_silent { Duration::from_millis(50) } else { PATIENCE };
            let rest = Duration::from_secs(5);
            let upgrade = place.upgrade().answer_within(patience).rest_within(rest);
            let old = movers("old").upgradable(upgrade).start().unwrap();
            let mut client = Asker::new(address(&old));
            assert_eq!(client.ask(), "old");
            let new = NewProcess::connect(&place.path());
            new.steps(5);
            let Message::Connections { packed, sockets } = new.next() else { panic!() };
            assert_eq!((packed.len(), sockets.len()), (1, 1));
            for message in says {
                message.send(&new.0).unwrap();
            }
            drop(sockets);
            if is_silent {
                // Until it is cut off, or would be the one that serves.
                while !matches!(Message::receive(&new.0), Ok(None | Some(Message::Commit)) | Err(_))
                {
                }
                if says.is_empty() {
                    assert!(Message::Have.send(&new.0).is_err(), "it is too late");
                }
            }
            drop(new);
            let case = format!("{says:?}, silent: {is_silent}");
            if goes_on {
                assert_eq!(client.ask(), "old", "{case}");
            } else {
                assert!(client.is_closed(), "{case}");
            }
            assert_eq!(who(address(&old)), "old", "{case}");
            old.drain().unwrap();
        }
    }
}
