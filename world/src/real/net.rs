//! TCP.

use std::any::Any;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::sendfile;
use rustix::io::retry_on_intr;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

use super::disk::RealFile;
use crate::net::{Duplex, Listener, Net, Stream};
use crate::{BoxFuture, DiskFile};

/// Connections that the kernel holds for us before we accept them; more are refused or retried by the client.
const BACKLOG: u32 = 1024;

/// The machine's network.
#[derive(Debug)]
pub struct RealNet;

impl Net for RealNet {
    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let mut failed = io::Error::new(io::ErrorKind::AddrNotAvailable, format!("{address} names no address"));
            for candidate in lookup_host(address).await? {
                match listen(candidate) {
                    Ok(listener) => return Ok(Box::new(RealListener(listener)) as Box<dyn Listener>),
                    Err(error) => failed = error,
                }
            }
            Err(failed)
        })
    }

    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(RealStream(stream)) as Stream)
        })
    }
}

struct RealListener(TcpListener);

impl Listener for RealListener {
    fn local_address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, SocketAddr)>> {
        Box::pin(async move {
            let (stream, from) = self.0.accept().await?;
            // It fails only on a connection that is gone already; its first read will say so.
            let _ = stream.set_nodelay(true);
            Ok((Box::new(RealStream(stream)) as Stream, from))
        })
    }
}

struct RealStream(TcpStream);

impl Duplex for RealStream {
    fn poll_send_file(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        file: &dyn DiskFile,
        at: u64,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let Some(file) = (file as &dyn Any).downcast_ref::<RealFile>() else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        loop {
            ready!(self.0.poll_write_ready(context))?;
            let mut at = at;
            let send = || Ok(retry_on_intr(|| sendfile(&self.0, file, Some(&mut at), most))?);
            match self.0.try_io(Interest::WRITABLE, send) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

impl AsyncRead for RealStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for RealStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for old connections to leave TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
