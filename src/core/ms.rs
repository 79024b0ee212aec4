//! Durations.

use core::ops::{Add, AddAssign, Mul, Sub};

use serde::{Deserialize, Serialize};

/// A duration in milliseconds. Points in time stay plain numbers: milliseconds of a clock that the caller chooses.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ms(pub f64);

impl Ms {
    /// No time.
    pub const ZERO: Ms = Ms(0.0);

    /// The longer one; `other` where this is not a number.
    pub fn max(self, other: Ms) -> Ms {
        Ms(self.0.max(other.0))
    }

    /// The shorter one; `other` where this is not a number.
    pub fn min(self, other: Ms) -> Ms {
        Ms(self.0.min(other.0))
    }
}

/// A point in time, and what comes after it.
impl Add<Ms> for f64 {
    type Output = f64;

    fn add(self, duration: Ms) -> f64 {
        self + duration.0
    }
}

impl Add for Ms {
    type Output = Ms;

    fn add(self, other: Ms) -> Ms {
        Ms(self.0 + other.0)
    }
}

impl AddAssign for Ms {
    fn add_assign(&mut self, other: Ms) {
        self.0 += other.0;
    }
}

impl Sub for Ms {
    type Output = Ms;

    fn sub(self, other: Ms) -> Ms {
        Ms(self.0 - other.0)
    }
}

impl Mul<f64> for Ms {
    type Output = Ms;

    fn mul(self, factor: f64) -> Ms {
        Ms(self.0 * factor)
    }
}
