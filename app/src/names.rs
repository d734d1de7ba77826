//! Names that people type: patterns that match several, and the name that was meant by one that isn't there.

/// Whether a name is what a pattern says: `*` is any characters, `?` is one.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at_pattern, mut at_name) = (0, 0);
    // Where the last star was, and how much of the name it takes so far.
    let mut star: Option<(usize, usize)> = None;
    while at_name < name.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern, at_name));
                at_pattern += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[at_name] => {
                at_pattern += 1;
                at_name += 1;
            }
            // The star takes one more.
            _ => match &mut star {
                Some((place, taken)) => {
                    *taken += 1;
                    (at_pattern, at_name) = (*place + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|rest| *rest == '*')
}

/// The name that was probably meant, if one is near enough.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &&str| strsim::jaro_winkler(wanted, name);
    let near = names.filter(|name| *name != wanted && likeness(name) > 0.85);
    near.max_by(|left, right| likeness(left).total_cmp(&likeness(right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_name() {
        for (pattern, name) in
            [("orders", "orders"), ("o*s", "orders"), ("*", ""), ("*er*", "orders"), ("o?ders", "orders")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("order", "orders"), ("o?s", "orders"), ("", "orders"), ("*x*", "orders"), ("a*b*c", "abab")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_was_meant_is_near() {
        let names = ["orders", "payments", "orders-eu"];
        assert_eq!(nearest("ordres", names.into_iter()), Some("orders"));
        assert_eq!(nearest("paymnets", names.into_iter()), Some("payments"));
        assert_eq!(nearest("weather", names.into_iter()), None);
    }
}
