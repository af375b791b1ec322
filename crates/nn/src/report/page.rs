//! The frame that every page has: head, style, and its data and script if it has some.

use super::markup::{escape, fill};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// What a page's script is given and what it does.
pub(super) struct Script<'a> {
    /// JSON, escaped for a script element.
    pub(super) data: &'a str,
    pub(super) code: &'a str,
}

/// A page of its own, from its body in HTML.
pub(super) fn page(title: &str, body: &str, script: Option<Script<'_>>) -> String {
    let script = script.map_or(String::new(), |Script { data, code }| {
        format!(
            "<script type=\"application/json\" id=\"data\">{data}</script>\n<script>\n{code}</script>\n"
        )
    });
    let title = escape(title);
    fill(PAGE, &[("title", &title), ("style", STYLE), ("body", body), ("script", &script)])
}
