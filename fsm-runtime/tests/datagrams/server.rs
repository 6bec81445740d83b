//! A server whose clients are tested. The test takes its part.

use std::sync::mpsc;

use super::*;

/// A server that a test plays.
pub(crate) struct Server(pub(crate) UdpSocket);

impl Server {
    pub(crate) fn new() -> Self {
        Self::on("127.0.0.1:0".parse().unwrap())
    }

    pub(crate) fn on(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The next question: its id, its text and its sender.
    pub(crate) fn question(&self) -> (u8, String, SocketAddr) {
        let mut buffer = [0; 600];
        let (len, from) = self.0.recv_from(&mut buffer).unwrap();
        (buffer[0], String::from_utf8_lossy(&buffer[1..len]).into_owned(), from)
    }

    pub(crate) fn answer(&self, id: u8, text: &str, to: SocketAddr) {
        self.0.send_to(&[&[id], text.as_bytes()].concat(), to).unwrap();
    }

    /// Answers the next question with its text.
    pub(crate) fn echo(&self) -> SocketAddr {
        let (id, text, from) = self.question();
        self.answer(id, &text, from);
        from
    }

    /// Answers each question with its text until the job has its reply: the system drops answers
    /// while the client's receive buffer is full, and the client asks again.
    pub(crate) fn echo_until_replied<R: Send + 'static>(&self, mut job: JobHandle<R>) -> Option<R> {
        self.0.set_nonblocking(true).unwrap();
        let mut buffer = [0; 600];
        loop {
            while let Ok((len, from)) = self.0.recv_from(&mut buffer) {
                self.0.send_to(&buffer[..len], from).unwrap();
            }
            match job.wait_for(Duration::from_millis(5)) {
                Ok(reply) => {
                    self.0.set_nonblocking(false).unwrap();
                    return reply;
                }
                Err(waiting) => job = waiting,
            }
        }
    }
}

/// Datagrams that nobody asked for, as fast as they can be sent.
pub(crate) struct Flood {
    sender: std::thread::JoinHandle<()>,
    stops: mpsc::Sender<()>,
}

impl Flood {
    pub(crate) fn start(server: &Server, client: SocketAddr) -> Self {
        let socket = server.0.try_clone().unwrap();
        let (stops, stopped) = mpsc::channel();
        let sender = std::thread::spawn(move || {
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                let _ = socket.send_to(b"\0unasked", client);
            }
        });
        Self { sender, stops }
    }

    pub(crate) fn stop(self) {
        drop(self.stops);
        self.sender.join().unwrap();
    }
}
