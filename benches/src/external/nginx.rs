use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::free_address;
use crate::certificate::Certificate;
use crate::error::Error;
use crate::process::ServerCommand;
use crate::tool;

/// The directory and the address of an nginx with one process and files in memory.
///
/// Its buffers have the sizes of the other servers' buffers. Dropping the value removes the
/// directory.
#[derive(Debug)]
pub(crate) struct Nginx {
    directory: PathBuf,
    address: SocketAddr,
}

impl Nginx {
    /// With `sendfile`, the kernel copies files to sockets.
    pub(crate) fn new(sendfile: bool) -> Result<Self, Error> {
        Self::with(sendfile, None)
    }

    /// One whose clients use TLS.
    pub(crate) fn encrypted(certificate: &Certificate) -> Result<Self, Error> {
        Self::with(false, Some(certificate))
    }

    fn with(sendfile: bool, certificate: Option<&Certificate>) -> Result<Self, Error> {
        if fs::metadata("/usr/sbin/nginx").is_err() {
            tool::require("nginx", "nginx")?;
        }
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let address = free_address()?;
        let directory = parent.join(format!("benches-nginx-{}", address.port()));
        let nginx = Self { directory, address };
        fs::create_dir_all(nginx.files()).map_err(Error::doing(nginx.directory.display()))?;
        let text = nginx.configuration_text(sendfile, certificate);
        fs::write(nginx.configuration(), text)?;
        Ok(nginx)
    }

    /// Creates a file that clients can GET.
    pub(crate) fn create_file(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.files().join(name.trim_start_matches('/'));
        fs::write(&path, bytes).map_err(Error::doing(path.display()))
    }

    pub(crate) fn server(&self) -> ServerCommand {
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let (configuration, directory) = (path(self.configuration()), path(self.directory.clone()));
        let arguments = ["-e", "stderr", "-p", &directory, "-c", &configuration].map(str::to_owned);
        ServerCommand::new(Self::program(), arguments).listening_at(self.address)
    }

    /// Prefers the absolute path, because `PATH` of a user other than root may lack `/usr/sbin`.
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

    fn configuration_text(&self, sendfile: bool, certificate: Option<&Certificate>) -> String {
        let (directory, address) = (self.directory.display(), self.address);
        let sendfile = if sendfile { "on" } else { "off" };
        let (ssl, files) = match certificate {
            None => ("", String::new()),
            Some(certificate) => {
                let (chain, key) = (certificate.chain(), certificate.key());
                let (chain, key) = (chain.display(), key.display());
                (" ssl", format!("ssl_certificate {chain};\nssl_certificate_key {key};\n"))
            }
        };
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths =
            kinds.map(|kind| format!("    {kind}_temp_path {directory}/{kind};\n")).concat();
        format!(
            "daemon off;\n\
             master_process off;\n\
             pid {directory}/pid;\n\
             error_log stderr crit;\n\
             events {{ worker_connections 20000; }}\n\
             http {{\n\
             {paths}\
             access_log off;\n\
             sendfile {sendfile};\n\
             keepalive_requests 1000000000;\n\
             keepalive_timeout 1h;\n\
             client_max_body_size 0;\n\
             client_body_buffer_size 64k;\n\
             output_buffers 2 256k;\n\
             server {{\n\
             listen {address}{ssl} backlog=4096;\n\
             {files}\
             root {directory}/files;\n\
             location / {{ dav_methods PUT; }}\n\
             }}\n\
             }}\n"
        )
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // An error leaves a small directory in memory until the next reboot.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
