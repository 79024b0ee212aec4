//! One clock out of two.

/// Time that passes whenever either of the two clocks of a runtime says so.
///
/// A monotonic clock stops on some machines while they sleep, and a wall clock can be set back. A
/// worker freezes both between two inputs. The larger of the two advances, never a negative one, is
/// right in every one of these cases.
#[derive(Clone, Debug)]
pub struct Clock {
    now: f64,
    /// How far timers have taken this clock beyond its two sources: what they catch up does not count again.
    ahead: f64,
    monotonic: f64,
    wall: f64,
    started: bool,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

impl Clock {
    /// A clock that has not been read.
    pub const fn new() -> Clock {
        Clock { now: 0.0, ahead: 0.0, monotonic: 0.0, wall: 0.0, started: false }
    }

    /// Takes a reading of both clocks, in milliseconds, and returns the time since the first reading.
    pub fn read(&mut self, monotonic: f64, wall: f64) -> f64 {
        if self.started {
            let passed = (monotonic - self.monotonic).max(wall - self.wall);
            let caught_up = passed.clamp(0.0, self.ahead);
            self.ahead -= caught_up;
            self.now += passed.max(0.0) - caught_up;
        }
        self.started = true;
        self.monotonic = monotonic;
        self.wall = wall;
        self.now
    }

    /// Makes sure that the time is at least `now`: a timer that has fired is proof of it, whatever a
    /// coarse or frozen clock shows.
    pub fn at_least(&mut self, now: f64) {
        self.ahead += (now - self.now).max(0.0);
        self.now = self.now.max(now);
    }
}
