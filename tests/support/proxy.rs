//! A wire between a client and a broker that can be cut, as a cable can.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Forwards a port of its own to a broker's; its threads end with their connections, or the process.
pub(crate) struct Proxy {
    port: u16,
    wires: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub(crate) fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let wires = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&wires);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
                    continue;
                };
                let ends = [near.try_clone(), far.try_clone()].map(Result::unwrap);
                kept.lock().unwrap().extend(ends);
                forward(near.try_clone().unwrap(), far.try_clone().unwrap());
                forward(far, near);
            }
        });
        Self { port, wires }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts all connections there are; new ones can be made.
    pub(crate) fn cut(&self) {
        for wire in self.wires.lock().unwrap().drain(..) {
            wire.shutdown(Shutdown::Both).ok();
        }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
    });
}
