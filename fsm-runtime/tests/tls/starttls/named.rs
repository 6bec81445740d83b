//! Clients whose state says which server they begin TLS with.

use super::client::relay_host;
use super::*;

/// Says STARTTLS, and begins TLS with a server of the name that it starts with.
#[state_machine(start = Greeting, settings = Names, eof => Lost, limit => Lost, within = 10s => Lost)]
enum Chosen {
    #[read(until = b"\r\n", max = 1KiB)]
    #[to(Answer)]
    Greeting,
    #[read(until = b"\r\n", max = 1KiB)]
    #[to(Secure)]
    Answer,
    #[tls(name = settings.of(host), error => Failed)]
    #[to(Gone)]
    Secure { host: String },
    #[run]
    #[to(Gone)]
    Failed {
        #[error]
        why: io::Error,
    },
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

/// The name of a host in certificates, in place of `NAME`.
#[derive(Clone, Default)]
struct Names(&'static str);

impl Names {
    fn of(&self, host: &str) -> String {
        host.replace("NAME", self.0)
    }
}

struct Knows(Log);

impl chosen::Handler for Knows {
    fn greeting(&mut self, _: &[u8], cx: &mut Cx<'_, NoMessage, Names>) -> chosen::AfterGreeting {
        cx.write(b"STARTTLS\r\n");
        chosen::AfterGreeting::Answer
    }

    fn answer(&mut self, _: &[u8], _: &mut Cx<'_, NoMessage, Names>) -> chosen::AfterAnswer {
        chosen::AfterAnswer::Secure { host: "NAME".to_owned() }
    }

    fn secure(
        &mut self,
        _: &mut String,
        _: TlsSession<'_>,
        _: &mut Cx<'_, NoMessage, Names>,
    ) -> chosen::AfterSecure {
        self.0.lock().unwrap().push("secured".to_owned());
        chosen::AfterSecure::Gone
    }

    fn failed(
        &mut self,
        why: &mut io::Error,
        _: &mut Cx<'_, NoMessage, Names>,
    ) -> chosen::AfterFailed {
        self.0.lock().unwrap().push(why.to_string());
        chosen::AfterFailed::Gone
    }

    fn lost(&mut self, _: &mut Cx<'_, NoMessage, Names>) -> chosen::AfterLost {
        chosen::AfterLost::Gone
    }
}

/// Connects to an address without a name. Returns what the machine has learnt first.
fn learns(authority: &Authority, name: &'static str) -> String {
    let log = Log::default();
    let knows = Arc::clone(&log);
    let _running = Pool::builder::<Chosen>("chosen")
        .settings(Names(name))
        .tls_client(client_config(authority))
        .connect(relay_host(authority, "localhost").to_string())
        .connections(1)
        .handler(move |_server| Knows(Arc::clone(&knows)))
        .start()
        .unwrap();
    until(|| !log.lock().unwrap().is_empty());
    log.lock().unwrap()[0].clone()
}

#[test]
fn e1_a_state_names_the_server_that_its_certificate_must_be_for() {
    let authority = Authority::new();
    assert_eq!(learns(&authority, "localhost"), "secured");
    let failed = learns(&authority, "example.org");
    assert!(failed.starts_with("invalid peer certificate"), "{failed}");
    let failed = learns(&authority, "no name");
    assert_eq!(failed, "the name of the server is none that a certificate could be for");
}

#[test]
fn e1_a_connection_that_a_pool_accepts_is_a_client_where_its_state_names_the_server() {
    let authority = Authority::new();
    let log = Log::default();
    let knows = Arc::clone(&log);
    let running = Pool::builder::<Chosen>("chosen")
        .settings(Names("localhost"))
        .tls_client(client_config(&authority))
        .listen("127.0.0.1:0")
        .handler(move |_peer| Knows(Arc::clone(&knows)))
        .start()
        .unwrap();
    let mut stream = TcpStream::connect(running.addresses()[0].to_string()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"220 relay\r\n220 go ahead\r\n").unwrap();
    let mut said = [0; 10];
    stream.read_exact(&mut said).unwrap();
    let session = ServerConnection::new(server_config(&authority, "localhost").into()).unwrap();
    let mut peer = StreamOwned::new(session, stream);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the machine ends");
    assert_eq!(log.lock().unwrap()[..], ["secured"]);
}

#[test]
fn e1_a_machine_that_names_a_server_needs_the_settings_of_a_client() {
    let authority = Authority::new();
    let named = Pool::builder::<Chosen>("chosen").tls(server_config(&authority, "localhost"));
    let named = named.listen("127.0.0.1:0").handler(|_peer| Knows(Log::default()));
    assert_eq!(
        named.start().unwrap_err().to_string(),
        "the pool `chosen` cannot encrypt all its connections: its machine names a server in a `#[tls(name = ..)]` \
         state; give it `and_tls_client(..)` with the settings of a client"
    );
}

#[test]
fn e1_a_test_sees_the_name_of_the_server() {
    let mut peer = Session::<Chosen, _>::with_settings(Knows(Log::default()), Names("relay.test"));
    assert_eq!(peer.server_name(), None);
    peer.send(b"220 relay\r\n220 go ahead\r\n");
    assert_eq!(peer.server_name().as_deref(), Some("relay.test"));
}
