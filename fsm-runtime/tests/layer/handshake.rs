use super::*;

/// Greets before it has read anything.
#[state_machine(start = Hello, eof => Gone, limit => Gone)]
enum Greets {
    #[run]
    #[to(Told)]
    Hello,
    #[flush(within = 1s => Gone)]
    #[to(Line)]
    Told,
    #[read(until = b"\n", max = 64, within = 20s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

impl greets::Handler for Client {
    fn hello(&mut self, cx: &mut Cx<'_>) -> greets::AfterHello {
        cx.write(b"welcome\n");
        greets::AfterHello::Told
    }

    fn told(&mut self, _: &mut Cx<'_>) -> greets::AfterTold {
        greets::AfterTold::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> greets::AfterLine {
        cx.write(line);
        cx.write(b"!\n");
        greets::AfterLine::Line
    }
}

/// Three messages, and bytes that are shifted by the key in them: `C`; `S`, key; `C`.
pub(super) struct Three {
    is_client: bool,
    /// The messages that were sent or received.
    messages: usize,
    key: u8,
}

impl Three {
    pub(super) fn new(side: LayerSide<'_>) -> Self {
        Self { is_client: matches!(side, LayerSide::Connected(_)), messages: 0, key: 3 }
    }

    fn message(&mut self, reply: &mut Vec<u8>) {
        match self.messages {
            1 => reply.extend([b'S', self.key]),
            _ => reply.push(b'C'),
        }
        self.messages += 1;
    }
}

impl Layer for Three {
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        reply: &mut Vec<u8>,
    ) -> Result<LayerInput, LayerError> {
        if self.messages < 3 && self.is_client == (self.messages % 2 == 0) {
            self.message(reply);
        }
        let used = match (self.messages, &*wire) {
            (0 | 2, [b'C', ..]) => 1,
            (1, [b'S', key, ..]) => {
                self.key = *key;
                2
            }
            (1, [b'S']) | (_, []) => return Ok(LayerInput::MORE),
            (0..=2, _) => return Err("no message of the handshake".into()),
            _ => {
                let length = wire.len().min(plain.len());
                for (plain, wire) in plain.iter_mut().zip(wire) {
                    *plain = wire.wrapping_sub(self.key);
                }
                return Ok(LayerInput { used: length, plain: length, ended: false });
            }
        };
        self.messages += 1;
        Ok(LayerInput { used, ..LayerInput::MORE })
    }

    fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError> {
        assert_eq!(self.messages, 3);
        wire.extend(plain.iter().map(|byte| byte.wrapping_add(self.key)));
        Ok(plain.len())
    }

    fn is_handshaking(&self) -> bool {
        self.messages < 3
    }
}

fn shifted(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| byte.wrapping_add(3)).collect()
}

fn greets() -> Running {
    let greets = Pool::builder::<Greets>("greets").layer(Three::new).linger(LINGER);
    greets.listen("127.0.0.1:0").handler(|_peer| Client).start().unwrap()
}

#[test]
fn e6_output_waits_for_the_handshake_which_goes_on_in_a_state_that_does_not_read() {
    let running = greets();
    let mut peer = connect(&running);
    peer.write_all(b"C").unwrap();
    let mut answer = [0; 2];
    peer.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [b'S', 3]);
    // The end of the handshake and the first line in one segment.
    peer.write_all(&[b"C".to_vec(), shifted(b"hello\n")].concat()).unwrap();
    let mut got = [0; 15];
    peer.read_exact(&mut got).unwrap();
    assert_eq!(got.to_vec(), shifted(b"welcome\nhello!\n"));
}

#[test]
fn e6_a_handshake_that_stalls_is_late() {
    let running = greets();
    let mut peer = connect(&running);
    peer.write_all(b"C").unwrap();
    // The deadline of the state that waits for the flush.
    let begun = Instant::now();
    let mut answer = Vec::new();
    let _ = peer.read_to_end(&mut answer);
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!(answer, [b'S', 3], "no plaintext");
    until(&running, |stats| stats.open == 0);
}

#[test]
fn e6_an_end_in_the_handshake_is_no_end_of_a_stream() {
    let running = greets();
    let mut peer = connect(&running);
    peer.write_all(b"C").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _ = peer.read_to_end(&mut answer);
    until(&running, |stats| stats.truncated == 1);
}

#[test]
fn e6_a_handshake_that_fails_ends_the_connection() {
    let running = greets();
    connect(&running).write_all(b"plaintext\n").unwrap();
    until(&running, |stats| stats.layer_failures == 1);
}

/// Asks a server with lines.
#[state_machine(start = Free, job = String, reply = Option<String>, eof => Cut, limit => Cut)]
enum Ask {
    #[job(eof => Gone, idle = 50s => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 64KiB, within = 20s => Cut)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Cut,
    #[end]
    Gone,
}

struct Asker;

impl ask::Handler for Asker {
    fn free(&mut self, job: String, cx: &mut Cx<'_>) -> ask::AfterFree {
        writeln!(cx, "{job}");
        ask::AfterFree::Answer
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> ask::AfterAnswer {
        ask::AfterAnswer::Free { reply: Some(String::from_utf8_lossy(line).into_owned()) }
    }

    fn cut(&mut self, _: &mut Cx<'_>) -> ask::AfterCut {
        ask::AfterCut::Gone { reply: None }
    }
}

#[test]
fn e5_a_connection_that_a_pool_opens_has_the_layer_of_a_client() {
    let server = start(Three::new);
    let target = server.addresses()[0].to_string();
    let expected = target.clone();
    let asks = Pool::builder::<Ask>("ask").layer(move |side| {
        assert!(matches!(side, LayerSide::Connected(target) if target.to_string() == expected));
        Three::new(side)
    });
    let asks = asks.connect(&target).handler(|_server| Asker);
    let jobs = asks.submitter::<Ask>().unwrap();
    let _running = asks.start().unwrap();
    for line in ["hello", "again"] {
        let reply = jobs.submit(line.to_owned()).unwrap().wait();
        assert_eq!(reply.flatten(), Some(format!("{line}!")));
    }
    assert_eq!(server.stats().accepted, 1);
}

/// Gives the text of its handshake to the machine: `C`, and up to `.` what is plain.
struct Early {
    begun: bool,
    over: bool,
}

impl Layer for Early {
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        _: &mut Vec<u8>,
    ) -> Result<LayerInput, LayerError> {
        let [first, ..] = wire else { return Ok(LayerInput::MORE) };
        let is_text = self.begun && (self.over || *first != b'.');
        self.over |= self.begun && !is_text;
        self.begun = true;
        plain[0] = *first;
        Ok(LayerInput { used: 1, plain: is_text.into(), ended: false })
    }

    fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError> {
        wire.extend(plain);
        Ok(plain.len())
    }

    fn is_handshaking(&self) -> bool {
        !self.over
    }
}

#[test]
fn e6_text_within_a_handshake_waits_for_the_machine() {
    // The machine waits for its greeting to leave, which waits for the end of the handshake.
    let greets = Pool::builder::<Greets>("greets").layer(|_| Early { begun: false, over: false });
    let greets = greets.linger(LINGER).listen("127.0.0.1:0");
    let running = greets.handler(|_peer| Client).start().unwrap();
    let mut peer = connect(&running);
    let text = "a line in many segments\n";
    for byte in ["C", text, "."].concat().bytes() {
        peer.write_all(&[byte]).unwrap();
        thread::yield_now();
    }
    let mut got = vec![0; "welcome\n".len() + text.len() + 1];
    peer.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), format!("welcome\n{}!\n", text.trim_end()));
}
