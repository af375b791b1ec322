//! One axis of a chart: from numbers to places, and where it has its ticks.

use super::markup::figure;

/// How numbers become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spacing {
    /// Equal differences.
    Linear,
    /// Equal ratios. What is not positive stands at the lower end.
    Log,
    /// As `Log`, for counts from 0: the place of n is that of n + 1.
    Count,
}

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) label: String,
    spacing: Spacing,
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis on which all of the values have a place, those that are not finite aside.
    pub(super) fn over(
        label: impl Into<String>,
        spacing: Spacing,
        values: impl Iterator<Item = f64>,
    ) -> Self {
        let has_place =
            |value: &f64| value.is_finite() && (spacing != Spacing::Log || *value > 0.0);
        let ends = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
        let [mut low, mut high] =
            values.filter(has_place).fold([f64::INFINITY, f64::NEG_INFINITY], ends);
        if low > high {
            [low, high] = [1.0, 1.0];
        }
        if low == high {
            [low, high] = match spacing {
                Spacing::Linear => {
                    let around = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
                    [low - around, high + around]
                }
                Spacing::Log => [low / 2.0, high * 2.0],
                Spacing::Count => [low, high + 1.0],
            };
        }
        Self { label: label.into(), spacing, low, high }
    }

    /// The axis with room at both ends, as a share of its length.
    pub(super) fn with_margin(mut self, share: f64) -> Self {
        let around = share * (self.high - self.low);
        self.low -= around;
        self.high += around;
        self
    }

    pub(super) fn ends(&self) -> [f64; 2] {
        [self.low, self.high]
    }

    /// The place of the value, from 0 at the lower end to 1 at the upper.
    pub(super) fn place(&self, value: f64) -> f64 {
        let scaled = |value: f64| match self.spacing {
            Spacing::Linear => value,
            Spacing::Log => value.max(self.low).ln(),
            Spacing::Count => value.ln_1p(),
        };
        (scaled(value) - scaled(self.low)) / (scaled(self.high) - scaled(self.low))
    }

    /// Values to mark, with their texts.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match self.spacing {
            Spacing::Linear => self.round_numbers(),
            Spacing::Log => {
                let powers = self.powers_of_ten();
                if powers.len() < 2 { self.round_numbers() } else { powers }
            }
            Spacing::Count if self.high < 10.0 => self.round_numbers(),
            Spacing::Count => {
                let mut ticks = self.powers_of_ten();
                if self.low <= 0.0 {
                    ticks.insert(0, (0.0, "0".to_owned()));
                }
                ticks
            }
        }
    }

    fn round_numbers(&self) -> Vec<(f64, String)> {
        const ABOUT: f64 = 5.0;
        let rough = (self.high - self.low) / ABOUT;
        let power = 10_f64.powf(rough.log10().floor());
        let whole = self.spacing == Spacing::Count;
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = step.into_iter().find(|&step| step >= rough && (!whole || step >= 1.0));
        let step = step.unwrap_or(1.0);
        let first = (self.low / step).ceil();
        let values = (0..20).map(|i| (first + f64::from(i)) * step);
        let values = values.take_while(|&value| value <= self.high + 1e-9 * step);
        // 0.1 + 0.2 is not 0.3, and would be written so.
        values.map(|value| (value, figure((value / step).round() * step))).collect()
    }

    /// Every power of ten, or every second, third, …, so that there are few.
    fn powers_of_ten(&self) -> Vec<(f64, String)> {
        const MOST: i32 = 6;
        let lowest = self.low.max(if self.spacing == Spacing::Count { 1.0 } else { 0.0 });
        let first = lowest.log10().ceil() as i32;
        let last = self.high.log10().floor() as i32;
        let stride = ((last - first) / MOST + 1).max(1);
        let exponents = (first..=last).filter(|exponent| exponent.rem_euclid(stride) == 0);
        exponents.map(|exponent| (10_f64.powi(exponent), power_text(exponent))).collect()
    }
}

fn power_text(exponent: i32) -> String {
    if (-2..=4).contains(&exponent) {
        return figure(10_f64.powi(exponent));
    }
    let superscript = |digit: char| match digit {
        '-' => '⁻',
        digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize - '0' as usize],
    };
    format!("10{}", exponent.to_string().chars().map(superscript).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{Axis, Spacing};

    fn check(spacing: Spacing, ends: [f64; 2], texts: &[&str]) {
        let axis = Axis::over("", spacing, ends.into_iter());
        let ticks = axis.ticks();
        assert_eq!(ticks.iter().map(|tick| tick.1.as_str()).collect::<Vec<_>>(), texts);
        assert!(ticks.iter().all(|&(value, _)| (-1e-9..=1.0 + 1e-9).contains(&axis.place(value))));
    }

    #[test]
    fn a_linear_axis_has_round_ticks() {
        check(Spacing::Linear, [0.0, 1.0], &["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        check(Spacing::Linear, [-17.0, 200.0], &["0", "50", "100", "150", "200"]);
    }

    #[test]
    fn a_logarithmic_axis_has_powers_of_ten() {
        check(Spacing::Log, [2e-6, 30.0], &["10⁻⁴", "0.01", "1"]);
        check(Spacing::Log, [0.05, 300.0], &["0.1", "1", "10", "100"]);
    }

    #[test]
    fn an_axis_of_epochs_starts_at_zero() {
        check(Spacing::Count, [0.0, 20_000.0], &["0", "1", "10", "100", "1000", "10000"]);
        check(Spacing::Count, [0.0, 3.0], &["0", "1", "2", "3"]);
    }

    #[test]
    fn a_single_value_has_room_around_it() {
        check(Spacing::Linear, [5.0, 5.0], &["4.6", "4.8", "5", "5.2", "5.4"]);
    }

    #[test]
    fn a_zero_on_a_logarithmic_axis_stands_at_its_lower_end() {
        let axis = Axis::over("", Spacing::Log, [0.0, 1.0, 100.0].into_iter());
        assert_eq!([axis.place(0.0), axis.place(1.0), axis.place(100.0)], [0.0, 0.0, 1.0]);
    }
}
