//! What the text of a cell can mean: a gap, a number, yes or no, a day.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::encoding::Comma;

/// Whether this text says that there is nothing, in a column of whatever kind.
pub(super) fn is_gap(cell: &str) -> bool {
    const WORDS: [&str; 7] = ["na", "n/a", "#n/a", "nan", "null", "?", "<na>"];
    cell.is_empty() || is_short(cell) && WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Whether a text is as short as one that means a gap, and no number.
fn is_short(cell: &str) -> bool {
    cell.len() <= 4 && !cell.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Whether it says so in a column of numbers or days. (Among texts these are texts: `-` may be the opposite of `+`.)
pub(super) fn is_gap_among_numbers(cell: &str) -> bool {
    const WORDS: [&str; 8] = ["-", "−", "–", "—", "--", ".", "none", "nil"];
    is_gap(cell) || is_short(cell) && WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
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
    short(text).or_else(|| text.parse().ok().filter(|number: &f64| !number.is_nan()))
}

/// A number of up to 15 digits, if the text is no more than that: most cells are, and are read twice as fast so.
///
/// Digits and power of ten are exact in `f64`, so that their quotient is rounded once, as it is of the text. (Clinger: How to
/// Read Floating Point Numbers Accurately, 1990.)
fn short(text: &str) -> Option<f64> {
    const DIGITS: usize = 15;
    const POWERS: [f64; DIGITS + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    if digits.len() > DIGITS + 1 {
        return None;
    }
    let (mut whole, mut count, mut point) = (0_u64, 0, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                whole = 10 * whole + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if !(1..=DIGITS).contains(&count) {
        return None;
    }
    let number = whole as f64 / POWERS[count - point.unwrap_or(count)];
    Some(if is_negative { -number } else { number })
}

fn as_written(cell: &str, comma: Comma) -> Option<f64> {
    const CURRENCIES: [char; 4] = ['$', '€', '£', '¥'];
    // The letters of `1e5` and `-Infinity`: most texts have others.
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() && !b"einftyEINFTY".contains(&byte);
    if cell.bytes().any(is_letter) {
        return None;
    }
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

/// How a day is written by most programs.
pub(super) const DAY: &str = "%Y-%m-%d";

/// The format of cells that are moments in themselves, and have a time.
pub(super) const TIMED: &str = "%Y-%m-%d %H:%M:%S%.f";

/// How days are written, as `strftime` would say it: the first that fits all cells is taken. A month comes before its
/// day in `01/02/2003`, unless a column says otherwise.
const DAYS: [&str; 17] = [
    DAY,
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
pub(super) fn day_format<'a, I: Iterator<Item = &'a str>>(cells: impl Fn() -> I) -> Option<String> {
    let first = cells().next()?;
    let is_long_enough = first.len() >= 6 && first.bytes().any(|byte| byte.is_ascii_digit());
    if !is_long_enough || plain(first).is_some() {
        return None;
    }
    let times = ["", " ", "T"].into_iter().flat_map(|between| {
        let times = TIMES.iter().map(move |time| format!("{between}{time}"));
        if between.is_empty() { vec![String::new()] } else { times.collect() }
    });
    let mut formats = times.flat_map(|time| DAYS.iter().map(move |day| format!("{day}{time}")));
    formats.find(|format| cells().all(|cell| moment(cell, format).is_some()))
}

/// A cell as a moment, if it is written so and in the years 1000 to 2999.
pub(super) fn moment(cell: &str, format: &str) -> Option<NaiveDateTime> {
    let found = if let Some(found) = iso(cell, format) {
        found
    } else if has_time(format) {
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

/// A cell as a moment, written so or with a T where the format has a space between day and time, or a space for its T:
/// programs write the same moments in both ways.
pub(super) fn moment_alike(cell: &str, format: &str) -> Option<NaiveDateTime> {
    moment(cell, format).or_else(|| moment(cell, &respelled(format)?))
}

/// The format with a T for the space between day and time, or a space for the T.
fn respelled(format: &str) -> Option<String> {
    let (day, time) = format.split_at(format.find("%H").or_else(|| format.find("%I"))?);
    let with_t = || Some(format!("{}T{time}", day.strip_suffix(' ')?));
    let with_space = || Some(format!("{} {time}", day.strip_suffix('T')?));
    with_t().or_else(with_space)
}

/// Whether texts are the same but for a T where the other has a space.
pub(super) fn is_spelled_alike(a: &str, b: &str) -> bool {
    let is_alike = |(a, b)| a == b || matches!((a, b), (b' ', b'T') | (b'T', b' '));
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(is_alike)
}

/// A moment written as `2020-05-17`, or with a time of whole seconds, where that is the format: the usual case, in little time.
fn iso(cell: &str, format: &str) -> Option<NaiveDateTime> {
    let between = match (format, cell.len()) {
        (DAY, 10) => None,
        (TIMED, 19) => Some(b' '),
        ("%Y-%m-%dT%H:%M:%S%.f", 19) => Some(b'T'),
        _ => return None,
    };
    let bytes = cell.as_bytes();
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit().then(|| 10 * number + u32::from(byte - b'0'))
        })
    };
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(number(0, 4)?.cast_signed(), number(5, 7)?, number(8, 10)?)?;
    match between {
        None => Some(day.and_time(NaiveTime::MIN)),
        Some(sign) if bytes[10] == sign && bytes[13] == b':' && bytes[16] == b':' => {
            day.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)
        }
        Some(_) => None,
    }
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

/// The days since the beginning of 1970, from seconds.
pub(super) fn days_of(seconds: i64) -> f64 {
    seconds.div_euclid(SECONDS) as f64 + seconds.rem_euclid(SECONDS) as f64 / SECONDS as f64
}

/// The seconds of a day.
pub(super) const SECONDS: i64 = 86_400;

/// The text of a moment in seconds since the beginning of 1970: the day, and the time if it is asked for.
pub(super) fn written_moment(seconds: i64, has_time: bool) -> String {
    let format = if has_time { TIMED } else { DAY };
    let moment = DateTime::from_timestamp(seconds, 0);
    // Years that no calendar has are no dates, and are their number.
    moment.map_or_else(|| seconds.to_string(), |moment| moment.format(format).to_string())
}

/// A moment written so, or with a T before the time, in seconds since the beginning of 1970.
pub(super) fn seconds_of(text: &str) -> Option<i64> {
    let moment = moment(text, DAY).or_else(|| moment_alike(text, TIMED))?;
    Some(moment.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DAY, TIMED, iso, short};

    proptest! {
        #[test]
        fn a_short_number_is_what_the_standard_library_reads(text in "-?[0-9]{0,9}[.]?[0-9]{0,9}") {
            if let Some(number) = short(&text) {
                prop_assert_eq!(text.parse().map(f64::to_bits), Ok(number.to_bits()));
            }
        }

        #[test]
        fn a_day_in_the_usual_format_is_what_chrono_reads(
            day in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]", time in "[0-2][0-9]:[0-6][0-9]:[0-6][0-9]",
        ) {
            if let Some(moment) = iso(&day, DAY) {
                prop_assert_eq!(chrono::NaiveDate::parse_from_str(&day, DAY), Ok(moment.date()));
            }
            let timed = format!("{day} {time}");
            if let Some(moment) = iso(&timed, TIMED) {
                prop_assert_eq!(chrono::NaiveDateTime::parse_from_str(&timed, TIMED), Ok(moment));
            }
        }
    }

    #[test]
    fn short_numbers_and_usual_days_take_the_short_way() {
        for text in ["0", "-1.5", ".5", "5.", "123456789.012345"] {
            assert!(short(text).is_some(), "{text}");
        }
        assert!(iso("2020-05-17", DAY).is_some() && iso("2020-05-17 10:20:30", TIMED).is_some());
    }
}
