//! `leader-epoch-checkpoint`: the leader epochs of a partition and the offset at which each began.
//!
//! Lines of text: `0` (version), the number of entries, then `epoch start` for each, both rising (Kafka's
//! `LeaderEpochCheckpointFile`). An empty file is a file without entries.

use thalweg_wire::{LeaderEpoch, Offset};

use super::text_checkpoint::{Malformed, lines, text};

/// The file's bytes.
pub fn encode(epochs: &[(LeaderEpoch, Offset)]) -> Vec<u8> {
    text(epochs.iter().map(|(epoch, start)| format!("{epoch} {start}")))
}

/// Reads the file's bytes.
///
/// # Errors
/// [`Malformed`]; the epochs can be made again from the batches' headers.
pub fn decode(bytes: &[u8]) -> Result<Vec<(LeaderEpoch, Offset)>, Malformed> {
    let mut epochs: Vec<(LeaderEpoch, Offset)> = Vec::new();
    for (number, fields) in lines(bytes)? {
        let (Some(epoch), Some(start), None) = (fields.first(), fields.get(1), fields.get(2)) else {
            return Err(Malformed { line: number });
        };
        let (Ok(epoch), Ok(start)) = (epoch.parse(), start.parse()) else { return Err(Malformed { line: number }) };
        let entry = (LeaderEpoch(epoch), Offset(start));
        let rises = epochs.last().is_none_or(|last| last.0 < entry.0 && last.1 <= entry.1);
        if !rises || epoch < 0 || start < 0 {
            return Err(Malformed { line: number });
        }
        epochs.push(entry);
    }
    Ok(epochs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_kafkas() {
        let epochs = vec![(LeaderEpoch(0), Offset(0)), (LeaderEpoch(2), Offset(10)), (LeaderEpoch(4), Offset(20))];
        assert_eq!(encode(&epochs), b"0\n3\n0 0\n2 10\n4 20\n");
        assert_eq!(decode(&encode(&epochs)), Ok(epochs));
        assert_eq!((encode(&[]), decode(b"")), (b"0\n0\n".to_vec(), Ok(vec![])));
    }

    #[test]
    fn epochs_that_go_back_are_no_history() {
        for bad in ["0\n2\n2 0\n0 5\n", "0\n2\n0 5\n1 4\n", "0\n1\n-1 0\n", "0\n1\n0 0 0\n", "0\n1\n0 x\n"] {
            assert!(decode(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
