//! Complex numbers of two of an engine's real ones.

use std::ops::{Add, Div, Mul, Sub};

use crate::number::Elementary;

#[derive(Clone, Copy)]
pub struct Complex<T> {
    pub real: T,
    pub imaginary: T,
}

impl<T: Elementary> Complex<T> {
    /// z + x.
    pub fn plus(self, x: T) -> Self {
        Self { real: self.real + x, imaginary: self.imaginary }
    }

    /// z·x.
    pub fn times(self, x: T) -> Self {
        Self { real: self.real * x, imaginary: self.imaginary * x }
    }

    /// 1 − z.
    pub fn one_minus(self) -> Self {
        Self { real: self.real.subtract_from(1.0), imaginary: -self.imaginary }
    }

    pub fn exp(self) -> Self {
        let scale = self.real.exp();
        Self { real: scale * self.imaginary.cos(), imaginary: scale * self.imaginary.sin() }
    }

    /// The root whose real part is positive, of a number that is not negative.
    pub fn sqrt(self) -> Self {
        let real = ((self.absolute_square().sqrt() + self.real) * 0.5).sqrt();
        Self { real, imaginary: self.imaginary / (real * 2.0) }
    }

    /// The logarithm of a number whose real part is positive.
    pub fn ln(self) -> Self {
        Self {
            real: self.absolute_square().ln() * 0.5,
            imaginary: (self.imaginary / self.real).atan(),
        }
    }

    fn absolute_square(self) -> T {
        self.real * self.real + self.imaginary * self.imaginary
    }
}

impl<T: Elementary> Add for Complex<T> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { real: self.real + other.real, imaginary: self.imaginary + other.imaginary }
    }
}

impl<T: Elementary> Sub for Complex<T> {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { real: self.real - other.real, imaginary: self.imaginary - other.imaginary }
    }
}

impl<T: Elementary> Mul for Complex<T> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self {
            real: self.real * other.real - self.imaginary * other.imaginary,
            imaginary: self.real * other.imaginary + self.imaginary * other.real,
        }
    }
}

impl<T: Elementary> Mul<f64> for Complex<T> {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self { real: self.real * factor, imaginary: self.imaginary * factor }
    }
}

impl<T: Elementary> Div for Complex<T> {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let scale = other.absolute_square().recip();
        Self {
            real: (self.real * other.real + self.imaginary * other.imaginary) * scale,
            imaginary: (self.imaginary * other.real - self.real * other.imaginary) * scale,
        }
    }
}
