//! Plays `testscripts/*.txt` against a leader: commands above `---`, what came of each below.
//!
//! A line of text per command; `#` begins a comment. With `BLESS=1` in the environment the part below is written anew.
#![allow(clippy::unwrap_used)] // all of it is a test, also what its one test calls

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use thalweg_replica::{Admitted, Effects, EpochStart, Epochs, Isolation, Leader, Recovered, Reign};
use thalweg_wire::batch::{Builder, TimestampType, Verified};
use thalweg_wire::producers::Producers;
use thalweg_wire::{BrokerId, LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

#[test]
fn leaders_act_as_their_transcripts_tell() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testscripts");
    let mut scripts: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 9, "no scripts in {}", folder.display());
    let mut wrong = Vec::new();
    for path in scripts {
        let text = fs::read_to_string(&path).unwrap();
        let (script, expected) = text.split_once("---\n").unwrap_or((&text, ""));
        let actual = play(script);
        if env::var_os("BLESS").is_some() {
            fs::write(&path, format!("{script}---\n{actual}")).unwrap();
        } else if actual != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- actual\n{actual}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn play(script: &str) -> String {
    let mut leader = None;
    let mut told = String::new();
    for line in script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<_> = line.split_whitespace().collect();
        let came = match (words[0], &mut leader) {
            ("recover", leader) => {
                let recovered = leader.insert(recover(&words[1..]));
                format!("epoch {}, {}", recovered.epoch(), ends(recovered))
            }
            (_, None) => "recover first".to_owned(),
            (command, Some(leader)) => act(leader, command, &words[1..]),
        };
        writeln!(told, "{line}: {came}").unwrap();
    }
    told
}

/// `recover start=0 end=10 hw=8 epochs=0@0,3@5 epoch=4 min=2`; what isn't said is 0, or 1 for `min`.
fn recover(words: &[&str]) -> Leader {
    let said = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let number = |name: &str, unsaid: i64| said(name).map_or(unsaid, |text| text.parse().unwrap());
    let lines = said("epochs").into_iter().flat_map(|lines| lines.split(',')).map(|line| {
        let (epoch, start) = line.split_once('@').unwrap();
        EpochStart { epoch: LeaderEpoch(epoch.parse().unwrap()), start: Offset(start.parse().unwrap()) }
    });
    Leader::new(
        Recovered {
            log_start: Offset(number("start", 0)),
            log_end: Offset(number("end", 0)),
            high_watermark: Offset(number("hw", 0)),
            epochs: lines.collect(),
            producers: Producers::default(),
        },
        Reign {
            broker: BrokerId(1),
            epoch: LeaderEpoch(i32::try_from(number("epoch", 0)).unwrap()),
            replicas: 1,
            min_in_sync_replicas: usize::try_from(number("min", 1)).unwrap(),
            producer_expiration: Duration::from_hours(24),
        },
    )
}

fn act(leader: &mut Leader, command: &str, words: &[&str]) -> String {
    let number = |at: usize| words[at].parse::<i64>().unwrap();
    match command {
        "admit" => admit(leader, words),
        "stored" => moved(leader.stored(Offset(number(0)))),
        "failed" => {
            leader.failed();
            "nothing more is acknowledged".to_owned()
        }
        "elected" => {
            leader.become_leader(LeaderEpoch(i32::try_from(number(0)).unwrap()));
            format!("epoch {}", leader.epoch())
        }
        "log-start" => match leader.move_log_start(Offset(number(0))) {
            Ok(Some(start)) => format!("starts at {start}, epochs {}", lines(leader.epochs())),
            Ok(None) => format!("still {}", leader.log_start()),
            Err(error) => format!("{}: {error}", error.code()),
        },
        "readable" => [Isolation::HighWatermark, Isolation::TxnCommitted, Isolation::LogEnd]
            .map(|isolation| {
                let readable = leader.readable(isolation);
                format!("{isolation:?} {}..{}", readable.start, readable.end)
            })
            .join(", "),
        "acks-all" => if leader.has_enough_in_sync() { "enough in sync" } else { "not enough in sync" }.to_owned(),
        "end-of" => match leader.end_offset_for(LeaderEpoch(i32::try_from(number(0)).unwrap())) {
            Some(answer) => format!("epoch {} ends at {}", answer.epoch, answer.end),
            None => "unknown".to_owned(),
        },
        "ends" => ends(leader),
        "epochs" => lines(leader.epochs()),
        unknown => panic!("no command {unknown}"),
    }
}

/// `admit 3`: three records; `p7@0#12` of producer 7 in epoch 0, the first with sequence number 12; `append-time=5`
/// stamped by the leader's clock; `day=2` as late as that.
fn admit(leader: &mut Leader, words: &[&str]) -> String {
    let records: usize = words[0].parse().unwrap();
    let mut builder = Builder::new();
    if let Some((id, rest)) = words.iter().find_map(|word| word.strip_prefix('p')?.split_once('@')) {
        let (epoch, sequence) = rest.split_once('#').unwrap();
        let (id, epoch) = (ProducerId(id.parse().unwrap()), ProducerEpoch(epoch.parse().unwrap()));
        builder = builder.producer(id, epoch, sequence.parse().unwrap());
    }
    let day: i64 = words.iter().find_map(|word| word.strip_prefix("day=")).map_or(0, |day| day.parse().unwrap());
    let now = Timestamp::from_millis(1 + day * 86_400_000);
    (0..records).for_each(|_| builder.push(Timestamp::from_millis(1), None, Some(b"v"), &[]));
    let mut sent = builder.build().unwrap();
    let append_time = words.iter().find_map(|word| word.strip_prefix("append-time="));
    if let Some(time) = append_time {
        sent.settle_timestamps(TimestampType::LogAppendTime, Timestamp::from_millis(time.parse().unwrap()));
    }
    match leader.admit(now, Verified::trusted(sent)) {
        Ok(Admitted::New { batch, base, end, epoch_started }) => {
            let mut came = format!("{base}..{end} in epoch {}", batch.header().leader_epoch());
            if let Some(line) = epoch_started {
                write!(came, ", which starts at {}", line.start).unwrap();
            }
            if append_time.is_some() {
                write!(came, ", time {}", batch.header().max_timestamp()).unwrap();
            }
            assert_eq!((batch.base_offset(), batch.next_offset(), batch.check()), (base, end, Ok(())));
            came
        }
        Ok(Admitted::Duplicate { base, end, .. }) => format!("repeats {base}..{end}"),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

fn moved(effects: Effects) -> String {
    let marks = [("stable", effects.stable), ("high watermark", effects.high_watermark)];
    let moved: Vec<_> = marks.iter().filter_map(|(name, to)| Some(format!("{name} {}", (*to)?))).collect();
    if moved.is_empty() { "nothing moves".to_owned() } else { moved.join(", ") }
}

fn ends(leader: &Leader) -> String {
    let (start, mark) = (leader.log_start(), leader.high_watermark());
    format!("start {start}, high watermark {mark}, stable {}, end {}", leader.stable(), leader.log_end())
}

fn lines(epochs: &Epochs) -> String {
    let lines: Vec<_> = epochs.iter().map(|line| format!("{}@{}", line.epoch, line.start)).collect();
    if lines.is_empty() { "none".to_owned() } else { lines.join(" ") }
}
