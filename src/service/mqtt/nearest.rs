//! Finds the known name that a mistyped one was meant to be: fields of requests here, keys of settings in `config`.

/// The candidate nearest to `name`, where one is near enough to be what was meant.
///
/// Near enough is at most a third of the longer name's characters, and at least two, changed, added, dropped
/// or swapped. The first of equally near candidates wins.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A name this long is no slip; whoever sends it shall not keep us busy.
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let longer = name.chars().count().max(candidate.chars().count());
            let edits = distance(&name, candidate);
            (edits <= (longer / 3).max(2) && edits < longer).then_some((edits, candidate))
        })
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// Number of single characters changed, added, dropped or swapped with their neighbour to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    // Rows of the table of distances between the beginnings of `a` and `b`; a swap looks two rows back.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let substituted = last[j] + usize::from(a[i] != b[j]);
            let mut best = substituted.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before_last[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

const NAME_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_changes_additions_omissions_and_swaps() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("broker", "broker", 0),
            ("brokr", "broker", 1),
            ("brocker", "broker", 1),
            ("borker", "broker", 1),
            ("proker", "broker", 1),
            ("kitten", "sitting", 3),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(distance(a, b), edits, "{a} to {b}");
            assert_eq!(distance(b, a), edits, "{b} to {a}");
        }
    }

    #[test]
    fn names_the_nearest_and_nothing_far_away() {
        let known = ["threads", "top_k", "top_p", "temperature"];
        assert_eq!(nearest("theads", known), Some("threads"));
        assert_eq!(nearest("temprature", known), Some("temperature"));
        assert_eq!(nearest("top_q", known), Some("top_k"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("ab", ["cd"]), None);
        assert_eq!(
            nearest("maxTokens", ["stop", "max_tokens"]),
            Some("max_tokens")
        );
        assert_eq!(nearest(&"x".repeat(1 << 20), known), None);
    }
}
