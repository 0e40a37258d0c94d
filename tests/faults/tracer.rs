//! `strace`, which makes system calls of the daemon fail or take for ever.

use std::process::{Child, Command, Stdio};

/// Attached until it is dropped, or what it is attached to ends.
pub(crate) struct Tracer(Child);

impl Tracer {
    /// Whether there is one; says so where there is none.
    pub(crate) fn is_there() -> bool {
        let mut child = Command::new("sleep").arg("10").spawn().unwrap();
        let id = child.id().to_string();
        let tried = Command::new("timeout")
            .args([
                "--signal=INT",
                "0.3",
                "strace",
                "-qq",
                "-o",
                "/dev/null",
                "-p",
                &id,
            ])
            .stderr(Stdio::null())
            .status();
        child.kill().unwrap();
        child.wait().unwrap();
        // 124: it was attached all the time.
        let is_there = tried.is_ok_and(|status| status.code() == Some(124));
        if !is_there {
            println!("skipped: strace is not installed or may not look at other processes");
        }
        is_there
    }

    /// Attached to the process or thread `id` with `options`.
    pub(crate) fn attach(options: &[&str], id: u32) -> Self {
        let child = Command::new("strace")
            .args(["-qq", "-o", "/dev/null"])
            .args(options)
            .args(["-p", &id.to_string()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Until it is attached the kernel knows of no tracer.
        let status = format!("/proc/{id}/status");
        let is_free =
            || std::fs::read_to_string(&status).is_ok_and(|text| text.contains("TracerPid:\t0"));
        while is_free() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        Self(child)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
