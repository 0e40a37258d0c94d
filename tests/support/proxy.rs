//! A wire between a client and a broker that can be cut, as a cable can, or stop carrying anything without being cut.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Forwards a port of its own to a broker's; its threads end with their connections, or the process.
pub(crate) struct Proxy {
    port: u16,
    wires: Arc<Mutex<Vec<TcpStream>>>,
    state: Arc<State>,
}

struct State {
    /// Which ways nothing is carried.
    stalled: AtomicU8,
    /// When the client heard something last.
    heard: Mutex<Instant>,
}

/// From the client to the broker, and
const OUT: u8 = 1;
/// from the broker to the client.
const IN: u8 = 2;

impl Proxy {
    pub(crate) fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let wires = Arc::new(Mutex::new(Vec::new()));
        let state = Arc::new(State {
            stalled: AtomicU8::new(0),
            heard: Mutex::new(Instant::now()),
        });
        let (kept, shared) = (Arc::clone(&wires), Arc::clone(&state));
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
                    (OUT, &shared),
                );
                forward(far, near, (IN, &shared));
            }
        });
        Self { port, wires, state }
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
        self.state.stalled.store(OUT | IN, Ordering::SeqCst);
    }

    /// The same of what the client sends; it still hears the broker.
    pub(crate) fn stall_outwards(&self) {
        self.state.stalled.store(OUT, Ordering::SeqCst);
    }

    /// How long the client has heard nothing.
    pub(crate) fn silence(&self) -> Duration {
        self.state.heard.lock().unwrap().elapsed()
    }

    /// New connections work again; those that were stalled are cut.
    pub(crate) fn mend(&self) {
        self.cut();
        self.state.stalled.store(0, Ordering::SeqCst);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, (way, state): (u8, &Arc<State>)) {
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            // Here, not before the read: what came just now is not carried either.
            while state.stalled.load(Ordering::SeqCst) & way != 0 {
                std::thread::sleep(Duration::from_millis(10));
            }
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
            if way == IN {
                *state.heard.lock().unwrap() = Instant::now();
            }
        }
        to.shutdown(Shutdown::Both).ok();
    });
}
