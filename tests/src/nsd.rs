use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{TempDir, eventually};

/// An NSD that serves one zone; dropping it kills it.
#[derive(Debug)]
pub struct Nsd {
    child: Child,
    port: u16,
    /// Its configuration and its files.
    _folder: TempDir,
}

impl Nsd {
    /// Starts this program on a port that was free, with the zone `example.org`.
    pub fn start(program: &Path, zone: &str) -> Self {
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.expect("a port should be free").port();
            let folder = TempDir::new("nsd");
            folder.write("zone", zone);
            let configuration = folder.write("nsd.conf", configuration(folder.path(), port));
            let child = Command::new(program)
                .arg("-d")
                .arg("-c")
                .arg(&configuration)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("nsd should start");
            let mut nsd = Self { child, port, _folder: folder };
            let mut has_ended = false;
            eventually("nsd listens", || {
                has_ended = nsd.child.try_wait().is_ok_and(|status| status.is_some());
                has_ended || TcpStream::connect(nsd.address()).is_ok()
            });
            if !has_ended {
                return nsd;
            }
        }
        panic!("others take each port that is free")
    }

    /// The address on which it listens, with UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // Its first process ends the others on this signal alone.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "server:
  ip-address: 127.0.0.1@{port}
  username: \"\"
  chroot: \"\"
  database: \"\"
  pidfile: \"\"
  zonesdir: \"{folder}\"
  zonelistfile: \"{folder}/zone.list\"
  xfrdfile: \"{folder}/xfrd.state\"
  xfrdir: \"{folder}\"
  logfile: \"{folder}/log\"
  server-count: 1
  ipv4-edns-size: 1232
  minimal-responses: yes
remote-control:
  control-enable: no
zone:
  name: example.org
  zonefile: zone
"
    )
}
