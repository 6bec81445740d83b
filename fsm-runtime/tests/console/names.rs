//! Labels and histories, as clients of the console see them.

use super::*;

/// The name that a client gives itself, which may be any text.
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
}

fn served() -> Served {
    let pool = Pool::builder::<Lines>("lines").listen("127.0.0.1:0").history(2);
    let pool = pool.show(|client: &Named, f| f.write_str(&client.0));
    let pool = pool.handler(move |_peer| Named(String::new()));
    let running = Pipeline::new().pool(pool).console(console()).start().unwrap();
    let (go_on, _) = mpsc::channel();
    Served { running, go_on }
}

#[test]
fn v10_connections_are_found_by_a_text_in_their_labels() {
    let served = served();
    let _first = served.say("GET /a");
    let _second = served.say("GET /b c");
    let found = |query: &str| -> Vec<String> {
        let json = served.get(&format!("/connections?{query}")).json();
        let found = json["connections"].as_array().unwrap().iter();
        found.map(|task| task["label"].as_str().unwrap().to_owned()).collect()
    };
    let mut all = found("label=GET");
    all.sort();
    assert_eq!(all, ["GET /a", "GET /b c"]);
    assert_eq!(found("label=b%20c&pool=lines"), ["GET /b c"]);
    assert!(found("label=get").is_empty());
}

#[test]
fn v10_a_hostile_label_is_text_everywhere() {
    let served = served();
    let name = "<script>alert(1)</script>\u{1b}[2J\u{202e}\"";
    let _client = served.say(name);
    let shown = "<script>alert(1)</script>?[2J?\"";
    let json = served.get("/connections").json();
    assert_eq!(json["connections"][0]["label"], shown);
    let key = json["connections"][0]["key"].as_str().unwrap().to_owned();
    for path in ["/connections".to_owned(), format!("/connections/{key}")] {
        let answer = served.get(&path);
        assert!(answer.head.contains("application/json") && answer.head.contains("nosniff"));
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n");
        let text = ask(&served.console(), &head);
        assert!(text.head.contains("text/plain") && text.head.contains("nosniff"), "{}", text.head);
        assert!(text.body.contains(&format!("[{shown}] Line ")), "{}", text.body);
        assert!(!text.body.contains('\u{1b}'));
    }
    assert!(!served.get("/metrics").body.contains("alert"));
}

#[test]
fn v9_one_connection_tells_its_last_transitions() {
    let served = served();
    let _client = served.say("hello");
    let json = served.get("/connections").json();
    assert!(json["connections"][0].get("history").is_none());
    let path = format!("/connections/{}", json["connections"][0]["key"].as_str().unwrap());
    let history = served.get(&path).json()["history"].clone();
    assert_eq!((&history[0]["from"], &history[0]["to"]), (&"Line".into(), &"Line".into()));
    assert_eq!((&history[0]["on"], history.as_array().unwrap().len()), (&"verdict".into(), 1));
    assert!(history[0]["ago_seconds"].as_f64().unwrap() < 20.0);
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n");
    let text = ask(&served.console(), &head).body;
    assert!(text.ends_with(" ago  Line -> Line (verdict)\n"), "{text}");
}
