//! How an explanation looks as text: short numbers, and columns that stand under each other.

/// The number with six significant digits at most, in decimal or, far from 1, with an exponent.
pub(crate) fn number(value: f64) -> String {
    const DIGITS: i32 = 6;
    let scientific = format!("{value:.*e}", DIGITS as usize - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific; // NaN, inf
    };
    let exponent: i32 = exponent.parse().expect("an exponent is an integer");
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).expect("the exponent is in range");
        without_trailing_zeros(&format!("{value:.decimals$}")).to_owned()
    } else {
        format!("{}e{exponent}", without_trailing_zeros(mantissa))
    }
}

/// The number as an operand that is not the first: in parentheses when negative.
pub(crate) fn in_product(value: f64) -> String {
    let number = number(value);
    if number.starts_with('-') { format!("({number})") } else { number }
}

/// The cells of each row joined by equals signs, each column as wide as it needs to be.
pub(super) fn rows(rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.collect();
    let mut widths = Vec::new();
    for row in &rows {
        let (_, padded) = row.split_last().expect("a row has cells");
        widths.resize(widths.len().max(padded.len()), 0);
        for (width, cell) in widths.iter_mut().zip(padded) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let (last, padded) = row.split_last().expect("a row has cells");
    let padded = padded.iter().zip(widths).map(|(cell, width)| format!("{cell:width$} = "));
    format!("  {}{last}\n", padded.collect::<String>())
}

fn without_trailing_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::{number, rows};

    fn check(value: f64, text: &str) {
        assert_eq!(number(value), text);
    }

    #[test]
    fn a_whole_number_has_no_decimals() {
        check(-84.0, "-84");
    }

    #[test]
    fn a_number_has_six_significant_digits_at_most() {
        check(1932.0 / 158.0, "12.2278");
    }

    #[test]
    fn a_fraction_has_no_trailing_zeros() {
        check(0.0125, "0.0125");
    }

    #[test]
    fn a_number_that_rounds_up_to_a_power_of_ten_keeps_its_digits() {
        check(999_999.7, "1e6");
        check(9.999_999_7, "10");
    }

    #[test]
    fn a_number_far_from_one_has_an_exponent() {
        check(-2_500_000.0, "-2.5e6");
        check(1.25e-7, "1.25e-7");
    }

    #[test]
    fn zero_and_what_is_no_number_are_written_as_such() {
        check(0.0, "0");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-inf");
    }

    #[test]
    fn columns_stand_under_each_other_and_nothing_trails() {
        let table =
            [["∂L", "7", "1"], ["x", "123", "45"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(rows(table.into_iter()), "  ∂L = 7   = 1\n  x  = 123 = 45\n");
    }
}
