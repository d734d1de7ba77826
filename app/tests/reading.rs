//! `thalweg consume` as it ends: by Ctrl-C, by who stops reading, by a group that shares.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use support::stage::Stage;
use support::{Running, folder, text, thalweg};

/// A broker with a topic of ten records in each of two partitions, and readers of it.
struct Scene {
    running: Running,
    folder: std::path::PathBuf,
    stage: Stage,
}

struct Reader {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Scene {
    fn of(test: &str) -> Scene {
        let folder = folder(test);
        let running = Running::start(thalweg(&["serve", "--listen", "127.0.0.1:0", "--log-level", "off"], &folder));
        let made = ["topic", "create", "t", "--partitions", "2", "--bootstrap", &running.address];
        assert!(thalweg(&made, &folder).status().unwrap().success());
        let stage = Stage::at(&running.address, &folder);
        let mut scene = Scene { running, folder, stage };
        scene.write(0..10);
        scene
    }

    fn write(&mut self, numbers: std::ops::Range<i32>) {
        for partition in ["0", "1"] {
            let values = numbers.clone().map(|number| format!("{partition}/{number}"));
            let words = ["write", "t", partition].map(str::to_owned).into_iter().chain(values);
            self.stage.direct(&words.collect::<Vec<_>>());
        }
    }

    fn reads(&self, arguments: &[&str]) -> Reader {
        let all = [&["consume", "t", "--bootstrap", &self.running.address], arguments].concat();
        let mut command = thalweg(&all, &self.folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Reader { child, lines }
    }

    fn read(&self, arguments: &[&str]) -> Vec<String> {
        let (code, lines, complaint) = self.reads(arguments).end();
        assert_eq!((code, complaint.as_str()), (Some(0), ""));
        lines
    }
}

impl Reader {
    fn take(&mut self, count: usize) -> Vec<String> {
        let line = |_| {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it ended");
            line.trim_end().to_owned()
        };
        (0..count).map(line).collect()
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Waits for its end: the exit code, what it still printed, and what it complained of.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), rest.lines().map(str::to_owned).collect(), text(&output.stderr))
    }
}

fn all(numbers: std::ops::Range<i32>) -> Vec<String> {
    let mut all: Vec<String> =
        (0..2).flat_map(|partition| numbers.clone().map(move |n| format!("{partition}/{n}"))).collect();
    all.sort();
    all
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn what_has_no_end_is_ended_by_ctrl_c_without_a_word() {
    let mut scene = Scene::of("endless");
    let mut reader = scene.reads(&[]);
    assert_eq!(sorted(reader.take(20)), all(0..10));
    scene.write(10..12);
    assert_eq!(sorted(reader.take(4)), all(10..12), "what comes is printed as it comes");
    reader.interrupt();
    assert_eq!(reader.end(), (Some(0), vec![], String::new()));
}

#[test]
fn what_has_an_end_says_when_ctrl_c_came_before_it() {
    let scene = Scene::of("bounded");
    let mut reader = scene.reads(&["--count", "21"]);
    reader.take(20);
    reader.interrupt();
    let (code, rest, complaint) = reader.end();
    assert_eq!((code, rest.len()), (Some(130), 0));
    assert!(complaint.starts_with("thalweg: interrupted after 20 records, before the end\n  "), "{complaint}");
}

#[test]
fn who_stops_reading_ends_it_quietly() {
    let mut scene = Scene::of("unread");
    let Reader { child, mut lines } = scene.reads(&[]);
    lines.read_line(&mut String::new()).unwrap();
    drop(lines);
    scene.write(10..11);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[test]
fn ctrl_c_commits_what_was_printed_and_no_more() {
    let mut scene = Scene::of("committed");
    let mut reader = scene.reads(&["--group", "g"]);
    assert_eq!(sorted(reader.take(20)), all(0..10));
    reader.interrupt();
    assert_eq!(reader.end(), (Some(0), vec![], String::new()));
    scene.write(10..13);
    let first = scene.read(&["--group", "g", "--count", "2"]);
    let rest = scene.read(&["--group", "g", "--until", "end"]);
    assert_eq!((first.len(), sorted([first, rest].concat())), (2, all(10..13)));
}

#[test]
fn a_second_reader_of_a_group_has_its_own_half() {
    let mut scene = Scene::of("shared");
    let mut first = scene.reads(&["--group", "g"]);
    assert_eq!(sorted(first.take(20)), all(0..10));
    let mut second = scene.reads(&["--group", "g"]);
    // The second has joined once it prints; until then all goes to the first.
    let mut numbers = 10..11;
    let told = std::thread::scope(|scope| {
        let came = scope.spawn(|| second.take(1));
        while !came.is_finished() {
            scene.write(numbers.clone());
            numbers = numbers.end..numbers.end + 1;
        }
        came.join().unwrap()
    });
    let of_second = told[0].split('/').next().unwrap().to_owned();
    scene.write(1_000_000..1_000_010);
    let until_the_last = |reader: &mut Reader| {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.ends_with("/1000009")) {
            lines.extend(reader.take(1));
        }
        lines
    };
    let (of_first, rest) = (until_the_last(&mut first), until_the_last(&mut second));
    assert!(rest.iter().all(|line| line.starts_with(&of_second)), "{rest:?}");
    let late: Vec<&String> = of_first.iter().filter(|line| line.contains("/100000")).collect();
    assert!(late.len() == 10 && late.iter().all(|line| !line.starts_with(&of_second)), "{late:?}");
    for reader in [first, second] {
        reader.interrupt();
        assert_eq!(reader.end(), (Some(0), vec![], String::new()));
    }
}
