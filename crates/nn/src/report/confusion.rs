//! A confusion matrix: which class was taken for which.

use core::fmt::Write;

use super::markup::escape;
use crate::{Error, metrics};

/// How often each class was taken for each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// How many samples of each class (row) were predicted to be of each class (column). Row by row.
    pub counts: Vec<usize>,
}

/// The counts of a tested model.
impl From<&metrics::Confusion> for Confusion {
    fn from(tested: &metrics::Confusion) -> Self {
        let classes = 0..tested.labels().len();
        let of_class = |truth| classes.clone().map(move |taken| tested.count(truth, taken));
        Self {
            classes: tested.labels().to_vec(),
            counts: classes.clone().flat_map(of_class).collect(),
        }
    }
}

impl Confusion {
    pub(super) fn check(&self) -> Result<(), Error> {
        let wanted = self.classes.len() * self.classes.len();
        let got = self.counts.len();
        if got == wanted {
            return Ok(());
        }
        let part = format!("the confusion matrix of {} classes", self.classes.len());
        Err(Error::ReportSize { part, wanted, got })
    }

    pub(super) fn section(&self) -> String {
        let classes = self.classes.len();
        let mut head = String::new();
        for class in &self.classes {
            let _ = write!(head, r#"<th scope="col">{}</th>"#, escape(class));
        }
        let mut body = String::new();
        let rows = self.counts.chunks_exact(classes.max(1));
        for (row, (class, counts)) in self.classes.iter().zip(rows).enumerate() {
            let of_class: usize = counts.iter().sum();
            let _ = write!(body, r#"<tr><th scope="row">{}</th>"#, escape(class));
            for (column, &count) in counts.iter().enumerate() {
                // The share of its class sets the tint, up to what leaves the text readable.
                let share = 40.0 * count as f64 / of_class.max(1) as f64;
                let kind = match (row == column, count) {
                    (true, _) => "right",
                    (false, 0) => "none",
                    (false, _) => "wrong",
                };
                let _ = write!(
                    body,
                    r#"<td class="{kind}" style="--share: {share:.1}%" data-value="{count}">{count}</td>"#
                );
            }
            let _ = write!(
                body,
                r#"<td class="share" style="--share: 0%">{:.1} %</td></tr>"#,
                100.0 * counts[row] as f64 / of_class.max(1) as f64
            );
        }
        let right: usize = (0..classes).map(|class| self.counts[class * (classes + 1)]).sum();
        let all: usize = self.counts.iter().sum();
        format!(
            r#"<section class="panel"><h2>Confusion matrix</h2><div class="scroll matrix" tabindex="0" role="region" aria-label="Confusion matrix"><table class="confusion"><thead><tr><th scope="col">true</th>{head}<th scope="col">right</th></tr></thead><tbody>{body}</tbody></table></div><p class="note">Rows are the true classes, columns the predicted ones. Framed is what is right: {right} of {all}.</p></section>"#
        )
    }
}
