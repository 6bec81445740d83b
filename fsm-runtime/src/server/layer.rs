//! The part between the connections of a pool and their sockets.

use std::any::{TypeId, type_name};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::layer::{Layer, LayerSide};
use crate::{PoolError, Target};

/// The part between the connections of a pool and their sockets: [`Plain`], [`Layered`] or, with the feature `tls`,
/// `Encrypted`.
pub trait Transport: sealed::Stack {}

impl<T: sealed::Stack> Transport for T {}

/// Nothing is between the connections of a pool and their sockets.
#[derive(Debug)]
pub struct Plain;

/// TLS is, or can be, between the connections of a pool and their sockets: see
/// [`Builder::tls`](crate::Builder::tls).
#[cfg(feature = "tls")]
#[derive(Debug)]
pub struct Encrypted;

/// A layer of the application's is between the connections of a pool and their sockets: see
/// [`Builder::layer`](crate::Builder::layer).
pub struct Layered<L>(PhantomData<fn() -> L>);

impl<L> fmt::Debug for Layered<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Layered")
    }
}

/// The layers of a pool.
pub struct LayerSettings<L> {
    make: Arc<dyn Fn(LayerSide<'_>) -> L + Send + Sync>,
    targets: Arc<[Target]>,
}

impl<L: Layer> LayerSettings<L> {
    pub(crate) fn new(make: impl Fn(LayerSide<'_>) -> L + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), targets: Arc::default() }
    }

    /// Makes the layer of a connection, which may have been opened to the target with this number.
    fn layer(&self, target: Option<usize>) -> L {
        let target = target.and_then(|target| self.targets.get(target));
        (self.make)(target.map_or(LayerSide::Accepted, LayerSide::Connected))
    }
}

impl<L> Clone for LayerSettings<L> {
    fn clone(&self) -> Self {
        Self { make: Arc::clone(&self.make), targets: Arc::clone(&self.targets) }
    }
}

impl<L> fmt::Debug for LayerSettings<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerSettings").field("targets", &self.targets).finish_non_exhaustive()
    }
}

/// The part between the connections of a pool and their sockets that moves along with a hand-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    Nothing,
    #[cfg(feature = "tls")]
    Tls,
    Layer(TypeId, &'static str),
}

impl Carries {
    fn layer<L: 'static>() -> Self {
        Self::Layer(TypeId::of::<L>(), type_name::<L>())
    }
}

/// The reason for which the settings of a pool do not suffice for what is between its connections and their sockets.
#[derive(Debug)]
pub enum Unfit {
    Tls(String),
    Layer(&'static str),
}

impl Unfit {
    /// The error of the pool of this name.
    pub(crate) fn of(self, pool: String) -> PoolError {
        match self {
            Self::Tls(why) => PoolError::Tls { pool, why },
            Self::Layer(why) => PoolError::Layer { pool, why },
        }
    }
}

/// The connections of a pool are the sessions of peers that send datagrams.
#[derive(Debug)]
pub(crate) struct Datagrams;

/// The connections of a pool are sockets of datagrams, which it has opened.
#[derive(Debug)]
pub(crate) struct DatagramClients;

pub(crate) mod sealed {
    use std::any::Any;
    use std::io;
    use std::sync::Arc;

    #[cfg(feature = "tls")]
    use super::Encrypted;
    use super::{Carries, DatagramClients, Datagrams, LayerSettings, Layered, Plain, Unfit};
    use crate::Target;
    use crate::call::hand_off::CarriedIo;
    use crate::layer::Layer;
    use crate::net::datagram::{ClientSettings, ClientSocket, DatagramPeer};
    use crate::net::layered::codec::Codec;
    use crate::net::layered::{Custom, LayeredStream};
    use crate::net::listener::SocketOrigin;
    use crate::net::socket::Socket;
    #[cfg(feature = "tls")]
    use crate::net::tls::{Begins, RustlsSession, TlsSettings};
    use crate::net::transport::{ByteStream, PeerAddr, Source};

    /// The settings of a pool that its connections need.
    #[derive(Debug)]
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS needs all of it"))]
    pub struct PoolNeeds<'a> {
        pub(crate) targets: &'a [Target],
        /// The pool listens.
        pub(crate) accepts: bool,
        /// Some states of the machine begin TLS as the part that the connection took when it was opened.
        pub(crate) begins_in_a_state: bool,
        /// Some states begin TLS with a server that they name.
        pub(crate) names_a_server: bool,
    }

    /// The stream types of the connections of a pool, below their machines.
    pub trait Stack: 'static {
        type Stream: ByteStream + Source + PeerAddr + Send + 'static;
        type Settings: Clone + Send + Sync + 'static;

        /// The part that moves along with a connection that is handed over.
        fn carries() -> Carries {
            Carries::Nothing
        }

        /// Whether a connection that is accepted is wrapped before its machine runs, so that it must not be sent
        /// anything plain.
        fn wraps_at_once(_: &Self::Settings) -> bool {
            Self::carries() != Carries::Nothing
        }

        /// Completes the settings for a pool, and checks that they suffice. Returns the reason if they do not.
        fn complete(settings: &mut Self::Settings, pool: PoolNeeds<'_>) -> Result<(), Unfit>;

        /// The settings with which a `#[tls]` state begins TLS.
        #[cfg(feature = "tls")]
        fn tls(_: &Self::Settings) -> Option<TlsSettings> {
            None
        }

        /// Makes the stream of a new connection.
        fn open(
            socket: Socket,
            origin: SocketOrigin,
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

        /// Makes the stream of a connection that had a layer in another pool. The plan of a pipeline refuses a
        /// hand-off to a pool that cannot go on with it.
        fn resume(_: Socket, _: Box<dyn Any + Send>) -> io::Result<Self::Stream> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl Stack for Plain {
        type Stream = Socket;
        type Settings = ();

        fn complete((): &mut (), pool: PoolNeeds<'_>) -> Result<(), Unfit> {
            if pool.begins_in_a_state || pool.names_a_server {
                let why = "its machine has a `#[tls]` state; give it `tls(..)` with the settings of a \
                           server, or `tls_client(..)`";
                return Err(Unfit::Tls(why.to_owned()));
            }
            let encrypted = pool.targets.iter().find(|target| matches!(target, Target::Tls(_)));
            encrypted.map_or(Ok(()), |target| {
                Err(Unfit::Tls(format!("it connects to `{target}`; give it `tls_client(..)`")))
            })
        }

        fn open(socket: Socket, _: SocketOrigin, _: &mut CarriedIo, (): &()) -> io::Result<Socket> {
            Ok(socket)
        }

        #[cfg(unix)]
        fn moved(socket: Socket) -> Option<Socket> {
            Some(socket)
        }
    }

    impl Stack for Datagrams {
        type Stream = DatagramPeer;
        type Settings = ();

        fn complete((): &mut (), _: PoolNeeds<'_>) -> Result<(), Unfit> {
            Ok(())
        }

        /// No connection can join such a pool.
        fn open(
            _: Socket,
            _: SocketOrigin,
            _: &mut CarriedIo,
            (): &(),
        ) -> io::Result<DatagramPeer> {
            Err(io::Error::new(io::ErrorKind::Unsupported, "the machine reads datagrams"))
        }

        fn open_session(peer: DatagramPeer) -> Option<DatagramPeer> {
            Some(peer)
        }
    }

    impl Stack for DatagramClients {
        type Stream = ClientSocket;
        type Settings = Arc<ClientSettings>;

        fn complete(_: &mut Arc<ClientSettings>, _: PoolNeeds<'_>) -> Result<(), Unfit> {
            Ok(())
        }

        /// Only the pool's own sockets are of datagrams.
        fn open(
            socket: Socket,
            origin: SocketOrigin,
            _: &mut CarriedIo,
            settings: &Arc<ClientSettings>,
        ) -> io::Result<ClientSocket> {
            match origin {
                SocketOrigin::Opened { .. } => Ok(ClientSocket::new(socket, settings)),
                SocketOrigin::Accepted { .. } => Err(io::ErrorKind::Unsupported.into()),
            }
        }
    }

    #[cfg(feature = "tls")]
    impl Stack for Encrypted {
        type Stream = LayeredStream<Socket, RustlsSession>;
        type Settings = TlsSettings;

        fn carries() -> Carries {
            Carries::Tls
        }

        fn wraps_at_once(settings: &TlsSettings) -> bool {
            settings.begins == Begins::AtOnce
        }

        fn complete(settings: &mut TlsSettings, pool: PoolNeeds<'_>) -> Result<(), Unfit> {
            let (named, unnamed) = (pool.names_a_server, pool.begins_in_a_state);
            if named || unnamed {
                settings.begins = Begins::InStates { named, unnamed };
            }
            settings.complete(pool.targets, pool.accepts).map_err(Unfit::Tls)
        }

        fn tls(settings: &TlsSettings) -> Option<TlsSettings> {
            Some(settings.clone())
        }

        fn open(
            socket: Socket,
            origin: SocketOrigin,
            carried: &mut CarriedIo,
            settings: &TlsSettings,
        ) -> io::Result<Self::Stream> {
            let stream = Self::Stream::plain(socket);
            if settings.begins != Begins::AtOnce
                || origin == (SocketOrigin::Accepted { plain: true })
            {
                return Ok(stream);
            }
            begin(stream, carried, || settings.role(origin.target())?.begin())
        }

        fn resume(socket: Socket, layer: Box<dyn Any + Send>) -> io::Result<Self::Stream> {
            resume(socket, layer)
        }
    }

    impl<L: Layer> Stack for Layered<L> {
        type Stream = LayeredStream<Socket, Custom<L>>;
        type Settings = LayerSettings<L>;

        fn carries() -> Carries {
            Carries::layer::<L>()
        }

        fn complete(settings: &mut LayerSettings<L>, pool: PoolNeeds<'_>) -> Result<(), Unfit> {
            if pool.begins_in_a_state || pool.names_a_server {
                return Err(Unfit::Layer(
                    "its machine has a `#[tls]` state; give it `tls(..)` in place of `layer(..)`",
                ));
            }
            if pool.targets.iter().any(|target| matches!(target, Target::Tls(_))) {
                return Err(Unfit::Layer(
                    "it connects to a `tls:` target; leave `tls:` out, or give it `tls_client(..)` in place \
                     of `layer(..)`",
                ));
            }
            settings.targets = pool.targets.into();
            Ok(())
        }

        fn open(
            socket: Socket,
            origin: SocketOrigin,
            carried: &mut CarriedIo,
            settings: &LayerSettings<L>,
        ) -> io::Result<Self::Stream> {
            let layer = || Ok(Custom::new(settings.layer(origin.target())));
            begin(Self::Stream::plain(socket), carried, layer)
        }

        fn resume(socket: Socket, layer: Box<dyn Any + Send>) -> io::Result<Self::Stream> {
            resume(socket, layer)
        }
    }

    /// Begins a codec on a stream. Bytes that another pool has read and not used are for the codec (E2).
    fn begin<C: Codec>(
        mut stream: LayeredStream<Socket, C>,
        carried: &mut CarriedIo,
        codec: impl FnOnce() -> io::Result<C>,
    ) -> io::Result<LayeredStream<Socket, C>> {
        let unread = std::mem::take(&mut carried.input);
        let unsent = std::mem::take(&mut carried.output);
        let begun = codec().and_then(|codec| stream.begin(codec, unread, &unsent));
        if let Err(error) = begun {
            // The peer must not take what it has got of the output for the whole.
            if unsent.len() > 0 {
                stream.abort();
            }
            return Err(error);
        }
        Ok(stream)
    }

    fn resume<C: Codec>(
        socket: Socket,
        layer: Box<dyn Any + Send>,
    ) -> io::Result<LayeredStream<Socket, C>> {
        let between = layer.downcast().map_err(|_| io::ErrorKind::Unsupported)?;
        Ok(LayeredStream::resume(socket, between))
    }
}
