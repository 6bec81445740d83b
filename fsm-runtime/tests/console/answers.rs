use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

#[test]
fn v5_counts_of_all_answers_match_what_there_is() {
    let served = Served::new(console());
    let lines: Vec<_> = (0..5).map(|_| served.say("hello")).collect();
    let bodies: Vec<_> = (0..2).map(|_| served.say("body")).collect();
    std::thread::sleep(Duration::from_millis(250));
    let pools = served.get("/pools").json();
    let pool = &pools["pools"][0];
    assert_eq!((&pool["name"], &pool["stats"]["open"]), (&"lines".into(), &7.into()));
    let counts = ["Line", "Body", "Gone"].map(|name| {
        let states = pool["states"].as_array().unwrap();
        states.iter().find(|state| state["state"] == name).unwrap()["count"].as_u64().unwrap()
    });
    assert_eq!(counts, [5, 2, 0]);
    let metrics = served.get("/metrics").body;
    for line in [
        "fsm_state_open{pool=\"lines\",state=\"Line\"} 5\n",
        "fsm_state_open{pool=\"lines\",state=\"Body\"} 2\n",
        "fsm_open{pool=\"lines\"} 7\n",
        "fsm_accepted_total{pool=\"lines\"} 7\n",
        "fsm_threads{pool=\"lines\",state=\"idle\"} 1\n",
        "fsm_transitions_total{pool=\"lines\",from=\"Line\",to=\"Line\",on=\"verdict\"} 5\n",
        "fsm_transitions_total{pool=\"lines\",from=\"Line\",to=\"Body\",on=\"verdict\"} 2\n",
        "fsm_transitions_total{pool=\"lines\",from=\"Line\",to=\"Gone\",on=\"idle\"} 0\n",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    let edges = pool["edges"].as_array().unwrap();
    let taken = edges.iter().find(|edge| edge["from"] == "Line" && edge["to"] == "Body");
    assert_eq!(taken.unwrap()["count"], 2);
    let spec = served.get("/spec").json();
    assert_eq!(spec["pools"][0]["machine"]["states"][1]["name"], "Body");
    assert!(served.get("/").body.contains("<title>"));
    drop((lines, bodies));
    served.running.drain().unwrap();
}

#[test]
fn v5_all_series_are_there_before_anything_has_happened() {
    let served = Served::new(console());
    let names = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    let before = names(&served.get("/metrics").body);
    let client = served.say("body");
    drop(client);
    let ended = "fsm_ended_total{pool=\"lines\",reason=\"done\"} 1\n";
    let after = eventually(|| served.get("/metrics").body, |text| text.contains(ended));
    assert!(after.contains(ended), "{after}");
    assert_eq!(before, names(&after));
    assert!(before.len() > 35, "{}", before.len());
    assert!(!after.contains("127.0.0.1"), "no label has a peer");
    served.running.drain().unwrap();
}

#[test]
fn v5_a_counter_of_the_program_is_a_metric() {
    let counted = Arc::new(AtomicU64::new(0));
    let value = Arc::clone(&counted);
    let served =
        Served::new(console().counter("cache_hits_total", "Hits of a cache.", move || {
            value.load(Ordering::Relaxed)
        }));
    for hits in [0, 17] {
        counted.store(hits, Ordering::Relaxed);
        let text = served.get("/metrics").body;
        let family = "# HELP cache_hits_total Hits of a cache.\n# TYPE cache_hits_total counter\n";
        assert!(text.contains(&format!("{family}cache_hits_total {hits}\n")), "{text}");
    }
    served.running.drain().unwrap();
}

#[test]
fn v5_the_page_of_metrics_is_as_prometheus_wants_it() {
    let served = Served::new(console());
    let text = served.get("/metrics").body;
    let mut families = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            families.push(help.split(' ').next().unwrap());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(families.last(), Some(&name), "HELP comes before TYPE");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            // A histogram has three kinds of series.
            let mut parts = ["_bucket", "_sum", "_count"].iter();
            let histogram = parts.find_map(|part| name.strip_suffix(part));
            let name = histogram.filter(|name| name.ends_with("_seconds")).unwrap_or(name);
            assert_eq!(families.last(), Some(&name), "a family is in one piece");
        }
    }
    // The series are there before anything is measured, also in a pool that measures nothing.
    for series in [
        "bucket{pool=\"lines\",le=\"0.0005\"} 0",
        "bucket{pool=\"lines\",le=\"+Inf\"} 0",
        "sum{pool=\"lines\"} 0",
        "count{pool=\"lines\"} 0",
    ] {
        assert!(text.contains(&format!("\nfsm_journey_seconds_{series}\n")), "{series}");
    }
    let unique: std::collections::HashSet<_> = families.iter().collect();
    assert_eq!(unique.len(), families.len());
    let promtool = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        eprintln!("promtool is missing; its check was skipped");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn v4_connections_are_found_by_pool_state_age_peer_and_key() {
    let served = Served::new(console());
    let old = served.say("body");
    std::thread::sleep(Duration::from_millis(400));
    let young = served.say("body");
    let _other = served.say("hello");
    let found = |query: &str| -> Vec<String> {
        let json = served.get(&format!("/connections?{query}")).json();
        let found = json["connections"].as_array().unwrap().iter();
        found.map(|task| task["peer"].as_str().unwrap().to_owned()).collect()
    };
    let address = |client: &TcpStream| client.local_addr().unwrap().to_string();
    assert_eq!(found("").len(), 3);
    assert_eq!(found("pool=lines&state=Body"), [address(&old), address(&young)]);
    assert_eq!(found("state=Body&limit=1"), [address(&old)]);
    assert_eq!(found("state=Body&older=300ms"), [address(&old)]);
    assert_eq!(found(&format!("peer={}", address(&young))), [address(&young)]);
    assert!(found("peer=10.").is_empty());
    for query in ["pool=none", "state=None", "older=x", "limit=0", "stat=Body"] {
        assert_eq!(served.get(&format!("/connections?{query}")).status, 400, "{query}");
    }

    let json = served.get("/connections?state=Body&limit=1").json();
    let (key, why) = (&json["connections"][0]["key"], &json["connections"][0]["why"]);
    assert!(why.as_str().unwrap().contains(": waits for read(exact = 4); "), "{why}");
    let one = served.get(&format!("/connections/{}", key.as_str().unwrap()));
    assert_eq!(one.json()["peer"], address(&old));
    let head = "GET /connections?state=Body HTTP/1.1\r\nHost: [::1]:80\r\nAccept: text/plain\r\n";
    let text = ask(&served.console(), head).body;
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.starts_with(key.as_str().unwrap()) && text.contains(&address(&old)), "{text}");
}

#[test]
fn v2_threads_are_told_at_once_while_a_handler_is_stuck() {
    let served = Served::new(console());
    let mut stuck = served.connect();
    stuck.write_all(b"stop\n").unwrap();
    let running = |json: &serde_json::Value| json["ports"][0]["threads"][0]["running"].clone();
    let told = eventually(|| served.get("/threads").json(), |json| !running(json).is_null());
    assert_eq!(running(&told)["state"], "Line");
    // Others wait for an answer that does not come; this one does not.
    let console = served.console();
    let busy = std::thread::spawn(move || {
        ask(&console, "GET /connections HTTP/1.1\r\nHost: localhost\r\n")
    });
    let asked = Instant::now();
    assert!(!running(&served.get("/threads").json()).is_null());
    assert!(asked.elapsed() < Duration::from_millis(50), "{:?}", asked.elapsed());
    let answer = busy.join().unwrap().json();
    assert_eq!(answer["unanswered"][0]["pool"], "lines");
    served.go_on.send(()).unwrap();
}
