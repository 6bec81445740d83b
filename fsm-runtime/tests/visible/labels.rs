//! Labels of connections.

use fsm_runtime::{Activity, TaskSnapshot};

use super::*;

/// The name that a client gives itself: the last line that it sent.
struct Named(String);

impl lines::Handler for Named {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        self.0 = String::from_utf8_lossy(line).into_owned();
        cx.write(b"ok\n");
        lines::AfterLine::Line
    }

    fn body(&mut self, _: &[u8; 4], _: &mut Cx<'_>) -> lines::AfterBody {
        lines::AfterBody::Line
    }

    fn forever(&mut self, _: &[u8], _: &mut Cx<'_>) -> lines::AfterForever {
        lines::AfterForever::Forever
    }
}

fn all_wait(pool: &PoolSnapshot) -> bool {
    let waits = |task: &TaskSnapshot| matches!(task.activity, Activity::Waits);
    !pool.tasks.is_empty() && pool.tasks.iter().all(waits)
}

#[test]
fn v10_labels_are_asked_for_in_a_snapshot_and_choose_connections() {
    for threads in [1, 2] {
        let builder = Pool::builder::<Lines>("lines").listen("127.0.0.1:0").threads(threads);
        let builder = builder.show(|client: &Named, f| write!(f, "said {}", client.0));
        let handle = builder.handle();
        let running = builder.handler(|_peer| Named(String::new())).start().unwrap();
        let mut clients = Peer::many(&running, 400);
        for (number, client) in clients.iter_mut().enumerate() {
            client.ask(&format!("number {number}"));
        }
        // One that a thread still runs has no label.
        let all = Filter::new().limit(400);
        let pool = until(|| handle.snapshot_of(&all, WITHIN), all_wait);
        let labels: std::collections::BTreeSet<String> =
            pool.tasks.iter().map(|task| task.label.clone().unwrap()).collect();
        assert_eq!(labels.len(), 400);
        let one = Filter::new().label("number 123").limit(5);
        let pool = handle.snapshot_of(&one, WITHIN);
        assert_eq!((pool.count("Line"), peers(&pool)), (400, vec![clients[123].address()]));
        assert_eq!(pool.tasks[0].label.as_deref(), Some("said number 123"));
        assert!(handle.snapshot_of(&Filter::new().label("none"), WITHIN).tasks.is_empty());
        // The label is that of now.
        clients[0].ask(&"x".repeat(70));
        let renamed = Filter::new().label("xxx");
        let pool = until(|| handle.snapshot_of(&renamed, WITHIN), |pool| pool.tasks.len() == 1);
        assert_eq!(pool.tasks[0].label.as_ref().unwrap().len(), "said ".len() + 70);
        running.drain().unwrap();
    }
}

#[test]
fn v10_a_function_for_labels_that_panics_harms_nobody() {
    for threads in [1, 2] {
        let builder = Pool::builder::<Lines>("lines").listen("127.0.0.1:0").threads(threads);
        let builder = builder.show(|client: &Named, f| {
            assert_ne!(client.0, "odd", "on purpose");
            f.write_str(&client.0)
        });
        let handle = builder.handle();
        let running = builder.handler(|_peer| Named(String::new())).start().unwrap();
        let mut client = Peer::new(&running);
        client.ask("usual");
        let pool = until(|| handle.snapshot(WITHIN), all_wait);
        assert_eq!(pool.tasks[0].label.as_deref(), Some("usual"));
        client.ask("odd");
        let pool = until(|| handle.snapshot(WITHIN), all_wait);
        assert_eq!((pool.count("Line"), &pool.tasks[0].label), (1, &None));
        client.ask("usual");
        let pool = until(|| handle.snapshot(WITHIN), all_wait);
        assert_eq!(
            (&pool.tasks[0].label, pool.stats.panicked),
            (&None, 0),
            "it is not asked again"
        );
        running.drain().unwrap();
    }
}

#[test]
fn v10_a_function_for_other_handlers_is_refused_at_the_start() {
    let builder = Pool::builder::<Lines>("lines").listen("127.0.0.1:0");
    let builder = builder.show(|_: &Client, f| f.write_str("of others"));
    let error = builder.handler(|_peer| Named(String::new())).start().unwrap_err().to_string();
    assert!(error.contains("`show`") && error.contains("Named"), "{error}");
}
