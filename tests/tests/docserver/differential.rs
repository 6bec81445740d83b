//! Random requests, sent to `docserver` and to an nginx of this machine, which serves the same documents: both
//! answer with the same status, validators and ranges, and both keep or close the connection, but for the
//! documented differences. One `docserver` answers with copies of small documents, and another one has none.
//!
//! `FSM_REQUESTS` is their number, and `FSM_SEED` their seed. A change of `docserver` that is meant to differ needs
//! a row in [`differences`].

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;

use fsm_tests::{Answer, Connection, Docserver, Random, all_in_ci, get, sha256};

mod differences;
mod nginx;
mod requests;

use differences::DIFFERENCES;
use nginx::Nginx;
use requests::{DOCUMENTS, Request};

/// A server with the validators of its documents: the tag and the date.
struct Subject {
    address: SocketAddr,
    validators: BTreeMap<&'static str, [String; 2]>,
}

impl Subject {
    fn new(address: SocketAddr) -> Self {
        let validators = DOCUMENTS.map(|(name, _)| {
            let answer = Connection::new(address).ask(get(&format!("/docs/{name}"))).expect(200);
            let field = |name| answer.field(name).expect("a validator").to_owned();
            (name, [field("etag"), field("last-modified")])
        });
        Self { address, validators: validators.into() }
    }

    /// Sends all requests at once, and reads the answers until the connection ends.
    fn ask(&self, requests: &[Request]) -> Vec<Seen> {
        let mut connection = Connection::new(self.address);
        let text: String = requests.iter().map(|request| self.render(request)).collect();
        // The server may have closed the connection after a refusal.
        let _ = connection.try_send(text.as_bytes());
        let mut seen = Vec::new();
        for request in requests {
            // nginx closes a connection after 412 without a word, so that later requests show nothing.
            let is_open =
                seen.last().is_none_or(|seen: &Seen| seen.keeps_alive && seen.status != 412);
            if !is_open || !matches!(connection.is_at_end(), Ok(false)) {
                seen.push(Seen::default());
                break;
            }
            let answer = match request.method {
                "HEAD" => connection.answer_to_head(),
                _ => connection.answer(),
            };
            seen.push(Seen::new(&answer, &self.validators[request.document]));
        }
        seen
    }

    fn render(&self, request: &Request) -> String {
        let [etag, modified] = &self.validators[request.document];
        request.text.replace("{etag}", etag).replace("{modified}", modified)
    }
}

/// The parts of an answer in which the servers should agree. Without an answer, the status is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    status: u16,
    keeps_alive: bool,
    /// The length, the range and the digest of a document.
    len: Option<String>,
    range: Option<String>,
    body: Option<String>,
    /// Whether the validators are those of the document.
    validators: [Option<bool>; 2],
}

impl Seen {
    fn new(answer: &Answer, [etag, modified]: &[String; 2]) -> Self {
        let is_document = matches!(answer.status, 200 | 206);
        let own = |name| answer.field(name).map(str::to_owned);
        let is_found = is_document || answer.status == 304;
        let validator =
            |name, own: &String| answer.field(name).filter(|_| is_found).map(|value| value == own);
        Self {
            status: answer.status,
            keeps_alive: answer.keeps_alive(),
            len: own("content-length").filter(|_| is_document),
            range: own("content-range"),
            body: is_document.then(|| sha256(&answer.body)),
            validators: [validator("etag", etag), validator("last-modified", modified)],
        }
    }
}

#[test]
fn random_requests_get_the_answers_of_nginx() {
    let number =
        |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (seed, count) =
        (number("FSM_SEED").unwrap_or(1), number("FSM_REQUESTS").unwrap_or(all_in_ci(5_000, 400)));
    let mut random = Random::new(seed);
    let documents = DOCUMENTS.map(|(name, len)| (name, random.next_bytes(len)));
    let Some(nginx) = Nginx::start(&documents) else { return };
    let servers = [Docserver::in_memory(&[]), Docserver::in_memory(&["--hot-bytes", "0"])];
    let ours = servers.each_ref().map(|docs| {
        for (name, bytes) in &documents {
            docs.put(name, bytes).expect(201);
        }
        Subject::new(docs.server().address())
    });
    let theirs = Subject::new(nginx.address);
    let mut known = BTreeMap::<_, u32>::new();
    let (mut asked, mut differing) = (0, Vec::new());
    while asked < count {
        let requests: Vec<_> =
            (0..=random.index(4)).map(|_| Request::random(&mut random)).collect();
        asked += requests.len() as u64;
        let [hot, cold] = ours.each_ref().map(|ours| ours.ask(&requests));
        assert_eq!(hot, cold, "with and without copies: {requests:?}");
        let pairs = hot.into_iter().zip(theirs.ask(&requests));
        let first = pairs.zip(&requests).find(|((ours, theirs), _)| ours != theirs);
        // The connections are in different states after a difference.
        let Some(((ours, theirs), request)) = first else { continue };
        if let Some(reason) = explained(request, &ours) {
            *known.entry(reason).or_default() += 1;
            continue;
        }
        let batch: Vec<_> = requests.iter().map(|request| &request.text).collect();
        differing.push(format!(
            "{:?}\n  docserver: {ours:?}\n  nginx:     {theirs:?}\n  in {batch:?}",
            request.text
        ));
    }
    println!("seed {seed}: {asked} requests, of which differ as documented: {known:#?}");
    let count = differing.len();
    assert!(differing.is_empty(), "seed {seed}: {count} differ:\n{}", differing.join("\n"));
    for docs in servers {
        docs.stop();
    }
}

/// The reason of a documented difference.
fn explained(request: &Request, ours: &Seen) -> Option<&'static str> {
    let mut differences = DIFFERENCES.iter();
    let found = differences.find(|difference| {
        difference.statuses.contains(&ours.status) && (difference.applies)(request)
    });
    found.map(|difference| difference.reason)
}
