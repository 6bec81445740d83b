//! Panics in user code (X8).

use super::*;

#[test]
fn x8_a_panic_ends_its_connection_and_affects_no_other() {
    let (running, address) = serve();
    let (other, mut bad) = (connect(address), connect(address));
    ask(&other, "abc\n", "3\n");
    bad.write_all(b"panic\n").unwrap();
    assert_eq!(bad.read(&mut [0; 8]).unwrap_or(0), 0);
    ask(&other, "abcd\n", "4\n");
    assert_eq!(running.stats().panicked, 1);
    drop(other);
    assert_eq!(running.drain().unwrap().open, 0);
}

#[test]
fn x8_a_panic_anywhere_in_user_code_ends_one_connection() {
    /// Panics when dropped, with another value that panics when dropped.
    struct PanicOnDrop;

    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            assert!(thread::panicking(), "dropped");
        }
    }

    let mut count = 0;
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        count += 1;
        assert!(count != 2, "the second one gets no handler");
        let value = PanicOnDrop;
        let on_line: Box<dyn FnMut() + Send> = match count {
            3 => Box::new(move || {
                let _value = &value;
            }),
            4 => Box::new(|| std::panic::panic_any(PanicOnDrop)),
            _ => {
                std::mem::forget(value);
                Box::new(|| ())
            }
        };
        Client { on_line }
    });
    let (running, address) = start(pool);
    let first = connect(address);
    ask(&first, "abc\n", "3\n");
    for _ in 0..3 {
        let mut bad = connect(address);
        let _ = bad.write_all(b"x\n");
        let _ = bad.shutdown(Shutdown::Write);
        let _ = bad.read_to_end(&mut Vec::new());
    }
    ask(&first, "abcd\n", "4\n");
    drop(first);
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.open, stats.panicked), (4, 0, 2));
}
