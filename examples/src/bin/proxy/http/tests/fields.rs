use super::*;

#[test]
fn the_target_learns_who_asks_and_how() {
    let (_, got) = World::asked(GET);
    for line in [
        "Host: x",
        "X-Forwarded-For: 192.0.2.7",
        "Forwarded: for=192.0.2.7;proto=http;host=x",
        "X-Forwarded-Proto: http",
        "Via: 1.1 fsm-proxy",
    ] {
        assert!(has(&got, line), "{line}: {got}");
    }
}

#[test]
fn what_earlier_proxies_say_stays_before_it() {
    let (_, got) = World::asked(
        "GET / HTTP/1.1\r\nHost: x:80\r\nX-Forwarded-For: a\r\nx-forwarded-for: b, c\r\n\
         Forwarded: for=a\r\nX-Forwarded-Proto: https\r\nVia: 1.0 old\r\n\r\n",
    );
    for line in [
        "X-Forwarded-For: a, b, c, 192.0.2.7",
        "Forwarded: for=a, for=192.0.2.7;proto=http;host=\"x:80\"",
        "X-Forwarded-Proto: http",
        "Via: 1.0 old, 1.1 fsm-proxy",
    ] {
        assert!(has(&got, line), "{line}: {got}");
    }
    assert_eq!(got.to_ascii_lowercase().matches("\r\nx-forwarded-for:").count(), 1);
}

#[test]
fn no_client_hides_what_the_proxy_says() {
    let (_, got) = World::asked(
        "GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=6.6.6.6;by=\"\r\nForwarded: by=\"a\\\"\r\n\
         Forwarded: by=\"a\\\"b\"\r\nX_Forwarded_For: 1.1.1.1\r\nTransfer_Encoding: chunked\r\n\r\n",
    );
    assert!(has(&got, "Forwarded: by=\"a\\\"b\", for=192.0.2.7;proto=http;host=x"), "{got}");
    assert!(!got.contains('_'), "{got}");
}

#[test]
fn an_ipv6_client_is_quoted() {
    let mut world = World::of("[2001:db8::1]:4000", &shared(&["10.0.0.1:80"]));
    world.send(GET);
    world.0.accept();
    let got = world.target();
    assert!(has(&got, "X-Forwarded-For: 2001:db8::1"), "{got}");
    assert!(has(&got, "Forwarded: for=\"[2001:db8::1]\";proto=http;host=x"), "{got}");
}

/// Fields of one connection, of which none is passed on.
const HOPS: &str = "Connection: X-Mine, close, Host, Content-Length\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n\
                    Proxy-Connection: keep-alive\r\nProxy-Authorization: a\r\nTE: trailers\r\nUpgrade: websocket\r\n\
                    Trailer: Z\r\n";

#[test]
fn fields_of_one_connection_are_removed_both_ways() {
    let (mut world, got) = World::asked(&format!(
        "PUT / HTTP/1.1\r\nHost: x\r\n{HOPS}X-Other: 2\r\nContent-Length: 1\r\n\r\nz"
    ));
    let back = world
        .answer(&format!("HTTP/1.1 200 OK\r\n{HOPS}X-Other: 2\r\nContent-Length: 2\r\n\r\nok"));
    for (message, len) in [(&got, 1), (&back, 2)] {
        let lower = message.to_ascii_lowercase();
        for name in ["x-mine", "keep-alive", "proxy-", "te:", "upgrade", "trailer"] {
            assert!(!lower.contains(&format!("\r\n{name}")), "{name}: {message}");
        }
        assert!(
            has(message, "X-Other: 2") && has(message, &format!("Content-Length: {len}")),
            "{message}"
        );
    }
    assert!(
        has(&got, "Host: x") && !got.contains("Connection"),
        "the target's connection stays: {got}"
    );
    assert!(has(&back, "Connection: close") && has(&back, "Via: 1.1 fsm-proxy"), "{back}");
}

#[test]
fn a_whole_url_becomes_a_path() {
    for (target, expected) in [
        ("http://x/a?b", "/a?b"),
        ("HTTP://X", "/"),
        ("http://x?q", "/?q"),
        ("/a//b/../%2e", "/a//b/../%2e"),
    ] {
        let (_, got) = World::asked(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(got.starts_with(&format!("GET {expected} HTTP/1.1\r\n")), "{got}");
    }
    let (_, got) = World::asked("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(got.starts_with("OPTIONS * HTTP/1.1\r\n"), "{got}");
}
