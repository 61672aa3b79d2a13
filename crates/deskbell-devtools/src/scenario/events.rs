//! The events of a scenario: samples of one cast or several, with values and references set.

use std::collections::HashMap;

use clerk_webhooks::catalog;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::error::{ScenarioError, ScenarioFault};
use super::reference::{Named, resolve};
use super::step::{Scenario, Step};
use crate::assignment::Assignment;
use crate::cast::{Cast, hash};
use crate::samples::{message_id, sample};

/// The cast of the steps that name none.
const MAIN_CAST: &str = "main";
/// What tells the casts of one seed's rounds apart.
const ROUND_STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// An event that is ready to be signed and sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub event_type: String,
    pub message_id: String,
    pub body: Value,
}

/// Which time a scenario is played.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// The same seed has the same people and ids; without one everybody is new.
    pub seed: Option<u64>,
    /// How many rounds there were before.
    pub number: u64,
    pub now_ms: i64,
}

impl Scenario {
    /// The events, in order and a millisecond apart, the last one now.
    ///
    /// # Errors
    /// A step sets a path that is not there, or refers to nothing.
    pub fn events(&self, round: &Round) -> Result<Vec<Event>, ScenarioError> {
        let mut casts = HashMap::new();
        let mut bodies = Vec::with_capacity(self.step.len());
        for (index, step) in self.step.iter().enumerate() {
            let name = step.cast.as_deref().unwrap_or(MAIN_CAST);
            let cast = casts.entry(name).or_insert_with(|| round.cast(name));
            let steps_left = i64::try_from(self.step.len() - 1 - index).unwrap_or_default();
            let body = step.body().map_err(|fault| self.error(index, fault))?;
            bodies.push(cast.play(&body, round.now_ms - steps_left));
        }
        for (index, step) in self.step.iter().enumerate() {
            let values = self.values(step, &bodies).map_err(|fault| self.error(index, fault))?;
            for assignment in values {
                let set = assignment.apply(&mut bodies[index], step.add);
                set.map_err(|error| self.error(index, ScenarioFault::Path(error)))?;
            }
        }
        let events = self.step.iter().zip(bodies).map(|(step, body)| Event {
            event_type: step.r#type.clone(),
            message_id: message_id(),
            body,
        });
        Ok(events.collect())
    }

    fn error(&self, index: usize, fault: ScenarioFault) -> ScenarioError {
        let step = Some((index + 1, self.step[index].r#type.clone()));
        ScenarioError { origin: self.origin.clone(), step, fault: Box::new(fault) }
    }

    /// What a step sets. References see what earlier steps have set.
    fn values(&self, step: &Step, bodies: &[Value]) -> Result<Vec<Assignment>, ScenarioFault> {
        let named: Named<'_> = self
            .step
            .iter()
            .zip(bodies)
            .filter_map(|(step, body)| Some((step.name.as_deref()?, &body["data"])))
            .collect();
        let assign = |(path, value): (&String, &Value)| {
            let value = resolve(value, &named)?;
            Assignment::new(path, value)
                .ok_or_else(|| ScenarioFault::BadPath { path: path.clone() })
        };
        step.set.iter().map(assign).collect()
    }
}

impl Step {
    /// The body as the catalog or the step itself has it.
    fn body(&self) -> Result<Value, ScenarioFault> {
        let Some(data) = &self.data else {
            return sample(&self.r#type).map_err(ScenarioFault::Type);
        };
        let envelope = catalog::all().first().map_or("{}", |entry| entry.sample);
        let mut body: Value = serde_json::from_str(envelope).unwrap_or_default();
        body["data"] = data.clone();
        body["type"] = json!(self.r#type);
        Ok(body)
    }
}

impl Round {
    fn cast(&self, name: &str) -> Cast {
        match self.seed {
            None => Cast::random(self.now_ms),
            Some(seed) => {
                let seed = seed.wrapping_add(self.number.wrapping_mul(ROUND_STRIDE));
                let of_name = if name == MAIN_CAST { 0 } else { hash(name) };
                Cast::of_seed(seed ^ of_name)
            }
        }
    }
}

/// Puts the events out of order: always the same with a seed.
pub fn shuffle<T>(events: &mut [T], seed: Option<u64>) {
    match seed {
        Some(seed) => events.shuffle(&mut ChaCha8Rng::seed_from_u64(seed)),
        None => events.shuffle(&mut rand::rng()),
    }
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;
    use crate::scenario::builtin::{BUILTIN, builtin};

    const ROUND: Round = Round { seed: Some(3), number: 0, now_ms: 1_800_000_000_000 };

    fn played(text: &str, round: &Round) -> Result<Vec<Event>, ScenarioError> {
        Scenario::parse("own.toml", text).unwrap().events(round)
    }

    #[test]
    fn the_steps_of_one_cast_are_about_the_same_person() {
        let events = builtin("membership").unwrap().events(&ROUND).unwrap();
        let data = |index: usize| &events[index].body["data"];
        let [founder, organization, member] = [0, 1, 4].map(|index| &data(index)["id"]);
        assert_ne!(founder, member);
        assert_eq!(&data(1)["created_by"], founder);
        assert_eq!(&data(2)["public_user_data"]["user_id"], founder);
        assert_eq!(&data(6)["public_user_data"]["user_id"], member);
        assert_eq!(&data(6)["organization"]["id"], organization);
        assert_eq!(data(6)["id"], data(7)["id"]);
        assert_ne!(data(2)["id"], data(6)["id"]);
        let address = &data(4)["email_addresses"][0]["email_address"];
        assert_eq!(&data(3)["email_address"], address);
        assert_eq!(&data(6)["public_user_data"]["identifier"], address);
        assert_eq!(&data(5)["user_id"], member);
    }

    #[test]
    fn a_subscription_is_paid_by_the_one_who_has_it() {
        let events = builtin("subscription").unwrap().events(&ROUND).unwrap();
        let user = &events[0].body["data"]["id"];
        for event in &events[1..] {
            assert_eq!(&event.body["data"]["payer"]["user_id"], user, "{}", event.event_type);
        }
        let paid = &events[4].body["data"];
        assert_eq!((&paid["status"], &paid["failed_reason"]), (&"paid".into(), &Value::Null));
        assert_eq!(paid["subscription_items"][0]["id"], events[2].body["data"]["id"]);
    }

    #[test]
    fn every_scenario_can_be_played() {
        for known in BUILTIN {
            let scenario = builtin(known.name).unwrap();
            assert!(scenario.description.is_some(), "{}", known.name);
            assert!(scenario.events(&ROUND).unwrap().len() >= 2, "{}", known.name);
        }
    }

    #[test]
    fn a_user_leaves_before_they_are_deleted() {
        let events = builtin("delete-user").unwrap().events(&ROUND).unwrap();
        let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(types[types.len() - 2..], ["organizationMembership.deleted", "user.deleted"]);
    }

    #[test]
    fn times_never_run_backwards() {
        for known in BUILTIN {
            let events = builtin(known.name).unwrap().events(&ROUND).unwrap();
            let times: Vec<_> =
                events.iter().map(|event| event.body["timestamp"].as_i64().unwrap()).collect();
            assert!(times.is_sorted(), "{}: {times:?}", known.name);
            assert_eq!(times.last(), Some(&ROUND.now_ms));
        }
    }

    #[test]
    fn a_seed_repeats_the_person_and_another_round_has_another() {
        let id = |seed, number| {
            let events = builtin("sign-up").unwrap().events(&Round { seed, number, ..ROUND });
            events.unwrap()[0].body["data"]["id"].clone()
        };
        assert_eq!(id(Some(3), 0), id(Some(3), 0));
        assert_ne!(id(Some(3), 0), id(Some(3), 1));
        assert_ne!(id(None, 0), id(None, 0));
    }

    #[test]
    fn a_type_that_clerk_does_not_send_has_data_of_its_own() {
        let text = "[[step]]\ntype = \"team.created\"\ndata = { id = \"team_1\" }";
        let [event] = &played(text, &ROUND).unwrap()[..] else { panic!("one event") };
        assert_eq!(event.body["data"], json!({"id": "team_1"}));
        assert_eq!(
            (&event.body["type"], &event.body["object"]),
            (&"team.created".into(), &"event".into())
        );
    }

    #[test]
    fn a_step_that_cannot_be_played_is_named() {
        for (set, wanted, help) in [
            (
                "\"data.frist_name\" = 1",
                "the sample has no path `data.frist_name`",
                "data.first_name",
            ),
            ("\"data..x\" = 1", "`data..x` is not a path", "dots between"),
            ("\"data.id\" = \"{{u.id}}\"", "no step has the name `u`", "name = \"u\""),
        ] {
            let text = format!("[[step]]\ntype = \"user.created\"\nset = {{ {set} }}");
            let error = played(&text, &ROUND).unwrap_err();
            assert!(error.to_string().contains("step 1 (user.created): "), "{error}");
            assert!(error.to_string().contains(wanted), "{error}");
            let said = error.help().unwrap().to_string();
            assert!(said.contains(help), "{said}");
        }
    }
}
