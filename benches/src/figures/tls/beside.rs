use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::{Address, Running};

use crate::certificate::Certificate;
use crate::error::Error;
use crate::figure::{Figure, Measured, Series, Statistics, Target, Unit};
use crate::lab::Lab;
use crate::load::tls::session;
use crate::peer::Peer;
use crate::servers;
use crate::workload::ECHO_BYTES;

/// The handshakes that begin at once.
const HANDSHAKES: usize = 500;
/// The time in which echoes are measured without handshakes.
const QUIET: Duration = Duration::from_millis(100);

/// The latency of a plain pool's echoes while another pool of the process makes handshakes.
///
/// Clients send their first messages only, so that the load has nothing to compute meanwhile.
pub(crate) fn beside(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "tls-beside-p99";
    let certificate = Certificate::of(lab)?;
    let [plain, encrypted] = [servers::echo_pool(None)?, servers::echo_pool(Some(&certificate))?];
    let (plain, encrypted) = ((address(&plain)?, plain), (address(&encrypted)?, encrypted));
    let rounds = lab.amount(30, 10);
    let bar = lab.progress_bar(name, rounds);
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let quiet = p99(plain.0, || {
            thread::sleep(QUIET);
            Ok(())
        })?;
        let hellos = Hellos::connect(&certificate, encrypted.0)?;
        let busy = p99(plain.0, || hellos.send())?;
        ratios.push(busy / quiet);
        bar.inc(1);
    }
    let measured = vec![Measured { peer: Peer::Ours, value: Statistics::of(ratios) }];
    let series = Series { measured, skipped: Vec::new() };
    let title = "p99 latency of a plain pool's echoes during 500 TLS handshakes in another pool, \
                 relative to none";
    Ok(vec![Figure::new(name, title, Unit::Ratio, [Target::AtMost(2.0)], series)])
}

fn address(running: &Running) -> Result<SocketAddr, Error> {
    match running.addresses().first() {
        Some(Address::Tcp(address)) => Ok(*address),
        _ => Err(Error::failed("a pool has no address")),
    }
}

/// Connections on which clients have not sent yet.
struct Hellos(Vec<(TcpStream, Vec<u8>)>);

impl Hellos {
    fn connect(certificate: &Certificate, address: SocketAddr) -> Result<Self, Error> {
        let config = certificate.client()?;
        let connect = |_| {
            let (stream, mut hello) = (TcpStream::connect(address)?, Vec::new());
            session(&config)?.write_tls(&mut hello)?;
            Ok((stream, hello))
        };
        (0..HANDSHAKES).map(connect).collect::<Result<_, Error>>().map(Self)
    }

    /// Sends all, and waits until the server has answered all.
    fn send(self) -> Result<(), Error> {
        for (stream, hello) in &self.0 {
            (&mut &*stream).write_all(hello)?;
        }
        for (stream, _) in &self.0 {
            (&mut &*stream).read_exact(&mut [0])?;
        }
        Ok(())
    }
}

/// The p99 latency, in microseconds, of single echoes while `work` runs.
fn p99(address: SocketAddr, work: impl FnOnce() -> Result<(), Error>) -> Result<f64, Error> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let echoes = scope.spawn(|| echo_until(address, &done));
        let worked = work();
        done.store(true, Ordering::Relaxed);
        let echoes = echoes.join().map_err(|_| Error::failed("a client panicked"))?;
        worked?;
        let mut latencies = echoes?;
        latencies.sort_unstable();
        let index = latencies.len() * 99 / 100;
        let latency = latencies.get(index).ok_or_else(|| Error::failed("there was no echo"))?;
        Ok(latency.as_secs_f64() * 1e6)
    })
}

/// Makes echoes until `done`, and returns their latencies.
fn echo_until(address: SocketAddr, done: &AtomicBool) -> Result<Vec<Duration>, Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (mut latencies, mut buffer) = (Vec::new(), [0; ECHO_BYTES]);
    while !done.load(Ordering::Relaxed) {
        let begun = Instant::now();
        stream.write_all(&buffer)?;
        stream.read_exact(&mut buffer)?;
        latencies.push(begun.elapsed());
    }
    Ok(latencies)
}
