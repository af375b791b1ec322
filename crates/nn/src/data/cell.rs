//! What the text of a cell can mean: a gap, a number, yes or no, a day.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::encoding::Comma;

/// Whether this text says that there is nothing, in a column of whatever kind.
pub(super) fn is_gap(cell: &str) -> bool {
    const WORDS: [&str; 7] = ["na", "n/a", "#n/a", "nan", "null", "?", "<na>"];
    cell.is_empty() || WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Whether it says so in a column of numbers or days. (Among texts these are texts: `-` may be the opposite of `+`.)
pub(super) fn is_gap_among_numbers(cell: &str) -> bool {
    const WORDS: [&str; 8] = ["-", "−", "–", "—", "--", ".", "none", "nil"];
    is_gap(cell) || WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

impl Comma {
    /// What it means in a column with these cells, if one has a comma. Where all could be either, it is what the
    /// delimiter suggests: a comma between cells leaves thousands, anything else the decimal sign.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str>, delimiter: u8) -> Option<Self> {
        let mut found = None;
        for cell in cells.filter(|cell| cell.contains(',')) {
            let decimal = as_written(cell, Self::Decimal).is_some();
            let thousands = as_written(cell, Self::Thousands).is_some();
            match (decimal, thousands) {
                (true, false) => return Some(Self::Decimal),
                (false, true) => return Some(Self::Thousands),
                (true, true) if delimiter == b',' => found = Some(Self::Thousands),
                (true, true) => found = Some(Self::Decimal),
                (false, false) => {}
            }
        }
        found
    }
}

/// A number, also as `12 %`, which is 0.12, `$1,234.50` or `1.234,50 €`. Infinite ones are numbers here.
pub(super) fn number(cell: &str, comma: Option<Comma>) -> Option<f64> {
    match comma {
        Some(comma) => as_written(cell, comma),
        None => plain(cell).or_else(|| as_written(cell, Comma::Thousands)),
    }
}

fn plain(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| !number.is_nan())
}

fn as_written(cell: &str, comma: Comma) -> Option<f64> {
    const CURRENCIES: [char; 4] = ['$', '€', '£', '¥'];
    let (cell, is_percent) = match cell.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (cell, false),
    };
    let (sign, digits) = match cell.strip_prefix(['-', '−']) {
        Some(rest) => (-1.0, rest),
        None => (1.0, cell),
    };
    let digits = digits.strip_prefix(CURRENCIES).unwrap_or(digits);
    let digits = digits.strip_suffix(CURRENCIES).unwrap_or(digits).trim();
    let (group, point) = match comma {
        Comma::Decimal => ('.', ','),
        Comma::Thousands => (',', '.'),
    };
    let (whole, fraction) = match digits.split_once(point) {
        Some((whole, fraction)) if !fraction.contains([group, point]) => (whole, Some(fraction)),
        Some(_) => return None,
        None => (digits, None),
    };
    if whole.contains(group) {
        let mut groups = whole.split(group);
        let first = groups.next().unwrap_or_default();
        let is_whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        // 0,125 is no 0 thousands.
        let fits = (1..=3).contains(&first.len()) && is_whole(first) && !first.starts_with('0');
        if !fits || !groups.all(|group| group.len() == 3 && is_whole(group)) {
            return None;
        }
    }
    let mut joined = whole.replace(group, "");
    if let Some(fraction) = fraction {
        joined.push('.');
        joined.push_str(fraction);
    }
    let number = sign * plain(&joined)?;
    Some(if is_percent { number / 100.0 } else { number })
}

/// Yes or no, by a word in which that is commonly written.
pub(super) fn yes_no(cell: &str) -> Option<bool> {
    const PAIRS: [[&str; 2]; 5] =
        [["yes", "no"], ["true", "false"], ["y", "n"], ["t", "f"], ["on", "off"]];
    PAIRS.iter().flatten().position(|word| cell.eq_ignore_ascii_case(word)).map(|at| at % 2 == 0)
}

/// How days are written, as `strftime` would say it: the first that fits all cells is taken. A month comes before its
/// day in `01/02/2003`, unless a column says otherwise.
const DAYS: [&str; 17] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%B %d %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%d-%B-%Y",
    "%d-%B-%y",
    "%Y-%m",
    "%B %Y",
];

/// How the time of a day is, after a space or a T.
const TIMES: [&str; 4] = ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"];

/// The way in which all of these cells are written, if they are days. There must be one.
pub(super) fn day_format(cells: &[&str]) -> Option<String> {
    let first = cells.first()?;
    let is_long_enough = first.len() >= 6 && first.bytes().any(|byte| byte.is_ascii_digit());
    if !is_long_enough || plain(first).is_some() {
        return None;
    }
    let times = ["", " ", "T"].into_iter().flat_map(|between| {
        let times = TIMES.iter().map(move |time| format!("{between}{time}"));
        if between.is_empty() { vec![String::new()] } else { times.collect() }
    });
    let mut formats = times.flat_map(|time| DAYS.iter().map(move |day| format!("{day}{time}")));
    formats.find(|format| cells.iter().all(|cell| moment(cell, format).is_some()))
}

/// A cell as a moment, if it is written so and in the years 1000 to 2999.
pub(super) fn moment(cell: &str, format: &str) -> Option<NaiveDateTime> {
    let found = if has_time(format) {
        NaiveDateTime::parse_from_str(cell.trim_end_matches('Z'), format).ok()?
    } else {
        let day = if format.contains("%d") {
            NaiveDate::parse_from_str(cell, format)
        } else {
            NaiveDate::parse_from_str(&format!("{cell} 1"), &format!("{format} %d"))
        };
        day.ok()?.and_time(NaiveTime::MIN)
    };
    (1000..3000).contains(&found.year()).then_some(found)
}

/// Whether days written so have a time.
pub(super) fn has_time(format: &str) -> bool {
    format.contains("%M")
}

/// The days since the beginning of 1970.
pub(super) fn days(moment: NaiveDateTime) -> f64 {
    const BEGINNING: i32 = 719_163;
    let whole = moment.num_days_from_ce() - BEGINNING;
    f64::from(whole) + share_of_day(moment)
}

/// How much of the day has passed.
pub(super) fn share_of_day(moment: NaiveDateTime) -> f64 {
    f64::from(moment.num_seconds_from_midnight()) / 86_400.0
}
