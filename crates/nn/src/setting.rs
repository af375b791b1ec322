//! Settings that make no sense.

/// A setting whose value is out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{setting} cannot be {value}: it must be {range}")]
pub struct InvalidSetting {
    /// Which setting.
    pub setting: &'static str,
    /// The value as given.
    pub value: f64,
    /// The values it may have.
    pub range: &'static str,
}

/// Refuses a setting that is not finite and greater than 0.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<(), InvalidSetting> {
    let accepts = |value: f64| value > 0.0 && value.is_finite();
    setting(name, value, accepts, "finite and greater than 0")
}

/// Refuses a setting that is not finite and at least 0.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<(), InvalidSetting> {
    let accepts = |value: f64| value >= 0.0 && value.is_finite();
    setting(name, value, accepts, "finite and at least 0")
}

/// Refuses a setting whose value is out of its range, which is given in words too.
pub(crate) fn setting(
    setting: &'static str,
    value: f64,
    accepts: impl Fn(f64) -> bool,
    range: &'static str,
) -> Result<(), InvalidSetting> {
    if accepts(value) { Ok(()) } else { Err(InvalidSetting { setting, value, range }) }
}
