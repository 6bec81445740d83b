use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::lab::tool;
use crate::process::Launch;

/// Debian's nginx with one process, and files in memory. Its buffers are as large as those of the
/// others.
///
/// It is gone with its files when this is dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    directory: PathBuf,
    address: SocketAddr,
}

impl Nginx {
    /// `sendfile` has the kernel send files by itself.
    pub(crate) fn new(sendfile: bool) -> Result<Self, Error> {
        if fs::metadata("/usr/sbin/nginx").is_err() {
            tool("nginx", "nginx")?;
        }
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let address = super::free_address()?;
        let directory = parent.join(format!("benches-nginx-{}", address.port()));
        let nginx = Self { directory, address };
        fs::create_dir_all(nginx.files()).map_err(Error::doing(nginx.directory.display()))?;
        fs::write(nginx.configuration(), nginx.text(sendfile))?;
        Ok(nginx)
    }

    /// Makes a file that clients can get.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.files().join(name.trim_start_matches('/'));
        fs::write(&path, bytes).map_err(Error::doing(path.display()))
    }

    pub(crate) fn launch(&self) -> Launch {
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let (configuration, directory) = (path(self.configuration()), path(self.directory.clone()));
        let arguments = ["-e", "stderr", "-p", &directory, "-c", &configuration].map(str::to_owned);
        Launch::new(Self::program(), arguments).listens_at(self.address)
    }

    /// Users other than root may not have its directory in their path.
    fn program() -> PathBuf {
        let debian = Path::new("/usr/sbin/nginx");
        if debian.exists() { debian.to_owned() } else { "nginx".into() }
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("nginx.conf")
    }

    fn files(&self) -> PathBuf {
        self.directory.join("files")
    }

    fn text(&self, sendfile: bool) -> String {
        let (directory, address) = (self.directory.display(), self.address);
        let sendfile = if sendfile { "on" } else { "off" };
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths =
            kinds.map(|kind| format!("    {kind}_temp_path {directory}/{kind};\n")).concat();
        format!(
            "daemon off;\n\
             master_process off;\n\
             pid {directory}/pid;\n\
             error_log stderr crit;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\n\
             {paths}\
             access_log off;\n\
             sendfile {sendfile};\n\
             keepalive_requests 1000000000;\n\
             client_max_body_size 0;\n\
             client_body_buffer_size 64k;\n\
             output_buffers 2 256k;\n\
             server {{\n\
             listen {address} backlog=4096;\n\
             root {directory}/files;\n\
             location / {{ dav_methods PUT; }}\n\
             }}\n\
             }}\n"
        )
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // What is left in memory is small, and gone with the next start of the machine.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
