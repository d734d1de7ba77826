//! Figures in order, for a person and for a program.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::histogram::Histogram;
use crate::process::Usage;

const GIB: f64 = (1u64 << 30) as f64;
const MIB: f64 = (1u64 << 20) as f64;

/// What one run showed.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// What ran, against what.
    pub(crate) title: String,
    figures: Vec<Figure>,
    /// What a reader has to know beside the figures.
    notes: Vec<String>,
}

/// One number and its unit.
#[derive(Clone, Debug)]
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
}

impl Report {
    pub(crate) fn new(title: impl Into<String>) -> Report {
        Report { title: title.into(), figures: Vec::new(), notes: Vec::new() }
    }

    /// Adds a figure. Names are said once per report: `all` finds figures by them.
    pub(crate) fn put(&mut self, name: &'static str, value: f64, unit: &'static str) {
        debug_assert!(self.find(name).is_none(), "{name} twice");
        self.figures.push(Figure { name, value, unit });
    }

    pub(crate) fn put_ms(&mut self, name: &'static str, duration: Duration) {
        self.put(name, duration.as_secs_f64() * 1e3, "ms");
    }

    pub(crate) fn put_us(&mut self, name: &'static str, duration: Duration) {
        self.put(name, duration.as_secs_f64() * 1e6, "µs");
    }

    /// The usual four of a distribution.
    pub(crate) fn put_latencies(&mut self, latencies: &Histogram) {
        self.put_us("p50", latencies.per_mille(500));
        self.put_us("p99", latencies.per_mille(990));
        self.put_us("p99.9", latencies.per_mille(999));
        self.put_us("max", latencies.max());
    }

    /// How fast records of so many bytes together went.
    pub(crate) fn put_rates(&mut self, records: u64, bytes: u64, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        self.put("records/s", records as f64 / seconds, "");
        self.put("MiB/s", bytes as f64 / MIB / seconds, "");
    }

    /// What the broker used for them, and what the client did: at a whole core each, the two compete for two cores, and
    /// the rate says little about either.
    pub(crate) fn put_cost(
        &mut self,
        broker: Option<Usage>,
        client: Usage,
        records: u64,
        bytes: u64,
        elapsed: Duration,
    ) {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        if let Some(used) = broker {
            let cpu = used.cpu.as_secs_f64();
            self.put("CPU-s/GiB", cpu / (bytes as f64 / GIB), "");
            self.put("CPU-s/M records", cpu / (records as f64 / 1e6), "");
            self.put("broker cores", cpu / seconds, "");
            self.put("write calls/1000 records", used.write_calls as f64 / (records as f64 / 1e3), "");
            self.put("disk bytes/byte", used.disk_bytes as f64 / bytes as f64, "");
            self.put("resident", used.resident as f64 / MIB, "MiB");
            self.put("peak resident", used.peak as f64 / MIB, "MiB");
        }
        self.put("client cores", client.cpu.as_secs_f64() / seconds, "");
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn find(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    pub(crate) fn unit(&self, name: &str) -> Option<&'static str> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.unit)
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Of several runs of the same, each figure's median; the notes of all.
    ///
    /// # Panics
    /// If there is no run: who repeats, repeats at least once.
    pub(crate) fn median(runs: &[Report]) -> Report {
        let first = runs.first().expect("at least one run");
        let figures = first.figures.iter().map(|figure| {
            let mut values: Vec<f64> = runs.iter().filter_map(|run| run.find(figure.name)).collect();
            values.sort_by(f64::total_cmp);
            Figure { value: values[values.len() / 2], ..figure.clone() }
        });
        let mut notes: Vec<String> = runs.iter().flat_map(|run| run.notes.clone()).collect();
        notes.sort();
        notes.dedup();
        Report { title: first.title.clone(), figures: figures.collect(), notes }
    }

    pub(crate) fn json(&self) -> Value {
        let figures: Map<String, Value> = self
            .figures
            .iter()
            .map(|figure| (figure.name.to_owned(), json!({"value": figure.value, "unit": figure.unit})))
            .collect();
        json!({"title": self.title, "figures": figures, "notes": self.notes})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for figure in &self.figures {
            writeln!(f, "  {:<26}{:>14} {}", figure.name, number(figure.value), figure.unit)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note: {note}"))
    }
}

/// Three digits that mean something; whole numbers from 100 on, in groups of three.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 0.995 => format!("{value:.3}"),
        small if small < 9.95 => format!("{value:.2}"),
        small if small < 99.5 => format!("{value:.1}"),
        _ => grouped(value),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_they_mean_and_no_more() {
        let shown = [0.0, 0.0432, 1.234, 12.34, 99.4, 99.6, 123.4, 1_234_567.8, -4_321.0, f64::NAN].map(number);
        assert_eq!(shown, ["0", "0.043", "1.23", "12.3", "99.4", "100", "123", "1,234,568", "-4,321", "-"]);
    }

    #[test]
    fn the_median_is_taken_figure_by_figure() {
        let runs: Vec<Report> = [(1.0, 9.0), (3.0, 7.0), (2.0, 8.0)]
            .iter()
            .map(|&(a, b)| {
                let mut report = Report::new("x");
                report.put("a", a, "");
                report.put("b", b, "");
                report.note("once");
                report
            })
            .collect();
        let median = Report::median(&runs);
        assert_eq!((median.find("a"), median.find("b"), median.notes.len()), (Some(2.0), Some(8.0), 1));
    }

    /// A GiB in four seconds for one second of CPU, in records of 1 KiB.
    #[test]
    fn costs_are_per_gib_and_per_million() {
        let used = Usage { cpu: Duration::from_secs(1), write_calls: 2048, ..Usage::default() };
        let mut report = Report::new("x");
        report.put_cost(Some(used), Usage::default(), 1 << 20, 1 << 30, Duration::from_secs(4));
        let shown = ["CPU-s/GiB", "CPU-s/M records", "broker cores", "write calls/1000 records"]
            .map(|name| number(report.find(name).unwrap()));
        assert_eq!(shown, ["1.00", "0.954", "0.250", "1.95"]);
    }
}
