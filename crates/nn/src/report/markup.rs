//! Text made safe for HTML, and templates with gaps.

use crate::chain::explanation::number;

/// The number as text, with a minus sign where the terminal has a hyphen.
pub(super) fn figure(value: f64) -> String {
    number(value).replace('-', "−")
}

/// The text with the characters replaced that mean something in HTML, within elements and within quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// JSON that can stand within a script element: there `</script>` would end it and `<!--` would begin a comment.
/// JSON itself has no `<` but in strings, where the escape means the same.
pub(super) fn json(data: &impl serde::Serialize) -> String {
    let json = serde_json::to_string(data).expect("the keys are strings");
    json.replace('<', "\\u003c")
}

/// The template with each `{{name}}` replaced. What is filled in is not searched for gaps again.
///
/// # Panics
/// When a gap has no value: template and code are of one piece.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut pieces = template.split("{{");
    filled.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, text) = piece.split_once("}}").expect("a gap is closed");
        let value = values.iter().find(|(key, _)| *key == name);
        filled.push_str(value.unwrap_or_else(|| panic!("no value for {name}")).1);
        filled.push_str(text);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::{escape, fill, json};

    #[test]
    fn markup_in_text_is_shown_as_text() {
        assert_eq!(escape("<b title=\"a&b'\">"), "&lt;b title=&quot;a&amp;b&#39;&quot;&gt;");
    }

    #[test]
    fn a_string_cannot_end_the_script_that_carries_it() {
        let json = json(&"</script><!--");
        assert!(!json.contains('<'), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), "</script><!--");
    }

    #[test]
    fn what_fills_a_gap_is_not_searched_for_gaps() {
        assert_eq!(fill("a{{x}}b{{y}}", &[("x", "{{y}}"), ("y", "2")]), "a{{y}}b2");
    }
}
