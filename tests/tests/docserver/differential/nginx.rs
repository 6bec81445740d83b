//! An nginx that serves documents from a directory.

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use fsm_tests::{Connection, TempDir, client, eventually, get};

/// The process; dropping it kills it.
pub(super) struct Nginx {
    child: Child,
    pub(super) address: SocketAddr,
    _root: TempDir,
}

/// With one range in an answer and with later dates in If-Modified-Since, as `docserver` has them.
const CONFIGURATION: &str = "
    daemon off;
    master_process off;
    error_log stderr crit;
    pid ROOT/pid;
    events {}
    http {
        access_log off;
        client_body_temp_path ROOT/body;
        proxy_temp_path ROOT/proxy;
        fastcgi_temp_path ROOT/fastcgi;
        uwsgi_temp_path ROOT/uwsgi;
        scgi_temp_path ROOT/scgi;
        max_ranges 1;
        if_modified_since before;
        keepalive_requests 1000000;
        server {
            listen ADDRESS;
            root ROOT/www;
        }
    }
";

impl Nginx {
    /// Starts it on a port that was free, with these documents. `None` if it is not installed.
    pub(super) fn start(documents: &[(&str, Vec<u8>)]) -> Option<Self> {
        let program = client("nginx")?;
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let nginx = Self::start_on(
                program.as_os_str(),
                free.expect("a port should be free"),
                documents,
            );
            if nginx.is_some() {
                return nginx;
            }
        }
        panic!("others take each port that is free")
    }

    /// Starts it on this port; `None` if another program took the port first.
    fn start_on(
        program: &OsStr,
        address: SocketAddr,
        documents: &[(&str, Vec<u8>)],
    ) -> Option<Self> {
        let root = TempDir::new("nginx");
        fs::create_dir_all(root.path().join("www/docs")).expect("a directory can be made");
        for (name, bytes) in documents {
            root.write(&format!("www/docs/{name}"), bytes);
        }
        let path = root.path().display().to_string();
        let text = CONFIGURATION.replace("ROOT", &path).replace("ADDRESS", &address.to_string());
        let configuration = root.write("nginx.conf", text);
        let child = Command::new(program)
            .arg("-p")
            .arg(root.path())
            .arg("-c")
            .arg(configuration)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx should start");
        let mut nginx = Self { child, address, _root: root };
        let mut has_ended = false;
        eventually("nginx listens", || {
            has_ended = nginx.child.try_wait().expect("it can be waited for").is_some();
            has_ended || TcpStream::connect(address).is_ok()
        });
        if has_ended {
            return None;
        }
        let answer = Connection::new(address).ask(get(&format!("/docs/{}", documents[0].0)));
        answer.field("server").is_some_and(|name| name.starts_with("nginx/")).then_some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
