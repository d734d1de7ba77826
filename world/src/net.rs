//! Listeners and connections: streams of bytes between addresses.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxFuture;

/// A network.
pub trait Net: Send + Sync + 'static {
    /// Listens at `HOST:PORT`; port 0 takes any free one.
    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;

    /// Connects to `HOST:PORT`.
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Stream>>;
}

/// Where connections come in.
pub trait Listener: Send {
    /// The address that it really listens at.
    fn local_address(&self) -> io::Result<SocketAddr>;

    /// The next connection and where it comes from. Dropping the future loses nothing.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, SocketAddr)>>;
}

/// A connection's two directions. Small writes leave at once (no Nagle).
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection.
pub type Stream = Box<dyn Duplex>;
