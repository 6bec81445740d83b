use super::*;

const TOKEN: &str = "X-Console-Token: secret\r\n";

fn with_token() -> Console {
    console().token("secret")
}

/// The key of the oldest connection.
fn oldest(served: &Served, query: &str) -> String {
    let oldest =
        |json: &serde_json::Value| json["connections"][0]["key"].as_str().map(str::to_owned);
    let found = eventually(
        || served.get(&format!("/connections?limit=1&{query}")).json(),
        |json| oldest(json).is_some(),
    );
    oldest(&found).unwrap_or_else(|| panic!("{found}"))
}

#[test]
fn v6_a_stuck_connection_is_found_by_its_age_and_ended() {
    for threads in [1, 3] {
        let served = Served::named("lines", threads, with_token());
        let mut stuck = served.say("body");
        stuck.write_all(b"ab").unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let mut other = served.say("hello");
        let key = oldest(&served, "state=Body&older=250ms");
        let path = format!("/connections/{key}/end");
        assert_eq!(served.post(&path, TOKEN).status, 200);
        // It is reset, because two bytes are unread, or ends.
        let end = stuck.read(&mut [0; 8]);
        assert!(!matches!(end, Ok(1..)), "{end:?}");
        let ended = "fsm_ended_total{pool=\"lines\",reason=\"closed\"} 1\n";
        let metrics = eventually(|| served.get("/metrics").body, |text| text.contains(ended));
        assert!(metrics.contains(ended), "{metrics}");
        // A stale key ends nobody.
        assert_eq!(served.post(&path, TOKEN).status, 410);
        assert_eq!(served.get(&format!("/connections/{key}")).status, 410);
        other.write_all(b"hello\n").unwrap();
        other.read_exact(&mut [0; 3]).unwrap();
        let stats = served.running.drain().unwrap();
        assert_eq!((stats.closed, stats.drained), (1, 1));
    }
}

#[test]
fn v6_a_connection_whose_handler_runs_is_not_ended_meanwhile() {
    for threads in [1, 3] {
        let served = Served::named("lines", threads, with_token());
        let mut client = served.say("hello");
        let key = oldest(&served, "");
        client.write_all(b"stop\n").unwrap();
        let running = |json: &serde_json::Value| json.to_string().contains("\"state\":\"Line\"");
        eventually(|| served.get("/threads").json(), running);
        let path = format!("/connections/{key}/end");
        assert_eq!(served.post(&path, TOKEN).status, 503);
        served.go_on.send(()).unwrap();
        client.read_exact(&mut [0; 3]).unwrap();
        let ended = eventually(|| served.post(&path, TOKEN), |answer| answer.status == 200);
        assert_eq!(ended.status, 200);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        served.running.drain().unwrap();
    }
}

#[test]
fn v6_a_pool_is_drained_by_hand() {
    let served = Served::named("a b", 1, with_token());
    let mut client = served.say("hello");
    assert_eq!(served.post("/pools/none/drain", TOKEN).status, 404);
    assert_eq!(served.post("/pools/a%20b/drain", "Authorization: Bearer secret\r\n").status, 200);
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    // The console goes on until the pools have ended.
    let phase = |json: &serde_json::Value| json["pools"][0]["phase"] == "closed";
    let pools = eventually(|| served.get("/pools").json(), phase);
    assert!(pools["pools"][0]["phase"] != "serves", "{pools}");
    assert_eq!(served.running.join().unwrap().drained, 1);
}

#[test]
fn v6_without_a_token_nothing_can_be_changed() {
    let served = Served::new(console());
    let _client = served.say("body");
    let key = oldest(&served, "");
    for path in [format!("/connections/{key}/end"), "/pools/lines/drain".to_owned()] {
        for field in ["", TOKEN, "Authorization: Bearer \r\n", "X-Console-Token: \r\n"] {
            let refused = served.post(&path, field);
            assert_eq!(refused.status, 404, "{path} {field}");
            assert!(refused.body.contains("the console has no token"), "{}", refused.body);
        }
        assert_eq!(served.get(&path).status, 404);
    }
    let served = Served::new(with_token());
    let _client = served.say("body");
    let path = format!("/connections/{}/end", oldest(&served, ""));
    for field in ["", "X-Console-Token: secre\r\n", "Authorization: Basic secret\r\n"] {
        let answer = served.post(&path, field);
        assert!(answer.status == 401 && answer.head.contains("WWW-Authenticate"), "{answer:?}");
    }
    assert_eq!(served.get(&path).status, 405);
    assert_eq!(served.running.stats().open, 1);
}
