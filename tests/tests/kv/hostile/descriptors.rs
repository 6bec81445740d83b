//! More clients than the process may have descriptors.

use std::process::Command;
use std::time::{Duration, Instant};

use fsm_tests::{Connection, Server, TIMEOUT, all_in_ci, expect_silence, one_at_a_time, run};

use super::{limited, limited_with, ping, pong, twice_on};

/// 200 clients connect while no descriptor is free: they wait, and are served once one is free.
#[test]
fn pitfall_16_two_hundred_clients_without_a_descriptor() {
    let _exclusive = one_at_a_time();
    let log = twice_on(limited("-n 64"), |server| {
        let (holders, mut waiting) = take_all_descriptors(server);
        waiting.extend((1..200).map(|_| ping(server)));
        expect_silence(&mut waiting, Duration::from_millis(500));
        let (count, start) = (holders.len(), Instant::now());
        drop(holders);
        for mut connection in waiting {
            pong(&mut connection);
        }
        println!("{count} held all; then 200 were served within {:.1?}", start.elapsed());
    });
    // Each client served takes the last descriptor again, but the log limits the lines about it.
    let lines = log.matches("cannot accept").count();
    println!("{lines} lines in the log say `cannot accept`");
    assert!((1..=20).contains(&lines), "{lines} lines in the log say `cannot accept`");
}

/// While a client waits for a descriptor, the server sleeps except for rare retries.
#[test]
fn pitfall_16_waiting_for_a_descriptor_costs_nothing() {
    let _exclusive = one_at_a_time();
    let server = limited("-n 64");
    let (holders, mut waiting) = take_all_descriptors(&server);
    let cpu = server.cpu();
    expect_silence(&mut waiting, Duration::from_secs(1));
    let cpu = server.cpu().saturating_sub(cpu);
    println!("{cpu:?} of processor time in a second without a descriptor");
    assert!(cpu < Duration::from_millis(100), "{cpu:?} of processor time");
    drop(holders);
    waiting.iter_mut().for_each(pong);
    drop(waiting);
    server.stop();
}

/// A drain while no descriptor is free, and a client waits for one, is as fast as any other.
#[test]
fn pitfall_16_a_drain_without_a_descriptor_is_fast() {
    let _exclusive = one_at_a_time();
    let mut server = limited("-n 64");
    let (_holders, _waiting) = take_all_descriptors(&server);
    // No end of a connection makes room below this limit.
    let limit = format!("prlimit --nofile=3 --pid {}", server.pid());
    let ran = run(Command::new("sh").args(["-c", &limit]), TIMEOUT);
    assert!(ran.status.success(), "{ran:?}");
    server.signal("TERM");
    let status = server.wait(Duration::from_secs(5));
    assert!(status.success(), "{status}");
}

/// Without a descriptor each newcomer takes that of the client which is longest at rest, and a subscriber keeps
/// its own.
#[test]
fn v11_without_a_descriptor_newcomers_take_the_places_of_those_at_rest() {
    let _exclusive = one_at_a_time();
    let server = limited_with("-n 64", "--shed-at-rest");
    let mut subscriber = Connection::new(server.address());
    subscriber.command(&["SUBSCRIBE", "news"]);
    let start = Instant::now();
    let mut newcomers: Vec<_> = (0..200)
        .map(|_| {
            let mut client = ping(&server);
            pong(&mut client);
            client
        })
        .collect();
    println!("200 clients were served within {:.1?}", start.elapsed());
    let mut last = newcomers.split_off(190);
    for client in &mut newcomers[..130] {
        client.expect_end();
    }
    last[0].expect(&["PUBLISH", "news", "hello"], ":1\r\n");
    assert!(subscriber.reply().ends_with(b"hello\r\n"));
    for client in &mut last {
        client.expect(&["PING"], "+PONG\r\n");
    }
    server.stop();
}

/// At the limit of connections the next clients are served, and those that were at rest longest hear the end.
#[test]
fn v11_ten_thousand_are_at_rest_and_the_next_are_served() {
    let _exclusive = one_at_a_time();
    let count = all_in_ci(10_000, 500);
    let options = format!("--max-connections {count} --shed-at-rest");
    let server = limited_with("-n 12000", &options);
    let connect = || {
        let mut client = ping(&server);
        pong(&mut client);
        client
    };
    let mut clients: Vec<_> = (0..count).map(|_| connect()).collect();
    // The first newcomer may have to wait until somebody has rested for long enough.
    let mut newcomers = vec![connect()];
    clients[0].expect_end();
    let start = Instant::now();
    newcomers.extend((1..100).map(|_| connect()));
    println!("99 newcomers were served within {:.1?}, at {count} connections", start.elapsed());
    clients[1..100].iter_mut().for_each(Connection::expect_end);
    clients[100..].iter_mut().chain(&mut newcomers).for_each(|client| {
        client.expect(&["PING"], "+PONG\r\n");
    });
    server.stop();
}

/// Connects until a client is not served; returns all that are, and the one that waits.
fn take_all_descriptors(server: &Server) -> (Vec<Connection>, Vec<Connection>) {
    let mut holders = Vec::new();
    loop {
        let mut connection = ping(server);
        if connection.is_silent_for(Duration::from_millis(300)) {
            return (holders, vec![connection]);
        }
        pong(&mut connection);
        holders.push(connection);
    }
}
