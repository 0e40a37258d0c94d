//! Takes white space off the ends of a text that comes in pieces.

/// Drops white space until the text begins.
#[derive(Debug, Clone, Default)]
pub(super) struct LeadingTrim {
    begun: bool,
}

impl LeadingTrim {
    pub(super) fn push<'t>(&mut self, text: &'t str) -> &'t str {
        let text = if self.begun { text } else { text.trim_start() };
        self.begun |= !text.is_empty();
        text
    }

    /// Whether there was anything but white space.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }
}

/// Holds white space back until more text follows it.
#[derive(Debug, Clone, Default)]
pub(super) struct TrailingTrim {
    held: String,
}

impl TrailingTrim {
    pub(super) fn push(&mut self, text: &str) -> String {
        self.held.push_str(text);
        let held = self.held.split_off(self.held.trim_end().len());
        std::mem::replace(&mut self.held, held)
    }
}
