//! Files that leave encrypted.

use std::fs::File;

use super::relay::To;
use super::*;

/// Sends the first bytes of a file.
#[state_machine(start = Ask, eof => Gone, limit => Gone)]
enum Downloads {
    /// A number of bytes.
    #[read(until = b"\n", max = 64, within = 20s => Gone)]
    #[to(Ask)]
    #[rest]
    Ask,
    #[end]
    Gone,
}

struct Files(Arc<File>);

impl downloads::Handler for Files {
    fn ask(&mut self, line: &[u8], cx: &mut Cx<'_>) -> downloads::AfterAsk {
        let len = std::str::from_utf8(line).unwrap().parse().unwrap();
        cx.write(b"<");
        cx.send_file(Arc::clone(&self.0), 0..len);
        cx.write(b">");
        downloads::AfterAsk::Ask
    }
}

/// Sends all of a file in the clear, and hands the connection to a pool that goes on encrypted.
#[state_machine(start = Ask, eof => Gone, limit => Gone)]
enum PlainDownload {
    #[read(until = b"\n", max = 64, within = 20s => Gone)]
    #[to(Go)]
    Ask,
    #[handoff(Lines, gone => Gone, within = 20s => Gone)]
    Go,
    #[end]
    Gone,
}

impl plain_download::Handler for Files {
    fn ask(&mut self, _: &[u8], cx: &mut Cx<'_>) -> plain_download::AfterAsk {
        cx.send_file(Arc::clone(&self.0), 0..SIZE as u64);
        plain_download::AfterAsk::Go { seed: () }
    }
}

/// No multiple of the size of a read, or of a record.
const BLOCK: usize = 999_983;
const SIZE: usize = 200 * BLOCK;

fn block() -> Vec<u8> {
    (0..BLOCK).map(|n| u8::try_from(n * n % 251).unwrap()).collect()
}

/// A file that has the block 200 times.
fn file() -> Arc<File> {
    let (block, mut file) = (block(), tempfile::tempfile().unwrap());
    for _ in 0..SIZE / BLOCK {
        file.write_all(&block).unwrap();
    }
    Arc::new(file)
}

fn serve(file: &Arc<File>) -> (Running, Authority) {
    let (authority, file) = (Authority::new(), Arc::clone(file));
    let running = Pool::builder::<Downloads>("downloads")
        .tls(server_config(&authority, "localhost"))
        .listen("127.0.0.1:0")
        .handler(move |_| Files(Arc::clone(&file)))
        .start()
        .unwrap();
    (running, authority)
}

fn address(running: &Running) -> SocketAddr {
    running.addresses()[0].to_string().parse().unwrap()
}

#[test]
fn e4_a_large_file_arrives_byte_for_byte() {
    let (running, authority) = serve(&file());
    let block = block();
    // A fast reader of all, and a slow one of a part.
    for (len, most) in [(SIZE, 1 << 20), (5 * BLOCK, 777)] {
        let mut peer = connect(address(&running), client_config(&authority).into());
        writeln!(peer.get_mut(), "{len}").unwrap();
        let (mut buffer, mut got) = (vec![0; most], 0);
        peer.read_exact(&mut buffer[..1]).unwrap();
        assert_eq!(buffer[0], b'<');
        while got < len {
            let from = got % BLOCK;
            let room = most.min(BLOCK - from);
            let read = peer.read(&mut buffer[..room]).unwrap();
            assert_ne!(read, 0);
            assert!(buffer[..read] == block[from..from + read], "wrong bytes from {got} on");
            got += read;
        }
        writeln!(peer.get_mut(), "0").unwrap();
        peer.read_exact(&mut buffer[..3]).unwrap();
        assert_eq!(&buffer[..3], b"><>");
    }
}

#[test]
fn e3_a_file_that_becomes_shorter_does_not_pass_for_whole() {
    let file = file();
    let (running, authority) = serve(&file);
    let mut peer = connect(address(&running), client_config(&authority).into());
    writeln!(peer.get_mut(), "{SIZE}").unwrap();
    peer.read_exact(&mut [0; 1]).unwrap();
    file.set_len(BLOCK as u64).unwrap();
    let error = io::copy(&mut peer, &mut io::sink()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn e2_tls_does_not_begin_behind_a_file() {
    let (authority, file) = (Authority::new(), file());
    let lines = Pool::builder::<Lines>("lines").tls(server_config(&authority, "localhost"));
    let plain = Pool::builder::<PlainDownload>("plain").listen("127.0.0.1:0");
    let running = Pipeline::new()
        .pool(plain.handler(move |_| Files(Arc::clone(&file))))
        .pool(lines.handler(|_| Client))
        .start()
        .unwrap();
    let mut peer = TcpStream::connect(address(&running)).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    peer.write_all(b"please\n").unwrap();
    let error = io::copy(&mut peer, &mut io::sink()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

/// Gives a part of a file to its target, and passes the answer on.
#[state_machine(start = Hello, settings = To, eof => Gone, limit => Gone, within = 20s => Gone)]
enum Uploads {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(refused => Gone)]
    #[to(Sum)]
    Dial,
    #[read(other, until = b"\n", max = 64)]
    #[to(Gone)]
    Sum,
    #[end]
    Gone,
}

impl uploads::Handler for Files {
    fn hello(&mut self, cx: &mut Cx<'_, NoMessage, To>) -> uploads::AfterHello {
        writeln!(cx.other(), "take {}", 5 * BLOCK);
        cx.other().send_file(Arc::clone(&self.0), 0..5 * BLOCK as u64);
        uploads::AfterHello::Dial { to: cx.settings().0.clone().unwrap() }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_, NoMessage, To>) -> uploads::AfterDial {
        uploads::AfterDial::Sum
    }

    fn sum(&mut self, sum: &[u8], cx: &mut Cx<'_, NoMessage, To>) -> uploads::AfterSum {
        cx.write(sum);
        uploads::AfterSum::Gone
    }
}

#[test]
fn e4_s1_x16_a_file_for_the_other_socket_leaves_encrypted() {
    let (target, file) = (Server::start(), file());
    let to = format!("tls:localhost:{}", target.address().port());
    let running = Pool::builder::<Uploads>("uploads")
        .settings(To(Some(to.parse().unwrap())))
        .tls_client(client_config(&target.authority))
        .listen_plain("127.0.0.1:0")
        .handler(move |_| Files(Arc::clone(&file)))
        .start()
        .unwrap();
    let mut peer = TcpStream::connect(address(&running)).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut sum = String::new();
    peer.read_to_string(&mut sum).unwrap();
    let expected: u64 = block().iter().map(|byte| 5 * u64::from(*byte)).sum();
    assert_eq!(sum, expected.to_string());
}
