//! Bytes as they come, cut into lines, of which none may be longer than it was said.

/// A line is longer than may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooLong;

/// Cuts. It holds one line at most.
#[derive(Debug)]
pub(super) struct Splitter {
    /// A line whose end has not come.
    held: Vec<u8>,
    max: usize,
}

impl Splitter {
    /// Lines of so many bytes at most, without their ends.
    pub(super) fn new(max: usize) -> Splitter {
        Splitter { held: Vec::new(), max }
    }

    /// The next line of the input, which is shorter then; `None` when the rest of it is no whole line: it is held.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, TooLong> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (part, rest) = input.split_at(end.unwrap_or(input.len()));
        if self.held.len() + part.len() > self.max {
            return Err(TooLong);
        }
        self.held.extend_from_slice(part);
        *input = rest.get(1..).unwrap_or_default();
        Ok(end.map(|_| std::mem::take(&mut self.held)))
    }

    /// What stands behind the last line's end; `None` if nothing does.
    pub(super) fn rest(self) -> Option<Vec<u8>> {
        Some(self.held).filter(|held| !held.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str], max: usize) -> Result<Vec<String>, TooLong> {
        let mut splitter = Splitter::new(max);
        let mut lines = Vec::new();
        for piece in pieces {
            let mut input = piece.as_bytes();
            while let Some(line) = splitter.next(&mut input)? {
                lines.push(String::from_utf8(line).unwrap());
            }
        }
        lines.extend(splitter.rest().map(|rest| String::from_utf8(rest).unwrap()));
        Ok(lines)
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        for pieces in [&["ab\n\ncd\r\ne"][..], &["a", "b", "\n", "\ncd\r", "\ne"], &["ab\n", "\ncd\r\n", "e"]] {
            assert_eq!(lines(pieces, 3), Ok(["ab", "", "cd\r", "e"].map(str::to_owned).to_vec()), "{pieces:?}");
        }
    }

    #[test]
    fn behind_the_last_line_end_there_is_no_line() {
        assert_eq!(lines(&["a\n"], 9).unwrap().len(), 1);
        assert_eq!(lines(&["\n"], 9), Ok(vec![String::new()]));
        assert_eq!(lines(&[""], 9), Ok(vec![]));
    }

    #[test]
    fn a_line_that_is_too_long_is_not_gathered() {
        assert_eq!(lines(&["abc\n"], 3).unwrap(), ["abc"]);
        assert_eq!(lines(&["abcd\n"], 3), Err(TooLong));
        assert_eq!(lines(&["ab", "cd"], 3), Err(TooLong));
    }
}
