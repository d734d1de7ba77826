//! Listeners and connections: streams of bytes between addresses.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{BoxFuture, DiskFile};

/// Bytes of a file that are read at once where a network can't send them from there.
const COPIED_BYTES: usize = 64 << 10;

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
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {
    /// Sends bytes of a file from `at` on, `most` at the most, and says how many: a write whose bytes needn't pass through
    /// this process. They should be in memory, as what was just read is: it waits for the disk if they are not.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file has nothing at `at`; else those of a read and of a write.
    fn poll_send_file(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        file: &dyn DiskFile,
        at: u64,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let mut bytes = vec![0; most.min(COPIED_BYTES)];
        let read = file.read_at(&mut bytes, at)?;
        if read == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        self.poll_write(context, &bytes[..read])
    }
}

/// A connection.
pub type Stream = Box<dyn Duplex>;
