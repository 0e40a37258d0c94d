//! The board itself: how hot it is, whether it is slowed down, what power it takes, what memory is left.
//!
//! | what | where |
//! |---|---|
//! | temperature | the hottest of the processor's zones in `/sys/class/thermal`, else of all zones |
//! | slowed down | the firmware of a Raspberry Pi (`get_throttled`); elsewhere a cooling device that holds the clock down |
//! | power | INA monitors and others in `/sys/class/hwmon`: the input of the whole board, or the only one there is |
//! | memory, load | `/proc/self/status`, `/proc/meminfo`, `/proc/loadavg` |
//!
//! The clock itself (`scaling_cur_freq` against its maximum) is not looked at: governors lower it on purpose, and a
//! cooling device says why. What a board does not tell is absent, never zero.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

/// Between two readings where the board tells its power, which is summed up, and
const EVERY_WITH_POWER: Duration = Duration::from_secs(1);
/// where it does not.
const EVERY: Duration = Duration::from_secs(5);

/// Longest time that one reading of the power stands for.
const POWER_HOLDS: Duration = Duration::from_secs(10);

/// What the board told.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(super) struct Reading {
    /// Degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature_c: Option<f64>,
    /// Whether heat or the supply slow it down now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) throttled: Option<bool>,
    /// Watts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) power_w: Option<f64>,
    /// Memory of this process and of the board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<Memory>,
    /// Threads that wanted to run, on the average of a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) load: Option<f64>,
}

/// Memory of this process and of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Memory {
    /// What this process has in memory now, mapped weights included.
    pub(super) resident_bytes: u64,
    /// What the board can give without pushing others out.
    pub(super) available_bytes: u64,
}

/// Where this board tells what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Board {
    root: PathBuf,
    temperatures: Vec<PathBuf>,
    firmware: Option<PathBuf>,
    coolers: Vec<PathBuf>,
    power: Option<Power>,
}

/// Files whose numbers make a power.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Power {
    /// Millionths of a watt.
    Microwatts(PathBuf),
    /// Thousandths of a volt, and of an ampere.
    Product(PathBuf, PathBuf),
}

impl Power {
    fn watts(&self) -> Option<f64> {
        let microwatts = match self {
            Self::Microwatts(file) => number(file)?,
            Self::Product(millivolts, milliamperes) => number(millivolts)? * number(milliamperes)?,
        };
        (microwatts >= 0.0).then(|| tenths(microwatts / 1e5) / 10.0)
    }
}

impl Board {
    /// Looks below `root` for what there is to be read.
    #[must_use]
    pub(super) fn find(root: &Path) -> Self {
        let thermal = entries(&root.join("sys/class/thermal"));
        Self {
            root: root.to_owned(),
            temperatures: temperatures(&thermal),
            firmware: firmware(&root.join("sys/devices/platform")),
            coolers: coolers(&thermal),
            power: power(&root.join("sys/class/hwmon")),
        }
    }

    /// Reads all of it.
    #[must_use]
    pub(super) fn read(&self) -> Reading {
        let hottest = self
            .temperatures
            .iter()
            .filter_map(|file| number(file))
            .map(|thousandths| thousandths / 1000.0)
            .filter(|celsius| SENSIBLE_C.contains(celsius))
            .reduce(f64::max);
        Reading {
            temperature_c: hottest.map(tenths),
            throttled: self.is_throttled(),
            power_w: self.power.as_ref().and_then(Power::watts),
            memory: self.memory(),
            load: self.load(),
        }
    }

    fn is_throttled(&self) -> Option<bool> {
        if let Some(flags) = self.firmware.as_deref().and_then(hexadecimal) {
            return Some(flags & THROTTLED_NOW != 0);
        }
        let steps: Vec<f64> = self
            .coolers
            .iter()
            .filter_map(|file| number(file))
            .collect();
        (!steps.is_empty()).then(|| steps.iter().any(|&step| step > 0.0))
    }

    fn memory(&self) -> Option<Memory> {
        Some(Memory {
            resident_bytes: kilobytes(&self.root.join("proc/self/status"), "VmRSS:")?,
            available_bytes: kilobytes(&self.root.join("proc/meminfo"), "MemAvailable:")?,
        })
    }

    fn load(&self) -> Option<f64> {
        let text = fs::read_to_string(self.root.join("proc/loadavg")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    }
}

/// Of `get_throttled`: voltage too low, clock capped, throttled, soft limit of temperature, each now.
const THROTTLED_NOW: u64 = 0b1111;

/// What a thermometer on a board that runs can show; others are not connected.
const SENSIBLE_C: std::ops::RangeInclusive<f64> = -40.0..=150.0;

/// The thermometers of the processor where they are named, else all.
fn temperatures(thermal: &[PathBuf]) -> Vec<PathBuf> {
    let zones = thermal
        .iter()
        .filter(|path| file_name(path).starts_with("thermal_zone"));
    let (processor, others): (Vec<&PathBuf>, Vec<&PathBuf>) = zones.partition(|zone| {
        let kind = text(&zone.join("type")).unwrap_or_default().to_lowercase();
        ["cpu", "soc", "pkg", "tj"]
            .iter()
            .any(|part| kind.contains(part))
    });
    let chosen = if processor.is_empty() {
        others
    } else {
        processor
    };
    chosen.into_iter().map(|zone| zone.join("temp")).collect()
}

/// Where the firmware of a Raspberry Pi tells: `soc/soc:firmware`, or one bus further on newer ones.
fn firmware(platform: &Path) -> Option<PathBuf> {
    let buses = entries(platform);
    buses
        .iter()
        .filter(|path| file_name(path).starts_with("soc") || file_name(path).starts_with("axi"))
        .flat_map(|bus| entries(bus))
        .filter(|path| file_name(path).ends_with("firmware"))
        .map(|path| path.join("get_throttled"))
        .find(|file| file.is_file())
}

/// Cooling devices that cool by holding the clock down.
fn coolers(thermal: &[PathBuf]) -> Vec<PathBuf> {
    thermal
        .iter()
        .filter(|path| file_name(path).starts_with("cooling_device"))
        .filter(|path| {
            let kind = text(&path.join("type")).unwrap_or_default().to_lowercase();
            kind.contains("cpufreq") || kind == "processor"
        })
        .map(|path| path.join("cur_state"))
        .collect()
}

/// The power of the whole board: the channel that is called its input, else the only one there is.
fn power(hwmon: &Path) -> Option<Power> {
    let mut channels = Vec::new();
    for monitor in entries(hwmon) {
        let is_ina = text(&monitor.join("name")).is_some_and(|name| name.starts_with("ina"));
        for channel in 1..=3 {
            let [power, volts, amperes] =
                ["power", "in", "curr"].map(|what| monitor.join(format!("{what}{channel}_input")));
            let label = text(&monitor.join(format!("in{channel}_label"))).unwrap_or_default();
            if power.is_file() {
                channels.push((label, Power::Microwatts(power)));
            } else if is_ina && volts.is_file() && amperes.is_file() {
                channels.push((label, Power::Product(volts, amperes)));
            }
        }
    }
    let input = channels.iter().position(|(label, _)| {
        let label = label.to_uppercase();
        label == "VDD_IN" || label.ends_with("5V_IN") || label.ends_with("VDD_SYS_IN")
    });
    match (input, channels.len()) {
        (Some(index), _) => Some(channels.swap_remove(index).1),
        (None, 1) => channels.pop().map(|(_, power)| power),
        (None, _) => None,
    }
}

/// What is in `directory`, in order; nothing where it is not there.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    found.sort();
    found
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn text(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

fn number(file: &Path) -> Option<f64> {
    text(file)?
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

fn hexadecimal(file: &Path) -> Option<u64> {
    let text = text(file)?;
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(&text), 16).ok()
}

/// The number behind `key` in a file of lines such as `VmRSS:  123 kB`, in bytes.
fn kilobytes(file: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    let number: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

/// One digit after the point: the next one is noise.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Power over time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Energy {
    /// Joules since the first reading.
    pub(super) total_j: f64,
    /// Of these, while something was being answered.
    pub(super) busy_j: f64,
    last: Option<(Instant, f64)>,
}

impl Energy {
    /// Takes a reading of the power; between two it is taken to change evenly.
    pub(super) fn sample(&mut self, watts: f64, is_busy: bool, now: Instant) {
        if let Some((then, before)) = self.last.replace((now, watts)) {
            let seconds = now.saturating_duration_since(then).min(POWER_HOLDS);
            let joules = (before + watts) / 2.0 * seconds.as_secs_f64();
            self.total_j += joules;
            self.busy_j += if is_busy { joules } else { 0.0 };
        }
    }

    /// Whether there was a reading at all.
    pub(super) fn is_known(&self) -> bool {
        self.last.is_some()
    }
}

/// Reads the board in a thread of its own: some monitors take milliseconds, and the loop must not wait for them.
#[derive(Debug)]
pub(super) struct BoardWatch {
    readings: watch::Receiver<Reading>,
    /// Ends the thread when it goes.
    _stop: Sender<()>,
}

impl BoardWatch {
    /// Reads once, then again and again until this is dropped.
    pub(super) fn start(root: &Path) -> Self {
        let board = Board::find(root);
        let first = board.read();
        let every = if first.power_w.is_some() {
            EVERY_WITH_POWER
        } else {
            EVERY
        };
        let (tell, mut readings) = watch::channel(first);
        readings.mark_changed();
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("board".to_owned());
        let turn = move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                // Where nobody listens any more, the end is near.
                tell.send(board.read()).ok();
            }
        };
        if let Err(error) = thread.spawn(turn) {
            tracing::warn!(%error, "The board is read once only: no thread to be had.");
        }
        Self {
            readings,
            _stop: stop,
        }
    }

    /// What was read last.
    pub(super) fn latest(&self) -> Reading {
        *self.readings.borrow()
    }

    /// What was read since this was last asked.
    pub(super) fn news(&mut self) -> Option<Reading> {
        let is_new = self.readings.has_changed().unwrap_or(false);
        is_new.then(|| *self.readings.borrow_and_update())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with these files in it.
    fn board(files: &[(&str, &str)]) -> (tempfile::TempDir, Board) {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
        let board = Board::find(directory.path());
        (directory, board)
    }

    #[test]
    fn a_board_that_tells_nothing_reads_as_nothing() {
        let (_directory, board) = board(&[]);
        assert_eq!(board.read(), Reading::default());
        let json = serde_json::to_string(&board.read()).unwrap();
        assert_eq!(json, "{}");
    }

    #[test]
    fn reads_a_raspberry_pi() {
        let firmware = "sys/devices/platform/soc/soc:firmware/get_throttled";
        let (directory, board) = board(&[
            ("sys/class/thermal/thermal_zone0/type", "cpu-thermal"),
            ("sys/class/thermal/thermal_zone0/temp", "61234"),
            ("sys/class/thermal/cooling_device0/type", "pwm-fan"),
            ("sys/class/thermal/cooling_device0/cur_state", "3"),
            (firmware, "50000"),
            (
                "proc/meminfo",
                "MemTotal: 8000 kB\nMemAvailable:    4000 kB",
            ),
            ("proc/self/status", "Name:\tthinkd\nVmRSS:\t  1000 kB"),
            ("proc/loadavg", "3.51 2.00 1.00 2/300 4242"),
        ]);
        let memory = Memory {
            resident_bytes: 1_024_000,
            available_bytes: 4_096_000,
        };
        let reading = Reading {
            temperature_c: Some(61.2),
            throttled: Some(false),
            power_w: None,
            memory: Some(memory),
            load: Some(3.51),
        };
        assert_eq!(board.read(), reading, "it was throttled, and is not now");
        fs::write(directory.path().join(firmware), "0x50005\n").unwrap();
        assert_eq!(board.read().throttled, Some(true));
    }

    #[test]
    fn reads_a_jetson() {
        let ina = "sys/class/hwmon/hwmon1";
        let (directory, board) = board(&[
            ("sys/class/thermal/thermal_zone0/type", "CPU-therm"),
            ("sys/class/thermal/thermal_zone0/temp", "48000"),
            ("sys/class/thermal/thermal_zone1/type", "PMIC-Die"),
            ("sys/class/thermal/thermal_zone1/temp", "100000"),
            ("sys/class/thermal/thermal_zone2/type", "SOC2-therm"),
            ("sys/class/thermal/thermal_zone2/temp", "-256000"),
            (
                "sys/class/thermal/cooling_device1/type",
                "thermal-cpufreq-0",
            ),
            ("sys/class/thermal/cooling_device1/cur_state", "0"),
            (&format!("{ina}/name"), "ina3221"),
            (&format!("{ina}/in1_label"), "VDD_IN"),
            (&format!("{ina}/in1_input"), "5000"),
            (&format!("{ina}/curr1_input"), "1250"),
            (&format!("{ina}/in2_label"), "VDD_CPU_GPU_CV"),
            (&format!("{ina}/in2_input"), "5000"),
            (&format!("{ina}/curr2_input"), "500"),
        ]);
        let reading = board.read();
        assert_eq!(
            reading.temperature_c,
            Some(48.0),
            "not the PMIC's fixed value"
        );
        assert_eq!(reading.power_w, Some(6.25));
        assert_eq!(reading.throttled, Some(false));
        let state = "sys/class/thermal/cooling_device1/cur_state";
        fs::write(directory.path().join(state), "2\n").unwrap();
        assert_eq!(board.read().throttled, Some(true));
    }

    #[test]
    fn which_of_several_powers_is_the_board_s_is_not_guessed() {
        let one = ("sys/class/hwmon/hwmon0/power1_input", "2500000");
        let other = ("sys/class/hwmon/hwmon1/power1_input", "1000000");
        assert_eq!(board(&[one]).1.read().power_w, Some(2.5));
        assert_eq!(board(&[one, other]).1.read().power_w, None);
        // Volts and amperes of what is no INA monitor may be those of anything.
        let supply = [
            ("sys/class/hwmon/hwmon0/name", "battery"),
            ("sys/class/hwmon/hwmon0/in1_input", "12000"),
            ("sys/class/hwmon/hwmon0/curr1_input", "100"),
        ];
        assert_eq!(board(&supply).1.read().power_w, None);
    }

    #[test]
    fn energy_is_power_over_time_and_told_apart_by_work() {
        let start = Instant::now();
        let mut energy = Energy::default();
        assert!(!energy.is_known());
        for (seconds, watts, is_busy) in [(0, 2.0, false), (1, 4.0, false), (3, 6.0, true)] {
            energy.sample(watts, is_busy, start + Duration::from_secs(seconds));
        }
        assert_eq!(energy.total_j, 3.0 + 10.0);
        assert_eq!(energy.busy_j, 10.0);
        energy.sample(6.0, true, start + Duration::from_secs(3603));
        assert_eq!(
            energy.busy_j,
            10.0 + 60.0,
            "what was not seen is not made up"
        );
    }

    #[test]
    fn this_machine_is_read_again_and_again() {
        let mut watch = BoardWatch::start(Path::new("/"));
        let first = watch.news().expect("the first reading is news");
        assert_eq!(watch.news(), None);
        assert_eq!(watch.latest(), first);
        assert!(first.memory.is_some_and(|memory| memory.resident_bytes > 0));
    }
}
