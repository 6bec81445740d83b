//! Python's `http.client`, which sends a whole body before it reads, hears why it is refused.

use std::process::Command;
use std::time::Duration;

use fsm_tests::{Docserver, client, run};

/// Uploads 4 MB in pieces, each after a pause, and posts where nothing can be posted, with the body after
/// the head. Prints the status of each answer.
const SCRIPT: &str = "
import http.client, sys, time
port = int(sys.argv[1])
for method, pieces, pause in ('PUT', 64, 0.002), ('POST', 1, 0.05):
    for attempt in range(5):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
        connection.putrequest(method, '/docs/large' if method == 'PUT' else '/')
        connection.putheader('Content-Length', str(pieces * 62500))
        connection.endheaders()
        for piece in range(pieces):
            time.sleep(pause)
            connection.send(b'x' * 62500)
        print(connection.getresponse().status)
        connection.close()
";

#[test]
fn g2_an_upload_in_pieces_hears_that_it_is_refused() {
    let Some(python) = client("python3") else { return };
    let docs = Docserver::in_memory(&["--max-size", "1MB"]);
    let port = docs.server().port();
    let ran = run(Command::new(python).args(["-c", SCRIPT, &port]), Duration::from_secs(60));
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(ran.stdout, "413\n".repeat(5) + &"405\n".repeat(5));
    docs.stop();
}
