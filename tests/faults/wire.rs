//! A wire between the daemon and the broker that can be cut, or stop carrying anything without being cut.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) struct Wire {
    port: u16,
    ends: Arc<Mutex<Vec<TcpStream>>>,
    is_stalled: Arc<AtomicBool>,
}

impl Wire {
    /// A port of its own that leads to `target`; its threads end with their connections, or the process.
    pub(crate) fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ends: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let is_stalled: Arc<AtomicBool> = Arc::default();
        let (kept, stalled) = (Arc::clone(&ends), Arc::clone(&is_stalled));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
                    continue;
                };
                near.set_nodelay(true).ok();
                far.set_nodelay(true).ok();
                let both = [near.try_clone(), far.try_clone()].map(Result::unwrap);
                kept.lock().unwrap().extend(both);
                carry(
                    near.try_clone().unwrap(),
                    far.try_clone().unwrap(),
                    &stalled,
                );
                carry(far, near, &stalled);
            }
        });
        Self {
            port,
            ends,
            is_stalled,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts all connections there are; new ones can be made.
    pub(crate) fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            end.shutdown(Shutdown::Both).ok();
        }
    }

    /// From now on nothing is read at either end, and nobody is told: sockets fill up.
    pub(crate) fn stall(&self) {
        self.is_stalled.store(true, Ordering::SeqCst);
    }

    /// New connections work again; those that were stalled stay as they are until they are cut.
    pub(crate) fn mend(&self) {
        self.cut();
        self.is_stalled.store(false, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, is_stalled: &Arc<AtomicBool>) {
    let is_stalled = Arc::clone(is_stalled);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            while is_stalled.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let Ok(count @ 1..) = from.read(&mut buffer) else {
                break;
            };
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
    });
}
