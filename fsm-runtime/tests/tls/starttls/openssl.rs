//! STARTTLS with the client of OpenSSL, where it is installed.

use std::process::{Command, Stdio};

use super::*;

#[test]
fn e1_the_client_of_openssl_upgrades_its_connection() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no openssl");
        return;
    }
    let server = MailServer::start();
    let mut client = Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-quiet", "-crlf", "-connect"])
        .arg(server.address().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    client.stdin.as_mut().unwrap().write_all(b"MAIL FROM:<a@b>\n").unwrap();
    until(|| server.log().iter().any(|line| line.starts_with("MAIL")));
    client.stdin.take().unwrap().write_all(b"QUIT\n").unwrap();
    let answers = client.wait_with_output().unwrap().stdout;
    let answers = String::from_utf8_lossy(&answers);
    assert!(answers.ends_with("250 ok\r\n221 bye\r\n"), "{answers}");
    let log = server.log();
    assert_eq!((&*log[1], &*log[3]), ("STARTTLS", "MAIL FROM:<a@b>"), "{log:?}");
}
