//! Many short texts in one string.

/// Texts by number.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    /// Where each ends; it begins where the one before ends.
    ends: Vec<u32>,
}

impl Texts {
    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Text `number`.
    ///
    /// # Panics
    /// If there are not so many.
    pub(super) fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start as usize..self.ends[number] as usize]
    }

    /// Adds a text; `false` where all of them are too long together.
    pub(super) fn push(&mut self, text: &str) -> bool {
        let end = u32::try_from(self.all.len() + text.len());
        if let Ok(end) = end {
            self.all.push_str(text);
            self.ends.push(end);
        }
        end.is_ok()
    }

    /// The same texts in another order: text `i` is the one that was `order[i]`.
    pub(super) fn reordered(&self, order: &[u32]) -> Self {
        let mut texts = Self {
            all: String::with_capacity(self.all.len()),
            ends: Vec::with_capacity(order.len()),
        };
        for &number in order {
            texts.push(self.get(number as usize));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_texts_apart_and_in_order() {
        let mut texts = Texts::default();
        for text in ["ab", "", "é", "c"] {
            assert!(texts.push(text));
        }
        let all = |texts: &Texts| (0..4).map(|i| texts.get(i).to_owned()).collect::<Vec<_>>();
        assert_eq!(all(&texts), ["ab", "", "é", "c"]);
        assert_eq!(all(&texts.reordered(&[3, 2, 1, 0])), ["c", "é", "", "ab"]);
        assert_eq!(texts.len(), 4);
    }
}
