//! TCP.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

use crate::BoxFuture;
use crate::net::{Listener, Net, Stream};

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
            Ok(Box::new(stream) as Stream)
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
            Ok((Box::new(stream) as Stream, from))
        })
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for old connections to leave TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
