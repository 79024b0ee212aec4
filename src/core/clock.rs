//! One clock out of two.

/// How far one clock may trail the other before it counts as stopped, in milliseconds. Within that, one of them may be
/// coarse, or tick at other moments.
const SLACK_MS: f64 = 1_000.0;

/// Time that passes as the faster of the two clocks of a runtime says.
///
/// A monotonic clock stops on some machines while they sleep, a wall clock can be set back, and a worker freezes both
/// between two inputs. Time counts from whichever clock is ahead; one that trails catches up without counting again.
#[derive(Clone, Debug)]
pub struct Clock {
    now: f64,
    started: bool,
    sources: [Source; 2],
}

/// One of the two clocks.
#[derive(Clone, Copy, Debug)]
struct Source {
    /// What it showed last.
    reading: f64,
    /// How far it has advanced.
    time: f64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

impl Clock {
    /// A clock that has not been read.
    pub const fn new() -> Clock {
        Clock { now: 0.0, started: false, sources: [Source { reading: 0.0, time: 0.0 }; 2] }
    }

    /// Takes a reading of both clocks, in milliseconds, and returns the time since the first reading.
    pub fn read(&mut self, monotonic: f64, wall: f64) -> f64 {
        let mut ahead: f64 = 0.0;
        for (source, reading) in self.sources.iter_mut().zip([monotonic, wall]) {
            if self.started {
                source.time += (reading - source.reading).max(0.0);
            }
            source.reading = reading;
            ahead = ahead.max(source.time);
        }
        for source in &mut self.sources {
            if ahead - source.time > SLACK_MS {
                source.time = ahead;
            }
        }
        self.started = true;
        self.now = self.now.max(ahead);
        self.now
    }

    /// Makes sure that the time is at least `now`: a timer that has fired is proof of it, whatever a
    /// coarse or frozen clock shows.
    pub fn at_least(&mut self, now: f64) {
        self.now = self.now.max(now);
    }
}
