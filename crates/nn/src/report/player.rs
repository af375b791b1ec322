//! What both pages that play a calculation have in common: buttons, keys, speed, and how numbers are written.

/// The buttons, the slider and the speed.
pub(super) const CONTROLS: &str = include_str!("player.html");

/// The script behind them, which a page's own script goes on.
pub(super) const PLAYER: &str = include_str!("player.js");
