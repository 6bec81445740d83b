use super::*;

#[test]
fn v11_a_newcomer_takes_the_place_of_the_one_longest_at_rest() {
    let running = start(pool(3));
    let [mut first, second, mut third] = [(); 3].map(|()| Peer::served(&running));
    // The first one has just asked, so the second one has rested longest.
    first.ask("again");
    let mut newcomer = Peer::new(&running);
    newcomer.ask("hello");
    assert_eq!(second.last_words(), "bye\n");
    for peer in [&mut first, &mut third, &mut newcomer] {
        peer.ask("still here");
    }
    let stats = running.stats();
    assert_eq!((stats.shed, stats.done, stats.accepted, stats.open), (1, 0, 4, 3));
    assert_eq!(running.drain().unwrap().drained, 0, "they have said goodbye");
}

/// As many newcomers as there are places: each takes the place of the next one.
fn all_in_turn(pool: Builder<Talk>, count: usize, in_order: bool) {
    let running = start(pool);
    let mut peers: Vec<_> = (0..count).map(|_| Peer::served(&running)).collect();
    let started = Instant::now();
    let newcomers: Vec<_> = (0..count)
        .map(|_| {
            let mut newcomer = Peer::new(&running);
            newcomer.ask("hello");
            if in_order {
                assert_eq!(peers.remove(0).last_words(), "bye\n");
            }
            newcomer
        })
        .collect();
    println!("{count} newcomers were served within {:.1?}", started.elapsed());
    for peer in peers {
        assert_eq!(peer.last_words(), "bye\n");
    }
    let stats = running.stats();
    assert_eq!((stats.shed, stats.ended(), stats.open), (count as u64, count as u64, count as u64));
    drop(newcomers);
}

#[test]
fn v11_all_places_change_hands_in_the_order_of_rest() {
    let count = std::env::var("SHED").map_or(300, |count| count.parse().unwrap());
    all_in_turn(pool(count), count, true);
}

#[test]
fn v11_a_port_of_several_threads_sheds_in_order_too() {
    all_in_turn(pool(50).threads(3).max_running(2), 50, true);
}

#[test]
fn v11_each_shard_gives_up_places() {
    all_in_turn(pool(50).shards(3), 50, false);
}

#[test]
fn v11_who_works_or_keeps_its_place_stays_and_the_newcomer_waits() {
    let running = start(pool(3));
    let [mut listens, mut works, mut writes] = [(); 3].map(|()| Peer::served(&running));
    listens.ask("listen");
    works.ask("work");
    // Half a line is unread.
    writes.send("half");
    let mut newcomer = Peer::new(&running);
    newcomer.send("hello\n");
    assert!(newcomer.is_silent_for(Duration::from_millis(1_500)), "all have their places");
    assert_eq!(running.stats().shed, 0);
    writes.send(" a line\n");
    assert_eq!(writes.line(), "half a line\n");
    // Now it rests, and soon long enough.
    assert_eq!(newcomer.line(), "hello\n");
    assert_eq!(writes.last_words(), "bye\n");
    listens.ask("still here");
    works.ask("still here");
    assert_eq!((running.stats().shed, running.stats().open), (1, 3));
}

#[test]
fn v11_nobody_goes_between_two_requests() {
    let running = start(pool(2));
    let mut peers = [(); 2].map(|()| Peer::served(&running));
    let mut newcomer = Peer::new(&running);
    newcomer.send("hello\n");
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2_500) {
        for peer in &mut peers {
            peer.ask("again");
        }
        assert!(newcomer.is_silent_for(Duration::from_millis(50)), "nobody has rested for long");
    }
    let quiet = Instant::now();
    assert_eq!(newcomer.line(), "hello\n");
    let waited = quiet.elapsed();
    assert!(waited > Duration::from_millis(800), "it has waited for {waited:?}");
    assert_eq!(running.stats().shed, 1);
}

#[test]
fn v11_a_drain_serves_the_newcomer_that_waits() {
    let pool = pool(2);
    let handle = pool.handle();
    let running = start(pool);
    let mut peers = [(); 2].map(|()| Peer::served(&running));
    peers[0].ask("work");
    peers[1].ask("work");
    let newcomer = Peer::new(&running);
    newcomer.send("hello\n");
    let mut waiting = Peer::new(&running);
    waiting.send("hello\n");
    assert!(waiting.is_silent_for(Duration::from_millis(300)));
    handle.drain();
    for mut peer in peers {
        peer.ask("done");
        assert_eq!(peer.last_words(), "bye\n");
    }
    assert_eq!(newcomer.last_words(), "hello\nbye\n");
    assert_eq!(waiting.last_words(), "hello\nbye\n");
    let stats = running.join().unwrap();
    assert_eq!((stats.shed, stats.done, stats.accepted), (0, 4, 4));
}
