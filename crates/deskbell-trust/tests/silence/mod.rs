//! The alarm for sources that fall silent.

mod absence;
mod shapes;
mod stops;
mod traffic;
mod verdicts;

use deskbell_trust::silence::Rhythm;

use self::traffic::MINUTE_MS;

/// How often a running program looks, or rarer.
const LOOK_MS: i64 = 10 * MINUTE_MS;

/// A source as the program follows it: events as they come, and a look now and then.
struct Followed {
    rhythm: Rhythm,
    now_ms: i64,
    /// When each alarm was raised.
    alarms: Vec<i64>,
}

impl Followed {
    fn new(start_ms: i64) -> Self {
        Self { rhythm: Rhythm::new(start_ms), now_ms: start_ms, alarms: Vec::new() }
    }

    /// Goes on with these events, which are in order.
    fn follow(&mut self, events: &[i64], until_ms: i64) {
        let mut events = events.iter().copied().peekable();
        while self.now_ms < until_ms {
            self.now_ms = (self.now_ms + LOOK_MS).min(until_ms);
            while let Some(at_ms) = events.next_if(|at_ms| *at_ms <= self.now_ms) {
                self.rhythm.arrived(at_ms);
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let was_alarming = self.rhythm.is_alarming();
        self.rhythm.observe(self.now_ms);
        if self.rhythm.is_alarming() && !was_alarming {
            self.alarms.push(self.now_ms);
        }
    }

    /// How long after the last event the alarm is raised, if nothing comes any more.
    fn hours_to_alarm(&mut self, days_max: i64) -> Option<f64> {
        let last_ms = self.rhythm.newest_ms()?;
        let until_ms = self.now_ms + days_max * traffic::DAY_MS;
        while !self.rhythm.is_alarming() && self.now_ms < until_ms {
            self.follow(&[], self.now_ms + LOOK_MS);
        }
        let hours = (self.now_ms - last_ms) as f64 / traffic::HOUR_MS as f64;
        self.rhythm.is_alarming().then_some(hours)
    }

    /// As a process that starts anew and reads what was kept.
    fn restart(&mut self) {
        let kept = serde_json::to_string(&self.rhythm).unwrap();
        self.rhythm = serde_json::from_str(&kept).unwrap();
    }
}
