use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Connection, encode, eventually};

/// A Redis that keeps nothing on disk; dropping it kills it.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    /// Starts this program on a port that was free. Another program may take the port first, so this asks who
    /// answers.
    pub fn start(program: &Path) -> Self {
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.expect("a port should be free").port();
            let child = Command::new(program)
                .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
                .args(["--save", "", "--appendonly", "no", "--databases", "1"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .expect("redis-server should start");
            let redis = Self { child, port };
            eventually("redis-server listens", || TcpStream::connect(redis.address()).is_ok());
            let mut connection = Connection::new(redis.address());
            let sent = connection.try_send(&encode(&["INFO", "server"]));
            let info = sent.and_then(|()| connection.try_reply()).unwrap_or_default();
            let own = format!("process_id:{}\r", redis.child.id());
            if String::from_utf8_lossy(&info).contains(&own) {
                return redis;
            }
        }
        panic!("others take each port that is free")
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
