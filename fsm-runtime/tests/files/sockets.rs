//! Files that leave by real sockets.

use super::*;

fn serve_at(listen: &str, file: &Arc<File>) -> Running {
    let (parts, file) = (Pool::builder::<Parts>("parts").listen(listen), Arc::clone(file));
    Pipeline::new()
        .pool(parts.threads(1).handler(move |_| Client { file: Arc::clone(&file) }))
        .pool(Pool::builder::<Echo>("echo").handler(|_| Echoes))
        .start()
        .unwrap()
}

fn serve(file: &Arc<File>) -> (Running, SocketAddr) {
    let running = serve_at("127.0.0.1:0", file);
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    (running, address)
}

#[test]
fn x16_a_large_file_arrives_byte_for_byte_at_a_fast_and_at_a_slow_reader() {
    let (_running, address) = serve(&patterned(200_000_000));
    for (at, len, most) in [(0, 200_000_000, 1 << 20), (123_456_789, 5_000_000, 777)] {
        let mut peer = connect(address);
        peer.write_all(format!("get {at} {len}\nthen\n").as_bytes()).unwrap();
        expect(&mut peer, b"<");
        expect_part(&mut peer, at, len, most);
        expect(&mut peer, b">then!\n");
    }
}

#[cfg(unix)]
#[test]
fn x16_a_large_file_arrives_byte_for_byte_over_a_unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let _running = serve_at(&format!("unix:{}", path.display()), &patterned(200_000_000));
    for (at, len, most) in [(0, 200_000_000, 1 << 20), (3, 5_000_000, 777)] {
        let mut peer = std::os::unix::net::UnixStream::connect(&path).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        peer.write_all(format!("last {at} {len}\n").as_bytes()).unwrap();
        expect(&mut peer, b"<");
        expect_part(&mut peer, at, len, most);
        expect(&mut peer, b">");
        assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
    }
}

#[test]
fn pitfall_17_files_and_bytes_keep_their_order_however_they_are_cut() {
    let (_running, address) = serve(&patterned(3_000_000));
    let parts = [(0, 1), (7, 0), (1_000_000, 1_999_999), (0, 70_000), (2_999_999, 1), (5, 300_000)];
    let mut requests = Vec::new();
    for (at, len) in parts {
        write!(requests, "get {at} {len}\nx\n").unwrap();
    }
    for most in [1_000, 65_536] {
        let mut peer = connect(address);
        peer.write_all(&requests).unwrap();
        for (at, len) in parts {
            expect(&mut peer, b"<");
            expect_part(&mut peer, at, len, most);
            expect(&mut peer, b">x!\n");
        }
    }
}

#[test]
fn x4_a_reader_of_a_huge_file_does_not_hold_up_others() {
    // It takes no room on the disk.
    let file = tempfile::tempfile().unwrap();
    file.set_len(1 << 40).unwrap();
    let (running, address) = serve(&Arc::new(file));
    let mut greedy = connect(address);
    let len = (1_u64 << 40) - 1;
    greedy.write_all(format!("get 0 {len}\n").as_bytes()).unwrap();
    std::thread::scope(|scope| {
        let mut reader = greedy.try_clone().unwrap();
        let reads = scope.spawn(move || {
            let (mut buffer, mut received) = (vec![0; 1 << 20], 0);
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) | Err(_) => return received,
                    Ok(read) => received += read,
                }
            }
        });
        let mut polite = connect(address);
        for _ in 0..200 {
            polite.write_all(b"hello\n").unwrap();
            expect(&mut polite, b"hello!\n");
        }
        greedy.shutdown(std::net::Shutdown::Both).unwrap();
        assert!(reads.join().unwrap() > 1 << 20);
    });
    assert_eq!(running.stats().accepted, 2);
}

#[test]
fn x16_a_file_that_becomes_shorter_meanwhile_resets_the_connection() {
    for command in ["get", "last"] {
        let file = patterned(100_000_000);
        let (running, address) = serve(&file);
        let mut peer = connect(address);
        peer.write_all(format!("{command} 0 100000000\n").as_bytes()).unwrap();
        expect(&mut peer, b"<");
        file.set_len(1_000_000).unwrap();
        let received = io::copy(&mut peer, &mut io::sink()).map_err(|error| error.kind());
        assert_eq!(received, Err(io::ErrorKind::ConnectionReset), "{command}");
        // The pool goes on.
        let mut peer = connect(address);
        peer.write_all(b"get 999999 1\n").unwrap();
        expect(&mut peer, b"<");
        expect_part(&mut peer, 999_999, 1, 1);
        drop(running);
    }
}

#[test]
fn x7_a_file_that_is_queued_moves_along_to_another_pool() {
    let (_running, address) = serve(&patterned(20_000_000));
    let mut peer = connect(address);
    peer.write_all(b"move 0 20000000\nover\n").unwrap();
    expect(&mut peer, b"<");
    expect_part(&mut peer, 0, 20_000_000, 1 << 20);
    expect(&mut peer, b">over there\n");
}

/// A pipe or socket, which has no offsets, is no file to send.
#[cfg(unix)]
#[test]
fn x16_a_file_that_has_no_offsets_resets_the_connection() {
    use std::os::fd::OwnedFd;

    let (pipe, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
    other.write_all(b"bytes").unwrap();
    let directory = File::open(std::env::temp_dir()).unwrap();
    for file in [File::from(OwnedFd::from(pipe)), directory] {
        let (_running, address) = serve(&Arc::new(file));
        let mut peer = connect(address);
        peer.write_all(b"get 0 5\n").unwrap();
        let received = io::copy(&mut peer, &mut io::sink()).map_err(|error| error.kind());
        assert_eq!(received, Err(io::ErrorKind::ConnectionReset));
    }
}

/// Devices and files that the system makes up have no length, but can be read.
#[cfg(target_os = "linux")]
#[test]
fn x16_a_device_and_a_file_that_the_system_makes_up_are_sent() {
    let (_running, address) = serve(&Arc::new(File::open("/dev/zero").unwrap()));
    let mut peer = connect(address);
    peer.write_all(b"get 5 300000\n").unwrap();
    expect(&mut peer, &[b"<", &vec![0; 300_000][..], b">"].concat());

    let version = std::fs::read("/proc/version").unwrap();
    let (_running, address) = serve(&Arc::new(File::open("/proc/version").unwrap()));
    let mut peer = connect(address);
    peer.write_all(format!("get 2 {}\n", version.len() - 2).as_bytes()).unwrap();
    expect(&mut peer, &[b"<", &version[2..], b">"].concat());
}
