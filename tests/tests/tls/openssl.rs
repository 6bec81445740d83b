//! `docserver` with `openssl s_client`: versions, ALPN and the resumption of sessions.

use std::process::Command;

use fsm_tests::{Docserver, RunOutput, TIMEOUT, client, run_with_input};

use super::Authority;

fn ask(docs: &Docserver, authority: &Authority, options: &[&str]) -> Option<RunOutput> {
    let mut command = Command::new(client("openssl")?);
    command.args(["s_client", "-connect", &docs.server().address().to_string()]);
    command.args(["-servername", "localhost", "-verify_hostname", "localhost"]);
    command.args(["-verify_return_error", "-ign_eof", "-CAfile"]).arg(authority.file());
    command.args(options).current_dir(authority.directory());
    Some(run_with_input(&mut command, TIMEOUT, |input| {
        input.write_all(b"GET /docs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }))
}

#[test]
fn both_versions_are_spoken_and_sessions_resumed() {
    let authority = Authority::new();
    let docs = Docserver::new(&authority.here().options());
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let keep = [option, "-alpn", "h2,http/1.1", "-sess_out", "session"];
        let Some(ran) = ask(&docs, &authority, &keep) else { return };
        assert!(ran.status.success(), "{ran:?}");
        for words in
            [&format!("New, {version}"), "ALPN protocol: http/1.1", "Verify return code: 0 (ok)"]
        {
            assert!(ran.stdout.contains(words), "no `{words}`: {ran:?}");
        }
        assert!(ran.stdout.contains("\"docs\":[]"), "{ran:?}");
        let resume = [option, "-alpn", "h2,http/1.1", "-sess_in", "session"];
        let Some(ran) = ask(&docs, &authority, &resume) else { return };
        assert!(ran.stdout.contains(&format!("Reused, {version}")), "{ran:?}");
        assert!(ran.stdout.contains("\"docs\":[]"), "{ran:?}");
    }
    docs.stop();
}

#[test]
fn what_the_server_does_not_speak_is_refused_with_an_alert() {
    let authority = Authority::new();
    let docs = Docserver::new(&authority.here().options());
    for (options, alert) in [
        (&["-alpn", "h2"][..], "no application protocol"),
        (&["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], "alert handshake failure"),
    ] {
        let Some(ran) = ask(&docs, &authority, options) else { return };
        let said = ran.stderr.to_lowercase();
        assert!(!ran.status.success() && said.contains(alert), "{options:?}: {ran:?}");
    }
    docs.stop();
}
