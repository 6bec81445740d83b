//! What is between the connections of a pool and their sockets.

/// What is between the connections of a pool and their sockets: [`Plain`] or, with the feature `tls`,
/// `Encrypted`.
pub trait Transport: sealed::Layer {}

impl<T: sealed::Layer> Transport for T {}

/// Nothing is between the connections of a pool and their sockets.
#[derive(Debug)]
pub struct Plain;

/// TLS is, or can be, between the connections of a pool and their sockets: see
/// [`Builder::tls`](crate::Builder::tls).
#[cfg(feature = "tls")]
#[derive(Debug)]
pub struct Encrypted;

/// The connections of a pool are the sessions of peers that send datagrams.
#[derive(Debug)]
pub(crate) struct Datagrams;

/// The connections of a pool are sockets of datagrams, which it has opened.
#[derive(Debug)]
pub(crate) struct DatagramClients;

pub(crate) mod sealed {
    use std::io;
    use std::sync::Arc;

    #[cfg(feature = "tls")]
    use super::Encrypted;
    use super::{DatagramClients, Datagrams, Plain};
    use crate::Target;
    use crate::call::hand_off::CarriedIo;
    use crate::net::datagram::{ClientSettings, ClientSocket, DatagramPeer};
    use crate::net::listener::Origin;
    use crate::net::socket::Socket;
    #[cfg(feature = "tls")]
    use crate::net::tls::{Layered, Tls, TlsSettings};
    use crate::net::transport::{ByteStream, PeerAddr, Source};

    /// What the connections of a pool need of its settings.
    #[derive(Debug)]
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS needs all of it"))]
    pub struct PoolNeeds<'a> {
        pub(crate) targets: &'a [Target],
        /// The pool listens.
        pub(crate) accepts: bool,
        /// A state of the machine begins TLS.
        pub(crate) begins_in_a_state: bool,
    }

    pub trait Layer: 'static {
        /// Whether connections of the pool may be encrypted.
        const ENCRYPTS: bool;
        type Stream: ByteStream + Source + PeerAddr + Send + 'static;
        type Settings: Clone + Send + Sync + 'static;

        /// Completes the settings for a pool, and checks that they suffice. Returns the reason if they do not.
        fn complete(settings: &mut Self::Settings, pool: PoolNeeds<'_>) -> Result<(), String>;

        /// What TLS begins with in a `#[tls]` state.
        #[cfg(feature = "tls")]
        fn tls(settings: &Self::Settings) -> Option<TlsSettings>;

        /// Makes the stream of a new connection.
        fn open(
            socket: Socket,
            origin: Origin,
            carried: &mut CarriedIo,
            settings: &Self::Settings,
        ) -> io::Result<Self::Stream>;

        /// Makes the stream of a connection that has moved from another process, or has not moved there.
        #[cfg(unix)]
        fn moved(_: Socket) -> Option<Self::Stream> {
            None
        }

        /// Makes the stream of the session of a peer that sends datagrams.
        fn open_session(_: DatagramPeer) -> Option<Self::Stream> {
            None
        }

        /// Makes the stream of a connection whose TLS has begun in another pool.
        #[cfg(feature = "tls")]
        fn resume(socket: Socket, tls: Box<Tls>) -> io::Result<Self::Stream>;
    }

    impl Layer for Plain {
        const ENCRYPTS: bool = false;
        type Stream = Socket;
        type Settings = ();

        fn complete((): &mut (), pool: PoolNeeds<'_>) -> Result<(), String> {
            if pool.begins_in_a_state {
                return Err(
                    "its machine has a `#[tls]` state; give it `tls(..)` with the settings of a \
                     server, or `tls_client(..)`"
                        .to_owned(),
                );
            }
            let encrypted = pool.targets.iter().find(|target| matches!(target, Target::Tls(_)));
            encrypted.map_or(Ok(()), |target| {
                Err(format!("it connects to `{target}`; give it `tls_client(..)`"))
            })
        }

        #[cfg(feature = "tls")]
        fn tls((): &()) -> Option<TlsSettings> {
            None
        }

        fn open(socket: Socket, _: Origin, _: &mut CarriedIo, (): &()) -> io::Result<Socket> {
            Ok(socket)
        }

        #[cfg(unix)]
        fn moved(socket: Socket) -> Option<Socket> {
            Some(socket)
        }

        /// The plan of a pipeline refuses such a hand-off.
        #[cfg(feature = "tls")]
        fn resume(_: Socket, _: Box<Tls>) -> io::Result<Socket> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl Layer for Datagrams {
        const ENCRYPTS: bool = false;
        type Stream = DatagramPeer;
        type Settings = ();

        fn complete((): &mut (), _: PoolNeeds<'_>) -> Result<(), String> {
            Ok(())
        }

        /// No connection can join such a pool.
        fn open(_: Socket, _: Origin, _: &mut CarriedIo, (): &()) -> io::Result<DatagramPeer> {
            Err(io::Error::new(io::ErrorKind::Unsupported, "the machine reads datagrams"))
        }

        fn open_session(peer: DatagramPeer) -> Option<DatagramPeer> {
            Some(peer)
        }

        #[cfg(feature = "tls")]
        fn tls((): &()) -> Option<TlsSettings> {
            None
        }

        #[cfg(feature = "tls")]
        fn resume(_: Socket, _: Box<Tls>) -> io::Result<DatagramPeer> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl Layer for DatagramClients {
        const ENCRYPTS: bool = false;
        type Stream = ClientSocket;
        type Settings = Arc<ClientSettings>;

        fn complete(_: &mut Arc<ClientSettings>, _: PoolNeeds<'_>) -> Result<(), String> {
            Ok(())
        }

        /// Only the pool's own sockets are of datagrams.
        fn open(
            socket: Socket,
            origin: Origin,
            _: &mut CarriedIo,
            settings: &Arc<ClientSettings>,
        ) -> io::Result<ClientSocket> {
            match origin {
                Origin::Opened { .. } => Ok(ClientSocket::new(socket, settings)),
                Origin::Accepted { .. } => Err(io::ErrorKind::Unsupported.into()),
            }
        }

        #[cfg(feature = "tls")]
        fn tls(_: &Arc<ClientSettings>) -> Option<TlsSettings> {
            None
        }

        #[cfg(feature = "tls")]
        fn resume(_: Socket, _: Box<Tls>) -> io::Result<ClientSocket> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    #[cfg(feature = "tls")]
    impl Layer for Encrypted {
        const ENCRYPTS: bool = true;
        type Stream = Layered<Socket>;
        type Settings = TlsSettings;

        fn complete(settings: &mut TlsSettings, pool: PoolNeeds<'_>) -> Result<(), String> {
            settings.begins_at_once = !pool.begins_in_a_state;
            settings.complete(pool.targets, pool.accepts)
        }

        fn tls(settings: &TlsSettings) -> Option<TlsSettings> {
            Some(settings.clone())
        }

        fn open(
            socket: Socket,
            origin: Origin,
            carried: &mut CarriedIo,
            settings: &TlsSettings,
        ) -> io::Result<Self::Stream> {
            let mut stream = Layered::plain(socket);
            if settings.begins_at_once && origin != (Origin::Accepted { plain: true }) {
                let unread = std::mem::take(&mut carried.input);
                let unsent = std::mem::take(&mut carried.output);
                let begun = settings
                    .role(origin.target())
                    .and_then(|role| stream.begin(role, unread, &unsent));
                if let Err(error) = begun {
                    // The peer must not take what it has got of the output for the whole.
                    if unsent.len() > 0 {
                        stream.abort();
                    }
                    return Err(error);
                }
            }
            Ok(stream)
        }

        fn resume(socket: Socket, tls: Box<Tls>) -> io::Result<Self::Stream> {
            Ok(Layered::resume(socket, tls))
        }
    }
}
