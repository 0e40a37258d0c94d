//! A wire between a client and a broker that can be cut, as a cable can, or stop carrying anything without being cut.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Forwards a port of its own to a broker's; its threads end with their connections, or the process.
pub(crate) struct Proxy {
    port: u16,
    wires: Arc<Mutex<Vec<TcpStream>>>,
    is_stalled: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let wires = Arc::new(Mutex::new(Vec::new()));
        let is_stalled = Arc::new(AtomicBool::new(false));
        let (kept, stalled) = (Arc::clone(&wires), Arc::clone(&is_stalled));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
                    continue;
                };
                let ends = [near.try_clone(), far.try_clone()].map(Result::unwrap);
                kept.lock().unwrap().extend(ends);
                forward(
                    near.try_clone().unwrap(),
                    far.try_clone().unwrap(),
                    &stalled,
                );
                forward(far, near, &stalled);
            }
        });
        Self {
            port,
            wires,
            is_stalled,
        }
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

    /// From now on nothing is carried either way, and nobody is told: sockets fill up.
    pub(crate) fn stall(&self) {
        self.is_stalled.store(true, Ordering::SeqCst);
    }

    /// New connections work again; those that were stalled are cut.
    pub(crate) fn mend(&self) {
        self.cut();
        self.is_stalled.store(false, Ordering::SeqCst);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, is_stalled: &Arc<AtomicBool>) {
    let is_stalled = Arc::clone(is_stalled);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            // Here, not before the read: what came just now is not carried either.
            while is_stalled.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
    });
}
